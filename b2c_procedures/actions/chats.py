"""One chat with a B2C client by the rules of appendix 1: answered, timed, asked about, passed on,
closed; and failures.

A chat is led by its manager; the lead and the head may act in any. How chats come and are shared
out: actions/sharing.py.
"""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from b2c_procedures.actions.chat_distribution import managers_there, topics_of
from b2c_procedures.forbidden_phrases import PhraseMatch, PhraseRule, check
from b2c_procedures.models import (
    Chat,
    ChatMessageLink,
    ChatTimer,
    ForbiddenPhrase,
    Order,
    ProcedureSettings,
)
from b2c_procedures.schedule import norm
from b2c_procedures.states import ROLE_OF, ChatState, ClockKind, Performer
from callcenter.assignments.actions import create_task
from callcenter.assignments.models import Task
from callcenter.assignments.states import Department
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.contacts.models import Interaction, Topic
from callcenter.contacts.states import Direction
from callcenter.lib import live_updates
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.messaging.actions.chats import say_in_chat
from callcenter.messaging.models import ChatMessage
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_HOLD_CHATS, CAN_LEAD_PROCEDURES, Role


def findings(text: str, chat: Chat, author: User) -> list[PhraseMatch]:
    """What is forbidden in an answer (CH-09): the list of wordings, any employee's name, the
    author's first name.
    """
    rules = [
        PhraseRule(*row)
        for row in ForbiddenPhrase.objects.filter(is_active=True).values_list(
            "phrase", "why", "instead"
        )
    ]
    employees = User.objects.filter(is_active=True).values_list("full_name", flat=True)
    client = f"{chat.client_name} {chat.patient.full_name if chat.patient else ''}"
    return check(text, rules=rules, employees=employees, author=author.full_name, client=client)


def answer(
    chat: Chat,
    *,
    text: str,
    by: User,
    now: dt.datetime,
    topic: Topic | None = None,
    override: bool = False,
) -> ChatMessage:
    """Sends an answer in the name of the team. A forbidden wording stops it before it is sent; only
    a lead may override.

    Raises Refused (what is wrong, or no topic chosen yet), Conflict when the chat is closed or a
    colleague's.
    """
    team = ProcedureSettings.present().team_name
    if not text.strip():
        raise Refused("Напишите ответ.", field="text")
    with transaction.atomic():
        chat = _led_by(chat, by)
        if chat.manager is None:  # whoever answers a waiting client first leads the chat
            chat.manager, chat.state, chat.shared_at = by, ChatState.ACTIVE, now
        chat.topic = topic or chat.topic
        if chat.topic is None and Topic.objects.filter(is_active=True).exists():
            raise Refused(
                "Выберите тему чата: её выбирают с первого сообщения клиента.", field="topic"
            )
        wrong = findings(text, chat, by)
        if wrong and not (override and by.has(*CAN_LEAD_PROCEDURES)):
            said = "; ".join(str(item) for item in wrong).replace("{команда}", team)
            raise Refused(f"Не отправлено. Запрещённая формулировка: {said}.", field="text")
        line = say_in_chat(chat_interaction(chat), text=f"{text.strip()}\n— {team}", by=by, now=now)
        allowed = "; ".join(item.words for item in wrong)[:250]
        ChatMessageLink.objects.create(chat=chat, message=line, overridden=allowed)
        chat.first_answer_at, chat.last_at, chat.unread = chat.first_answer_at or now, now, 0
        chat.save()
        chat.clocks.filter(met_at=None, task=None).update(met_at=now)
        audit.record(
            "b2c_procedures.answer_chat",
            chat,
            by=by,
            now=now,
            note=f"разрешено: {allowed}" if allowed else "",
        )
        live_updates.bump(*topics_of(chat))
    return line


