"""What the screens of «Дозвон» ask, each with a fixed number of queries for any number of rows."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from callcenter.clinics.models import Appointment, Clinic, PatientPhone
from callcenter.clinics.queries import may_message_many
from callcenter.lib.localtime import day_bounds
from callcenter.lib.phones import is_mobile, masked, pretty
from callcenter.messaging.actions.queue import number_of, templates_of, text_for
from callcenter.messaging.meaning import Meaning
from callcenter.messaging.models import CascadeStep, ChatMessage, Message, VisitLink
from callcenter.messaging.segments import size_of
from callcenter.messaging.states import (
    ARRIVED,
    PENDING,
    Answer,
    Channel,
    MessageState,
    Purpose,
    consent_channel,
)
from callcenter.staff.models import User
from reminders.models import Reminder, ReminderRun
from reminders.states import URGENT, Colour, Result, Step, colour, is_uncertain, needs_day_call, needs_evening_call

CALLING: Final = dt.timedelta(minutes=10)  # «звонит Орлова» is forgotten after this

TINT: Final = {
    Colour.NONE: "",
    Colour.BLUE: "tint-delivered",
    Colour.GREY: "tint-unsent",
    Colour.RED: "tint-cancel",
    Colour.ORANGE: "tint-move",
    Colour.GREEN: "tint-confirm",
}
ICON: Final = {
    Colour.NONE: "send",
    Colour.BLUE: "mail",
    Colour.GREY: "mail-off",
    Colour.RED: "x",
    Colour.ORANGE: "arrows-exchange",
    Colour.GREEN: "check",
}
_STATE_WORDS: Final = {
    MessageState.QUEUED: "в очереди",
    MessageState.SENDING: "отправляется",
    MessageState.ACCEPTED: "отправлено",
    MessageState.DELIVERED: "доставлено",
    MessageState.READ: "прочитано",
    MessageState.UNDELIVERED: "не доставлено",
    MessageState.REFUSED: "не отправлено",
    MessageState.CANCELLED: "не отправлено",
    MessageState.UNKNOWN: "неизвестно, ушло ли",
}
_ANSWER_WORDS: Final = {Answer.CONFIRM: "подтвердил", Answer.MOVE: "просит перенести", Answer.CANCEL: "отменяет"}

Row = dict[str, Any]  # a row of the list as its template reads it; a dict, since templates read dicts twice as fast

_FIELDS: Final = (
    *("pk", "run_id", "appointment_id", "clinic_id", "patient_id", "version", "starts_at", "left_at", "left_reason"),
    *("called_at", "result", "is_settled", "comment", "calling_at", "calling_by_id", "changed_at"),
    *("patient__last_name", "patient__first_name", "patient__middle_name", "patient__do_not_call"),
    *("appointment__doctor__full_name", "appointment__comment", "called_by__full_name", "calling_by__full_name"),
)


def topic(clinic_id: int) -> str:
    """The live topic of a clinic's lists."""
    return f"reminders:clinic:{clinic_id}"


@dataclass
class Listing:
    """The rows to show, how many there are of each kind, and when it was read."""

    rows: list[Row]
    counts: Counter[str] = field(default_factory=Counter)
    read_at: dt.datetime | None = None


def rows_of(reminders: QuerySet[Reminder], *, clinics: Sequence[Clinic], user: User, now: dt.datetime) -> list[Row]:
    """Everything the list shows of reminders, in order of time: six queries for any number of rows."""
    found = list(reminders.order_by("starts_at", "pk").values(*_FIELDS))
    visits = [row["appointment_id"] for row in found]
    messages = _messages_of(visits)
    links: dict[tuple[int, int], dict[str, Any]] = {
        (link["appointment_id"], link["version"]): {**link}
        for link in VisitLink.objects.filter(appointment__in=visits).values(
            "appointment_id", "version", "opened_at", "answer", "answered_at", "answered_via"
        )
    }
    phones = _phones_of({row["patient_id"] for row in found})
    replies = _replies_to(phones, found, now)
    zones = {clinic.pk: ZoneInfo(clinic.zone) for clinic in clinics}
    names = {clinic.pk: clinic.name for clinic in clinics}
    shown = []
    for row in found:
        key = (row["appointment_id"], row["version"])
        numbers = phones.get(row["patient_id"], [])
        shown.append(
            _row(
                row,
                messages=messages.get(key, []),
                link=links.get(key),
                numbers=numbers,
                reply=_newest(replies, numbers, row["appointment_id"]),
                zone=zones[row["clinic_id"]],
                clinic=names[row["clinic_id"]],
                user=user,
                now=now,
            )
        )
    return shown


