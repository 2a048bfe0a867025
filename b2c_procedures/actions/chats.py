"""Chats with B2C clients by the rules of appendix 1: gathered, shared out, answered, timed, closed.

The messenger's lines are rows of messaging; a ticker pulls those that belong to no conversation yet. All sharing goes
under one advisory lock, so that two tickers and a leaving manager never count the same load at once.
"""

import datetime as dt
from collections import Counter

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q

from b2c_procedures.models import (
    Chat,
    ChatAbsence,
    ChatClock,
    ChatLine,
    ForbiddenPhrase,
    Order,
    ProcedureSettings,
)
from b2c_procedures.roles import LEADERS
from b2c_procedures.schedule import norm
from b2c_procedures.sharing import share
from b2c_procedures.states import ROLE_OF, ChatState, ClockKind, Performer
from b2c_procedures.wording import Finding, Rule, check
from callcenter.assignments.actions import create_task
from callcenter.assignments.models import Task
from callcenter.assignments.states import Department
from callcenter.clinics.models import Clinic
from callcenter.contacts.models import Interaction, Topic
from callcenter.contacts.states import Direction
from callcenter.lib import live
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.localtime import local_day
from callcenter.messaging.actions.chats import say_in_chat
from callcenter.messaging.meaning import Meaning
from callcenter.messaging.models import ChatMessage
from callcenter.messaging.states import MESSENGERS, Purpose
from callcenter.staff import audit
from callcenter.staff.models import User
from callcenter.staff.roles import Role

_BACK = dt.timedelta(days=2)
# «Приду», «перенесите», «отмените» to a visit's notification is the business of «Дозвон», unless a conversation is open.
_ANSWERS_A_REMINDER = Q(message__purpose=Purpose.VISIT, meaning__in=[Meaning.COMING, Meaning.MOVE, Meaning.CANCEL])
_LIVE_WITH_THEM = Chat.objects.live().filter(
    clinic=OuterRef("clinic"), channel=OuterRef("channel"), address=OuterRef("number")
)


def gather_due_chats(*, now: dt.datetime, limit: int = 500) -> int:
    """Puts new lines of messengers into conversations, opens those that are missing, shares the waiting ones out.

    Returns how many lines.
    """
    with transaction.atomic():
        _lock_sharing()
        fresh = list(
            ChatMessage.objects.filter(
                chat_line=None, direction=Direction.IN, channel__in=MESSENGERS, at__gte=now - _BACK, at__lte=now
            )
            .filter(~_ANSWERS_A_REMINDER | Exists(_LIVE_WITH_THEM))
            .select_related("clinic", "patient", "message")
            .order_by("at", "pk")[:limit]
        )
        live_chats = {
            (chat.clinic_id, chat.channel, chat.address): chat
            for chat in Chat.objects.live().filter(address__in={line.number for line in fresh})
        }
        seconds = ProcedureSettings.present().first_answer_seconds
        opened: list[Chat] = []
        pairs: list[tuple[Chat, ChatMessage]] = []
        for line in fresh:
            key = (line.clinic_id, line.channel, line.number)
            chat = live_chats.get(key)
            if chat is None:
                chat = Chat(
                    clinic=line.clinic,
                    channel=line.channel,
                    address=line.number,
                    client_name=line.name,
                    patient=line.patient,
                    opened_at=line.at,
                    last_at=line.at,
                )
                live_chats[key] = chat
                opened.append(chat)
            chat.last_at = max(chat.last_at, line.at)
            chat.unread += 1
            chat.patient = chat.patient or line.patient
            pairs.append((chat, line))
        Chat.objects.bulk_create(opened)
        known = {chat.pk: chat for chat, _ in pairs if chat not in opened}
        Chat.objects.bulk_update(known.values(), ["last_at", "unread", "patient"])
        Chat.objects.bulk_update(opened, ["last_at", "unread", "patient"])
        ChatLine.objects.bulk_create([ChatLine(chat=chat, message=line) for chat, line in pairs])
        ChatClock.objects.bulk_create(
            [
                ChatClock(
                    chat=chat,
                    kind=ClockKind.ANSWER,
                    started_at=chat.opened_at,
                    due_at=chat.opened_at + dt.timedelta(seconds=seconds),
                )
                for chat in opened
            ]
        )
        _share_waiting(now)
        live.bump(*{_topic(chat) for chat, _ in pairs}, *{f"procedures:chats:{chat.clinic_id}" for chat, _ in pairs})
    return len(pairs)