def chat_interaction(chat: Chat) -> Interaction:
    """The floor's conversation of the day that the newest line belongs to."""
    line = (
        chat.lines.select_related("message__interaction")
        .order_by("-message__at", "-message_id")
        .first()
    )
    if line is None:
        raise Refused("В этом чате ещё нет сообщений.")
    return line.message.interaction


def set_topic(chat: Chat, *, topic: Topic, by: User, now: dt.datetime) -> Chat:
    """CH-02: «выбирает тему чата с первого сообщения клиента»."""
    with transaction.atomic():
        chat = _led_by(chat, by)
        chat.topic = topic
        chat.save(update_fields=["topic"])
        audit.record("b2c_procedures.set_topic", chat, by=by, now=now, after={"topic": topic.name})
        live_updates.bump(*topics_of(chat))
    return chat


def ask_result_date(chat: Chat, *, by: User, now: dt.datetime) -> ChatTimer:
    """CH-13: the client asks when his result will be; five minutes «от получения сообщения», that
    is from his last line.
    """
    seconds = ProcedureSettings.present().result_date_seconds
    with transaction.atomic():
        chat = _led_by(chat, by)
        asked = chat.lines.filter(message__direction=Direction.IN).order_by("message__at").last()
        since = asked.message.at if asked is not None else now
        clock = ChatTimer.objects.create(
            chat=chat,
            kind=ClockKind.RESULT_DATE,
            started_at=since,
            due_at=since + dt.timedelta(seconds=seconds),
        )
        audit.record("b2c_procedures.ask_result_date", chat, by=by, now=now)
        live_updates.bump(*topics_of(chat))
    return clock


def ask_person(
    chat: Chat,
    *,
    kind: ClockKind,
    question: str,
    by: User,
    now: dt.datetime,
    order: Order | None = None,
) -> Task:
    """A task to the consultant doctor (30 minutes, CH-17–19) or to the person responsible (2
    working hours, CH-14–16).

    Raises Refused without a question, or without the client's name that the doctor's task must have
    (CH-18).
    """
    if not question.strip():
        raise Refused("Напишите, о чём спросить.", field="question")
    name = chat.patient.full_name if chat.patient else chat.client_name
    if not name:
        raise Refused(
            "Сначала свяжите чат с клиентом: в задаче должно быть его ФИО.", field="patient"
        )
    if kind == ClockKind.CONSULTANT:
        due = now + dt.timedelta(minutes=ProcedureSettings.present().consultant_minutes)
        department, role, assignee = (
            Department.CONSULTANT,
            ROLE_OF[Performer.CONSULTANT_DOCTOR],
            None,
        )
    else:
        due = norm("2 hours").deadline(now)
        department, role = Department.ORDERS, ROLE_OF[Performer.RESPONSIBLE_PERSON]
        line = order.lines.select_related("study__responsible").first() if order else None
        assignee = line.study.responsible if line is not None else None
    page = (
        f"{settings.PUBLIC_URL}{reverse('b2c_procedures:order', args=[order.pk])}" if order else ""
    )
    with transaction.atomic():
        chat = _led_by(chat, by)
        task = create_task(
            title=f"Чат: {question.strip()[:120]}",
            body=f"Клиент: {name}\nЗаказ: {f'{order.number} {page}' if order else 'нет'}\nВопрос: {question.strip()}",
            department=department,
            role=role,
            assignee=assignee
            if assignee is not None and assignee.works_in(chat.clinic_id)
            else None,
            clinic=chat.clinic,
            patient=chat.patient,
            deadline_at=due,
            link=reverse("b2c_procedures:chat", args=[chat.pk]),
            by=by,
            now=now,
        )
        ChatTimer.objects.create(chat=chat, kind=kind, started_at=now, due_at=due, task=task)
        live_updates.bump(*topics_of(chat))
    return task


