"""«Активные задачи»: what is in the list, in which order, for whom; and what its buttons do."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.assignments.models import Task
from callcenter.assignments.queries import PAGE, TaskFilter, active_list, own_counts
from callcenter.assignments.states import Department, TaskState
from callcenter.clinics.models import WaitingListEntry
from callcenter.clinics.states import WaitingKind, WaitingState
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from tests.assignments.conftest import HOUR, MakeTask, MakeWait
from tests.conftest import World, make_user

Login = Callable[[User], Client]
DAY = dt.timedelta(days=1)
ALL = TaskFilter(whose="all")


@pytest.fixture(autouse=True)
def _at_noon(world: World) -> "object":
    with time_machine.travel(world.now, tick=False):
        yield


def shown(
    world: World, user: User | None = None, chosen: TaskFilter = ALL, page: int = 1
) -> list[str]:
    found = active_list(user or world.administrator, chosen, now=world.now, page=page)
    return [
        row.subject.title if isinstance(row.subject, Task) else row.subject.comment
        for row in found.rows
    ]


def test_everything_that_is_for_later_stands_in_one_list_overdue_first(
    world: World, task: MakeTask, wait: MakeWait
) -> None:
    today = world.now.date()
    wait(comment="завтра", call_on=today + DAY)
    task(title="через час")
    wait(comment="сегодня")
    wait(comment="вчера", call_on=today - DAY, kind=WaitingKind.WAITING_LIST)
    task(title="час назад", deadline_at=world.now - HOUR)
    assert shown(world) == ["вчера", "час назад", "через час", "сегодня", "завтра"]
    found = active_list(world.administrator, ALL, now=world.now)
    assert found.when == {"": 5, "overdue": 2, "today": 2, "later": 1}
    assert [row.late for row in found.rows] == [True, True, False, False, False]


def test_closed_things_are_gone(world: World, task: MakeTask, wait: MakeWait) -> None:
    Task.objects.filter(pk=task().pk).update(state=TaskState.DONE)
    wait(state=WaitingState.CLOSED)
    assert shown(world) == []


def test_today_ends_in_vladivostok_while_moscow_has_lunch(world: World, wait: MakeWait) -> None:
    """At noon of the 18th in Moscow it is 19:00 there; at 18:00 Moscow their 18th is over."""
    both = make_user(
        "both", "Общая Ольга Ильинична", Role.ADMINISTRATOR, clinics=[world.clinic, world.clinic_b]
    )
    for clinic in (world.clinic, world.clinic_b):
        wait(comment=clinic.name, clinic=clinic)
    evening = world.now + 6 * HOUR
    found = active_list(both, ALL, now=evening)
    assert [(row.subject.clinic, row.late) for row in found.rows] == [
        (world.clinic_b, True),
        (world.clinic, False),
    ]
    assert found.when == {"": 2, "overdue": 1, "today": 1, "later": 0}


def test_tabs_mine_nobodys_gone_up_all(world: World, task: MakeTask, wait: MakeWait) -> None:
    task(title="моя", assignee=world.administrator)
    task(title="чужая", assignee=world.administrator2)
    task(title="для администратора")
    task(title="для старшего", role=Role.SENIOR)
    task(title="выше", assignee=world.administrator2, deadline_at=world.now - HOUR)
    Task.objects.filter(title="выше").update(escalated=1)
    wait(comment="мой звонок", owner=world.administrator)
    wait(comment="чей-нибудь")
    me = world.administrator
    assert shown(world, me, TaskFilter(whose="mine")) == ["моя", "мой звонок"]
    assert shown(world, me, TaskFilter(whose="free")) == ["для администратора", "чей-нибудь"]
    assert len(shown(world, me, ALL)) == 7
    assert shown(world, world.senior, TaskFilter(whose="up")) == ["выше"]
    assert "up" not in active_list(me, ALL, now=world.now).whose
    assert active_list(me, ALL, now=world.now).whose == {"mine": 2, "free": 2, "all": 7}


def test_the_work_of_a_dismissed_colleague_is_nobodys(
    world: World, task: MakeTask, wait: MakeWait
) -> None:
    task(title="осталась", assignee=world.administrator2)
    wait(comment="остался", owner=world.administrator2)
    User.objects.filter(pk=world.administrator2.pk).update(is_active=False)
    assert shown(world, world.administrator, TaskFilter(whose="free")) == ["осталась", "остался"]


def test_whoever_leaves_a_clinic_leaves_its_work_and_its_patients_behind(
    world: World, task: MakeTask, wait: MakeWait, as_user: Login
) -> None:
    secret = world.patient("Секретова", phones=["+79000101001"])
    given = task(title="осталась", assignee=world.administrator2, patient=secret)
    asked = task(title="просил", by=world.administrator2, role=Role.SENIOR, patient=secret)
    everywhere = task(title="ничьей клиники", assignee=world.administrator2, clinic=None)
    entry = wait(comment="остался", owner=world.administrator2)
    world.administrator2.clinics.set([world.clinic_b])
    left = as_user(world.administrator2)
    for one in (given, asked):
        assert left.get(reverse("assignments:task", args=[one.pk])).status_code == 404
    assert left.get(reverse("assignments:task", args=[everywhere.pk])).status_code == 200
    assert shown(world, world.administrator2, ALL) == ["ничьей клиники"]

    me = world.administrator
    assert shown(world, me, TaskFilter(whose="free")) == ["осталась", "остался"]
    rows = active_list(me, TaskFilter(whose="free"), now=world.now).rows
    assert [row.owner for row in rows] == [None, None]
    client = as_user(me)
    assert (
        "больше не в этой клинике"
        in client.get(reverse("assignments:task", args=[given.pk])).content.decode()
    )
    assert (
        "кто свободен"
        in client.get(reverse("assignments:waiting", args=[entry.pk])).content.decode()
    )
    assert client.post(reverse("assignments:take", args=[given.pk])).status_code == 302
    page = {"shown": str(world.administrator2.pk)}
    assert (
        client.post(reverse("assignments:waiting_take", args=[entry.pk]), page).status_code == 302
    )
    assert shown(world, me, TaskFilter(whose="mine")) == ["осталась", "остался"]


def test_a_task_is_given_to_somebody_of_its_clinic(world: World, as_user: Login) -> None:
    world.senior.clinics.add(world.clinic_b)
    data: dict[str, Any] = {
        "title": "Уточнить",
        "to": f"user:{world.administrator_b.pk}",
        "department": "call_centre",
    }
    data |= {"clinic": world.clinic.pk, "deadline_at": "2026-03-19T10:00"}
    client, url = as_user(world.senior), reverse("assignments:new")
    answer = client.post(url, data)
    assert answer.status_code == 422
    assert "не работает в клинике «Клиника А»" in answer.content.decode()
    assert client.post(url, {**data, "clinic": world.clinic_b.pk}).status_code == 302


def test_filters(world: World, task: MakeTask, wait: MakeWait) -> None:
    task(title="окс", department=Department.OKS)
    task(title="кц", assignee=world.administrator)
    wait(comment="ло", kind=WaitingKind.WAITING_LIST)
    wait(comment="напомнить", owner=world.administrator2, call_on=world.now.date() + 3 * DAY)
    for chosen, expected in (
        (TaskFilter(whose="all", kind="task"), ["окс", "кц"]),
        (TaskFilter(whose="all", kind="remind_later"), ["напомнить"]),
        (TaskFilter(whose="all", department="oks"), ["окс"]),
        (TaskFilter(whose="all", when="later"), ["напомнить"]),
        (TaskFilter(whose="all", owner_id=world.administrator2.pk), ["напомнить"]),
        (TaskFilter(whose="all", clinic_id=world.clinic_b.pk), []),
    ):
        assert shown(world, chosen=chosen) == expected


def test_sorted_by_person_the_list_keeps_each_ones_dates_in_order(
    world: World, task: MakeTask
) -> None:
    for person in (world.administrator, world.administrator2):
        task(title=f"{person.login} потом", assignee=person, deadline_at=world.now + DAY)
        task(title=f"{person.login} сейчас", assignee=person)
    assert shown(world, chosen=TaskFilter(whose="all", sort="owner")) == [
        "admin_a2 сейчас",
        "admin_a2 потом",
        "admin_a сейчас",
        "admin_a потом",
    ]


def test_another_clinic_sees_nothing(
    world: World, task: MakeTask, wait: MakeWait, as_user: Login
) -> None:
    given, entry = task(), wait()
    assert shown(world, world.administrator_b) == []
    client = as_user(world.administrator_b)
    for url in (
        reverse("assignments:task", args=[given.pk]),
        reverse("assignments:close", args=[given.pk]),
        reverse("assignments:waiting", args=[entry.pk]),
        reverse("assignments:waiting_close", args=[entry.pk]),
    ):
        assert client.get(url).status_code == 404
    for url in (
        reverse("assignments:take", args=[given.pk]),
        reverse("assignments:waiting_take", args=[entry.pk]),
    ):
        assert client.post(url).status_code == 404


def test_a_doctor_sees_his_own_tasks_only(world: World, task: MakeTask, wait: MakeWait) -> None:
    task(title="администратору")
    task(title="врачу", assignee=world.doctor_user)
    wait()
    assert shown(world, world.doctor_user) == ["врачу"]


def test_fifty_a_page_and_nothing_twice(world: World, task: MakeTask, wait: MakeWait) -> None:
    patient = world.patient()
    for number in range(30):
        task(title=f"t{number}")
        wait(comment=f"w{number}", patient=patient)
    first, second = shown(world), shown(world, page=2)
    assert (len(first), len(second)) == (PAGE, 10)
    assert len({*first, *second}) == 60


def test_the_list_asks_the_same_for_three_and_for_thirty(
    world: World, task: MakeTask, wait: MakeWait, as_user: Login
) -> None:
    client, counts = as_user(world.administrator), []
    for more in (3, 27):
        for _ in range(more):
            task(patient=world.patient(), assignee=world.administrator)
            wait(owner=world.administrator)
        with CaptureQueriesContext(connection) as seen:
            page = client.get(reverse("assignments:active"))
        assert page.status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[1] <= 14


def test_numbers_of_my_day(world: World, task: MakeTask, wait: MakeWait) -> None:
    task(assignee=world.administrator, deadline_at=world.now - HOUR)
    wait(owner=world.administrator)
    wait()
    assert own_counts(world.administrator, now=world.now) == {
        "overdue": 1,
        "today": 1,
        "free": 1,
        "up": 0,
    }


# --- pages


def test_the_page_and_its_part(world: World, task: MakeTask, as_user: Login) -> None:
    task(title="Перезвонить", assignee=world.administrator, patient=world.patient())
    client = as_user(world.administrator)
    assert "<html" in client.get(reverse("assignments:active")).content.decode()
    part = client.get(
        reverse("assignments:active"), headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in part
    assert "Перезвонить" in part
    assert "+7 (900) 000-" in part


def test_nonsense_in_the_address_is_the_default(world: World, as_user: Login) -> None:
    params = {
        "whose": "x",
        "when": "y",
        "kind": "z",
        "clinic": "-1",
        "page": "99999",
        "owner": "a",
        "sort": "b",
    }
    assert (
        as_user(world.administrator).get(reverse("assignments:active"), params).status_code == 200
    )


def test_numbers_are_masked_for_those_without_the_right(
    world: World, task: MakeTask, as_user: Login
) -> None:
    patient = world.patient(phones=["+79000001234"])
    task(assignee=world.administrator, patient=patient)
    User.objects.filter(pk=world.administrator.pk).update(sees_phones=False)
    page = as_user(world.administrator).get(reverse("assignments:active")).content.decode()
    assert "+79000001234" not in page
    assert "***-**-34" in page


def test_a_task_by_hand(world: World, as_user: Login) -> None:
    client, patient = as_user(world.administrator), world.patient()
    url = reverse("assignments:new")
    assert client.get(url, {"patient": patient.pk}).status_code == 200
    data = {
        "title": "Уточнить цену",
        "to": "role:senior",
        "clinic": world.clinic.pk,
        "department": "call_centre",
        "deadline_at": "2026-03-19T10:00",
        "patient": patient.pk,
    }
    assert client.post(url, data).status_code == 302
    made = Task.objects.get()
    assert (made.role, made.patient, made.author) == ("senior", patient, world.administrator)
    assert made.deadline_at == world.local(dt.date(2026, 3, 19), 10)
    late = client.post(url, {**data, "deadline_at": "2026-03-18T11:00"})
    assert late.status_code == 422
    assert "уже прошёл" in late.content.decode()
    assert client.post(url, {**data, "to": f"user:{world.administrator_b.pk}"}).status_code == 422
    foreign = world.patient(clinics=[world.clinic_b])
    assert client.post(url, {**data, "patient": foreign.pk}).status_code == 404


def test_the_buttons_of_a_row(world: World, task: MakeTask, wait: MakeWait, as_user: Login) -> None:
    client, given, entry = as_user(world.administrator), task(), wait()
    htmx = {"HX-Request": "true"}
    form = client.get(reverse("assignments:close", args=[given.pk]), headers=htmx).content.decode()
    assert "<html" not in form
    assert "Чем закончилось" in form
    taken = client.post(reverse("assignments:take", args=[given.pk]), headers=htmx)
    assert taken.headers["HX-Trigger"] == "tasks-changed"
    empty = client.post(
        reverse("assignments:close", args=[given.pk]), {"outcome": ""}, headers=htmx
    )
    assert empty.status_code == 422
    done = client.post(
        reverse("assignments:close", args=[given.pk]), {"outcome": "Готово"}, headers=htmx
    )
    assert done.headers["HX-Trigger"] == "tasks-changed"
    again = client.post(
        reverse("assignments:close", args=[given.pk]), {"outcome": "Готово"}, headers=htmx
    )
    assert again.status_code == 409
    assert again.headers["HX-Retarget"] == "#messages"
    moved = client.post(
        reverse("assignments:waiting_move", args=[entry.pk]),
        {"call_on": "2026-03-20"},
        headers=htmx,
    )
    assert moved.status_code == 200
    past = client.post(
        reverse("assignments:waiting_move", args=[entry.pk]),
        {"call_on": "2026-03-01"},
        headers=htmx,
    )
    assert past.status_code == 422
    client.post(reverse("assignments:waiting_take", args=[entry.pk]), headers=htmx)
    entry.refresh_from_db()
    assert (entry.call_on, entry.owner) == (dt.date(2026, 3, 20), world.administrator)


def test_who_presses_take_second_is_told_who_has_it(
    world: World, wait: MakeWait, as_user: Login
) -> None:
    entry = wait()
    url, page = (
        reverse("assignments:waiting_take", args=[entry.pk]),
        reverse("assignments:waiting", args=[entry.pk]),
    )
    first, second = as_user(world.administrator), as_user(world.administrator2)
    assert (
        'name="shown" value=""'
        in second.get(reverse("assignments:active") + "?whose=free").content.decode()
    )
    assert first.post(url, {"shown": ""}, headers={"HX-Request": "true"}).status_code == 200
    part = second.post(url, {"shown": ""}, headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Retarget"]) == (409, "#messages")
    for data in (
        {"shown": ""},
        {},
    ):  # as the older page gives it back, and as a form that shows nothing
        answer = second.post(url, data)
        text = answer.content.decode()
        assert (answer.status_code, "Запись уже у сотрудника: Орлова" in text) == (409, True)
        assert f'name="shown" value="{world.administrator.pk}"' in text
    entry.refresh_from_db()
    assert entry.owner == world.administrator
    assert f'name="shown" value="{world.administrator.pk}"' in second.get(page).content.decode()
    assert second.post(url, {"shown": world.administrator.pk}).headers["Location"] == page
    entry.refresh_from_db()
    assert entry.owner == world.administrator2


def test_without_javascript_every_form_is_a_page(
    world: World, task: MakeTask, wait: MakeWait, as_user: Login
) -> None:
    client, given, entry = as_user(world.senior), task(assignee=world.administrator), wait()
    for name in ("close", "move", "task"):
        assert (
            "<html" in client.get(reverse(f"assignments:{name}", args=[given.pk])).content.decode()
        )
    for name in ("waiting", "waiting_close", "waiting_move"):
        assert (
            "<html" in client.get(reverse(f"assignments:{name}", args=[entry.pk])).content.decode()
        )
    task_url = reverse("assignments:task", args=[given.pk])
    assert (
        client.post(reverse("assignments:say", args=[given.pk]), {"text": "Как дела?"}).headers[
            "Location"
        ]
        == task_url
    )
    moved = client.post(
        reverse("assignments:move", args=[given.pk]), {"deadline_at": "2026-03-19T09:30"}
    )
    assert moved.headers["Location"] == task_url
    given.refresh_from_db()
    assert given.deadline_at == world.local(dt.date(2026, 3, 19), 9, 30)
    handed = {"to": f"user:{world.administrator2.pk}", "text": "Ваша"}
    assert (
        client.post(reverse("assignments:hand_over", args=[given.pk]), {"to": ""}).status_code
        == 422
    )
    assert client.post(reverse("assignments:hand_over", args=[given.pk]), handed).status_code == 302
    assert "Как дела?" in client.get(task_url).content.decode()


def test_a_waiting_entry_closes_with_the_visit_it_led_to(
    world: World, wait: MakeWait, as_user: Login
) -> None:
    entry = wait()
    visit, foreign = world.visit(entry.patient), world.visit()
    url = reverse("assignments:waiting_close", args=[entry.pk])
    client = as_user(world.administrator)
    assert client.post(url, {"appointment": foreign.pk}).status_code == 422
    assert client.post(url, {}).status_code == 422
    assert client.post(url, {"appointment": visit.pk}).status_code == 302
    closed = WaitingListEntry.objects.get(pk=entry.pk)
    assert (closed.state, closed.appointment, closed.closed_by) == (
        "closed",
        visit,
        world.administrator,
    )
    assert client.post(url, {"reason": "ещё раз"}).status_code == 409


def test_a_new_task_finds_its_patient_on_the_page_itself(
    world: World, as_user: Callable[[User], Client]
) -> None:
    patient = world.patient("Искомова")
    client = as_user(world.administrator)
    part = client.get("/tasks/new/?q=иском", headers={"HX-Request": "true"}).content.decode()
    assert "Искомова" in part
    assert "<form" not in part
    # Without scripts «Найти» keeps what has been typed.
    page = client.post(
        "/tasks/new/", {"title": "Перезвонить", "q": "иском", "find": "1"}
    ).content.decode()
    assert 'value="Перезвонить"' in page
    assert f'name="patient" value="{patient.pk}"' in page
    assert not Task.objects.exists()
    form = {
        "title": "Перезвонить",
        "to": "role:administrator",
        "clinic": world.clinic.pk,
        "department": "call_centre",
    }
    form |= {"deadline_at": "2030-03-18T12:00", "patient": patient.pk}
    assert client.post("/tasks/new/", form).status_code == 302
    assert Task.objects.get().patient == patient


def test_who_may_not_open_cards_finds_nobody_there(
    world: World, as_user: Callable[[User], Client]
) -> None:
    world.patient("Искомова")
    world.administrator.roles = ["auditor"]
    world.administrator.save()
    client = as_user(world.administrator)
    assert (
        "Искомова"
        not in client.get("/tasks/new/?q=иском", headers={"HX-Request": "true"}).content.decode()
    )
    assert 'name="q" id="about"' not in client.get("/tasks/new/").content.decode()