def share_due_chats(*, now: dt.datetime) -> int:
    """Shares waiting chats out, and those of managers who are no longer there. Returns how many found a manager."""
    with transaction.atomic():
        _lock_sharing()
        clinics = Clinic.objects.filter(pk__in=Chat.objects.live().values("clinic"))
        for clinic in clinics:
            there = _managers(clinic, now)
            Chat.objects.filter(clinic=clinic, state=ChatState.ACTIVE).exclude(manager__in=there).update(
                state=ChatState.WAITING, manager=None
            )
        return _share_waiting(now)


def leave_chats(user: User, *, now: dt.datetime) -> int:
    """The manager takes no more chats (a break, the end of the shift): his are shared out at once. How many moved."""
    with transaction.atomic():
        _lock_sharing()
        ChatAbsence.objects.get_or_create(user=user, defaults={"since": now})
        moved = Chat.objects.filter(manager=user, state=ChatState.ACTIVE).update(state=ChatState.WAITING, manager=None)
        _share_waiting(now)
        audit.record("b2c_procedures.leave_chats", user, by=user, now=now, after={"moved": moved})
        live.bump(f"procedures:manager:{user.pk}")
    return moved


def come_back(user: User, *, now: dt.datetime) -> None:
    """The manager takes chats again; waiting ones come to him."""
    with transaction.atomic():
        _lock_sharing()
        ChatAbsence.objects.filter(user=user).delete()
        _share_waiting(now)


def _lock_sharing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('b2c_procedures.sharing'))")


def _managers(clinic: Clinic, now: dt.datetime) -> list[int]:
    """Managers on shift today who take chats; where no shift is written down, every manager of the clinic (ADR 0074)."""
    people = User.objects.with_role(Role.ADMINISTRATOR).filter(clinics=clinic, chat_absence=None)
    on_shift = people.filter(shifts__on=local_day(now, clinic.zone)).distinct()
    chosen = list(on_shift.values_list("pk", flat=True)) or list(people.values_list("pk", flat=True))
    return sorted(chosen)


def _share_waiting(now: dt.datetime) -> int:
    """Inside the lock: every waiting chat to the least loaded manager of its clinic; ties go round in turn."""
    waiting = list(Chat.objects.filter(state=ChatState.WAITING).select_related("clinic").order_by("opened_at", "pk"))
    if not waiting:
        return 0
    active = Counter(Chat.objects.filter(state=ChatState.ACTIVE).values_list("manager_id", flat=True))
    last = dict(Chat.objects.filter(state=ChatState.ACTIVE).values_list("manager_id").annotate(last=Max("shared_at")))
    shared: list[Chat] = []
    for clinic in {chat.clinic_id: chat.clinic for chat in waiting}.values():
        there = sorted(_managers(clinic, now), key=lambda pk: last.get(pk) or dt.datetime.min.replace(tzinfo=dt.UTC))
        order = dict(enumerate(there))
        chats = {chat.pk: chat for chat in waiting if chat.clinic_id == clinic.pk}
        given = share(list(chats), {turn: active[pk] for turn, pk in order.items()})
        for chat_pk, turn in given.items():
            chat = chats[chat_pk]
            chat.manager_id, chat.state, chat.shared_at = order[turn], ChatState.ACTIVE, now
            active[order[turn]] += 1
            shared.append(chat)
    Chat.objects.bulk_update(shared, ["manager", "state", "shared_at"])
    live.bump(*{f"procedures:manager:{chat.manager_id}" for chat in shared}, *{_topic(chat) for chat in shared})
    return len(shared)


def findings(text: str, chat: Chat) -> list[Finding]:
    """What is forbidden in an answer: the list of wordings, and the name of any employee."""
    rules = [
        Rule(*row) for row in ForbiddenPhrase.objects.filter(is_active=True).values_list("phrase", "why", "instead")
    ]
    employees = User.objects.filter(is_active=True).values_list("full_name", flat=True)
    client = f"{chat.client_name} {chat.patient.full_name if chat.patient else ''}"
    return check(text, rules=rules, employees=employees, client=client)


