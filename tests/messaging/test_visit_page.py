"""The patient's page: opening changes nothing, a pressed button answers, and nothing secret stands
on it.
"""

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from callcenter.clinics.actions import cancel_appointment, move_appointment
from callcenter.messaging.models import VisitEvent, VisitLink
from tests.messaging.conftest import Post

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(post: Post, monkeypatch: pytest.MonkeyPatch) -> str:
    cache.clear()
    monkeypatch.setattr("callcenter.messaging.views.public.timezone.now", post.clock)
    post.queue(post.visit())
    return f"/v/{VisitLink.objects.get().token}"


def test_opening_changes_nothing_but_is_noted_once(post: Post, page: str, client: Client) -> None:
    for _ in range(3):
        answer = client.get(page)
        assert answer.status_code == 200
    link = VisitLink.objects.get()
    assert (link.answer, link.opened_at) == ("", post.now)
    assert VisitEvent.objects.count() == 1
    link.appointment.refresh_from_db()
    assert link.appointment.status == "scheduled"


def test_a_link_preview_asks_for_the_head_and_is_not_an_opening(
    post: Post, page: str, client: Client
) -> None:
    assert client.head(page).status_code == 200
    assert VisitLink.objects.get().opened_at is None


def test_the_last_answer_holds_and_each_is_kept(post: Post, page: str, client: Client) -> None:
    for answer in ("confirm", "cancel", "cancel", "move"):
        assert client.post(page, {"answer": answer}).status_code == 302
    link = VisitLink.objects.get()
    assert link.answer == "move"
    assert [event.answer for event in VisitEvent.objects.all()] == ["confirm", "cancel", "move"]


def test_confirming_marks_the_visit_and_cancelling_does_not_cancel_it(
    post: Post, page: str, client: Client
) -> None:
    link = VisitLink.objects.get()
    client.post(page, {"answer": "confirm"})
    link.appointment.refresh_from_db()
    assert link.appointment.status == "confirmed"
    client.post(page, {"answer": "cancel"})
    link.appointment.refresh_from_db()
    assert link.appointment.status == "scheduled"


def test_it_tells_first_name_doctor_and_local_time_but_no_surname_phone_or_specialty(
    post: Post, page: str, client: Client
) -> None:
    text = client.get(page).content.decode()
    patient = VisitLink.objects.get().appointment.patient
    assert "Анна" in text
    assert "Белов Олег Ильич" in text
    assert "12:00" in text  # Moscow, as the clinic's clock shows
    assert patient.last_name not in text
    assert patient.phones.all()[0].number[-7:] not in text
    assert "Терапия" not in text
    assert "noindex" in text


def test_it_is_kept_out_of_search_and_of_caches(page: str, client: Client) -> None:
    answer = client.get(page)
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("token", ["x", "A" * 22, "../../login", "%00"])
def test_a_forged_link_gets_a_plain_page_with_the_clinics_phones(
    post: Post, page: str, client: Client, token: str
) -> None:
    post.world.clinic.phone = "+79000009901"
    post.world.clinic.save(update_fields=["phone"])
    answer = client.get(f"/v/{token}")
    assert answer.status_code == 404
    if token.isalnum():  # the others are no address of ours at all
        assert "+7 (900) 000-99-01" in answer.content.decode()


def test_a_moved_visits_old_link_says_so_and_gives_the_clinics_phone(
    post: Post, page: str, client: Client
) -> None:
    visit = VisitLink.objects.get().appointment
    start = visit.starts_at + dt.timedelta(hours=2)
    move_appointment(
        visit, starts_at=start, ends_at=start + dt.timedelta(minutes=30), by=None, now=post.now
    )
    answer = client.post(page, {"answer": "confirm"})
    assert answer.status_code == 410
    assert "больше не действует" in answer.content.decode()
    assert "+7 (900) 000-99-99" in answer.content.decode()
    assert VisitLink.objects.get().answer == ""


def test_a_cancelled_or_begun_visit_can_not_be_answered(
    post: Post, page: str, client: Client
) -> None:
    visit = VisitLink.objects.get().appointment
    post.now = visit.starts_at
    assert client.get(page).status_code == 410
    post.now = visit.starts_at - dt.timedelta(hours=1)
    cancel_appointment(visit, reason="", by=None, now=post.now)
    assert client.post(page, {"answer": "confirm"}).status_code == 410


def test_an_answer_that_is_none_of_the_three_is_refused(page: str, client: Client) -> None:
    assert client.post(page, {"answer": "delete"}).status_code == 422
    assert client.post(page, {}).status_code == 422


def test_a_script_that_presses_on_and_on_is_stopped(post: Post, page: str, client: Client) -> None:
    codes = [
        client.post(page, {"answer": ("confirm", "move")[step % 2]}).status_code
        for step in range(24)
    ]
    assert codes[:20] == [302] * 20
    assert codes[20] == 409


def test_one_address_opens_only_so_many_pages_a_minute(page: str, client: Client) -> None:
    codes = [client.get("/v/guess").status_code for _ in range(70)]
    assert codes[0] == 404
    assert codes[-1] == 429


def test_behind_our_proxy_each_patient_is_counted_by_his_own_address(
    page: str, client: Client, settings: Any
) -> None:
    settings.PROXIES = 1
    codes = [
        client.get(page, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(70)
    ]
    assert set(codes) == {200}


def test_the_calendar_file_has_clinic_and_time_and_short_lines(
    post: Post, page: str, client: Client
) -> None:
    answer = client.get(f"{page}/visit.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    lines = answer.content.decode().split("\r\n")
    assert max(len(line.encode()) for line in lines) <= 75
    assert "DTSTART:20260319T090000Z" in lines
    assert "Терапия" not in answer.content.decode()


def test_a_form_without_the_csrf_cookie_is_turned_away(page: str) -> None:
    assert Client(enforce_csrf_checks=True).post(page, {"answer": "confirm"}).status_code == 403
