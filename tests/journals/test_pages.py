"""The journal's pages: happy, forbidden, conflict, partial; the same number of queries for 3 rows and 30."""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callcenter.staff.models import User
from journals.actions.cards import open_card
from journals.machine import Outcome, Stage
from journals.models import PlanItem, RecallCall, RecallEntry, RecallPolicy
from tests.journals.conftest import Recall

Login = Callable[[User], Client]
JOURNAL = "/recall/"


@pytest.fixture(autouse=True)
def at_noon(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' clock stands at the noon of the cast."""
    monkeypatch.setattr(timezone, "now", lambda: recall.world.now)


def url(name: str, entry: RecallEntry) -> str:
    return reverse(f"journals:{name}", args=[entry.pk])


def form(recall: Recall, page: str, outcome: str, **fields: Any) -> dict[str, Any]:
    """The form as the card showed it."""
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("version", "token")}
    assert all(found.values())
    return {name: match[1] for name, match in found.items() if match} | {
        "outcome": outcome,
        "comment": "поговорили",
        **fields,
    }


def test_the_journal_opens_for_its_readers_and_for_nobody_else(recall: Recall, as_user: Login) -> None:
    recall.entry()
    world = recall.world
    for user in (world.administrator, world.senior, world.manager, world.doctor_user):
        assert as_user(user).get(JOURNAL).status_code == 200
    world.administrator.roles = ["branch"]
    world.administrator.save()
    assert as_user(world.administrator).get(JOURNAL).status_code == 403


def test_another_clinics_entries_are_not_there(recall: Recall, as_user: Login) -> None:
    entry = recall.entry(recall.world.patient("Невидимова"))
    client = as_user(recall.world.administrator_b)
    assert "Невидимова" not in client.get(f"{JOURNAL}?tab=all").content.decode()
    senior = as_user(recall.world.senior_b)
    for name in ("card", "edit", "windows"):
        assert client.get(url(name, entry)).status_code == 404
    for name in ("hold", "release", "settle"):
        assert client.post(url(name, entry)).status_code == 404
    for name in ("take_over", "grant", "unflag"):
        assert senior.post(url(name, entry)).status_code == 404


def test_seniors_pages_are_closed_to_administrators(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.administrator)
    for name in ("plan", "results", "results_xlsx", "result_rows", "policy"):
        assert client.get(reverse(f"journals:{name}")).status_code == 403
    for name in ("take_over", "grant", "unflag"):
        assert client.post(url(name, entry)).status_code == 403
    assert client.post(reverse("journals:share")).status_code == 403


def test_to_htmx_the_journal_answers_with_its_rows_alone(recall: Recall, as_user: Login) -> None:
    recall.entry(recall.world.patient("Строкина"))
    part = as_user(recall.world.senior).get(JOURNAL, headers={"HX-Request": "true"}).content.decode()
    assert "Строкина" in part
    assert "<html" not in part


def test_tabs_filters_and_counters_say_the_same(recall: Recall, as_user: Login) -> None:
    world = recall.world
    recall.call(recall.entry(world.patient("Отказова")), Outcome.REFUSED)
    recall.call(recall.entry(world.patient("Записанова")), Outcome.BOOKED)
    recall.entry(world.patient("Званова"))
    recall.entry(world.patient("Планова"))
    PlanItem.objects.all().delete()
    recall.plan(world.administrator, 1, until=recall.today)
    client = as_user(world.administrator)
    planned = PlanItem.objects.get().entry.patient.last_name
    for tab, names in {
        "all": {"Отказова", "Записанова", "Званова", "Планова"},
        "mine": {planned},
        "call": {"Званова", "Планова"},
        "booked": {"Записанова"},
        "refused": {"Отказова"},
    }.items():
        page = client.get(f"{JOURNAL}?tab={tab}").content.decode()
        assert {name for name in ("Отказова", "Записанова", "Званова", "Планова") if name in page} == names
        count = re.search(rf'tab={tab}"[^>]*>[^<]*<span class="count">(\d+)', page)
        assert count
        assert int(count[1]) == len(names)
    page = client.get(f"{JOURNAL}?tab=all&reason={recall.dear.pk}&caller={world.senior.pk}").content.decode()
    assert "Отказова" in page
    assert "Записанова" not in page
    assert "Званова" in client.get(f"{JOURNAL}?tab=call&q=звано").content.decode()
    assert "Планова" not in client.get(f"{JOURNAL}?tab=call&q=звано").content.decode()


