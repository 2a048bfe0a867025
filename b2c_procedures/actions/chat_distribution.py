"""Chats gathered from the messengers' lines and shared out among managers (appendix 1, CH-01; ADR
0074).

The messenger's lines are rows of messaging; a ticker pulls those that belong to no conversation
yet. All sharing goes under one advisory lock, so that two tickers and a leaving manager never count
the same load at once.
"""

import datetime as dt
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q

from b2c_procedures.load_balancing import share
from b2c_procedures.models import (
    Chat,
    ChatMessageLink,
    ChatPause,
    ChatTimer,
    FailedChatMessage,
    ProcedureSettings,
)
from b2c_procedures.states import ChatState, ClockKind
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.contacts.states import Direction
from callcenter.lib import live_updates
from callcenter.lib.localtime import local_day
from callcenter.messaging.models import ChatMessage
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import MESSENGERS, MessagePurpose
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import Role

log = logging.getLogger(__name__)
Key = tuple[int, str, str]  # clinic, messenger, the client's address there

_BACK = dt.timedelta(days=2)
_AGAIN = dt.timedelta(minutes=10)
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
# «Приду», «перенесите», «отмените» to a visit's notification is the business of «Дозвон», unless a
# conversation is open.
_ANSWERS_A_REMINDER = Q(
    message__purpose=MessagePurpose.VISIT,
    intent__in=[ReplyIntent.COMING, ReplyIntent.MOVE, ReplyIntent.CANCEL],
)
_LIVE_WITH_THEM = Chat.objects.live().filter(
    clinic=OuterRef("clinic"), channel=OuterRef("channel"), address=OuterRef("number")
)


def gather_due_chats(*, now: dt.datetime, limit: int = 500) -> int:
    """Puts new lines of messengers into conversations, opens those that are missing and gives each
    to a manager at once.

    Returns how many lines. A conversation that cannot be written says why at its lines
    (`FailedChatMessage`), which are tried again in ten minutes; the others go on.
    """
    with transaction.atomic():
        _lock_sharing()
        fresh = (
            ChatMessage.objects.filter(
                chat_line=None,
                direction=Direction.IN,
                channel__in=MESSENGERS,
                at__gte=now - _BACK,
                at__lte=now,
            )
            .filter(Q(chat_trouble=None) | Q(chat_trouble__due_at__lte=now))
            .filter(~_ANSWERS_A_REMINDER | Exists(_LIVE_WITH_THEM))
            .select_related("clinic")
            .order_by("at", "pk")[:limit]
        )
        talks: dict[Key, list[ChatMessage]] = defaultdict(list)
        for line in fresh:
            talks[(line.clinic_id, line.channel, line.number)].append(line)
        return _gather(talks, now) if talks else 0


