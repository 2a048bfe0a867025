"""Pages of «Дозвон»: happy, forbidden, conflict, partial; the same queries for three rows and
thirty.
"""

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions import set_status
from callcenter.clinics.models import Appointment
from callcenter.clinics.states import AppointmentStatus
from callcenter.messaging.models import ChatMessage, Message
from callcenter.staff.models import User
from reminders import actions
from reminders.models import Reminder, ReminderSettings
from reminders.report import CONDITIONS, columns_of, report_lines, report_rows
from reminders.states import CallResult
from tests.reminders.conftest import Desk

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _clock(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lists", "rows", "settings", "report"):
        monkeypatch.setattr(f"reminders.views.{module}.timezone.now", desk.post.clock)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_list_shows_each_row_with_its_colour_in_words(desk: Desk, as_user: AsUser) -> None:
    for digits in ("01", "50", "55", "65", "85"):
        desk.visit(digits)
    desk.open()
    desk.settle()
    desk.settle(minutes=1)
    page = text_of(as_user(desk.world.administrator).get("/reminders/"))
    for words in (
        "подтвердил",
        "отменяет",
        "просит перенести",
        "доставлено, молчит",
        "не ушло в мессенджер",
    ):
        assert words in page
    assert "СМС: доставлено" in page
    assert "Жёлтая смена: Орлова О. П." in page


def test_the_list_takes_the_same_queries_for_three_rows_and_thirty(
    desk: Desk, as_user: AsUser
) -> None:
    client = as_user(desk.world.administrator)
    counts = []
    for number in (3, 27):
        for _ in range(number):
            desk.visit("75")
        desk.open()
        actions.refresh_due_runs(now=desk.now + dt.timedelta(seconds=10))
        desk.settle()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/reminders/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_administrators_of_another_clinic_see_and_touch_nothing(
    desk: Desk, as_user: AsUser
) -> None:
    visit = desk.visit()
    run = desk.open()
    row = desk.row(visit)
    stranger = as_user(desk.world.administrator_b)
    assert visit.patient.last_name not in text_of(stranger.get("/reminders/?on=2026-03-18"))
    for path in (
        f"/reminders/{row.pk}/",
        f"/reminders/{row.pk}/row/",
        f"/reminders/runs/{run.pk}/send/",
    ):
        assert stranger.get(path).status_code == 404
    for path in ("mark", "result", "calling", "send", "day-call"):
        assert (
            stranger.post(f"/reminders/{row.pk}/{path}/", {"result": "coming"}).status_code == 404
        )
    assert desk.row(visit).called_at is None


def test_a_manager_watches_and_may_not_mark(desk: Desk, as_user: AsUser) -> None:
    visit = desk.visit()
    desk.open()
    manager = as_user(desk.world.manager)
    assert manager.get("/reminders/").status_code == 200
    assert manager.post(f"/reminders/{desk.row(visit).pk}/mark/").status_code == 403


def test_the_double_click_answers_with_the_pink_row_and_again_with_the_white_one(
    desk: Desk, as_user: AsUser
) -> None:
    visit = desk.visit()
    desk.open()
    client, path = as_user(desk.world.administrator), f"/reminders/{desk.row(visit).pk}/mark/"
    pink = text_of(client.post(path, headers=HTMX))
    assert pink.lstrip().startswith(f'<tr id="r{desk.row(visit).pk}"')
    assert "row-called" in pink
    assert "Орлова О. П." in pink
    assert "row-called" not in text_of(client.post(path, {"undo": "1"}, headers=HTMX))


def test_without_scripts_the_button_leads_back_to_the_list(desk: Desk, as_user: AsUser) -> None:
    visit = desk.visit()
    desk.open()
    answer = as_user(desk.world.administrator).post(
        f"/reminders/{desk.row(visit).pk}/mark/", {"next": "/reminders/?show=call"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/reminders/?show=call")
    answer = as_user(desk.world.administrator).post(
        f"/reminders/{desk.row(visit).pk}/mark/", {"next": "//evil.example"}
    )
    assert answer["Location"] == "/reminders/"


def test_only_changed_rows_come_back_with_new_counters(desk: Desk, as_user: AsUser) -> None:
    first, second = desk.visit("65"), desk.visit("66")
    desk.open()
    desk.settle()
    since = (desk.now + dt.timedelta(minutes=2)).timestamp()
    desk.post.now += dt.timedelta(minutes=3)
    client = as_user(desk.world.administrator)
    actions.mark_called(desk.row(second), by=desk.world.administrator2, now=desk.now)
    part = text_of(client.get(f"/reminders/?on=2026-03-18&since={since}", headers=HTMX))
    assert f'id="r{desk.row(second).pk}"' in part
    assert f'id="r{desk.row(first).pk}"' not in part
    assert part.count('<template data-list="rows"><tr') == 1
    assert 'id="counters"' in part
    assert "<html" not in part


def test_rows_that_are_done_or_whose_visit_has_begun_are_named_as_gone(
    desk: Desk, as_user: AsUser
) -> None:
    settled, begins, stays = (
        desk.visit("65", hours=22),
        desk.visit("66", hours=21),
        desk.visit("67", hours=23),
    )
    desk.open()
    desk.settle()
    rows = {visit: desk.row(visit).pk for visit in (settled, begins, stays)}
    desk.post.now = begins.starts_at - dt.timedelta(seconds=30)
    client = as_user(desk.world.administrator)
    since = desk.now.timestamp()
    assert "data-gone" not in text_of(
        client.get(f"/reminders/day/?on=2026-03-19&since={since}", headers=HTMX)
    )
    desk.post.now = begins.starts_at + dt.timedelta(seconds=1)
    actions.save_day_call(
        desk.row(settled),
        picked_up=True,
        coming="yes",
        comment="да",
        by=desk.world.administrator2,
        now=desk.now,
    )
    part = text_of(client.get(f"/reminders/day/?on=2026-03-19&since={since}", headers=HTMX))
    assert set(re.findall(r'data-gone="r(\d+)"', part)) == {str(rows[settled]), str(rows[begins])}
    assert f'id="r{rows[stays]}"' not in part
    assert "<b>1</b>" in part


def test_a_colleague_who_calls_is_a_conflict_with_the_row_as_it_stands(
    desk: Desk, as_user: AsUser
) -> None:
    visit = desk.visit()
    desk.open()
    path = f"/reminders/{desk.row(visit).pk}/calling/"
    assert as_user(desk.world.administrator).post(path, headers=HTMX).status_code == 200
    answer = as_user(desk.world.administrator2).post(path, headers=HTMX)
    assert answer.status_code == 409
    assert "уже звонит Орлова О. П." in text_of(answer)


def test_the_day_call_demands_its_answers_with_the_form(desk: Desk, as_user: AsUser) -> None:
    visit = desk.visit("65")
    desk.open()
    client, path = as_user(desk.world.administrator), f"/reminders/{desk.row(visit).pk}/day-call/"
    answer = client.post(path, {"round": "day", "picked_up": "1", "coming": "yes"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Без комментария не сохранить" in text_of(answer)
    answer = client.post(
        path, {"round": "day", "picked_up": "0", "coming": "yes", "comment": "гудки"}, headers=HTMX
    )
    assert answer.status_code == 422
    assert "неизвестно, подойдёт ли" in text_of(answer)
    answer = client.post(
        path,
        {"round": "day", "picked_up": "1", "coming": "yes", "comment": "будет"},
        headers={**HTMX, "HX-Target": "card"},
    )
    assert answer.status_code == 200
    assert answer["HX-Trigger"] == "card:close"
    assert desk.row(visit).result == CallResult.COMING


def test_a_masked_role_sees_no_number(desk: Desk, as_user: AsUser) -> None:
    visit = desk.visit()
    desk.open()
    desk.world.administrator.sees_phones = False
    desk.world.administrator.save()
    number = visit.patient.phones.all()[0].number
    for path in ("/reminders/", f"/reminders/{desk.row(visit).pk}/"):
        page = text_of(as_user(desk.world.administrator).get(path))
        assert number not in page
        assert number[5:8] + "-" + number[8:10] not in page


def test_sending_to_all_shows_a_dry_run_first_and_a_second_click_sends_nothing(
    desk: Desk, as_user: AsUser
) -> None:
    desk.set(sends_itself=False)
    desk.visit()
    run = desk.open()
    client, path = as_user(desk.world.administrator), f"/reminders/runs/{run.pk}/send/"
    page = text_of(client.get(path))
    assert "Начнут с MAX" in page
    assert Message.objects.count() == 0
    for _ in range(2):
        assert client.post(path).status_code == 302
    assert Message.objects.count() == 1


def test_a_reply_is_accepted_with_one_press(desk: Desk, as_user: AsUser) -> None:
    visit = desk.visit("75")
    desk.open()
    desk.settle()
    client = as_user(desk.world.administrator)
    assert "«Да, приду»" in text_of(client.get("/reminders/"))
    line = ChatMessage.objects.get()
    answer = client.post(
        f"/reminders/{desk.row(visit).pk}/replies/{line.pk}/", {"intent": "coming"}, headers=HTMX
    )
    assert "ответил письменно, придёт" in text_of(answer)


def test_words_of_another_patient_can_not_be_taken_for_this_row(
    desk: Desk, as_user: AsUser
) -> None:
    visit, other = desk.visit("75"), desk.visit("65")
    desk.open()
    desk.settle()
    line = ChatMessage.objects.get()
    assert line.patient == visit.patient
    path = f"/reminders/{desk.row(other).pk}/replies/{line.pk}/"
    assert as_user(desk.world.administrator).post(path, {"intent": "coming"}).status_code == 404


def test_the_card_is_a_page_and_a_part_of_one_and_looking_at_it_is_audited(
    desk: Desk, as_user: AsUser
) -> None:
    visit = desk.visit("65")
    desk.open()
    desk.settle()
    client, path = as_user(desk.world.administrator), f"/reminders/{desk.row(visit).pk}/"
    assert "<html" in text_of(client.get(path))
    part = text_of(client.get(path, headers=HTMX))
    assert "<html" not in part
    assert "прочитано" in part
    assert AuditEntry.objects.filter(action="reminders.view_card").count() == 2


def test_the_hand_over_shows_in_the_morning(desk: Desk, as_user: AsUser) -> None:
    desk.visit("65", hours=22)
    run = desk.open()
    client = as_user(desk.world.administrator)
    client.post(f"/reminders/runs/{run.pk}/hand-over/", {"note": "Двое не взяли трубку"})
    desk.post.now = desk.world.local(dt.date(2026, 3, 19), 9)
    client = as_user(desk.world.administrator)  # the evening's session is over
    assert "Двое не взяли трубку" in text_of(client.get("/reminders/day/"))


def test_the_settings_are_the_seniors_and_one_clinics_form_leaves_the_others(
    desk: Desk, as_user: AsUser
) -> None:
    assert as_user(desk.world.administrator).get("/reminders/settings/").status_code == 403
    senior = as_user(desk.world.senior)
    assert senior.get("/reminders/settings/").status_code == 200
    clinic = desk.world.clinic.pk
    answer = senior.post(
        "/reminders/settings/", {"clinic": clinic, "opens_at": "13:00", "blue_sms_at": "18:30"}
    )
    assert answer.status_code == 302
    row = ReminderSettings.objects.get(clinic=clinic)
    assert (row.opens_at, row.blue_sms_at, row.sends_itself) == (
        dt.time(13),
        dt.time(18, 30),
        False,
    )
    assert row.due_at == desk.world.local(dt.date(2026, 3, 18), 13)
    assert (
        senior.post("/reminders/settings/", {"clinic": clinic, "opens_at": "noon"}).status_code
        == 422
    )


# The report


def _a_day(desk: Desk) -> None:
    came, missed, cancels, silent = (desk.visit(digits) for digits in ("01", "02", "50", "65"))
    desk.open()
    desk.settle()
    actions.save_result(
        desk.row(silent), result=CallResult.UNREACHED, by=desk.world.administrator, now=desk.now
    )
    for visit, status in (
        (came, AppointmentStatus.COMPLETED),
        (missed, AppointmentStatus.NO_SHOW),
        (silent, AppointmentStatus.NO_SHOW),
    ):
        set_status(visit, status=status, by=None, now=visit.starts_at)
    Appointment.objects.filter(pk__in=[silent.pk, cancels.pk]).update(money=1500)


def test_the_report_counts_what_was_sent_answered_reached_and_came(desk: Desk) -> None:
    _a_day(desk)
    day = dt.date(2026, 3, 18)
    (line,), total = report_lines(clinics=[desk.world.clinic], since=day, until=day, group="day")
    assert line.name == day
    assert line.counts == total.counts
    assert line.counts == {
        **{
            "total": 4,
            "by_max": 4,
            "by_whatsapp": 0,
            "by_telegram": 0,
            "by_viber": 0,
            "by_vk": 0,
            "by_sms": 0,
            "delivered": 4,
            "opened": 3,
            "confirmed": 2,
            "moved": 0,
        },
        **{"cancelled": 1, "reached": 0, "unreached": 1, "came": 1, "missed": 2},
    }
    assert line.shares == {
        "missed_confirmed": (1, 2),
        "missed_unconfirmed": (1, 1),
        "missed_unreached": (1, 1),
    }
    assert line.money == 3000


@pytest.mark.parametrize("group", ["day", "clinic", "administrator"])
def test_the_sheet_says_the_same_as_the_screen(desk: Desk, as_user: AsUser, group: str) -> None:
    _a_day(desk)
    query = f"?since=2026-03-01&until=2026-03-18&group={group}"
    client = as_user(desk.world.senior)
    assert client.get(f"/reminders/report/{query}").status_code == 200
    answer = client.get(f"/reminders/report.xlsx{query}")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["Дозвон"]
    rows = list(sheet.iter_rows(values_only=True))
    lines, total = report_lines(
        clinics=[desk.world.clinic],
        since=dt.date(2026, 3, 1),
        until=dt.date(2026, 3, 18),
        group=group,
    )
    assert len(rows) == 1 + len(lines) + 1
    columns = [name for name, _ in columns_of([*lines, total])]
    assert "by_max" in columns
    assert "by_viber" not in columns  # nothing went by it
    assert list(rows[-1][1 : 1 + len(columns)]) == [total.counts[name] for name in columns]
    assert rows[-1][-1] == float(total.money)
    assert sum(int(str(row[1])) for row in rows[1:-1]) == rows[-1][1]
    if group == "day":
        assert isinstance(rows[1][0], dt.datetime)
    assert AuditEntry.objects.filter(action="reminders.export_report").exists()


@pytest.mark.parametrize("group", ["day", "clinic", "administrator"])
def test_every_number_of_the_report_opens_as_many_rows_as_it_says(desk: Desk, group: str) -> None:
    _a_day(desk)
    day = dt.date(2026, 3, 18)
    asked: dict[str, Any] = {
        "clinics": [desk.world.clinic],
        "since": day,
        "until": day,
        "group": group,
    }
    lines, total = report_lines(**asked)
    assert len(lines) == (2 if group == "administrator" else 1)
    for line in [*lines, total]:
        counts = dict(line.counts)
        for name, (missed, of) in line.shares.items():
            counts |= {name: missed, f"of_{name.removeprefix('missed_')}": of}
        for what, count in counts.items():
            assert report_rows(**asked, name=line.key, what=what).count() == count, what
        assert counts.keys() | {"at_risk"} == CONDITIONS.keys()
        at_risk = report_rows(**asked, name=line.key, what="at_risk")
        assert sum(row.price for row in at_risk) == line.money  # type: ignore[attr-defined]


def test_a_number_of_the_report_is_a_link_to_its_rows(desk: Desk, as_user: AsUser) -> None:
    _a_day(desk)
    client = as_user(desk.world.senior)
    page = text_of(client.get("/reminders/report/?since=2026-03-18&until=2026-03-18"))
    url = next(
        url for url in re.findall(r'href="([^"]+)"', page) if "what=confirmed" in url
    ).replace("&amp;", "&")
    rows = text_of(client.get(url))
    assert "2 приёма" in rows
    assert AuditEntry.objects.filter(action="reminders.open_report_rows").count() == 1
    assert client.get(url.replace("what=confirmed", "what=nothing")).status_code == 404
    assert client.get(url.replace("line=2026-03-18", "line=yesterday")).status_code == 404
    assert as_user(desk.world.administrator).get(url).status_code == 403
    assert "Таких приёмов нет" in text_of(as_user(desk.world.senior_b).get(url))


def test_the_report_is_for_the_senior_and_the_manager(desk: Desk, as_user: AsUser) -> None:
    assert as_user(desk.world.manager).get("/reminders/report/").status_code == 200
    assert as_user(desk.world.administrator).get("/reminders/report/").status_code == 403


def test_my_day_counts_both_lists(desk: Desk) -> None:
    from reminders.panels import day_cards

    desk.visit("65", hours=22)
    desk.visit("50", hours=23)
    desk.open()
    desk.settle()
    (evening,) = day_cards(desk.world.administrator, desk.now)
    assert (evening.count, evening.tone) == (2, "warn")
    morning = day_cards(desk.world.administrator, desk.world.local(dt.date(2026, 3, 19), 8))
    assert [card.count for card in morning] == [2]
    assert Reminder.objects.count() == 2
