"""Журнал КОС of the demo: 300 entries from two files, and three weeks of calls between them, made
by the actions of the card.
"""

import contextlib
import datetime as dt
import random
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from callcenter.clinics.models import Appointment, Clinic
from callcenter.clinics.queries import free_windows, hours_of
from callcenter.clinics.schedule import is_working_day, next_working_day
from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts.models import Reason, ReasonUse
from callcenter.demo import clinics as demo_clinics
from callcenter.demo import people
from callcenter.demo.import_files import bring_in
from callcenter.imports.cell_parsers import Cell
from callcenter.lib.errors import DomainError
from callcenter.lib.localtime import instant, local_day
from callcenter.staff.models import User
from journals.actions.cards import CallOutcomeInput, record_call
from journals.actions.plans import give_plan, return_uncalled
from journals.models import PlanItem, RecallEntry
from journals.outcome_rules import OUTCOME_RULES, CallOutcome
from journals.queries.segments import Segment

OLD, NEW = 190, 110
HISTORY_DAYS: Final = 21
CALLS_A_DAY: Final = 4  # in a clinic, every second day
HEAD: Final = (
    "Код КОС",
    "Код пациента",
    "ФИО пациента",
    "Врач",
    "Клиника",
    "Комментарий врача",
    "Дата прозвона",
)
COMMENTS: Final = {
    "Терапевт": (
        "Проверить пломбу 36 зуба, прошло полгода.", "Продолжить лечение: 17 и 26 ждут замены пломб.",
        "Осмотр после лечения каналов, сделать снимок.", "Осмотр и гигиена, план лечения согласован.",
    ),
    "Ортопед": (
        "Примерка и сдача коронки 46.", "Осмотр качества мостовидного протеза.",
        "Предложить продолжение: коронка на 15 после лечения каналов.",
    ),
    "Ортодонт": ("Контроль ретейнера, прошло три месяца.", "Продолжить лечение: второй этап, брекеты на нижнюю челюсть."),
    "Хирург": (
        "Осмотр после удаления, обсудить имплант в области 46.", "Контроль импланта, пора ставить формирователь.",
        "Предложить костную пластику перед имплантацией.",
    ),
    "Гигиенист": ("Пора на профессиональную гигиену, прошло полгода.", "Проверить дёсны после курса, назначить гигиену."),
}  # fmt: skip
WORDS: Final = {
    CallOutcome.UNREACHED: ("Гудки, не берёт.", "Телефон выключен.", "Сбросил, перезвонить позже."),
    CallOutcome.THINKING: (
        "Посмотрит график и решит.",
        "Спросит у мужа.",
        "Думает о стоимости, отправили план лечения.",
    ),
    CallOutcome.REMIND: ("Просит позвонить после отпуска.", "Вернётся из командировки — набрать."),
    CallOutcome.REFUSED: (
        "Лечится в другом месте.",
        "Дорого, пока не будет.",
        "Переехали в другой город.",
    ),
    CallOutcome.BOOKED: ("Записался, удобно утром.", "Записалась, напомнить накануне."),
}


def load(now: dt.datetime) -> None:
    """An older file of three weeks ago, the calls since then, a newer file of today, and a plan for
    the next open day.
    """
    dice = random.Random(people.SEED + 3)
    clinics = demo_clinics.clinics()
    senior = User.objects.get(login="senior")
    seen = _treated(dice, now)
    then = now - dt.timedelta(days=HISTORY_DAYS)
    bring_in(
        "recalls",
        "КОС за октябрь.xlsx",
        HEAD,
        _rows(dice, seen[:OLD], then, first=1),
        by=senior,
        now=then,
    )
    for step in range(HISTORY_DAYS, 0, -1):
        for clinic in clinics:
            on = local_day(now, clinic.zone) - dt.timedelta(days=step)
            if (step + clinic.pk) % 2 and is_working_day(hours_of(clinic), on):
                _a_day_of_calls(dice, clinic, on, senior)
    bring_in(
        "recalls",
        "КОС новые.xlsx",
        HEAD,
        _rows(dice, seen[OLD:], now, first=OLD + 1),
        by=senior,
        now=now,
    )
    _plan_ahead(clinics[0], senior, now)


def _treated(dice: random.Random, now: dt.datetime) -> list[Appointment]:
    """Visits that took place, one for each patient and doctor, of patients who have nothing booked
    ahead, mostly.
    """
    done = Appointment.objects.filter(status=AppointmentStatus.COMPLETED, starts_at__lt=now)
    visits = {
        (visit.patient_id, visit.doctor_id): visit
        for visit in done.select_related("patient", "doctor__specialty", "clinic")
    }
    booked = set(Appointment.objects.filter(starts_at__gt=now).values_list("patient_id", flat=True))
    free = [visit for visit in visits.values() if visit.patient_id not in booked]
    held = [visit for visit in visits.values() if visit.patient_id in booked]
    chosen = dice.sample(free, OLD + NEW - 12) + dice.sample(held, 12)
    dice.shuffle(chosen)
    return chosen