def answer(
    chat: Chat, *, text: str, by: User, now: dt.datetime, topic: Topic | None = None, override: bool = False
) -> ChatMessage:
    """Sends an answer in the name of the team. A forbidden wording stops it before it is sent; only a lead may override.

    Raises Refused (what is wrong, or no topic chosen yet), Conflict when the chat is closed or a colleague's.
    """
    team = ProcedureSettings.present().team_name
    with transaction.atomic():
        chat = _live(chat)
        leads = by.has(*LEADERS)
        if chat.manager_id != by.pk and not leads:
            raise Conflict(f"Чат ведёт {chat.manager or 'никто: он ждёт менеджера'}.")
        chat.topic = topic or chat.topic
        if chat.topic is None and Topic.objects.filter(is_active=True).exists():
            raise Refused("Выберите тему чата: её выбирают с первого сообщения клиента.", field="topic")
        wrong = findings(text, chat)
        if wrong and not (override and leads):
            said = "; ".join(str(item) for item in wrong).replace("{команда}", team)
            raise Refused(f"Не отправлено. Запрещённая формулировка: {said}.", field="text")
        line = say_in_chat(chat_interaction(chat), text=f"{text.strip()}\n— {team}", by=by, now=now)
        allowed = "; ".join(item.words for item in wrong)[:250]
        ChatLine.objects.create(chat=chat, message=line, overridden=allowed)
        chat.first_answer_at, chat.last_at, chat.unread = chat.first_answer_at or now, now, 0
        chat.save()
        chat.clocks.filter(met_at=None, task=None).update(met_at=now)
        audit.record(
            "b2c_procedures.answer_chat", chat, by=by, now=now, note=f"разрешено: {allowed}" if allowed else ""
        )
        _bump(chat)
    return line


def chat_interaction(chat: Chat) -> Interaction:
    """The floor's conversation of the day that the newest line belongs to."""
    line = chat.lines.select_related("message__interaction").order_by("-message__at", "-message_id").first()
    if line is None:
        raise Refused("В этом чате ещё нет сообщений.")
    return line.message.interaction


def set_topic(chat: Chat, *, topic: Topic, by: User, now: dt.datetime) -> Chat:
    with transaction.atomic():
        chat = _live(chat)
        chat.topic = topic
        chat.save(update_fields=["topic"])
        audit.record("b2c_procedures.set_topic", chat, by=by, now=now, after={"topic": topic.name})
        _bump(chat)
    return chat


def ask_result_date(chat: Chat, *, by: User, now: dt.datetime) -> ChatClock:
    """CH-13: the client asks when his result will be; five minutes to look into the orders journal and answer."""
    seconds = ProcedureSettings.present().result_date_seconds
    with transaction.atomic():
        chat = _live(chat)
        clock = ChatClock.objects.create(
            chat=chat, kind=ClockKind.RESULT_DATE, started_at=now, due_at=now + dt.timedelta(seconds=seconds)
        )
        audit.record("b2c_procedures.ask_result_date", chat, by=by, now=now)
        _bump(chat)
    return clock


def ask_person(
    chat: Chat, *, kind: ClockKind, question: str, by: User, now: dt.datetime, order: Order | None = None
) -> Task:
    """A task to the consultant doctor (30 minutes, CH-17–19) or to the person responsible (2 working hours, CH-14–16).

    Raises Refused without a question, or without the client's name that the doctor's task must have (CH-18).
    """
    if not question.strip():
        raise Refused("Напишите, о чём спросить.", field="question")
    name = chat.patient.full_name if chat.patient else chat.client_name
    if not name:
        raise Refused("Сначала свяжите чат с клиентом: в задаче должно быть его ФИО.", field="patient")
    if kind == ClockKind.CONSULTANT:
        due = now + dt.timedelta(minutes=ProcedureSettings.present().consultant_minutes)
        department, role, assignee = Department.CONSULTANT, ROLE_OF[Performer.CONSULTANT_DOCTOR], None
    else:
        due = norm("2 hours").deadline(now)
        department, role = Department.ORDERS, ROLE_OF[Performer.RESPONSIBLE_PERSON]
        line = order.lines.select_related("study__responsible").first() if order else None
        assignee = line.study.responsible if line is not None else None
    with transaction.atomic():
        chat = _live(chat)
        task = create_task(
            title=f"Чат: {question.strip()[:120]}",
            body=f"Клиент: {name}\nЗаказ: {order.number if order else 'не указан'}\nВопрос: {question.strip()}",
            department=department,
            role=role,
            assignee=assignee if assignee is not None and assignee.is_active else None,
            clinic=chat.clinic,
            patient=chat.patient,
            deadline_at=due,
            link=f"/procedures/chats/{chat.pk}/",
            by=by,
            now=now,
        )
        ChatClock.objects.create(chat=chat, kind=kind, started_at=now, due_at=due, task=task)
        _bump(chat)
    return task


