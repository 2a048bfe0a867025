"""The two lists of «Дозвон» with their counters, and whom the SMS to the blue ones reaches."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.db.models import Q

from callcenter.clinics.models import Clinic
from callcenter.lib.localtime import day_bounds
from callcenter.messaging.states import MessageChannel, MessageState
from callcenter.staff.models import User
from reminders.models import Reminder, ReminderRun
from reminders.queries.rows import ReminderFacts, ReminderRow, RowBuilder, entries_of
from reminders.states import CallResult, Colour, needs_day_call, needs_evening_call

LEFT_STAYS: Final = dt.timedelta(
    hours=12
)  # how long the evening shows, struck through, what has left
OVERLAP: Final = dt.timedelta(
    seconds=10
)  # a commit may be that much younger than the `now` it was written with

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


def topic(clinic_id: int) -> str:
    """The live topic of a clinic's lists."""
    return f"reminders:clinic:{clinic_id}"


@dataclass
class Listing:
    """What stands in a list under the chosen filter, how many rows every filter has, and when it
    was read.

    Asked with `since`, `entries` are those alone that have changed, and `gone` the rows that may
    still be on a screen and stand in the list no longer; `total` counts what stands there either
    way.
    """

    entries: list[ReminderFacts]
    counts: Counter[str]
    read_at: dt.datetime
    clinics: Sequence[Clinic]
    user: User
    total: int
    gone: list[int]

    @cached_property
    def rows(self) -> list[ReminderRow]:
        words = RowBuilder(self.entries, clinics=self.clinics, user=self.user, now=self.read_at)
        return [words.of(entry) for entry in self.entries]


def evening_list(
    runs: Sequence[ReminderRun],
    *,
    clinics: Sequence[Clinic],
    user: User,
    now: dt.datetime,
    show: str = "",
    since: dt.datetime | None = None,
) -> Listing:
    """The rows of runs: red and orange not yet called on top, then by time; counters of every
    filter.
    """
    reminders = Reminder.objects.filter(run__in=[run.pk for run in runs]).filter(
        Q(removed_at=None) | Q(removed_at__gt=now - LEFT_STAYS)
    )
    kinds = [
        (entry, _evening_kinds(entry))
        for entry in entries_of(reminders, now=now, urgent_first=True)
    ]
    return _listing(kinds, clinics=clinics, user=user, now=now, show=show, since=since)


def day_list(
    *,
    on: dt.date,
    clinics: Sequence[Clinic],
    user: User,
    now: dt.datetime,
    show: str = "",
    since: dt.datetime | None = None,
) -> Listing:
    """ДД of a local day: rows neither green nor settled by «придёт», by time; a row leaves when its
    visit begins.
    """
    spans = Q(pk=None)
    for clinic in clinics:
        start, end = day_bounds(on, clinic.zone)
        spans |= Q(clinic=clinic, starts_at__gte=start, starts_at__lt=end)
    # What has begun or left since then is still on the screen that asks.
    left, begun = Q(removed_at=None), Q(starts_at__gt=now)
    if since is not None:
        left, begun = left | Q(removed_at__gt=since - OVERLAP), Q(starts_at__gt=since - OVERLAP)
    entries = entries_of(Reminder.objects.filter(spans & left & begun), now=now)
    kinds = [(entry, _day_kinds(entry, now)) for entry in entries]
    return _listing(kinds, clinics=clinics, user=user, now=now, show=show, since=since)


def _listing(
    kinds: Sequence[tuple[ReminderFacts, Sequence[str]]],
    *,
    clinics: Sequence[Clinic],
    user: User,
    now: dt.datetime,
    show: str,
    since: dt.datetime | None,
) -> Listing:
    counts = Counter(kind for _, of_one in kinds for kind in of_one)
    standing = sorted(
        (entry for entry, of_one in kinds if _stands(of_one, show)), key=lambda entry: entry.order
    )
    shown, gone = standing, []
    if since is not None:
        fresh = since - OVERLAP
        shown = [entry for entry in standing if entry.changed_at > fresh]
        gone = [
            entry.id
            for entry, of_one in kinds
            if not _stands(of_one, show)
            and (entry.changed_at > fresh or fresh < entry.starts_at <= now)
        ]
    return Listing(shown, counts, now, clinics, user, len(standing), gone)


def _stands(kinds: Sequence[str], show: str) -> bool:
    """Without a filter also what has left the run stays on the evening's screen, struck through."""
    return show in kinds or (not show and "left" in kinds)


def _evening_kinds(entry: ReminderFacts) -> list[str]:
    """Under which filters a row of the evening stands."""
    if entry.has_left:
        return ["left"]
    calls = needs_evening_call(entry.colour, called=entry.is_called)
    return _kinds(entry, calls)


def _day_kinds(entry: ReminderFacts, now: dt.datetime) -> list[str]:
    settled = [CallResult.COMING] if entry.reminder.is_settled else []
    if entry.has_left or entry.starts_at <= now or not needs_day_call(entry.colour, settled):
        return []
    return _kinds(entry, True)


def _kinds(entry: ReminderFacts, calls: bool) -> list[str]:
    kinds = ["", entry.colour.value]
    kinds += ["call"] if calls else []
    kinds += ["called"] if entry.is_called else []
    kinds += ["reply"] if entry.reply is not None and not entry.reply.accepted else []
    return kinds


def blue_without_sms(run: ReminderRun, *, now: dt.datetime) -> list[int]:
    """Visits of the run's blue rows to which no SMS went: a messenger has delivered, nobody has
    answered, and by telephone nobody was reached (docs/adr/0041).
    """
    rows = run.reminders.filter(removed_at=None, starts_at__gt=now)
    rows = rows.filter(Q(called_at=None) | Q(result=CallResult.UNREACHED), is_settled=False)
    return [
        entry.reminder.appointment_id
        for entry in entries_of(rows, now=now)
        if entry.colour == Colour.BLUE and not _had_sms(entry)
    ]


def _had_sms(entry: ReminderFacts) -> bool:
    return any(
        one.channel == MessageChannel.SMS and one.state != MessageState.CANCELLED
        for one in entry.messages
    )
