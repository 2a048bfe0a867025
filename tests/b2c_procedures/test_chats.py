"""Chats by the rules of appendix 1."""

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from b2c_procedures.actions import chat_distribution
from b2c_procedures.actions import chats as actions
from b2c_procedures.forbidden_phrases import PhraseRule, check
from b2c_procedures.load_balancing import share
from b2c_procedures.models import Chat, ChatMessageLink, ChatTimer, FailedChatMessage, Order
from b2c_procedures.queries.chats import board
from b2c_procedures.states import ChatState, ClockKind
from callcenter.assignments.actions import close_task
from callcenter.assignments.models import Task
from callcenter.clinics.models import Patient
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.actions.enqueue import queue_message
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import ChatMessage, Message, Provider
from callcenter.messaging.states import MessagePurpose
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import Role
from tests.b2c_procedures.conftest import Service
from tests.conftest import make_user

_ids = itertools.count(1)
AsUser = Callable[[User], Client]


def write(
    service: Service, text: str, *, patient: Patient | None = None, at: dt.datetime | None = None
) -> None:
    """A client writes in Telegram."""
    person = patient or service.patient
    now = at or service.world.now
    reply = Reply(
        id=f"m{next(_ids)}", sender=person.phones.get().number, name=person.first_name, text=text, channel="telegram",
        key="", at=now,
    )  # fmt: skip
    assert receive_reply(reply, provider=Provider.objects.get(), now=now) is not None
    chat_distribution.gather_due_chats(now=now)


def managers(service: Service, count: int) -> list[User]:
    people = [make_user(f"m{n}", f"Менеджерова{n} Анна Олеговна", Role.ADMINISTRATOR, clinics=[service.clinic]) for n in range(count)]  # fmt: skip
    for person in people:
        Shift.objects.create(user=person, on=service.world.now.date(), colour="yellow")
    return people


@given(st.integers(1, 12), st.integers(0, 200))
def test_equal_loads_differ_by_at_most_one_afterwards(people: int, chats: int) -> None:
    given_out = Counter(share(range(chats), dict.fromkeys(range(people), 0)).values())
    loads = [given_out[person] for person in range(people)]
    assert sum(loads) == chats
    assert max(loads) - min(loads) <= 1


@given(st.dictionaries(st.integers(1, 9), st.integers(0, 20), min_size=1), st.integers(0, 60))
def test_whoever_has_fewer_chats_gets_the_next_one(loads: dict[int, int], chats: int) -> None:
    after = Counter(loads)
    after.update(share(range(chats), loads).values())
    grown = [person for person in loads if after[person] > loads[person]]
    assert all(after[person] <= min(after[other] for other in loads) + 1 for person in grown)


def test_chats_are_shared_at_once_and_evenly_among_managers_on_shift(service: Service) -> None:
    people = managers(service, 3)
    for number in range(8):
        write(service, "Здравствуйте", patient=service.world.patient(f"Писатель{number}"))
    loads = Counter(Chat.objects.values_list("manager", flat=True))
    assert set(loads) <= {person.pk for person in people}  # nobody who is not on shift
    assert max(loads.values()) - min(loads[person.pk] for person in people) <= 1
    assert not Chat.objects.filter(state=ChatState.WAITING).exists()


def test_a_leaving_managers_chats_move_to_the_others(service: Service) -> None:
    people = managers(service, 3)
    for number in range(9):
        write(service, "Здравствуйте", patient=service.world.patient(f"Писатель{number}"))
    assert chat_distribution.pause_chats(people[0], now=service.world.now) == 3
    loads = Counter(Chat.objects.values_list("manager", flat=True))
    assert loads[people[0].pk] == 0
    assert abs(loads[people[1].pk] - loads[people[2].pk]) <= 1
    write(service, "Ещё вопрос", patient=service.world.patient("Новый"))
    assert people[0].pk not in Counter(Chat.objects.values_list("manager", flat=True))
    chat_distribution.resume_chats(people[0], now=service.world.now)
    write(service, "И ещё", patient=service.world.patient("Последний"))
    assert Chat.objects.get(patient__last_name="Последний").manager == people[0]