def _messages_of(visits: Collection[int]) -> dict[tuple[int, int], list[dict[str, Any]]]:
    found: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    rows = Message.objects.filter(appointment__in=visits, purpose=Purpose.VISIT).order_by("pk")
    for message in rows.values(
        *("appointment_id", "version", "channel", "state", "given_up", "reason", "changed_at"),
        *("delivered_at", "read_at", "attempted_at", "failed_at"),
    ):
        found[message["appointment_id"], message["version"]].append(message)
    return found


def _phones_of(patients: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = PatientPhone.objects.filter(patient__in=patients).order_by("-is_main", "pk")
    for patient, number in rows.values_list("patient_id", "number"):
        found[patient].append(number)
    return found


def _replies_to(
    phones: dict[int, list[str]], rows: Sequence[dict[str, Any]], now: dt.datetime
) -> dict[str, list[dict[str, Any]]]:
    """Words of the patients (of anybody with their numbers: a family's rows all show them) of the last days."""
    numbers = {number for of_one in phones.values() for number in of_one}
    if not rows:
        return {}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    lines = ChatMessage.objects.filter(number__in=numbers, direction="in", at__gte=now - dt.timedelta(days=3))
    for line in lines.order_by("at", "pk").values(
        "pk", "number", "text", "at", "meaning", "accepted", "accepted_at", "accepted_for_id", "interaction_id"
    ):
        found[line["number"]].append({**line})
    return found


def _newest(
    replies: dict[str, list[dict[str, Any]]], numbers: Iterable[str], appointment: int
) -> dict[str, Any] | None:
    """The newest words not yet taken for another visit of the family."""
    lines = [
        line for number in numbers for line in replies.get(number, []) if line["accepted_for_id"] in (None, appointment)
    ]
    return max(lines, key=lambda line: line["at"], default=None)


def _row(
    row: dict[str, Any],
    *,
    messages: list[dict[str, Any]],
    link: dict[str, Any] | None,
    numbers: list[str],
    reply: dict[str, Any] | None,
    zone: ZoneInfo,
    clinic: str,
    user: User,
    now: dt.datetime,
) -> Row:
    steps = [Step(message["channel"], message["state"], message["given_up"]) for message in messages]
    answer = link["answer"] if link else ""
    tone = colour(steps, answer)
    start = row["starts_at"].astimezone(zone)
    last, first, middle = row["patient__last_name"], row["patient__first_name"], row["patient__middle_name"]
    number = next((one for one in numbers if is_mobile(one)), numbers[0] if numbers else "")
    changed_at = max(_moments(row, messages, link, reply))
    calling = row["calling_at"] is not None and row["calling_at"] > now - CALLING
    return {
        "id": row["pk"],
        "appointment": row["appointment_id"],
        "patient": row["patient_id"],
        "run": row["run_id"],
        "clinic_id": row["clinic_id"],
        "clinic": clinic,
        "starts_at": row["starts_at"],
        "time": f"{start:%H:%M}",
        "day": f"{start:%d.%m}",
        "name": f"{last} {first} {middle}".rstrip(),
        "doctor": _short(row["appointment__doctor__full_name"]),
        "number": number if user.sees_phones else "",
        "phone": (pretty(number) if user.sees_phones else masked(number)) if number else "нет телефона",
        "colour": tone.value,
        "tint": TINT[tone],
        "icon": ICON[tone],
        "word": tone.label,
        "warning": is_uncertain(steps),
        "state": _state_words(messages, zone, row["left_reason"]),
        "answer": f"{_ANSWER_WORDS[Answer(answer)]} {link['answered_at'].astimezone(zone):%H:%M}"
        if link and answer
        else "",
        "opened": f"{link['opened_at'].astimezone(zone):%H:%M}" if link and link["opened_at"] else "",
        "reply": reply["text"][:120] if reply else "",
        "reply_id": reply["pk"] if reply and not reply["accepted"] else 0,
        "reply_means": Meaning(reply["accepted"] or reply["meaning"]).label if reply else "",
        "reply_meaning": reply["meaning"] if reply else "",
        "called": row["called_at"] is not None,
        "called_at": f"{row['called_at'].astimezone(zone):%H:%M}" if row["called_at"] else "",
        "called_by": _short(row["called_by__full_name"]) if row["called_by__full_name"] else "",
        "result": row["result"],
        "result_word": Result(row["result"]).label if row["result"] else "",
        "settled": row["is_settled"],
        "comment": row["comment"] or row["appointment__comment"],
        "calling": _short(row["calling_by__full_name"]) if calling and row["calling_by_id"] != user.pk else "",
        "mine": calling and row["calling_by_id"] == user.pk,
        "do_not_call": row["patient__do_not_call"],
        "left": row["left_reason"] if row["left_at"] else "",
        "has_sms": any(
            message["channel"] == Channel.SMS and message["state"] not in ("cancelled",) for message in messages
        ),
        "changed_at": changed_at,
        "v": int(changed_at.timestamp() * 1000),  # an older row never replaces a newer one on the screen
    }


def _moments(
    row: dict[str, Any], messages: list[dict[str, Any]], link: dict[str, Any] | None, reply: dict[str, Any] | None
) -> list[dt.datetime]:
    """When anything that the row shows has changed."""
    moments = [row["changed_at"], *(message["changed_at"] for message in messages)]
    if link is not None:
        moments += [moment for moment in (link["opened_at"], link["answered_at"]) if moment]
    if reply is not None:
        moments.append(reply["accepted_at"] or reply["at"])
    return moments


def _short(full_name: str) -> str:
    last, *rest = full_name.split()
    return " ".join([last, *(f"{part[0]}." for part in rest)])


def _state_words(messages: Sequence[dict[str, Any]], zone: ZoneInfo, left: str) -> str:
    """«MAX: прочитано 12:41 · СМС: ждёт 08:00»: each step of the cascade in words."""
    if left:
        return left
    if not messages:
        return "не отправляли"
    words = []
    for message in messages:
        state = MessageState(message["state"])
        moment = message["read_at"] if state == MessageState.READ else message["delivered_at"] or message["failed_at"]
        if state in PENDING or state == MessageState.ACCEPTED:
            moment = None
        text = message["reason"] if state == MessageState.QUEUED and message["reason"] else _STATE_WORDS[state]
        if state in (MessageState.REFUSED, MessageState.CANCELLED, MessageState.UNDELIVERED) and message["reason"]:
            text = message["reason"]
        clock = f" {moment.astimezone(zone):%H:%M}" if moment and state in ARRIVED else ""
        words.append(f"{Channel(message['channel']).label}: {text}{clock}")
    return " · ".join(words)


# The two lists

SHOWS: Final = (
    ("", "все", ""),
    ("call", "обзвонить", "phone-outgoing"),
    ("red", "отменяют", "x"),
    ("orange", "перенести", "arrows-exchange"),
    ("blue", "доставлено, молчат", "mail"),
    ("grey", "не ушло", "mail-off"),
    ("none", "в пути", "send"),
    ("green", "подтвердили", "check"),
    ("called", "позвонили", "phone-check"),
    ("reply", "написали", "message"),
)


def evening_list(
    runs: Sequence[ReminderRun], *, clinics: Sequence[Clinic], user: User, now: dt.datetime, show: str = ""
) -> Listing:
    """The rows of runs: red and orange not yet called on top, then by time; counters of every filter."""
    reminders = Reminder.objects.filter(run__in=[run.pk for run in runs]).filter(
        Q(left_at=None) | Q(left_at__gt=now - dt.timedelta(hours=12))
    )
    rows = rows_of(reminders, clinics=clinics, user=user, now=now)
    counts: Counter[str] = Counter()
    for row in rows:
        row["to_call"] = not row["left"] and needs_evening_call(Colour(row["colour"]), called=row["called"])
        counts.update(_kinds(row))
    rows.sort(key=lambda row: (not _is_urgent(row), row["starts_at"], row["id"]))
    return Listing([row for row in rows if not show or show in _kinds(row)], counts, now)


def day_list(*, on: dt.date, clinics: Sequence[Clinic], user: User, now: dt.datetime, show: str = "") -> Listing:
    """ДД of a local day: rows neither green nor settled by «придёт», by time; a row leaves when its visit begins."""
    spans = Q(pk=None)
    for clinic in clinics:
        start, end = day_bounds(on, clinic.zone)
        spans |= Q(clinic=clinic, starts_at__gte=start, starts_at__gt=now, starts_at__lt=end)
    rows = rows_of(Reminder.objects.present().filter(spans), clinics=clinics, user=user, now=now)
    kept = []
    counts: Counter[str] = Counter()
    for row in rows:
        row["to_call"] = needs_day_call(Colour(row["colour"]), ["coming"] if row["settled"] else [])
        if row["to_call"]:
            kept.append(row)
            counts.update(_kinds(row))
    return Listing([row for row in kept if not show or show in _kinds(row)], counts, now)


def _kinds(row: Row) -> list[str]:
    """Under which filters a row stands."""
    if row["left"]:
        return ["left"]
    kinds = ["", row["colour"]]
    kinds += ["call"] if row["to_call"] else []
    kinds += ["called"] if row["called"] else []
    kinds += ["reply"] if row["reply_id"] else []
    return kinds


def _is_urgent(row: Row) -> bool:
    return row["colour"] in URGENT and not row["called"] and not row["left"]


def blue_without_sms(run: ReminderRun) -> list[int]:
    """Visits of the run's blue rows to which no SMS went: a messenger has delivered, nobody has answered or was called."""
    rows = Reminder.objects.filter(run=run, left_at=None, called_at=None).values_list("appointment_id", "version")
    wanted = dict(rows)
    messages = _messages_of(list(wanted))
    answered = set(
        VisitLink.objects.filter(appointment__in=list(wanted))
        .exclude(answer="")
        .values_list("appointment_id", "version")
    )
    blue = []
    for key in wanted.items():
        steps = [Step(message["channel"], message["state"], message["given_up"]) for message in messages.get(key, [])]
        had_sms = any(
            message["channel"] == Channel.SMS and message["state"] != MessageState.CANCELLED
            for message in messages.get(key, [])
        )
        if key not in answered and not had_sms and colour(steps) == Colour.BLUE:
            blue.append(key[0])
    return blue


# The dry run


@dataclass(frozen=True)
class DryRun:
    """Whom «Отправить всем» will reach, whom not and why, and what it costs at most when every messenger fails."""

    total: int
    first: dict[str, int]  # how many begin with each channel
    stopped: dict[str, int]  # how many get nothing, by reason
    already: int
    sms_parts: int
    sms_price: float
    examples: list[tuple[str, str]]  # (channel, text) of the first visit


def dry_run(run: ReminderRun, *, now: dt.datetime) -> DryRun:
    """Counts without sending: the same rules as the outbox, asked of every row at once."""
    reminders = list(run.reminders.filter(left_at=None, starts_at__gt=now).values_list("appointment_id", "version"))
    visits = list(
        Appointment.objects.filter(pk__in=[pk for pk, _ in reminders])
        .select_related("clinic", "doctor", "patient")
        .prefetch_related("patient__phones")
    )
    steps = list(
        CascadeStep.objects.filter(clinic=run.clinic, provider__is_active=True)
        .select_related("provider")
        .order_by("position")
    )
    known = set(
        Message.objects.filter(appointment__in=visits, purpose=Purpose.VISIT).values_list("appointment_id", "version")
    )
    texts = templates_of([run.clinic_id])
    wanted = [(visit, step) for visit in visits for step in steps]
    obstacles = may_message_many(
        [(visit.patient_id, run.clinic, "service", consent_channel(step.channel)) for visit, step in wanted], now=now
    )
    obstacle = {(visit.pk, step.channel): why for (visit, step), why in zip(wanted, obstacles, strict=True)}
    first: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    already, parts, price = 0, 0, 0.0
    for visit in visits:
        if (visit.pk, visit.version) in known:
            already += 1
            continue
        open_steps = [step for step in steps if obstacle[visit.pk, step.channel] is None]
        why = _why_not(visit, steps, open_steps, obstacle, now)
        if why:
            stopped[why] += 1
            continue
        first[Channel(open_steps[0].channel).label] += 1
        for step in open_steps:
            if step.channel == Channel.SMS:
                size = size_of(text_for(visit, step.channel, texts, "x" * 22)).parts
                parts, price = parts + size, price + size * float(step.provider.price)
    examples = (
        [(Channel(step.channel).label, text_for(visits[0], step.channel, texts, "…")) for step in steps]
        if visits
        else []
    )
    return DryRun(len(visits), dict(first), dict(stopped), already, parts, price, examples)


def _why_not(
    visit: Appointment,
    steps: Sequence[CascadeStep],
    open_steps: Sequence[CascadeStep],
    obstacle: dict[tuple[int, str], str | None],
    now: dt.datetime,
) -> str:
    if not steps:
        return "у клиники не настроен порядок каналов"
    if not number_of(visit.patient):
        return "нет мобильного номера"
    if visit.starts_at - now < dt.timedelta(hours=2):
        return "до приёма меньше двух часов"
    if not open_steps:
        return (obstacle[visit.pk, steps[0].channel] or "").partition(" 0")[0].rstrip("0123456789. ") or "отказ"
    return ""
