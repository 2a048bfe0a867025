"""Steps that write into the schedule and the waiting list, by the actions of the shared core."""

from django.urls import reverse

from b2c_procedures.schedule import MOSCOW
from b2c_procedures.states import ROLE_OF, Performer
from b2c_procedures.steps.base import CreatedObject, StepContext, give_task
from callcenter.assignments.states import Department
from callcenter.clinics.actions import book_appointment, open_waiting, reschedule_appointment
from callcenter.clinics.models import Appointment, ScheduleWindow
from callcenter.clinics.states import UPCOMING
from callcenter.contacts.actions import attach_result
from callcenter.contacts.states import ResultKind
from callcenter.lib.errors import Refused
from callcenter.lib.localtime import local


def book(step: StepContext) -> list[CreatedObject]:
    """3.3, 4.5, 4.12, 4.18, 4.21: the client is booked; done again after going back, the same visit
    is moved.
    """
    patient = step.patient()
    window: ScheduleWindow = step.need("window", "Выберите время в расписании.")
    if step.data.get("email") and not patient.email:
        patient.email = step.data["email"]
        patient.save(update_fields=["email"])
    comment = step.data.get("comment", "")
    before = step.made_before(Appointment)
    if before is not None and before.status in UPCOMING:
        if before.starts_at == window.starts_at and before.doctor_id == window.doctor_id:
            visit = before
        else:
            visit = reschedule_appointment(
                before,
                window=window,
                by=step.by,
                now=step.now,
                reason="выбрано другое время в той же процедуре",
            )
    else:
        visit = book_appointment(
            patient=patient,
            window=window,
            by=step.by,
            now=step.now,
            comment=comment,
            source="procedures",
        )
        if step.run.interaction is not None:
            attach_result(
                step.run.interaction.contact,
                kind=ResultKind.BOOKED,
                subject=visit,
                interaction=step.run.interaction,
                at=step.now,
                by=step.by,
            )
    step.run.facts["visit"] = visit.pk
    start = local(visit.starts_at, visit.clinic.zone)
    title = f"Запись {start:%d.%m.%Y %H:%M}, {visit.doctor.short_name}"
    return [CreatedObject(visit, title, reverse("clinics:visit", args=[visit.pk]))]


def waiting_list(step: StepContext) -> list[CreatedObject]:
    """4.9: «Клиент внесен в Лист ожидания к специалисту»."""
    patient = step.patient()
    entry = open_waiting(
        clinic=step.run.clinic,
        patient=patient,
        call_on=step.need("call_on", "Когда позвонить, если время появится?"),
        comment=step.data.get("comment") or "Хочет к этому специалисту, свободного времени нет",
        doctor=step.data.get("doctor"),
        by=step.by,
        now=step.now,
    )
    title = f"Лист ожидания, позвонить {entry.call_on:%d.%m.%Y}"
    return [CreatedObject(entry, title, reverse("assignments:active"))]


def call_back(step: StepContext) -> list[CreatedObject]:
    """4.16: «Когда я могу Вам перезвонить?» — a task with the time the client asked for, among
    «Активные задачи».
    """
    at = step.need("call_at", "Спросите, когда перезвонить.")
    if at <= step.now:
        raise Refused("Это время уже прошло. Спросите другое.", field="call_at")
    who = step.run.patient.full_name if step.run.patient else step.run.number or "клиенту"
    return [
        give_task(
            step,
            title=f"Перезвонить {at.astimezone(MOSCOW):%d.%m %H:%M} МСК: {who}",
            body=step.data.get("comment") or "Клиент изучает список специалистов.",
            department=Department.CALL_CENTRE,
            role=ROLE_OF[Performer.MANAGER_OKS],
            deadline_at=at,
        )
    ]