def test_a_chat_given_to_the_lead_stays_with_her_and_one_for_nobody_there_is_refused(
    service: Service,
) -> None:
    first, _ = managers(service, 2)
    write(service, "Здравствуйте")
    chat = Chat.objects.get()
    owner = chat.manager or first
    with pytest.raises(Refused, match="не берёт чаты"):
        actions.hand_over_chat(
            chat, to=service.manager, by=owner, now=service.world.now
        )  # not on shift today
    actions.hand_over_chat(chat, to=service.lead, by=owner, now=service.world.now)
    chat_distribution.share_due_chats(now=service.world.now)
    assert Chat.objects.get().manager == service.lead


def test_when_everybody_on_shift_is_away_the_chat_waits_on_every_board_and_can_be_taken(
    service: Service, as_user: AsUser
) -> None:
    person = managers(service, 1)[0]
    chat_distribution.pause_chats(person, now=service.world.now)
    write(service, "Здравствуйте")
    chat = Chat.objects.get()
    assert (chat.state, chat.manager) == (
        ChatState.WAITING,
        None,
    )  # not given to those who are at home
    assert [row.chat for row in board(person, service.world.now, everybody=False)] == [chat]
    chat_distribution.resume_chats(person, now=service.world.now)
    assert Chat.objects.get().manager == person


def test_chats_of_a_manager_whose_shift_is_over_move_by_the_ticker(service: Service) -> None:
    first, second = managers(service, 2)
    for number in range(4):
        write(service, "Здравствуйте", patient=service.world.patient(f"Писатель{number}"))
    Shift.objects.filter(user=first).delete()
    chat_distribution.share_due_chats(now=service.world.now)
    assert set(Chat.objects.values_list("manager", flat=True)) == {second.pk}


def test_lines_of_one_conversation_stay_together_and_come_once(service: Service) -> None:
    write(service, "Здравствуйте")
    write(service, "Сколько стоит экзом?")
    assert chat_distribution.gather_due_chats(now=service.world.now) == 0
    chat = Chat.objects.get()
    assert (chat.lines.count(), chat.unread, chat.patient) == (2, 2, service.patient)
    assert ChatTimer.objects.get().due_at == service.world.now + dt.timedelta(minutes=1)


def test_the_answer_goes_out_in_the_name_of_the_team_and_meets_the_minute(service: Service) -> None:
    write(service, "Сколько стоит экзом?")
    chat = Chat.objects.get()
    now = service.world.now + dt.timedelta(seconds=40)
    with pytest.raises(Refused, match="тему чата"):
        actions.answer(chat, text="45 000 ₽", by=chat.manager or service.manager, now=now)
    actions.answer(
        chat, text="45 000 ₽", topic=service.topic, by=chat.manager or service.manager, now=now
    )
    message = Message.objects.get()
    assert message.text == "45 000 ₽\n— Команда Геномед"
    clock = ChatTimer.objects.get()
    assert clock.met_at is not None
    assert clock.met_at < clock.due_at


@pytest.mark.parametrize(
    "text",
    [
        "Передала информацию в отдел логистики",
        "Мы направили запрос в лабораторию",
        "С вами Орлова Ольга",
        "Спросите у Зиминой",
        "Это Ольга Петровна, слушаю",
        "Я передам Ольге Петровне",
        "Вам ответила орлова",
        "С Зиминою Зоей",
    ],
)
def test_a_forbidden_wording_is_stopped_before_sending(text: str, service: Service) -> None:
    write(service, "Где мой курьер?", patient=service.world.patient("Сторонний", "Глеб", "Ильич"))
    chat = Chat.objects.get()
    author = chat.manager or service.manager
    with pytest.raises(Refused, match="Запрещённая формулировка"):
        actions.answer(
            chat,
            text=text,
            topic=service.topic,
            override=True,
            by=author,
            now=service.world.now,
        )
    assert not ChatMessage.objects.filter(direction="out").exists()
    actions.answer(
        chat, text=text, override=True, topic=service.topic, by=service.lead, now=service.world.now
    )
    assert ChatMessageLink.objects.get(message__direction="out").overridden


