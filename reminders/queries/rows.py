"""Rows of «Дозвон»: the facts of all of them in a fixed number of queries, and words only for those
that are shown.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from callcenter.clinics.models import Clinic, Doctor, PatientPhone
from callcenter.lib.phones import format_phone, is_mobile, masked
from callcenter.messaging.models import ChatMessage, Message, VisitLink
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import (
    ARRIVED,
    MessageChannel,
    MessagePurpose,
    MessageState,
    VisitAnswer,
)
from callcenter.staff.models import User
from reminders.models import Reminder
from reminders.states import URGENT, CallResult, Colour, MessageStep, colour, is_uncertain

CALLING: Final = dt.timedelta(minutes=10)  # «звонит Орлова» is forgotten after this
REPLIES: Final = dt.timedelta(
    days=3
)  # how old the words of a patient may be that his row still shows

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
_COLOUR_WORDS: Final = {tone: tone.label for tone in Colour}
_CHANNEL_WORDS: Final = {channel.value: channel.label for channel in MessageChannel}
_RESULT_WORDS: Final = {result.value: result.label for result in CallResult}
_REPLY_INTENT_LABELS: Final = {intent.value: intent.label for intent in ReplyIntent}
_ANSWER_WORDS: Final = {
    VisitAnswer.CONFIRM: "подтвердил",
    VisitAnswer.MOVE: "просит перенести",
    VisitAnswer.CANCEL: "отменяет",
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
# States whose reason says more than the state does.
_TELLING: Final = (
    MessageState.QUEUED,
    MessageState.REFUSED,
    MessageState.CANCELLED,
    MessageState.UNDELIVERED,
)


class _Reminder(NamedTuple):
    """The columns of a reminder that its row needs; the names are those of the query."""

    pk: int
    run_id: int
    appointment_id: int
    clinic_id: int
    patient_id: int
    version: int
    starts_at: dt.datetime
    removed_at: dt.datetime | None
    removed_reason: str
    called_at: dt.datetime | None
    called_by_id: int | None
    result: str
    is_settled: bool
    comment: str
    calling_at: dt.datetime | None
    calling_by_id: int | None
    changed_at: dt.datetime
    patient__last_name: str
    patient__first_name: str
    patient__middle_name: str
    patient__do_not_call: bool
    appointment__doctor_id: int
    appointment__comment: str


class _Sent(NamedTuple):
    channel: str
    state: str
    given_up: bool
    reason: str
    changed_at: dt.datetime
    delivered_at: dt.datetime | None
    read_at: dt.datetime | None


class _Link(NamedTuple):
    opened_at: dt.datetime | None
    answer: str
    answered_at: dt.datetime | None


class _Line(NamedTuple):
    """A patient's words."""

    pk: int
    text: str
    at: dt.datetime
    intent: str
    accepted: str
    accepted_at: dt.datetime | None
    accepted_for_id: int | None


_NO_LINK: Final = _Link(None, "", None)


@dataclass(slots=True)
class ReminderFacts:
    """One row's facts: enough for its colour, its filters and its place; words are made of it by
    `RowBuilder`.
    """

    reminder: _Reminder
    messages: list[_Sent]
    link: _Link
    numbers: list[str]
    reply: _Line | None
    colour: Colour
    changed_at: dt.datetime  # when anything that the row shows has changed
    on_top: bool  # «перезвонить и перенести», in a list where these stand first

    @property
    def id(self) -> int:
        return self.reminder.pk

    @property
    def starts_at(self) -> dt.datetime:
        return self.reminder.starts_at

    @property
    def is_called(self) -> bool:
        return self.reminder.called_at is not None

    @property
    def has_left(self) -> bool:
        return self.reminder.removed_at is not None

    @property
    def order(self) -> tuple[bool, dt.datetime, int]:
        """The place in the list."""
        return not self.on_top, self.reminder.starts_at, self.reminder.pk


@dataclass(slots=True)
class ReminderRow:
    """A row in words, as reminders/templatetags/reminder_rows.py draws it and the card shows it."""

    id: int
    appointment: int
    patient: int
    run: int
    clinic: str
    time: str
    day: str
    is_today: bool  # the visit is today: a call now is one of ДД
    name: str
    doctor: str
    number: str  # '' when the user may not see numbers
    phone: str
    colour: Colour
    warning: str  # why nobody knows whether a message went; '' else
    state: str
    answer: str
    opened: str
    reply: str
    reply_id: int  # 0 when somebody has taken the words already
    reply_intent_label: str
    reply_intent: str
    called: bool
    called_at: str
    called_by: str
    result: str
    result_word: str
    comment: str
    calling: str
    mine: bool
    do_not_call: bool
    left: str
    until: int  # when the visit begins, seconds of the epoch
    order: str  # compared as text by static/js/live.js: where a new row goes
    v: int  # an older row never replaces a newer one on the screen

    @property
    def tint(self) -> str:
        return TINT[self.colour]

    @property
    def icon(self) -> str:
        return ICON[self.colour]

    @property
    def word(self) -> str:
        return _COLOUR_WORDS[self.colour]