def pass_chat(chat: Chat, *, to: User, by: User, now: dt.datetime) -> Chat:
    """Gives the chat to a colleague of the clinic."""
    with transaction.atomic():
        chat = _live(chat)
        if not to.clinics.filter(pk=chat.clinic_id).exists():
            raise Refused(f"{to.full_name} не работает с этой клиникой.", field="to")
        before = chat.manager
        chat.manager, chat.state, chat.shared_at = to, ChatState.ACTIVE, now
        chat.save(update_fields=["manager", "state", "shared_at"])
        audit.record(
            "b2c_procedures.pass_chat",
            chat,
            by=by,
            now=now,
            before={"manager": str(before)},
            after={"manager": str(to)},
        )
        live.bump(f"procedures:manager:{to.pk}", f"procedures:manager:{by.pk}")
        _bump(chat)
    return chat


def close_chat(chat: Chat, *, by: User, now: dt.datetime) -> Chat:
    """Raises Refused while the client waits for his first answer."""
    with transaction.atomic():
        chat = _live(chat)
        if chat.first_answer_at is None:
            raise Refused("Клиент ещё не получил ответа. Ответьте, потом закройте чат.")
        chat.state, chat.closed_at, chat.unread = ChatState.CLOSED, now, 0
        chat.save()
        audit.record("b2c_procedures.close_chat", chat, by=by, now=now)
        _bump(chat)
    return chat


def report_failure(*, system: str, text: str, clinic: Clinic | None, by: User, now: dt.datetime) -> Task:
    """CH-21: «необходимо незамедлительно сообщить ведущим менеджерам»; one of them opens the Help Desk task."""
    if not text.strip():
        raise Refused("Напишите, что произошло.", field="text")
    return create_task(
        title=f"Сбой: {system}",
        body=text.strip(),
        department=Department.OKS,
        role=Role.LEAD,
        clinic=clinic,
        deadline_at=now + dt.timedelta(minutes=15),
        link="/procedures/failure/",
        by=by,
        now=now,
    )


def open_help_desk(task: Task, *, text: str, by: User, now: dt.datetime) -> Task:
    """CH-22, CH-23: the lead manager opens the Help Desk task; its role is the head's, so that he always has access."""
    if not by.has(*LEADERS):
        raise NotAllowed("Задачу в Help Desk ставит ведущий менеджер.")
    return create_task(
        title=task.title,
        body=f"{text.strip()}\n{task.body}".strip(),
        department=Department.HELP_DESK,
        role=Role.HEAD,
        assignee=by,
        clinic=task.clinic,
        deadline_at=norm("2 hours").deadline(now),
        origin=f"b2c_procedures.help_desk:{task.pk}",
        by=by,
        now=now,
    )


def _live(chat: Chat) -> Chat:
    fresh = (
        Chat.objects.select_for_update(of=("self",))
        .select_related("clinic", "manager", "patient", "topic")
        .get(pk=chat.pk)
    )
    if fresh.state == ChatState.CLOSED:
        raise Conflict("Чат уже закрыт.")
    return fresh


def _topic(chat: Chat) -> str:
    return f"procedures:chat:{chat.pk}"


def _bump(chat: Chat) -> None:
    live.bump(_topic(chat), f"procedures:chats:{chat.clinic_id}")