def _rows(
    dice: random.Random, visits: list[Appointment], now: dt.datetime, *, first: int
) -> Iterator[Sequence[Cell]]:
    for number, visit in enumerate(visits, first):
        on = local_day(now, visit.clinic.zone) + dt.timedelta(
            days=dice.choice((-6, -3, -1, 0, 0, 0, 1, 2, 4, 7, 14))
        )
        comment = dice.choice(COMMENTS[visit.doctor.specialty.name])
        yield (
            f"КОС-{number:04}", visit.patient.source_id, visit.patient.full_name, visit.doctor.full_name,
            visit.clinic.name, comment, on,
        )  # fmt: skip


def _a_day_of_calls(dice: random.Random, clinic: Clinic, on: dt.date, senior: User) -> None:
    """The senior gives a small plan in the morning, the administrators call it, what is left goes
    back at closing.
    """
    callers = list(
        User.objects.filter(login__in=["administrator", "administrator2"]).order_by("login")
    )
    morning = instant(on, dt.time(10, 5), clinic.zone)
    segment = Segment(clinic=clinic, on=on)
    with contextlib.suppress(DomainError):  # nothing is ready on some days
        give_plan(
            segment, shares=dict.fromkeys(callers, CALLS_A_DAY // 2 + 1), by=senior, now=morning
        )
    items = list(
        PlanItem.objects.open()
        .filter(clinic=clinic, on=on)
        .select_related("assignee", "entry")
        .order_by("pk")
    )
    for index, item in enumerate(items[:CALLS_A_DAY]):
        at = morning + dt.timedelta(minutes=12 + 17 * index, seconds=dice.randint(0, 59))
        _call(dice, item.entry, item.assignee, at)
    return_uncalled(now=instant(on, dt.time(23, 30), clinic.zone))


def _call(dice: random.Random, entry: RecallEntry, caller: User, at: dt.datetime) -> None:
    entry.refresh_from_db()
    outcome = dice.choices(
        (
            CallOutcome.UNREACHED,
            CallOutcome.BOOKED,
            CallOutcome.THINKING,
            CallOutcome.REMIND,
            CallOutcome.REFUSED,
        ),
        (42, 22, 14, 10, 12),
    )[0]
    answer = _answer(dice, entry, outcome, at)
    # Some of them say «не звонить», or the free window is gone: that call has not been made.
    with contextlib.suppress(DomainError):
        record_call(
            entry,
            answer,
            version=entry.version,
            token=uuid.UUID(int=dice.getrandbits(128)),
            by=caller,
            now=at,
        )


def _answer(
    dice: random.Random, entry: RecallEntry, outcome: CallOutcome, at: dt.datetime
) -> CallOutcomeInput:
    comment = dice.choice(WORDS[outcome])
    today, hours = local_day(at, entry.clinic.zone), hours_of(entry.clinic)
    later = next_working_day(hours, today + dt.timedelta(days=dice.randint(3, 12)))
    if outcome is CallOutcome.BOOKED:
        window = free_windows(
            now=at,
            doctor=entry.doctor,
            clinics=[entry.clinic],
            since=at,
            until=at + dt.timedelta(days=60),
        ).first()
        return CallOutcomeInput(outcome, comment, window=window)
    if outcome is CallOutcome.REMIND:
        return CallOutcomeInput(outcome, comment, call_on=later)
    use = ReasonUse(OUTCOME_RULES[outcome].reason_use)
    return CallOutcomeInput(
        outcome,
        comment,
        reason=_reason(dice, use),
        refusal_reason=_reason(dice, ReasonUse.REFUSED),
        call_on=later if outcome is CallOutcome.THINKING else None,
    )


def _reason(dice: random.Random, use: ReasonUse) -> Reason:
    return dice.choice(list(Reason.objects.filter(uses__contains=[use], is_active=True)))


def _plan_ahead(clinic: Clinic, senior: User, now: dt.datetime) -> None:
    """Something to do at once for both administrators: a plan for today, or for the next day if
    today is over.
    """
    callers = list(User.objects.filter(login__in=["administrator", "administrator2"]))
    for on in (
        local_day(now, clinic.zone),
        next_working_day(hours_of(clinic), local_day(now, clinic.zone) + dt.timedelta(days=1)),
    ):
        with contextlib.suppress(DomainError):
            give_plan(
                Segment(clinic=clinic, on=on), shares=dict.fromkeys(callers, 8), by=senior, now=now
            )
            return