def hand_over_chat(chat: Chat, *, to: User, by: User, now: dt.datetime) -> Chat:
    """Gives the chat to a colleague of the clinic, or takes one that waits for a manager.

    Raises Refused for somebody who cannot take it: not of this clinic, not in chats, or away from
    them today.
    """
    with transaction.atomic():
        chat = _led_by(chat, by)
        if to not in takers(chat, now):
            raise Refused(f"{to.full_name} сейчас не берёт чаты этой клиники.")
        _give(chat, to=to, by=by, now=now)
    return chat


def takers(chat: Chat, now: dt.datetime) -> list[User]:
    """Who may be given the chat: managers who are there, and everybody else of the clinic who
    answers in chats.
    """
    there = managers_there([chat.clinic_id], now)[chat.clinic_id]
    people = User.objects.with_role(*CAN_HOLD_CHATS).filter(clinics=chat.clinic_id)
    return [person for person in people if person.pk in there or not person.has(Role.ADMINISTRATOR)]


def transfer_chat(chat: Chat, *, to: User, by: User, now: dt.datetime) -> None:
    """Takes the chat along when its run is transferred (1.5, 2.4, 2.8, 12.4); a closed one stays as
    it is.
    """
    with transaction.atomic():
        fresh = (
            Chat.objects.live().select_for_update().filter(pk=chat.pk).exclude(manager=to).first()
        )
        if fresh is not None:
            _give(fresh, to=to, by=by, now=now)


def _give(chat: Chat, *, to: User, by: User, now: dt.datetime) -> None:
    before, topics = chat.manager, topics_of(chat)
    chat.manager, chat.state, chat.shared_at = to, ChatState.ACTIVE, now
    chat.save(update_fields=["manager", "state", "shared_at"])
    audit.record(
        "b2c_procedures.transfer_chat",
        chat,
        by=by,
        now=now,
        before={"manager": str(before)},
        after={"manager": str(to)},
    )
    live_updates.bump(*topics, *topics_of(chat))


def close_chat(chat: Chat, *, by: User, now: dt.datetime) -> Chat:
    """Ends the conversation. Raises Refused while the client waits for his first answer."""
    with transaction.atomic():
        chat = _led_by(chat, by)
        if chat.first_answer_at is None:
            raise Refused("Клиент ещё не получил ответа. Ответьте, потом закройте чат.")
        chat.state, chat.closed_at, chat.unread = ChatState.CLOSED, now, 0
        chat.save()
        audit.record("b2c_procedures.close_chat", chat, by=by, now=now)
        live_updates.bump(*topics_of(chat))
    return chat


def report_failure(
    *, system: str, text: str, clinic: Clinic | None, by: User, now: dt.datetime
) -> Task:
    """CH-21: «необходимо незамедлительно сообщить ведущим менеджерам»; one of them opens the Help
    Desk task.
    """
    if not text.strip():
        raise Refused("Напишите, что произошло.", field="text")
    return create_task(
        title=f"Сбой: {system}",
        body=text.strip(),
        department=Department.OKS,
        role=Role.LEAD,
        clinic=clinic,
        deadline_at=now + dt.timedelta(minutes=15),
        link=reverse("b2c_procedures:failure"),
        by=by,
        now=now,
    )


def open_help_desk(task: Task, *, text: str, by: User, now: dt.datetime) -> Task:
    """CH-22, CH-23: the lead manager opens the Help Desk task; its role is the head's, so that he
    always has access.
    """
    if not by.has(*CAN_LEAD_PROCEDURES):
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


def _led_by(chat: Chat, by: User) -> Chat:
    """The chat under its lock. Raises Conflict when it is closed, or led by somebody else and `by`
    is no lead.
    """
    fresh = (
        Chat.objects.select_for_update(of=("self",))
        .select_related("clinic", "manager", "patient", "topic")
        .get(pk=chat.pk)
    )
    if fresh.state == ChatState.CLOSED:
        raise Conflict("Чат уже закрыт.")
    if fresh.manager_id not in (by.pk, None) and not by.has(*CAN_LEAD_PROCEDURES):
        raise Conflict(f"Чат ведёт {fresh.manager}.")
    return fresh