def test_the_author_does_not_even_tell_her_first_name(service: Service) -> None:
    write(service, "С кем я говорю?")
    chat = Chat.objects.get()
    author = make_user(
        "author", "Пишущая Дарья Юрьевна", Role.ADMINISTRATOR, clinics=[service.clinic]
    )
    Chat.objects.update(manager=author)
    with pytest.raises(Refused, match="«Дарья» — ваше имя; скажите «Команда Геномед»"):
        actions.answer(
            chat,
            text="Пишет Дарья, рада помочь",
            topic=service.topic,
            by=author,
            now=service.world.now,
        )
    actions.answer(
        chat, text="Дарья уже вышла", topic=service.topic, by=service.lead, now=service.world.now
    )


def test_the_clients_own_name_may_be_said(service: Service) -> None:
    namesake = service.world.patient("Орлова", "Ольга", "Петровна")
    write(service, "Здравствуйте", patient=namesake)
    chat = Chat.objects.get()
    actions.answer(
        chat, text="Ольга Петровна Орлова, добрый день!", topic=service.topic, by=chat.manager or service.manager,
        now=service.world.now,
    )  # fmt: skip
    assert chat.lines.filter(message__direction="out").count() == 1


def test_wordings_match_word_by_word() -> None:
    rules = [PhraseRule("отдел* логистик*", "отдел"), PhraseRule("в * отдел", "отдел")]
    assert check("Отделу логистики", rules=rules, employees=[])
    assert check("в финансовый отдел", rules=rules, employees=[])
    assert not check("отдельно о логистике", rules=rules[:1], employees=[])
    assert not check("экзом", rules=rules, employees=["Ёж Ян Ильич"])


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Позвоните Мамину", "Мамин-Сибиряк Олег Ильич", "Мамину"),
        ("Сибиряком", "Мамин-Сибиряк Олег Ильич", "Сибиряком"),
        ("на улице мороз", "Мороз Анна Ильинична", ""),  # a common word, written as one
        ("Это сказала Мороз", "Мороз Анна Ильинична", "Мороз"),
        ("Олегом Ильичом подписано", "Зорин Олег Ильич", "Олегом Ильичом"),
        ("Олегу Петровичу", "Зорин Олег Ильич", ""),
        ("Иванова Анна, ваш результат готов", "Иванов Пётр Ильич", ""),  # the client's own name
    ],
)
def test_names_are_found_in_any_case_and_common_words_are_not(
    text: str, name: str, found: str
) -> None:
    assert [
        finding.words for finding in check(text, rules=[], employees=[name], client="Иванова Анна")
    ] == ([found] if found else [])


def test_a_question_about_the_result_has_five_minutes(service: Service) -> None:
    write(service, "Когда будет результат?")
    chat = Chat.objects.get()
    later = service.world.now + dt.timedelta(minutes=2)
    clock = actions.ask_result_date(chat, by=service.lead, now=later)
    assert clock.due_at == service.world.now + dt.timedelta(minutes=5)  # «от получения сообщения»


def test_the_doctor_has_thirty_minutes_and_the_responsible_person_two_working_hours(
    service: Service,
) -> None:
    write(service, "Что выбрать?")
    chat, order = Chat.objects.get(), service.order()
    evening = dt.datetime(2026, 3, 18, 18, 30, tzinfo=dt.UTC)  # 21:30 Moscow
    doctor = actions.ask_person(
        chat,
        kind=ClockKind.CONSULTANT,
        question="Экзом или геном?",
        order=order,
        by=service.lead,
        now=evening,
    )
    person = actions.ask_person(
        chat,
        kind=ClockKind.RESPONSIBLE,
        question="Когда выдадут?",
        order=order,
        by=service.lead,
        now=evening,
    )
    assert doctor.deadline_at == evening + dt.timedelta(minutes=30)
    link = f"/b2c_procedures/orders/{order.pk}/"
    assert all(
        word in doctor.body
        for word in ("Клиентова Мария Ивановна", order.number, link, "Экзом или геном?")
    )
    assert person.deadline_at == dt.datetime(
        2026, 3, 19, 7, 0, tzinfo=dt.UTC
    )  # 10:00 Moscow of the next working day
    assert person.assignee == service.responsible
    close_task(person, outcome="20 марта", by=None, now=evening)
    assert ChatTimer.objects.get(task=person).done_at == evening


