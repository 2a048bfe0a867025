"""The journal's lists: who sees what, tabs and filters, pages of fifty, the same number of queries
for 3 rows and 30.
"""

import datetime as dt
import re

import pytest
from django.urls import reverse

from callcenter.clinics.models import Patient
from journals.models import PlanItem, RecallEntry
from journals.outcome_rules import CallOutcome
from journals.queries import journal
from tests.journals.conftest import Recall
from tests.journals.pages import JOURNAL, Login, queries_of, url

pytestmark = pytest.mark.usefixtures("at_noon")


def test_the_journal_opens_for_its_readers_and_for_nobody_else(
    recall: Recall, as_user: Login
) -> None:
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


def test_to_htmx_the_journal_answers_with_its_rows_alone(recall: Recall, as_user: Login) -> None:
    recall.entry(recall.world.patient("Строкина"))
    part = (
        as_user(recall.world.senior).get(JOURNAL, headers={"HX-Request": "true"}).content.decode()
    )
    assert "Строкина" in part
    assert "<html" not in part


def test_tabs_filters_and_counters_say_the_same(recall: Recall, as_user: Login) -> None:
    world = recall.world
    recall.call(recall.entry(world.patient("Отказова")), CallOutcome.REFUSED)
    recall.call(recall.entry(world.patient("Записанова")), CallOutcome.BOOKED)
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
        assert {
            name for name in ("Отказова", "Записанова", "Званова", "Планова") if name in page
        } == names
        count = re.search(rf'tab={tab}"[^>]*>[^<]*<span class="count">(\d+)', page)
        assert count
        assert int(count[1]) == len(names)
    page = client.get(
        f"{JOURNAL}?tab=all&reason={recall.dear.pk}&caller={world.senior.pk}"
    ).content.decode()
    assert "Отказова" in page
    assert "Записанова" not in page
    assert "Званова" in client.get(f"{JOURNAL}?tab=call&q=звано").content.decode()
    assert "Планова" not in client.get(f"{JOURNAL}?tab=call&q=звано").content.decode()


@pytest.mark.parametrize("sort", ["date", "-date", "-touched", "patient"])
def test_pages_of_fifty_show_every_entry_once_both_ways(
    recall: Recall, as_user: Login, sort: str
) -> None:
    for number in range(120):
        recall.entry(
            recall.world.patient(f"П{number % 7}"),
            call_on=recall.today + dt.timedelta(days=number % 3),
        )
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
    for query in (
        "tab=x",
        "after=zzz",
        "after=2026-99-99~5",
        "clinic=99999",
        "since=вчера",
        "sort=money",
        "before=~",
    ):
        assert client.get(f"{JOURNAL}?{query}").status_code == 200


@pytest.mark.parametrize("tab", ["all", "mine", "call"])
def test_thirty_rows_take_as_many_queries_as_three(
    recall: Recall, as_user: Login, tab: str
) -> None:
    world = recall.world

    def grow(count: int) -> None:
        for _number in range(count):
            entry = recall.entry()
            recall.call(entry, CallOutcome.REMIND, call_on=recall.today)
        recall.plan(world.administrator, count)

    client = as_user(world.administrator)
    grow(3)
    few = queries_of(client, f"{JOURNAL}?tab={tab}")
    grow(27)
    assert queries_of(client, f"{JOURNAL}?tab={tab}") == few


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
    for address, words in (
        (f"{JOURNAL}?tab=call", "ждёт 09:00"),
        (url("card", entry), "Тихие часы: звоним с 09:00"),
    ):
        page = client.get(address).content.decode()
        assert "btn-call" not in page
        assert "tel:" not in page
        assert words in page