@pytest.mark.parametrize("sort", ["date", "-date", "-touched", "patient"])
def test_pages_of_fifty_show_every_entry_once_both_ways(recall: Recall, as_user: Login, sort: str) -> None:
    for number in range(120):
        recall.entry(recall.world.patient(f"П{number % 7}"), call_on=recall.today + dt.timedelta(days=number % 3))
    client = as_user(recall.world.senior)
    there: list[list[str]] = []
    address = f"?tab=call&sort={sort}"
    while address:
        page = client.get(JOURNAL + address).content.decode()
        there.append(re.findall(r'id="entry-(\d+)"', page))
        match = re.search(r'href="([^"]*after=[^"]*)" data-key="BracketRight"', page)
        back = re.search(r'href="([^"]*before=[^"]*)" data-key="BracketLeft"', page)
        address = match[1].replace("&amp;", "&") if match else ""
    assert [len(rows) for rows in there] == [50, 50, 20]
    assert len({pk for rows in there for pk in rows}) == 120
    assert back
    again = client.get(JOURNAL + back[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r'id="entry-(\d+)"', again) == there[1]


def test_an_address_of_nonsense_is_the_plain_page(recall: Recall, as_user: Login) -> None:
    recall.entry()
    client = as_user(recall.world.senior)
    for query in ("tab=x", "after=zzz", "after=2026-99-99~5", "clinic=99999", "since=вчера", "sort=money", "before=~"):
        assert client.get(f"{JOURNAL}?{query}").status_code == 200


def queries_of(client: Client, address: str) -> int:
    client.get(address)  # sessions, caches
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("tab", ["all", "mine", "call"])
def test_thirty_rows_take_as_many_queries_as_three(recall: Recall, as_user: Login, tab: str) -> None:
    world = recall.world

    def grow(count: int) -> None:
        for _number in range(count):
            entry = recall.entry()
            recall.call(entry, Outcome.REMIND, call_on=recall.today)
        recall.plan(world.administrator, count)

    client = as_user(world.administrator)
    grow(3)
    few = queries_of(client, f"{JOURNAL}?tab={tab}")
    grow(27)
    assert queries_of(client, f"{JOURNAL}?tab={tab}") == few


def test_the_card_takes_as_many_queries_with_a_long_history(recall: Recall, as_user: Login) -> None:
    world = recall.world
    entry = recall.entry()
    recall.plan(world.administrator)
    client = as_user(world.administrator)

    def grow(count: int) -> None:
        for number in range(count):
            world.window()
            world.visit(entry.patient, world.now - dt.timedelta(days=number + 1))
            world.patient(phones=[entry.patient.phones.all()[0].number])
            recall.call(recall.entry(), Outcome.REMIND)

    grow(1)
    few = queries_of(client, url("card", entry))
    grow(9)
    assert queries_of(client, url("card", entry)) == few


def test_an_administrator_works_her_plan_and_is_led_to_the_next(recall: Recall, as_user: Login) -> None:
    world = recall.world
    first, second = recall.entry(), recall.entry()
    recall.plan(world.administrator, 2)
    client = as_user(world.administrator)
    page = client.get(url("card", first)).content.decode()
    assert "Проверить коронку" in page
    first.refresh_from_db()
    assert first.reserved_by == world.administrator
    answer = client.post(
        url("card", first), form(recall, page, f"unreached:{recall.no_answer.pk}", go="next"), follow=False
    )
    assert answer.status_code == 302
    assert answer["Location"] == url("card", second)
    first.refresh_from_db()
    assert (first.unreached, first.reserved_by_id) == (1, None)
    page = client.get(url("card", second)).content.decode()
    answer = client.post(url("card", second), form(recall, page, "refused", reason_refused=recall.dear.pk, go="next"))
    assert answer["Location"] == JOURNAL


def test_booking_from_the_forecast_schedule(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    window = recall.world.window()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    assert f'id="w{window.pk}"' in page
    assert client.post(url("card", entry), form(recall, page, "booked", window=window.pk)).status_code == 302
    entry.refresh_from_db()
    assert entry.stage == Stage.BOOKED


def test_windows_of_the_specialty_come_when_asked_for(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    colleague = recall.world.doctor_b
    window = recall.world.window(doctor=colleague)
    client = as_user(recall.world.senior)
    assert f'id="w{window.pk}"' not in client.get(url("card", entry)).content.decode()
    for address in (url("windows", entry), f"{url('card', entry)}?specialty=1"):
        page = client.get(address).content.decode()
        assert f'id="w{window.pk}"' in page
        assert colleague.short_name in page


def test_a_form_that_lacks_something_comes_back_with_what_was_typed(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    answer = client.post(url("card", entry), form(recall, page, "thinking", comment="перезвонит муж"))
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Выберите причину." in text
    assert "перезвонит муж" in text
    assert re.search(r'value="thinking"[^>]* checked', text)
    assert client.post(url("card", entry), form(recall, page, "нечто")).status_code == 422
    assert not RecallCall.objects.exists()


def test_the_last_unreached_call_demands_a_refusal_on_the_card(recall: Recall, as_user: Login) -> None:
    RecallPolicy.objects.create(clinic=recall.world.clinic, calls=1)
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    assert "последний по правилу" in page
    data = form(recall, page, f"unreached:{recall.no_answer.pk}")
    assert client.post(url("card", entry), data).status_code == 422
    assert client.post(url("card", entry), data | {"refusal_reason": recall.not_reached.pk}).status_code == 302
    entry.refresh_from_db()
    assert entry.stage == Stage.REFUSED


def test_an_unplanned_entry_is_refused_by_url_but_a_caller_may_be_served(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.administrator)
    answer = client.get(url("card", entry))
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Пациент позвонил сам" in page
    assert "call-form" not in page
    forged = {
        "version": entry.version,
        "token": uuid.uuid4(),
        "outcome": "remind",
        "comment": "x",
        "remind_on": recall.today,
    }
    assert client.post(url("card", entry), forged).status_code == 403
    assert not RecallCall.objects.exists()
    page = client.get(url("card", entry) + "?call=in").content.decode()
    assert "Нам звонят" in page
    assert (
        client.post(url("card", entry), form(recall, page, "remind", remind_on=recall.today, call="in")).status_code
        == 302
    )


def test_a_held_card_answers_409_with_its_state(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    open_card(entry, by=recall.world.administrator, now=recall.world.now)
    answer = as_user(recall.world.senior).get(url("card", entry) + "?call=out")
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Карточка открыта у Орлова О. П., освободится не позже 12:10" in page
    assert "Забрать себе" in page
    assert "call-form" not in page
    listed = as_user(recall.world.senior).get(f"{JOURNAL}?tab=call").content.decode()
    assert "Орлова О. П. до 12:10" in listed


def test_the_senior_looks_on_without_taking_the_card_and_may_take_it_over(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    assert "Позвонить самой" in page
    entry.refresh_from_db()
    assert entry.reserved_by_id is None
    open_card(entry, by=recall.world.administrator, now=recall.world.now)
    assert client.post(url("take_over", entry)).status_code == 302
    entry.refresh_from_db()
    assert entry.reserved_by == recall.world.senior
    assert as_user(recall.world.administrator).post(url("hold", entry), {"key": "x"}).status_code == 409


def test_a_late_save_shows_the_present_state_and_keeps_the_words(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    recall.call(entry, Outcome.REFUSED)
    answer = client.post(url("card", entry), form(recall, page, "remind", remind_on=recall.today))
    assert answer.status_code == 409
    assert "«Отказ»" in answer.content.decode()
    assert RecallCall.objects.count() == 1


def test_a_taken_window_answers_409_with_what_is_left(recall: Recall, as_user: Login) -> None:
    entry, window, other = recall.entry(), recall.world.window(), recall.world.window()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    recall.call(recall.entry(), Outcome.BOOKED, window=window)
    answer = client.post(url("card", entry), form(recall, page, "booked", window=window.pk, comment="ждёт"))
    assert answer.status_code == 409
    text = answer.content.decode()
    assert f'id="w{window.pk}"' not in text
    assert f'id="w{other.pk}"' in text
    assert "ждёт" in text


def test_a_double_submit_is_one_call(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    data = form(recall, client.get(url("card", entry)).content.decode(), "remind", remind_on=recall.today)
    assert [client.post(url("card", entry), data).status_code for _click in range(2)] == [302, 302]
    assert RecallCall.objects.count() == 1


def test_the_card_is_kept_renewed_and_freed(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    client.get(url("card", entry))
    entry.refresh_from_db()
    recall.world.now += dt.timedelta(minutes=5)
    assert client.post(url("hold", entry), {"key": entry.reserved_key}).status_code == 204
    before = entry.reserved_until
    entry.refresh_from_db()
    assert before is not None
    assert entry.reserved_until == before + dt.timedelta(minutes=5)
    assert client.post(url("release", entry), {"key": entry.reserved_key}).status_code == 204
    entry.refresh_from_db()
    assert entry.reserved_by_id is None


def test_phones_are_masked_for_those_without_the_right(recall: Recall, as_user: Login) -> None:
    entry = recall.entry(recall.world.patient(phones=["+79000001001"]))
    recall.world.senior.sees_phones = False
    recall.world.senior.save()
    client = as_user(recall.world.senior)
    for address in (f"{JOURNAL}?tab=call", url("card", entry)):
        page = client.get(address).content.decode()
        assert "***-**-01" in page
        assert "000-10-01" not in page
        assert "79000001001" not in page


def test_at_night_the_number_is_not_a_link(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    assert "tel:" in client.get(f"{JOURNAL}?tab=call").content.decode()
    recall.world.now = recall.world.local(recall.today + dt.timedelta(days=1), 6)
    client = as_user(recall.world.senior)  # the session of yesterday is over
    for address in (f"{JOURNAL}?tab=call", url("card", entry)):
        page = client.get(address).content.decode()
        assert "btn-call" not in page
        assert "tel:" not in page
        assert "ждёт 09:00" in page


def test_a_doctor_puts_an_entry_in_and_sees_no_form_of_calls(recall: Recall, as_user: Login) -> None:
    patient = recall.world.patient("Зубова")
    client = as_user(recall.world.doctor_user)
    assert "Зубова" in client.get("/recall/new/?q=зубо").content.decode()
    address = f"/recall/new/?patient={patient.pk}"
    data = {"clinic": recall.world.clinic.pk, "doctor": recall.world.doctor.pk, "call_on": recall.today}
    assert client.post(address, data).status_code == 422
    assert client.post(address, data | {"doctor_comment": "Снять швы"}).status_code == 302
    entry = RecallEntry.objects.get()
    assert entry.created_by == recall.world.doctor_user
    assert client.post(address, data | {"doctor_comment": "Снова"}).status_code == 409
    page = client.get(url("card", entry)).content.decode()
    assert "call-form" not in page
    entry.refresh_from_db()
    assert entry.reserved_by_id is None
    assert client.post(url("card", entry), {"outcome": "booked"}).status_code == 200
    later = recall.today + dt.timedelta(days=3)
    assert client.post(url("edit", entry), {"doctor_comment": "Швы", "call_on": later}).status_code == 302
    entry.refresh_from_db()
    assert (entry.doctor_comment, entry.call_on) == ("Швы", later)


def test_the_senior_gives_a_plan_watches_and_shares_again(recall: Recall, as_user: Login) -> None:
    world = recall.world
    for _number in range(5):
        recall.entry()
    client = as_user(world.senior)
    page = client.get("/recall/plan/").content.decode()
    assert "В отборе 5 записей" in page
    people = [world.administrator.pk, world.administrator2.pk]
    assert client.post("/recall/plan/", {"total": 5, "how": "evenly"}).status_code == 422
    assert client.post("/recall/plan/", {"people": people, "total": 5, "how": "evenly"}).status_code == 302
    assert sorted(PlanItem.objects.filter(assignee=pk).count() for pk in people) == [2, 3]
    assert client.post("/recall/plan/", {"people": people, "total": 1, "how": "capacity"}).status_code == 409
    part = client.get("/recall/plan/", headers={"HX-Request": "true"}).content.decode()
    assert "Орлова Ольга Петровна" in part
    assert "<html" not in part
    share = {"clinic": world.clinic.pk, "on": recall.today, "person": people[0], "to": [people[1]]}
    assert client.post("/recall/plan/share/", share).status_code == 302
    assert PlanItem.objects.filter(assignee=people[1]).count() == 5
    assert client.post("/recall/plan/share/", share).status_code == 409
    for place in ("ready", "planned", "resting", "no_phone", "held"):
        assert client.get(f"/recall/plan/?show={place}").status_code == 200


def test_the_plan_page_takes_as_many_queries_for_thirty_people(recall: Recall, as_user: Login) -> None:
    world = recall.world
    client = as_user(world.senior)

    def grow(count: int) -> None:
        for _number in range(count):
            person = User.objects.create(
                login=f"k{User.objects.count()}", full_name="Новая Нина Ильинична", roles=["administrator"]
            )
            person.clinics.add(world.clinic)
            recall.entry()
            recall.plan(person)

    grow(3)
    few = queries_of(client, "/recall/plan/?show=planned")
    grow(27)
    assert queries_of(client, "/recall/plan/?show=planned") == few


def test_a_person_says_which_visit_it_was(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    visit = recall.world.visit(entry.patient)
    recall.world.visit(entry.patient, visit.starts_at + dt.timedelta(days=1))
    from journals.actions.timers import close_found

    close_found(now=recall.world.now)
    entry.refresh_from_db()
    client = as_user(recall.world.administrator)
    page = client.get(url("card", entry)).content.decode()
    assert "Какая из записей" in page
    assert client.post(url("settle", entry), {"version": entry.version}).status_code == 422
    answer = client.post(url("settle", entry), {"version": entry.version, "appointment": visit.pk})
    assert answer.status_code == 302
    entry.refresh_from_db()
    assert (entry.stage, entry.appointment) == (Stage.BOOKED, visit)


def test_the_senior_grants_and_unflags_from_the_card(recall: Recall, as_user: Login) -> None:
    RecallPolicy.objects.create(clinic=recall.world.clinic, calls=1, talks_before_flag=1)
    entry, flagged = recall.entry(), recall.entry()
    recall.call(entry, Outcome.UNREACHED, refusal_reason=recall.not_reached)
    recall.call(flagged, Outcome.REMIND)
    client = as_user(recall.world.senior)
    assert "Разрешить ещё звонок" in client.get(url("card", entry)).content.decode()
    assert client.post(url("grant", entry)).status_code == 302
    assert client.post(url("unflag", flagged)).status_code == 302
    entry.refresh_from_db()
    flagged.refresh_from_db()
    assert (entry.stage, flagged.flagged) == (Stage.CALL, False)


def test_the_policy_page_saves_and_refuses_nonsense(recall: Recall, as_user: Login) -> None:
    client = as_user(recall.world.senior)
    data = {"calls": 2, "interval_days": 5, "talks_before_flag": 2, "hold_minutes": 15}
    assert client.get("/recall/policy/").status_code == 200
    assert client.post("/recall/policy/", data | {"calls": 0}).status_code == 422
    assert client.post("/recall/policy/", data).status_code == 302
    assert RecallPolicy.of(recall.world.clinic.pk).calls == 2


def test_my_day_and_the_patients_card_know_of_the_journal(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    assert "Мой план КОС" in as_user(recall.world.administrator).get("/").content.decode()
    assert "План прозвона КОС" in as_user(recall.world.senior).get("/").content.decode()
    card = as_user(recall.world.administrator).get(reverse("clinics:patient", args=[entry.patient_id]))
    assert "Проверить коронку" in card.content.decode()


def test_a_day_is_chosen_by_a_button_or_typed_beside_it(recall: Recall, as_user: Login) -> None:
    client = as_user(recall.world.senior)
    tomorrow, later = recall.today + dt.timedelta(days=1), recall.today + dt.timedelta(days=20)
    for fields, expected in (
        ({"remind_on": tomorrow}, tomorrow),
        ({"remind_on": "", "remind_on_other": later}, later),
    ):
        entry = recall.entry(recall.world.patient())
        page = client.get(url("card", entry)).content.decode()
        assert f'name="remind_on" id="remind_on-1" value="{tomorrow}"' in page
        assert client.post(url("card", entry), form(recall, page, "remind", **fields)).status_code == 302
        entry.refresh_from_db()
        assert entry.call_on == expected
    entry = recall.entry(recall.world.patient())
    page = client.get(url("card", entry)).content.decode()
    answer = client.post(url("card", entry), form(recall, page, "remind", remind_on="", remind_on_other=""))
    assert answer.status_code == 422
    assert "Когда напомнить? Выберите дату." in answer.content.decode()