def test_a_closed_chat_takes_no_answers_and_an_unanswered_one_is_not_closed(
    service: Service,
) -> None:
    write(service, "Здравствуйте")
    chat = Chat.objects.get()
    with pytest.raises(Refused, match="не получил ответа"):
        actions.close_chat(chat, by=service.lead, now=service.world.now)
    who = chat.manager or service.manager
    with pytest.raises(Refused, match="Напишите ответ"):
        actions.answer(chat, text="  ", topic=service.topic, by=who, now=service.world.now)
    actions.answer(chat, text="Добрый день!", topic=service.topic, by=who, now=service.world.now)
    actions.close_chat(chat, by=who, now=service.world.now)
    with pytest.raises(Conflict, match="закрыт"):
        actions.answer(chat, text="ещё", by=who, now=service.world.now)
    write(service, "Я снова здесь", at=service.world.now + dt.timedelta(minutes=1))
    assert Chat.objects.count() == 2


def test_a_failure_goes_to_the_leads_and_one_opens_the_help_desk_task(service: Service) -> None:
    report = actions.report_failure(
        system="ERP",
        text="не открывается",
        clinic=service.clinic,
        by=service.manager,
        now=service.world.now,
    )
    assert report.role == "lead"
    with pytest.raises(NotAllowed):
        actions.open_help_desk(report, text="", by=service.manager, now=service.world.now)
    task = actions.open_help_desk(report, text="с 12:00", by=service.lead, now=service.world.now)
    again = actions.open_help_desk(report, text="с 12:00", by=service.lead, now=service.world.now)
    assert task == again
    assert (task.department, task.role, task.assignee) == ("help_desk", "head", service.lead)
    assert task in Task.objects.visible_to(service.head)


def test_a_colleague_does_not_answer_in_anothers_chat(service: Service) -> None:
    managers(service, 1)
    write(service, "Здравствуйте")
    chat = Chat.objects.get()
    stranger: dict[str, Any] = {"by": service.manager, "now": service.world.now}
    for action in (
        lambda: actions.answer(chat, text="Добрый день", **stranger),
        lambda: actions.close_chat(chat, **stranger),
        lambda: actions.set_topic(chat, topic=service.topic, **stranger),
        lambda: actions.ask_result_date(chat, **stranger),
        lambda: actions.hand_over_chat(chat, to=service.lead, **stranger),
    ):
        with pytest.raises(Conflict, match="Чат ведёт Менеджерова0"):
            action()