def test_a_doctor_puts_an_entry_in_and_sees_no_form_of_calls(
    recall: Recall, as_user: Login
) -> None:
    patient = recall.world.patient("Зубова")
    client = as_user(recall.world.doctor_user)
    assert "Зубова" in client.get("/journals/new/?q=зубо").content.decode()
    address = f"/journals/new/?patient={patient.pk}"
    data = {
        "clinic": recall.world.clinic.pk,
        "doctor": recall.world.doctor.pk,
        "call_on": recall.today,
    }
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
    typed = {"doctor_comment": "Швы", "call_on": later, "version": entry.version}
    assert client.post(url("edit", entry), typed).status_code == 302
    entry.refresh_from_db()
    assert (entry.doctor_comment, entry.call_on) == ("Швы", later)


def test_my_day_and_the_patients_card_know_of_the_journal(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    assert "Мой план КОС" in as_user(recall.world.administrator).get("/").content.decode()
    assert "План прозвона КОС" in as_user(recall.world.senior).get("/").content.decode()
    card = as_user(recall.world.administrator).get(
        reverse("clinics:patient", args=[entry.patient_id])
    )
    assert "Проверить коронку" in card.content.decode()


def test_a_doctors_day_says_how_many_of_his_are_still_to_be_called(
    recall: Recall, as_user: Login
) -> None:
    world = recall.world
    world.doctor.user = world.doctor_user
    world.doctor.save()
    entries = [recall.entry() for _ in range(3)]
    client = as_user(world.doctor_user)
    card = re.search(
        r'href="([^"]+)"[^>]*>(?:(?!</a>).)*Зовём к вам',
        client.get("/").content.decode(),
        re.DOTALL,
    )
    assert card is not None
    page = client.get(card[1].replace("&amp;", "&")).content.decode()
    assert all(url("card", entry) in page for entry in entries)


def test_my_plan_is_that_of_the_clinics_own_day(recall: Recall, as_user: Login) -> None:
    """At 13:05 in Moscow it is tomorrow already at UTC+14, but in no clinic of ours."""
    world = recall.world
    first, second, tomorrows = (
        recall.entry(world.patient(name)) for name in ("Первая", "Вторая", "Завтрашняя")
    )
    recall.plan(world.administrator, 3)
    PlanItem.objects.filter(entry=tomorrows).update(on=recall.today + dt.timedelta(days=1))
    world.now += dt.timedelta(hours=4)
    assert [
        item.entry for item in journal.my_items(world.administrator, world.now).order_by("pk")
    ] == [first, second]
    assert (
        "Завтрашняя" not in as_user(world.administrator).get(f"{JOURNAL}?tab=mine").content.decode()
    )
    assert journal.next_in_plan(world.administrator, world.now, but=first.pk) == second.pk
    assert journal.next_in_plan(world.administrator, world.now, but=second.pk) == first.pk
    world.now += dt.timedelta(days=1)
    assert journal.my_items(world.administrator, world.now).count() == 3


def test_whom_nobody_may_call_any_more_is_not_the_next_in_the_plan(recall: Recall) -> None:
    world = recall.world
    silent, next_one = recall.entry(world.patient("Аа")), recall.entry(world.patient("Бб"))
    recall.plan(world.administrator, 2)
    Patient.objects.filter(pk=silent.patient_id).update(do_not_call=True)
    assert journal.next_in_plan(world.administrator, world.now) == next_one.pk
    assert journal.next_in_plan(world.administrator, world.now, but=next_one.pk) is None


def test_a_patient_is_found_in_the_journal_among_many_of_his_name(
    recall: Recall, as_user: Login
) -> None:
    for number in range(25):
        recall.world.patient("Иванова", f"Аа{number:02}")
    recall.entry(
        recall.world.patient(
            "Иванова", "Яна", "Ёлкина", phones=["+79000004321"], birth_date=dt.date(1990, 5, 4)
        )
    )
    client = as_user(recall.world.senior)
    for text in ("иванова", "яна ива", "елк", "4321", "8 900 000-43-21", "04.05.1990", "ив 4321"):
        assert (
            "Яна" in client.get(f"{JOURNAL}?tab=call", {"q": text, "tab": "call"}).content.decode()
        ), text
    for text in ("вано", "43", "05.05.1990", "яна петрова", "и"):
        assert "Яна" not in client.get(JOURNAL, {"q": text, "tab": "call"}).content.decode(), text
