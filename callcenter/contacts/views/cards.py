"""What is done to one contact: adding, naming, binding to a request, listening, reading."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.queries import patients_by_number, search_patients
from callcenter.contacts import actions, attribution
from callcenter.contacts.actions import InteractionInput, Participants, Phases, WrapUp
from callcenter.contacts.forms import InteractionForm
from callcenter.contacts.models import ChannelRule, Contact, ContactPolicy, Interaction, Recording
from callcenter.contacts.queries import channel_rules, marks_of, requests_for
from callcenter.contacts.states import Direction, InteractionKind, InteractionState
from callcenter.lib.errors import Refused
from callcenter.lib.localtime import instant, local, local_day
from callcenter.lib.range_responses import serve_file
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_CONTACTS


def _interaction(user: User, pk: int) -> Interaction:
    return get_object_or_404(
        Interaction.objects.visible_to(user).select_related(
            "contact", "clinic", "patient", "channel"
        ),
        pk=pk,
    )


def _back(request: StaffRequest, fallback: str = "/history/") -> HttpResponse:
    """To where the person came from, within this site only."""
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(
        came_from, {request.get_host()}, require_https=request.is_secure()
    ):
        came_from = fallback
    return redirect(came_from)


@allow(*CAN_CALL_PATIENTS)
def add(request: StaffRequest) -> HttpResponse:
    """«Добавить»: комментарий к разговору, диалог, заявка-диалог."""
    patient = _patient_of(request)
    form = InteractionForm(
        request.POST or None, user=request.user, known_number=_main_number(patient)
    )
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            _record(request, form, patient, now)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, "Записано в историю обращений.")
            return redirect("reports:history")
    status = 422 if request.method == "POST" else 200
    rules = ContactPolicy.said(
        Clinic.objects.visible_to(request.user).select_related("contact_policy")
    )
    context = {"form": form, "patient": patient, "comment_minutes": rules["comment_minutes"]}
    return render(request, "contacts/add.html", context, status=status)


def _patient_of(request: StaffRequest) -> Patient | None:
    pk = request.GET.get("patient", "")
    return (
        get_object_or_404(Patient.objects.visible_to(request.user), pk=int(pk))
        if pk.isdecimal()
        else None
    )


def _main_number(patient: Patient | None) -> str:
    return (patient.phones.values_list("number", flat=True).first() or "") if patient else ""


def _record(
    request: StaffRequest, form: InteractionForm, patient: Patient | None, now: dt.datetime
) -> Interaction:
    said = form.cleaned_data
    clinic: Clinic = said["clinic"]
    at = instant(local_day(now, clinic.zone), said["at"], clinic.zone) if said["at"] else now
    if at > now:
        raise Refused("Это время ещё не наступило.", field="at")
    kind = InteractionKind(said["kind"])
    return actions.record_interaction(
        InteractionInput(
            clinic=clinic,
            kind=kind,
            state=InteractionState.NEW
            if kind == InteractionKind.REQUEST_DIALOG
            else InteractionState.FINISHED,
            phases=Phases(at),
            direction=Direction(said["direction"]),
            participants=Participants(patient=patient, number=said["number"]),
            wrap_up=WrapUp(
                summary=said["summary"],
                topic=said["topic"],
                reason=said["reason"],
                comment=said["comment"],
                is_recall=said["is_recall"],
                caller_type=said["caller_type"],
            ),
        ),
        by=request.user,
        now=now,
    )


@allow(*CAN_CALL_PATIENTS)
def whose(request: StaffRequest, pk: int) -> HttpResponse:
    """Whose contact it is: the people of the number's cards, or anybody found by the search."""
    contact = get_object_or_404(
        Contact.objects.visible_to(request.user).select_related("clinic", "patient"), pk=pk
    )
    if request.method == "POST":
        chosen = request.POST.get("patient", "")
        if not chosen.isdecimal():
            raise Refused("Выберите пациента.", field="patient")
        # Nobody may learn of a patient of another clinic by naming him: those of the user, and
        # those of the number's cards.
        nameable = (
            {one.pk for one in patients_by_number(contact.number)} if contact.number else set()
        )
        if int(chosen) not in nameable:
            get_object_or_404(Patient.objects.visible_to(request.user), pk=int(chosen))
        patient = get_object_or_404(Patient, pk=int(chosen))
        named = actions.assign_patient(
            contact, patient=patient, by=request.user, now=timezone.now()
        )
        messages.success(request, f"Обращение записано на пациента: {patient.full_name}.")
        return redirect("reports:contact", named.pk)
    text = request.GET.get("q", "")[:100]
    context = {
        "contact": contact,
        "family": patients_by_number(contact.number) if contact.number else [],
        "found": search_patients(text, user=request.user) if text.strip() else [],
        "text": text,
    }
    return render(request, "contacts/whose.html", context)