def test_the_chat_pages_show_the_conversation_and_the_clock(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    write(service, "Сколько стоит экзом?")
    chat = Chat.objects.get()
    client = as_user(service.lead)
    board = client.get("/b2c_procedures/chats/?all=1").content.decode()
    assert "Клиентова Мария Ивановна" in board
    page = client.get(f"/b2c_procedures/chats/{chat.pk}/?study=экзом").content.decode()
    assert "Сколько стоит экзом?" in page
    assert "Полноэкзомное секвенирование" in page
    assert "Консультация по исследованию" in page
    assert (
        as_user(service.world.administrator_b).get(f"/b2c_procedures/chats/{chat.pk}/").status_code
        == 404
    )


def test_a_question_back_is_an_answer_and_the_chat_goes_on(service: Service) -> None:
    write(service, "Сколько стоит?")
    chat = Chat.objects.get()
    who = chat.manager or service.manager
    actions.answer(
        chat,
        text="Какое исследование вы выбрали?",
        topic=service.topic,
        by=who,
        now=service.world.now,
    )
    write(service, "Экзом", at=service.world.now + dt.timedelta(minutes=3))
    actions.answer(chat, text="45 000 ₽", by=who, now=service.world.now + dt.timedelta(minutes=4))
    assert Chat.objects.get().lines.count() == 4
    assert ChatTimer.objects.get().met_at == service.world.now


def test_an_answer_about_a_service_has_description_term_price_and_link(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    write(service, "Сколько стоит экзом?")
    page = (
        as_user(service.lead)
        .get(f"/b2c_procedures/chats/{Chat.objects.get().pk}/?study=экзом")
        .content.decode()
    )
    (ready,) = re.findall(r'data-insert="([^"]+)"', page)
    for part in (
        "Полноэкзомное секвенирование.",
        "30 рабочих дней",
        "45\u202f000",
        "https://clinic.example/exome",
    ):
        assert part in ready
    page = (
        as_user(service.lead)
        .get(f"/b2c_procedures/chats/{Chat.objects.get().pk}/?study=геном")
        .content.decode()
    )
    assert "В справочнике нет описания и ссылки" in page


def test_the_rules_stand_beside_the_chat_and_the_lead_edits_them(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    write(service, "Здравствуйте")
    chat, lead = Chat.objects.get(), as_user(service.lead)
    assert "однозначно" in lead.get(f"/b2c_procedures/chats/{chat.pk}/").content.decode()
    lead.post(
        "/b2c_procedures/texts/",
        {"name": "Правила работы в чатах B2C", "text": "Пишите от лица «{команда}» и кратко."},
    )
    assert (
        "от лица «Команда Геномед» и кратко"
        in lead.get(f"/b2c_procedures/chats/{chat.pk}/").content.decode()
    )


def test_an_order_without_a_date_or_too_late_says_whom_to_ask(
    service: Service, as_user: AsUser, noon: Any
) -> None:
    order = service.order()
    write(service, "Когда будет результат?")
    page = f"/b2c_procedures/chats/{Chat.objects.get().pk}/"
    lead = as_user(service.lead)
    assert "спросите ответственного" not in lead.get(page).content.decode()
    Order.objects.update(result_due_on=service.world.now.date() - dt.timedelta(days=1))
    assert "срок прошёл: спросите ответственного" in lead.get(page).content.decode()
    Order.objects.update(result_due_on=None)
    assert "срок не назван: спросите ответственного" in lead.get(page).content.decode()
    lead.post(f"{page}responsible/", {"question": "Когда выдадут?", "order": order.pk})
    assert Task.objects.get().assignee == service.responsible


def test_an_answer_to_a_reminder_stays_with_its_desk_and_a_question_does_not(
    service: Service,
) -> None:
    visit = service.world.visit(service.patient)
    phone = service.patient.phones.get().number
    queue_message(
        purpose=MessagePurpose.VISIT, subject_key=f"a{visit.pk}", channel="telegram", text="Ждём вас завтра", to=phone,
        clinic=service.clinic, patient=service.patient, appointment=visit, by=None, now=service.world.now,
    )  # fmt: skip
    write(service, "Да, приду")
    assert ChatMessage.objects.get().message is not None
    assert not Chat.objects.exists()
    write(service, "А сколько стоит экзом?")
    assert [line.message.text for line in Chat.objects.get().lines.all()] == [
        "А сколько стоит экзом?"
    ]


def test_a_conversation_that_cannot_be_written_waits_with_its_reason_and_the_others_go_on(
    service: Service, as_user: AsUser, noon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = service.world.patient("Ядова", "Анна", "Львовна").phones.get().number
    opened = chat_distribution._opened_by

    def too_long_for_the_database(line: ChatMessage) -> Chat:
        chat = opened(line)
        chat.client_name = "я" * 500 if line.number == bad else chat.client_name
        return chat

    monkeypatch.setattr(chat_distribution, "_opened_by", too_long_for_the_database)
    monkeypatch.setattr(
        chat_distribution, "gather_due_chats", lambda **_: 0
    )  # all five come before the ticker looks
    for person in [
        *(service.world.patient(f"Писатель{n}") for n in range(4)),
        Patient.objects.get(last_name="Ядова"),
    ]:
        write(service, "Когда будет результат?", patient=person)
    monkeypatch.undo()
    monkeypatch.setattr(chat_distribution, "_opened_by", too_long_for_the_database)
    now = service.world.now
    assert chat_distribution.gather_due_chats(now=now) == 4
    trouble = FailedChatMessage.objects.get()
    assert trouble.message.number == bad
    assert trouble.last_error.startswith("DataError: value too long")
    assert trouble.due_at == now + dt.timedelta(minutes=10)
    assert chat_distribution.gather_due_chats(now=now + dt.timedelta(minutes=9)) == 0
    board_page = as_user(service.manager).get("/b2c_procedures/chats/").content.decode()
    assert "Сообщение не попало в чаты" in board_page
    assert "Ядова Анна Львовна" in board_page
    monkeypatch.undo()  # what was wrong has been mended
    assert chat_distribution.gather_due_chats(now=now + dt.timedelta(minutes=10)) == 1
    assert not FailedChatMessage.objects.exists()
    assert Chat.objects.count() == 5
    assert (
        "не попало" not in as_user(service.manager).get("/b2c_procedures/chats/").content.decode()
    )