def entries_of(
    reminders: QuerySet[Reminder], *, now: dt.datetime, urgent_first: bool = False
) -> list[ReminderFacts]:
    """The facts of reminders in order of time: five queries for any number of rows."""
    found = [
        _Reminder(*row)
        for row in reminders.order_by("starts_at", "pk").values_list(*_Reminder._fields)
    ]
    messages, links = _messages_of(reminders), _links_of(reminders)
    phones, replies = _phones_of(reminders), _replies_to(reminders, now)
    entries = []
    for row in found:
        key = row.appointment_id, row.version
        sent, link, numbers = (
            messages.get(key, []),
            links.get(key, _NO_LINK),
            phones.get(row.patient_id, []),
        )
        reply = _newest(replies, numbers, row.appointment_id) if replies else None
        tone = colour(
            [MessageStep(one.channel, one.state, one.given_up) for one in sent], link.answer
        )
        on_top = (
            urgent_first and tone in URGENT and row.called_at is None and row.removed_at is None
        )
        entries.append(
            ReminderFacts(
                row, sent, link, numbers, reply, tone, _changed_at(row, sent, link, reply), on_top
            )
        )
    return entries


# What belongs to the reminders is asked for by the same condition and not by a thousand ids: those
# cost more to write into a query and to read there than the database needs to answer it.


def _messages_of(reminders: QuerySet[Reminder]) -> dict[tuple[int, int], list[_Sent]]:
    found: dict[tuple[int, int], list[_Sent]] = defaultdict(list)
    rows = Message.objects.filter(
        appointment__in=reminders.values("appointment"), purpose=MessagePurpose.VISIT
    ).order_by("pk")
    for visit, version, *rest in rows.values_list("appointment_id", "version", *_Sent._fields):
        found[visit, version].append(_Sent(*rest))
    return found


def _links_of(reminders: QuerySet[Reminder]) -> dict[tuple[int, int], _Link]:
    rows = VisitLink.objects.filter(appointment__in=reminders.values("appointment"))
    return {
        (visit, version): _Link(*rest)
        for visit, version, *rest in rows.values_list("appointment_id", "version", *_Link._fields)
    }