@allow(*CAN_CALL_PATIENTS)
def comment(request: StaffRequest, pk: int) -> HttpResponse:
    """«Изменить комментарий»: binds a call to requests that it answered — «клиент не дождался
    перезвона и сам позвонил».
    """
    call = _interaction(request.user, pk)
    requests = requests_for(call)
    if request.method == "POST":
        now = timezone.now()
        chosen = {int(text) for text in request.POST.getlist("request") if text.isdecimal()}
        bound = [one for one in requests if one.pk in chosen]
        if not bound:
            raise Refused("Отметьте заявку, к которой относится звонок.")
        for one in bound:
            actions.handle_request(one, call=call, by=request.user, now=now)
        messages.success(request, "Заявка обработана этим звонком.")
        return redirect("reports:contact", call.contact_id)
    return render(request, "contacts/comment.html", {"call": call, "requests": requests})


@require_POST
@allow(*CAN_CALL_PATIENTS)
def handle(request: StaffRequest, pk: int) -> HttpResponse:
    """Marks a request processed without a call."""
    actions.handle_request(_interaction(request.user, pk), by=request.user, now=timezone.now())
    return _back(request)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def delete_comment(request: StaffRequest, pk: int) -> HttpResponse:
    actions.delete_comment(_interaction(request.user, pk), by=request.user, now=timezone.now())
    messages.success(request, "Комментарий удалён.")
    return redirect("reports:history")


@allow(*CAN_READ_CONTACTS)
def show_channel_rules(request: StaffRequest, pk: int) -> HttpResponse:
    """«Определение канала по приоритету»: every rule in its order, the one that fired in green."""
    one = _interaction(request.user, pk)
    checks = attribution.explain(marks_of(one), channel_rules())
    rules = {
        rule.pk: rule for rule in ChannelRule.objects.select_related("channel", "channel__parent")
    }
    fired_today = next((check.rule.id for check in checks if check.is_decisive), None)
    context = {
        "one": one,
        "checks": [(check, rules[check.rule.id]) for check in checks if check.rule.id in rules],
        # The rules may have changed since: what was found then stands until the period is counted
        # anew.
        "fired": fired_today,
        "differs": fired_today != one.channel_rule_id,
    }
    return render(request, _window(request, "contacts/channel_rules.html"), context)


def _window(request: StaffRequest, template: str) -> str:
    return f"{template}#window" if request.headers.get("HX-Request") else template


# --- Listening and reading
# --------------------------------------------------------------------------------------------


def _recording(user: User, pk: int) -> Recording:
    visible = Recording.objects.filter(interaction__clinic__in=Clinic.objects.visible_to(user))
    return get_object_or_404(
        visible.select_related("interaction__contact", "interaction__clinic"), pk=pk
    )


@allow(*CAN_READ_CONTACTS)
def sound(request: StaffRequest, pk: int) -> HttpResponseBase:
    """The recording, in parts when the browser asks for them. The first part is a listening: it is
    written down.
    """
    recording = _recording(request.user, pk)
    if request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
        audit.record(
            "contacts.listen",
            recording,
            by=request.user,
            now=timezone.now(),
            clinic_id=recording.interaction.clinic_id,
            patient_id=recording.interaction.patient_id,
        )
    try:
        file = recording.file.open("rb")
    except FileNotFoundError:
        return HttpResponse(
            "Файла записи больше нет.", status=404, content_type="text/plain; charset=utf-8"
        )
    return serve_file(request, file, size=recording.file.size, mime=recording.mime)


@allow(*CAN_READ_CONTACTS)
def transcript(request: StaffRequest, pk: int) -> HttpResponse:
    """«Содержимое звонка»: who said what and when, the bookings at the line during which they were
    made.
    """
    recording = _recording(request.user, pk)
    call = recording.interaction
    begin = call.answered_at or call.at
    lines = [dict(line, results=[]) for line in recording.transcript]
    results = call.results.select_related(
        "appointment__doctor", "appointment__clinic", "waiting", "by"
    ).order_by("at")
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for result in results:
        offset = (result.at - begin).total_seconds()
        spoken = [line for line in lines if float(line["at"]) <= offset]
        mark = {
            "result": result,
            "offset": max(0, round(offset)),
            "clock": local(result.at, call.clinic.zone),
        }
        if spoken and offset <= recording.seconds:
            spoken[-1]["results"].append(mark)
        else:
            (after if offset > 0 else before).append(mark)
    audit.record(
        "contacts.read_transcript",
        recording,
        by=request.user,
        now=timezone.now(),
        clinic_id=call.clinic_id,
        patient_id=call.patient_id,
    )
    context = {
        "recording": recording,
        "call": call,
        "lines": lines,
        "before": before,
        "after": after,
    }
    return render(request, _window(request, "contacts/transcript.html"), context)


@allow(*CAN_READ_CONTACTS)
def chat(request: StaffRequest, pk: int) -> HttpResponse:
    """The conversation as the client and the clinic had it."""
    one = _interaction(request.user, pk)
    audit.record("contacts.read_chat", one, by=request.user, now=timezone.now())
    context = {"one": one, "chat_lines": one.chat_lines.all()}
    return render(request, _window(request, "contacts/chat.html"), context)
