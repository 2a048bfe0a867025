"""The report's pages: they open, they add up, and nothing in an address breaks them."""

import datetime as dt
import io
import itertools
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.audit.models import AuditEntry
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    record_interaction,
)
from callcenter.contacts.models import Contact, Interaction
from callcenter.contacts.states import (
    CallerType,
    ContactOutcome,
    ContactType,
    InteractionKind,
    InteractionState,
)
from callcenter.staff.models import User
from reports.dimensions import DIMENSIONS
from reports.filters import PRESETS, address, narrowed, read_filter
from reports.lookups import lookups_of
from reports.queries import clinics_of, contacts_of, interactions_of, totals
from tests.conftest import World

AsUser = Callable[[User], Client]
URL = "/history/"


def test_today_shows_every_interaction_with_its_colour(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    """«Желтым выделены пропущенные звонки и чаты, а также необработанные заявки»."""
    page = as_user(world.administrator).get(URL)
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("<tr data-row") == 8
    assert text.count('class="row-missed"') == 3
    assert "Кедрова А. П." in text


def test_by_contacts_one_person_is_one_row(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    text = as_user(world.manager).get(URL + "?view=contacts").content.decode()
    assert text.count("<tr data-row") == Contact.objects.count() == 7
    assert "записались <strong>1 / 7</strong>" in text


def test_the_hint_shows_then_and_now(world: World, day: dict[str, Any], as_user: AsUser) -> None:
    """«Всплывающая подсказка разделена на два столбца: „В момент обращения“ и „Текущий статус“»."""
    text = as_user(world.manager).get(URL).content.decode()
    assert "В момент обращения" in text
    assert "Текущий статус" in text
    assert "приём состоялся" in text
    assert "12\u202f500" in text


def test_an_administrator_of_b_sees_nothing_of_a(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    client = as_user(world.administrator_b)
    for view in ("all", "contacts"):
        assert "Кедрова" not in client.get(f"{URL}?view={view}&period=year").content.decode()
    assert (
        "Кедрова"
        not in client.get(f"{URL}?period=year&by1=owner&by2=outcome&open=*").content.decode()
    )
    contact = Contact.objects.get(patient=day["patient"])
    assert client.get(f"/history/contact/{contact.pk}/").status_code == 404
    recording = day["booked"].recordings.get()
    assert client.get(f"/contacts/recording/{recording.pk}/").status_code == 404
    assert (
        client.get(f"{URL}?clinic={world.clinic.pk}&view=contacts")
        .content.decode()
        .count("<tr data-row")
        == 0
    )


def test_a_user_without_the_right_sees_masked_numbers(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    world.manager.sees_phones = False
    world.manager.save()
    text = as_user(world.manager).get(URL).content.decode()
    assert "000-20-03" not in text
    assert "+7 (900) ***-**-03" in text


@pytest.mark.parametrize("role", ["doctor_user"])
def test_who_has_no_right_to_the_history_gets_403(
    world: World, day: dict[str, Any], as_user: AsUser, role: str
) -> None:
    assert as_user(getattr(world, role)).get(URL).status_code == 403


@pytest.mark.parametrize("pair", list(itertools.permutations(DIMENSIONS, 2)))
def test_drill_downs_sum_to_their_totals(
    world: World, day: dict[str, Any], pair: tuple[str, str]
) -> None:
    """«Every drill-down sums to its total»: each number is the count of the rows behind it."""
    clinics, today = clinics_of(world.manager), (world.now + dt.timedelta(hours=6)).date()
    report_filter = read_filter(QueryDict(f"period=week&by1={pair[0]}&by2={pair[1]}"), today)
    found = totals(report_filter, clinics, lookups_of(clinics), today=today)
    assert found.now.count == 7 == sum(group.now.count for group in found.groups)
    for group in found.groups:
        assert (
            contacts_of(narrowed(report_filter, *group.drill_downs), clinics, today=today).count()
            == group.now.count
        )
        assert sum(child.now.count for child in group.children) == group.now.count
        assert sum(child.now.money for child in group.children) == group.now.money
        for child in group.children:
            rows = address(narrowed(report_filter, *child.drill_downs)).lstrip("?")
            again = contacts_of(read_filter(QueryDict(rows), today), clinics, today=today)
            assert again.count() == child.now.count, rows


@pytest.mark.parametrize("pair", list(itertools.permutations(DIMENSIONS, 2)))
def test_without_grouping_drill_downs_sum_to_their_totals_too(
    world: World, day: dict[str, Any], pair: tuple[str, str]
) -> None:
    """The same two levels over interactions: an interaction has an employee, a topic, an hour of
    its own.
    """
    clinics, today = clinics_of(world.manager), (world.now + dt.timedelta(hours=6)).date()
    report_filter = read_filter(
        QueryDict(f"period=week&view=all&by1={pair[0]}&by2={pair[1]}"), today
    )
    found = totals(report_filter, clinics, lookups_of(clinics), today=today)
    assert found.now.count == 8 == sum(group.now.count for group in found.groups)
    assert found.now.missed == 2 == sum(group.now.missed for group in found.groups)
    for group in found.groups:
        rows = address(narrowed(report_filter, *group.drill_downs)).lstrip("?")
        again = interactions_of(read_filter(QueryDict(rows), today), clinics, today=today)
        assert again.count() == group.now.count, rows
        assert sum(child.now.count for child in group.children) == group.now.count
        for child in group.children:
            rows = address(narrowed(report_filter, *child.drill_downs)).lstrip("?")
            again = interactions_of(read_filter(QueryDict(rows), today), clinics, today=today)
            assert again.count() == child.now.count, rows


def test_an_hour_without_grouping_is_the_interaction_s_own_in_its_clinic_s_zone(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    """Noon and ten past one in Moscow: the contacts began at twelve, one of their calls at one."""
    text = as_user(world.manager).get(URL + "?view=all&by1=hour").content.decode()
    assert "12:00–12:59" in text
    assert "13:00–13:59" in text
    assert "Пропущено" in text


def test_a_deed_bound_by_mistake_is_taken_off_and_the_figures_follow(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    contact = Contact.objects.get(patient=day["patient"])
    result = contact.results.get()
    page = f"/history/contact/{contact.pk}/"
    url = f"/history/unlink/{result.pk}/"
    assert url in as_user(world.administrator).get(page).content.decode()
    assert url not in as_user(world.manager).get(page).content.decode()
    assert as_user(world.manager).post(url).status_code == 403
    assert as_user(world.administrator_b).post(url).status_code == 404
    assert as_user(world.administrator).post(url).status_code == 302
    contact.refresh_from_db()
    assert contact.outcome == ContactOutcome.NOT_BOOKED
    assert not contact.money
    assert not contact.results_count
    assert (
        AuditEntry.objects.filter(action="contacts.unlink_result", by=world.administrator).count()
        == 1
    )
    assert as_user(world.administrator).post(url).status_code == 409
    again = as_user(world.administrator).get("/history/link/").content.decode()
    assert f"/history/link/{result.pk}/" in again


def test_a_channel_of_the_tree_includes_those_below(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    """«можете отметить рекламный канал, например, группу „Контекстную рекламу“ или конкретно
    „Яндекс Директ“».
    """
    client = as_user(world.manager)
    for channel in (day["root"], day["yandex"]):
        text = client.get(f"{URL}?view=contacts&channel={channel.pk}").content.decode()
        assert text.count("<tr data-row") == 2


def test_the_previous_period_of_a_whole_month_is_the_month_before() -> None:
    report_filter = read_filter(QueryDict("since=2026-03-01&until=2026-03-31"), dt.date(2026, 4, 5))
    assert report_filter.previous == (dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    report_filter = read_filter(QueryDict("since=2026-03-10&until=2026-03-12"), dt.date(2026, 4, 5))
    assert report_filter.previous == (dt.date(2026, 3, 7), dt.date(2026, 3, 9))


_VALUES = {
    "period": st.sampled_from([*PRESETS, "", "ever"]),
    "since": st.sampled_from(["2026-03-01", "0001-01-01", "9999-12-31", "x", "2026-02-31"]),
    "until": st.sampled_from(["2026-03-19", "2030-01-01", "-5"]),
    "view": st.sampled_from(["all", "contacts", "none"]),
    "by1": st.sampled_from([*DIMENSIONS, "", "x"]),
    "by2": st.sampled_from([*DIMENSIONS, "", "x"]),
    "who": st.sampled_from([*CallerType.values, "x"]),
    "type": st.sampled_from([*ContactType.values, "x"]),
    "outcome": st.sampled_from([*ContactOutcome.values, "x"]),
    "topic": st.sampled_from(["none", "1", "999999999", "-1", "x", "²"]),
    "owner": st.sampled_from(["none", "1", "99999999999999999999"]),
    "channel": st.sampled_from(["none", "1", "x"]),
    "clinic": st.sampled_from(["none", "1", "x"]),
    "line": st.sampled_from(["", "+79000000001", "\x00", "я" * 100]),
    "first": st.just("1"),
    "overdue": st.just("1"),
    "missed": st.just("1"),
    "unnoted": st.just("1"),
    "asking": st.just("1"),
    "patient": st.sampled_from(["1", "x", "0"]),
    "in": st.sampled_from(
        ["owner:none", "day:2026-03-18", "hour:12", "hour:none", "weekday:3", "weekday:9", "clinic:none", "day:x", "day:none",
         "outcome:booked", "outcome:none", "type:call_in", "x:y", "owner:99999999999999", "hour:999999999", "weekday:none"]
    ),
    "open": st.sampled_from(["owner:none", "*", "x"]),
    "chart": st.sampled_from(["day", "funnel", "heat", "x"]),
    "before": st.sampled_from(["2026-03-18_2026-03-18T10:00:00+00:00_5", "x_y_z", "2026-03-18_2026-03-18T10:00:00_5", "__"]),
    "fate": st.sampled_from(["nobody", "self", "x"]),
}  # fmt: skip


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(st.sampled_from(sorted(_VALUES)), max_size=7),
    data=st.data(),
    path=st.sampled_from([URL, URL, "/history/missed/"]),
)
def test_no_combination_of_filters_gives_a_500(
    world: World,
    day: dict[str, Any],
    as_user: AsUser,
    names: list[str],
    data: st.DataObject,
    path: str,
) -> None:
    query = QueryDict(mutable=True)
    for name in names:
        query.appendlist(name, data.draw(_VALUES[name]))
    answer = as_user(world.manager).get(f"{path}?{query.urlencode()}")
    assert answer.status_code == 200


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(names=st.lists(st.sampled_from(sorted(_VALUES)), max_size=8), data=st.data())
def test_an_address_read_and_written_again_asks_the_same(
    names: list[str], data: st.DataObject
) -> None:
    query = QueryDict(mutable=True)
    for name in names:
        query.appendlist(name, data.draw(_VALUES[name]))
    report_filter = read_filter(query, dt.date(2026, 3, 18))
    assert (
        read_filter(QueryDict(address(report_filter).lstrip("?")), dt.date(2026, 3, 18))
        == report_filter
    )


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?view=contacts",
        "?by1=owner&by2=outcome",
        "?view=all&by1=owner&by2=hour",
        "?chart=day",
        "missed/",
    ],
)
def test_three_rows_or_thirty_take_the_same_number_of_queries(
    world: World, day: dict[str, Any], as_user: AsUser, query: str
) -> None:
    client = as_user(world.administrator)
    client.get(URL + query)
    with CaptureQueriesContext(connection) as few:
        client.get(URL + query)
    for number in range(30):
        record_interaction(
            InteractionInput(
                clinic=world.clinic,
                kind=InteractionKind.CALL,
                state=InteractionState.MISSED if number % 2 else InteractionState.ANSWERED,
                phases=Phases(world.now + dt.timedelta(minutes=90 + number)),
                participants=Participants(
                    number=f"+7900000{5000 + number}",
                    patient=world.patient() if number % 3 else None,
                    employee=world.administrator,
                ),
                source=InteractionSource(name="test", id=f"more{number}"),
            ),
            by=None,
            now=world.now,
        )
    with CaptureQueriesContext(connection) as many:
        client.get(URL + query)
    assert len(many) == len(few)


def _sheet(content: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def test_the_workbook_equals_the_screen(world: World, day: dict[str, Any], as_user: AsUser) -> None:
    client = as_user(world.manager)
    rows = _sheet(client.post("/history/export/", {"query": "?period=today&view=all"}).content)
    assert len(rows) == 9
    assert isinstance(rows[1][0], dt.datetime), "dates are dates"
    booked = next(row for row in rows if row[2] == "Кедрова Анна Петровна")
    assert booked[3] == "+7 (900) 000-20-01"
    assert booked[13] == "'=хочет имплант", "a formula stays a text"
    assert booked[7] == "Записался и пришёл"
    entry = AuditEntry.objects.get(action="reports.export")
    assert entry.by == world.manager


def test_totals_in_the_workbook_equal_the_totals_on_the_screen(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    rows = _sheet(
        as_user(world.manager)
        .post("/history/export/", {"query": "?period=today&by1=owner&by2=outcome"})
        .content
    )
    today = world.now.date()
    clinics = clinics_of(world.manager)
    report_filter = read_filter(QueryDict("period=today&by1=owner&by2=outcome"), today)
    found = totals(report_filter, clinics, lookups_of(clinics), today=today)
    assert rows[-1][0] == "Всего"
    assert rows[-1][2] == found.now.count == 7
    shown = [(row[0], row[1], row[2]) for row in rows[1:-1]]
    wanted: list[tuple[str, str | None, int]] = []
    for group in found.groups:
        wanted.append((group.label, None, group.now.count))
        wanted += [(group.label, child.label, child.now.count) for child in group.children]
    assert shown == wanted


def test_masked_numbers_stay_masked_in_the_workbook(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    world.manager.sees_phones = False
    world.manager.save()
    content = as_user(world.manager).post("/history/export/", {"query": "period=today"}).content
    assert "+7 (900) ***-**-01" in {row[3] for row in _sheet(content)}
    assert not any("000-20-01" in str(cell) for row in _sheet(content) for cell in row)


def test_a_contact_unfolds_and_every_window_opens(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    client = as_user(world.administrator)
    for contact in Contact.objects.all():
        assert client.get(f"/history/contact/{contact.pk}/").status_code == 200
        part = client.get(f"/history/contact/{contact.pk}/", headers={"HX-Request": "true"})
        assert "<html" not in part.content.decode()
    for one in Interaction.objects.all():
        assert client.get(f"/contacts/interaction/{one.pk}/channel/").status_code == 200
    recording = day["booked"].recordings.get()
    assert client.get(f"/contacts/recording/{recording.pk}/transcript/").status_code == 200
    assert client.get(f"/contacts/interaction/{day['chat'].pk}/chat/").status_code == 200
    assert client.get(f"/contacts/interaction/{day['booked'].pk}/comment/").status_code == 200
    assert client.get("/history/missed/").status_code == 200
    assert client.get("/history/link/").status_code == 200
    assert client.get("/history/exports/").status_code == 200
    assert client.get("/contacts/add/").status_code == 200


def test_the_fired_rule_is_green(world: World, day: dict[str, Any], as_user: AsUser) -> None:
    """«Сработавшее правило будет выделено зеленым индикатором»."""
    text = (
        as_user(world.manager)
        .get(f"/contacts/interaction/{day['booked'].pk}/channel/")
        .content.decode()
    )
    assert text.count('class="fired"') == 1
    assert "utm_source=yandex" in text


def test_filters_leave_the_period_its_name_until_a_date_is_changed(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    """The form sends the dates, too: «Сегодня» with a filter is today's report tomorrow as well, a
    saved view likewise.
    """
    today = (world.now + dt.timedelta(hours=6)).date()
    sent = QueryDict(f"period=today&since={today}&until={today}&who=wants_booking")
    assert read_filter(sent, today).preset == "today"
    assert address(read_filter(sent, today)) == "?period=today&view=all&who=wants_booking"
    assert read_filter(sent, today + dt.timedelta(days=1)).preset == ""
    assert read_filter(QueryDict(f"period=week&since={today}&until={today}"), today).preset == ""
    page = as_user(world.manager).get(f"{URL}?{sent.urlencode()}").content.decode()
    assert 'name="period" value="today"' in page
    assert "data-live" in page


def test_the_menu_of_a_row_offers_only_what_the_reader_may_do(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    work = ("Изменить комментарий", "Заявка обработана", "Чьё это обращение?")
    manager = as_user(world.manager).get(URL).content.decode()
    assert "Посмотреть правила определения канала…" in manager
    assert not any(words in manager for words in (*work, "Удалить комментарий"))
    senior = as_user(world.senior).get(URL).content.decode()
    assert all(words in senior for words in (*work, "Удалить комментарий"))
    written = Interaction.objects.get(kind=InteractionKind.COMMENT)
    other = next(
        one
        for one in (world.administrator, world.administrator2)
        if one.pk != written.created_by_id
    )
    assert "Удалить комментарий" not in as_user(other).get(URL).content.decode()


def test_a_row_names_its_clinic_when_the_reader_has_several(
    world: World, day: dict[str, Any], as_user: AsUser
) -> None:
    """Two clinics have two clocks: half past ten of one stands above nine of the other."""
    assert "small clinic" not in as_user(world.manager).get(URL).content.decode()
    world.clinic_b.staff.add(world.manager)
    page = as_user(world.manager).get(URL).content.decode()
    assert f'<div class="text-secondary small clinic">{world.clinic.name}</div>' in page


def test_interactions_are_counted_without_reading_their_contacts(
    world: World, day: dict[str, Any]
) -> None:
    clinics, today = clinics_of(world.manager), (world.now + dt.timedelta(hours=6)).date()
    with CaptureQueriesContext(connection) as asked:
        found = totals(
            read_filter(QueryDict("period=week"), today), clinics, lookups_of(clinics), today=today
        )
    assert (found.now.count, found.now.missed) == (8, 2)
    assert not any("contacts_contact" in query["sql"] for query in asked)


@pytest.mark.parametrize(
    "query", ["by1=owner", "outcome=not_booked", "first=1", "in=day:2026-03-18", "chart=heat"]
)
def test_contacts_asked_for_beside_interactions_are_those_of_the_period_s_days(
    world: World, day: dict[str, Any], as_user: AsUser, query: str
) -> None:
    """Else the whole table of contacts would be read: a page grows with its period, never with the
    table.
    """
    with CaptureQueriesContext(connection) as asked:
        assert as_user(world.manager).get(f"{URL}?period=month&view=all&{query}").status_code == 200
    joined = [one["sql"] for one in asked if 'JOIN "contacts_contact"' in one["sql"]]
    assert joined
    assert all(
        '"contacts_contact"."on" >=' in sql and '"contacts_contact"."on" <=' in sql
        for sql in joined
    )


def test_a_line_is_found_however_its_number_is_written(world: World, day: dict[str, Any]) -> None:
    today = world.now.date()
    assert read_filter(QueryDict("line=8 (900) 000-99-21"), today).lines == ("+79000009921",)
    assert read_filter(QueryDict("line=max"), today).lines == ("max",)