def _gather(talks: Mapping[Key, list[ChatMessage]], now: dt.datetime) -> int:
    """Writes the conversations in one go; one that fails is looked for by halves, so that only its
    own lines wait.
    """
    try:
        with transaction.atomic():
            return _write_talks(talks, now)
    except Exception as error:
        if len(talks) == 1:
            (lines,) = talks.values()
            log.exception("chat of message %s", lines[0].pk)
            _put_off(lines, error, now)
            return 0
    keys = list(talks)
    halves = keys[: len(keys) // 2], keys[len(keys) // 2 :]
    return sum(_gather({key: talks[key] for key in half}, now) for half in halves)


def _put_off(lines: Collection[ChatMessage], error: Exception, now: dt.datetime) -> None:
    for line in lines:
        why = {"last_error": f"{type(error).__name__}: {error}"[:250], "due_at": now + _AGAIN}
        FailedChatMessage.objects.update_or_create(message=line, defaults=why)
    live_updates.bump(*{f"b2c_procedures:chats:{line.clinic_id}" for line in lines})


def _write_talks(talks: Mapping[Key, list[ChatMessage]], now: dt.datetime) -> int:
    known = {
        _key(chat): chat
        for chat in Chat.objects.live().filter(address__in={number for _, _, number in talks})
    }
    opened = {key: _opened_by(lines[0]) for key, lines in talks.items() if key not in known}
    pairs: list[tuple[Chat, ChatMessage]] = []
    for key, lines in talks.items():
        chat = known.get(key) or opened[key]
        for line in lines:
            chat.last_at = max(chat.last_at, line.at)
            chat.unread += 1
            chat.patient_id = chat.patient_id or line.patient_id
            pairs.append((chat, line))
    _give_out(opened.values(), now)
    _write(opened.values(), [chat for key, chat in known.items() if key in talks], pairs)
    FailedChatMessage.objects.filter(message__in=[line for _, line in pairs]).delete()
    live_updates.bump(*{topic for chat, _ in pairs for topic in topics_of(chat)})
    return len(pairs)


def _key(chat: Chat) -> Key:
    return (chat.clinic_id, chat.channel, chat.address)


def _opened_by(line: ChatMessage) -> Chat:
    return Chat(
        clinic=line.clinic,
        channel=line.channel,
        address=line.number,
        client_name=line.name,
        opened_at=line.at,
        last_at=line.at,
    )


def _write(
    opened: Collection[Chat], grown: Collection[Chat], pairs: Iterable[tuple[Chat, ChatMessage]]
) -> None:
    """New conversations with their minute for the first answer (CH-03), known ones brought up to
    date, their lines.
    """
    seconds = ProcedureSettings.present().first_answer_seconds
    Chat.objects.bulk_create(opened)
    Chat.objects.bulk_update(grown, ["last_at", "unread", "patient"])
    ChatMessageLink.objects.bulk_create(
        [ChatMessageLink(chat=chat, message=line) for chat, line in pairs]
    )
    ChatTimer.objects.bulk_create(
        ChatTimer(
            chat=chat,
            kind=ClockKind.ANSWER,
            started_at=chat.opened_at,
            due_at=chat.opened_at + dt.timedelta(seconds=seconds),
        )
        for chat in opened
    )


def share_due_chats(*, now: dt.datetime) -> int:
    """Shares waiting chats out, and those of managers who are no longer there. Returns how many
    found a manager.

    A chat that was given to somebody who is no manager (the doctor, the lead, the head) stays with
    him.
    """
    with transaction.atomic():
        _lock_sharing()
        held = list(
            Chat.objects.filter(state=ChatState.ACTIVE)
            .filter(Q(manager__is_active=False) | Q(manager__roles__contains=[Role.ADMINISTRATOR]))
            .values_list("pk", "clinic", "manager")
        )
        there = managers_there({clinic for _, clinic, _ in held}, now)
        left = [pk for pk, clinic, manager in held if manager not in there[clinic]]
        Chat.objects.filter(pk__in=left).update(state=ChatState.WAITING, manager=None)
        return _share_waiting(now)


def pause_chats(user: User, *, now: dt.datetime) -> int:
    """The manager takes no more chats (a break, the end of the shift): his are shared out at once.
    How many moved.
    """
    with transaction.atomic():
        _lock_sharing()
        ChatPause.objects.get_or_create(user=user, defaults={"since": now})
        moved = Chat.objects.filter(manager=user, state=ChatState.ACTIVE).update(
            state=ChatState.WAITING, manager=None
        )
        _share_waiting(now)
        audit.record("b2c_procedures.pause_chats", user, by=user, now=now, after={"moved": moved})
        live_updates.bump(f"b2c_procedures:manager:{user.pk}")
    return moved


def resume_chats(user: User, *, now: dt.datetime) -> None:
    """The manager takes chats again; waiting ones come to him."""
    with transaction.atomic():
        _lock_sharing()
        ChatPause.objects.filter(user=user).delete()
        _share_waiting(now)


def managers_there(clinics: Collection[int], now: dt.datetime) -> dict[int, list[int]]:
    """Clinic → managers on shift today who take chats; where no shift is written down, every
    manager of the clinic.

    When all on shift have stepped out, nobody is there: their chats wait, and every manager's board
    shows them.
    """
    people: dict[int, list[int]] = {clinic: [] for clinic in clinics}
    working = User.objects.with_role(Role.ADMINISTRATOR).filter(clinics__in=clinics)
    for clinic, manager in working.order_by("pk").values_list("clinics", "pk"):
        people[clinic].append(manager)
    zones = dict(Clinic.objects.filter(pk__in=clinics).values_list("pk", "zone"))
    today = {clinic: local_day(now, zone) for clinic, zone in zones.items()}
    shifts = set(Shift.objects.filter(on__in=set(today.values())).values_list("user", "on"))
    absent = set(ChatPause.objects.values_list("user", flat=True))
    there = {}
    for clinic, managers in people.items():
        on_shift = [manager for manager in managers if (manager, today[clinic]) in shifts]
        there[clinic] = [manager for manager in on_shift or managers if manager not in absent]
    return there


def topics_of(chat: Chat) -> list[str]:
    """The live topics of a chat's own page, of its clinic's board and of its manager's."""
    names = [f"b2c_procedures:chat:{chat.pk}", f"b2c_procedures:chats:{chat.clinic_id}"]
    return [*names, f"b2c_procedures:manager:{chat.manager_id}"] if chat.manager_id else names


def _lock_sharing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('b2c_procedures.load_balancing'))")


def _share_waiting(now: dt.datetime) -> int:
    """Inside the lock: gives out what waits. Returns how many found a manager."""
    waiting = list(Chat.objects.filter(state=ChatState.WAITING).order_by("opened_at", "pk"))
    given = _give_out(waiting, now)
    Chat.objects.bulk_update(given, ["manager", "state", "shared_at"])
    live_updates.bump(*{topic for chat in given for topic in topics_of(chat)})
    return len(given)


def _give_out(chats: Collection[Chat], now: dt.datetime) -> list[Chat]:
    """Inside the lock: each chat to the least loaded manager of its clinic, ties in turn. Changes
    the objects only.
    """
    if not chats:
        return []
    loads: Counter[int] = Counter()
    last: dict[int, dt.datetime] = {}
    held = Chat.objects.filter(state=ChatState.ACTIVE).values_list("manager")
    for manager, count, newest in held.annotate(Count("pk"), Max("shared_at")):
        loads[manager], last[manager] = count, newest or _NEVER
    by_clinic: dict[int, list[Chat]] = defaultdict(list)
    for chat in chats:
        by_clinic[chat.clinic_id].append(chat)
    given = []
    for clinic, managers in managers_there(by_clinic.keys(), now).items():
        order = sorted(managers, key=lambda manager: last.get(manager, _NEVER))
        turns = share(
            range(len(by_clinic[clinic])),
            {turn: loads[manager] for turn, manager in enumerate(order)},
        )
        for position, turn in turns.items():
            chat = by_clinic[clinic][position]
            chat.manager_id, chat.state, chat.shared_at = order[turn], ChatState.ACTIVE, now
            loads[order[turn]] += 1
            given.append(chat)
    return given