def _phones_of(reminders: QuerySet[Reminder]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = PatientPhone.objects.filter(patient__in=reminders.values("patient")).order_by(
        "-is_main", "pk"
    )
    for patient, number in rows.values_list("patient_id", "number"):
        found[patient].append(number)
    return found


def _replies_to(reminders: QuerySet[Reminder], now: dt.datetime) -> dict[str, list[_Line]]:
    """Words of the patients (of anybody with their numbers: a family's rows all show them) of the
    last days.
    """
    numbers = PatientPhone.objects.filter(patient__in=reminders.values("patient")).values("number")
    found: dict[str, list[_Line]] = defaultdict(list)
    lines = ChatMessage.objects.filter(
        number__in=numbers, direction="in", at__gte=now - REPLIES
    ).order_by("at", "pk")
    for number, *rest in lines.values_list("number", *_Line._fields):
        found[number].append(_Line(*rest))
    return found


def _newest(
    replies: dict[str, list[_Line]], numbers: Iterable[str], appointment: int
) -> _Line | None:
    """The newest words not yet taken for another visit of the family."""
    lines = [
        line
        for number in numbers
        for line in replies.get(number, ())
        if line.accepted_for_id in (None, appointment)
    ]
    return max(lines, key=lambda line: line.at, default=None)


def _changed_at(
    row: _Reminder, sent: Sequence[_Sent], link: _Link, reply: _Line | None
) -> dt.datetime:
    moments = [row.changed_at, *(one.changed_at for one in sent)]
    if link.opened_at is not None:
        moments.append(link.opened_at)
    if link.answered_at is not None:
        moments.append(link.answered_at)
    if reply is not None:
        moments.append(reply.accepted_at or reply.at)
    return max(moments)


class RowBuilder:
    """Puts entries into the words of one user's screen; the few doctors and colleagues they name
    are asked once.
    """

    def __init__(
        self,
        entries: Sequence[ReminderFacts],
        *,
        clinics: Sequence[Clinic],
        user: User,
        now: dt.datetime,
    ) -> None:
        self._user, self._now = user, now
        self._clinics = {clinic.pk: (clinic.name, ZoneInfo(clinic.zone)) for clinic in clinics}
        self._today = {pk: now.astimezone(zone).date() for pk, (_, zone) in self._clinics.items()}
        doctors = {entry.reminder.appointment__doctor_id for entry in entries}
        people = {
            pk
            for entry in entries
            for pk in (entry.reminder.called_by_id, entry.reminder.calling_by_id)
            if pk is not None
        }
        self._doctors = _short_names(
            Doctor.objects.filter(pk__in=doctors).values_list("pk", "full_name")
        )
        self._people = _short_names(
            User.objects.filter(pk__in=people).values_list("pk", "full_name")
        )

    def of(self, entry: ReminderFacts) -> ReminderRow:
        one, link, reply = entry.reminder, entry.link, entry.reply
        clinic, zone = self._clinics[one.clinic_id]
        start = one.starts_at.astimezone(zone)
        number = next(filter(is_mobile, entry.numbers), entry.numbers[0] if entry.numbers else "")
        sees = self._user.sees_phones
        calling = one.calling_at is not None and one.calling_at > self._now - CALLING
        mine = calling and one.calling_by_id == self._user.pk
        return ReminderRow(
            id=one.pk,
            appointment=one.appointment_id,
            patient=one.patient_id,
            run=one.run_id,
            clinic=clinic,
            time=_clock(start),
            day=f"{start.day:02}.{start.month:02}",
            is_today=start.date() == self._today[one.clinic_id],
            name=f"{one.patient__last_name} {one.patient__first_name} {one.patient__middle_name}".rstrip(),
            doctor=self._doctors[one.appointment__doctor_id],
            number=number if sees else "",
            phone=(format_phone(number) if sees else masked(number)) if number else "нет телефона",
            colour=entry.colour,
            warning=_warning(entry.messages),
            state=one.removed_reason if one.removed_at else _state_words(entry.messages, zone),
            answer=f"{_ANSWER_WORDS[VisitAnswer(link.answer)]} {_clock_of(link.answered_at, zone)}"
            if link.answer
            else "",
            opened=_clock_of(link.opened_at, zone),
            reply=reply.text[:120] if reply else "",
            reply_id=reply.pk if reply and not reply.accepted else 0,
            reply_intent_label=_REPLY_INTENT_LABELS[reply.accepted or reply.intent]
            if reply
            else "",
            reply_intent=reply.intent if reply else "",
            called=one.called_at is not None,
            called_at=_clock_of(one.called_at, zone),
            called_by=self._people.get(one.called_by_id or 0, ""),
            result=one.result,
            result_word=_RESULT_WORDS[one.result] if one.result else "",
            comment=one.comment or one.appointment__comment,
            calling=self._people.get(one.calling_by_id or 0, "") if calling and not mine else "",
            mine=mine,
            do_not_call=one.patient__do_not_call,
            left=one.removed_reason if one.removed_at else "",
            until=int(one.starts_at.timestamp()),
            order=f"{0 if entry.on_top else 1}{int(one.starts_at.timestamp()):012}{one.pk:012}",
            v=int(entry.changed_at.timestamp() * 1000),
        )


def _short_names(rows: Iterable[tuple[int, str]]) -> dict[int, str]:
    return {pk: _short(full_name) for pk, full_name in rows}


def _short(full_name: str) -> str:
    last, *rest = full_name.split()
    return " ".join([last, *(f"{part[0]}." for part in rest)])


def _clock(moment: dt.datetime) -> str:
    return f"{moment.hour:02}:{moment.minute:02}"


def _clock_of(moment: dt.datetime | None, zone: ZoneInfo) -> str:
    return _clock(moment.astimezone(zone)) if moment is not None else ""


def _warning(messages: Sequence[_Sent]) -> str:
    """Nobody knows whether a message went: the provider's silence in words."""
    if not is_uncertain([MessageStep(one.channel, one.state, one.given_up) for one in messages]):
        return ""
    reasons = [one.reason for one in messages if one.state == MessageState.UNKNOWN and one.reason]
    return "; ".join(["неизвестно, ушло ли сообщение", *reasons])


def _state_words(messages: Sequence[_Sent], zone: ZoneInfo) -> str:
    """«MAX: прочитано 12:41 · СМС: ждёт 08:00»: each step of the cascade in words."""
    if not messages:
        return "не отправляли"
    words = []
    for one in messages:
        state = MessageState(one.state)
        text = one.reason if one.reason and state in _TELLING else _STATE_WORDS[state]
        moment = one.read_at if state == MessageState.READ else one.delivered_at
        clock = f" {_clock_of(moment, zone)}" if moment and state in ARRIVED else ""
        words.append(f"{_CHANNEL_WORDS[one.channel]}: {text}{clock}")
    return " · ".join(words)
