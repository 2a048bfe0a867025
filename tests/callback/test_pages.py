"""The desk's screens: who sees them, what they show, what a press does."""

import datetime as dt
import io
from collections.abc import Callable

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from callback import actions
from callback.models import CallbackRequest, CallbackSettings, RequestSource
from callback.state_machine import RequestEvent, RequestState
from callcenter.staff.models import User
from tests.callback.rig import Rig

Login = Callable[[User], Client]


def test_the_board_shows_each_attempt_as_a_line(rig: Rig, as_user: Login) -> None:
    rig.bind(rig.world.administrator2, "admin_busy")
    rig.now += dt.timedelta(seconds=1)
    rig.bind(rig.world.administrator, "admin_mute")
    rig.ask()
    rig.run(120)
    page = as_user(rig.world.administrator).get(reverse("callback:board")).content.decode()
    assert "Пётр Семёнов" in page
    assert "Зимина З. И.: занято" in page
    assert "клавиша не нажата" in page
    assert 'data-until="' in page


def test_another_clinics_request_is_not_there(rig: Rig, as_user: Login) -> None:
    request = rig.ask()
    client = as_user(rig.world.administrator_b)
    assert "Пётр Семёнов" not in client.get(reverse("callback:board")).content.decode()
    for name in ("card", "act", "patient", "book"):
        url = reverse(f"callback:{name}", args=[request.pk])
        assert (client.get(url) if name == "card" else client.post(url)).status_code == 404


def test_a_doctor_has_no_business_here(rig: Rig, as_user: Login) -> None:
    assert as_user(rig.world.doctor_user).get(reverse("callback:board")).status_code == 403
    assert as_user(rig.world.administrator).get(reverse("callback:settings")).status_code == 403


@pytest.mark.parametrize("many", [3, 30])
def test_the_board_takes_the_same_number_of_queries_for_any_number_of_rows(
    rig: Rig, as_user: Login, django_assert_max_num_queries: DjangoAssertNumQueries, many: int
) -> None:
    rig.bind(rig.world.administrator, "admin_busy")
    for number in range(many):
        rig.ask(phone=f"+7900000{7000 + number}", name=f"Пациент {number}")
    rig.run(2)
    client = as_user(rig.world.administrator)
    with django_assert_max_num_queries(16):
        page = client.get(reverse("callback:board"))
    assert page.content.decode().count('class="request card') == many


def test_stop_needs_a_reason_and_a_late_press_shows_the_present_state(
    rig: Rig, as_user: Login
) -> None:
    request = rig.ask()
    client = as_user(rig.world.administrator)
    url = reverse("callback:act", args=[request.pk])
    assert client.post(url, {"verb": "stop", "reason": ""}).status_code == 422
    assert client.post(url, {"verb": "stop", "reason": "дубль"}).status_code == 302
    late = client.post(url, {"verb": "take"})
    assert late.status_code == 409
    assert "закрыта" in late.content.decode()


def test_later_asks_when_and_the_robot_calls_then(rig: Rig, as_user: Login) -> None:
    request = rig.ask()
    client = as_user(rig.world.administrator)
    answer = client.post(
        reverse("callback:act", args=[request.pk]), {"verb": "postpone", "at": "2100-01-12T15:00"}
    )
    assert answer.status_code == 302
    request.refresh_from_db()
    assert request.due_at is not None
    assert request.due_at.isoformat() == "2100-01-12T12:00:00+00:00"


def test_who_of_the_family_is_asked_and_chosen(rig: Rig, as_user: Login) -> None:
    mother = rig.world.patient("Лунина", "Вера", "", phones=["+79000007701"])
    rig.world.patient("Лунин", "Олег", "", phones=["+79000007701"])
    request = rig.ask("1", name="Надежда")
    client = as_user(rig.world.administrator)
    card = reverse("callback:card", args=[request.pk])
    assert "Кто из семьи?" in client.get(card).content.decode()
    client.post(reverse("callback:patient", args=[request.pk]), {"patient": mother.pk})
    request.refresh_from_db()
    assert request.patient == mother


def test_a_part_of_the_card_comes_alone(rig: Rig, as_user: Login) -> None:
    request = rig.ask()
    page = as_user(rig.world.administrator).get(
        reverse("callback:card", args=[request.pk]), headers={"HX-Request": "true"}
    )
    assert page.content.decode().lstrip().startswith('<div id="request-card"')


def test_a_request_by_hand_names_a_bad_number(rig: Rig, as_user: Login) -> None:
    client = as_user(rig.world.administrator)
    form = {"clinic": rig.world.clinic.pk, "name": "Вера", "phone": "12"}
    answer = client.post(reverse("callback:new"), form)
    assert answer.status_code == 422
    assert "не хватает цифр" in answer.content.decode()
    assert (
        client.post(reverse("callback:new"), {**form, "phone": "8 900 000 77 01"}).status_code
        == 302
    )


def test_the_senior_changes_a_clinics_ways(rig: Rig, as_user: Login) -> None:
    client = as_user(rig.world.senior)
    assert rig.world.clinic.name in client.get(reverse("callback:settings")).content.decode()
    url = reverse("callback:settings_clinic", args=[rig.world.clinic.pk])
    form = {
        field.name: getattr(CallbackSettings(), field.name)
        for field in CallbackSettings._meta.fields
        if field.name not in ("id", "clinic", "records")
    }
    assert client.post(url, {**form, "window_minutes": 3}).status_code == 422
    assert client.post(url, {**form, "redial_minutes": 7}).status_code == 302
    assert CallbackSettings.objects.get().redial_minutes == 7


def test_a_sources_key_is_shown_once(rig: Rig, as_user: Login) -> None:
    client = as_user(rig.world.senior)
    form = {
        "name": "Сайт",
        "code": "site",
        "spoken": "сайта",
        "clinics": [rig.world.clinic.pk],
        "is_active": "on",
    }
    page = client.post(reverse("callback:source_new"), form).content.decode()
    source = RequestSource.objects.get()
    assert "cb_" in page
    assert source.secret in page
    again = client.get(reverse("callback:source", args=[source.pk])).content.decode()
    assert source.secret not in again


def test_the_report_counts_and_its_workbook_opens(rig: Rig, as_user: Login) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    done = rig.ask()
    rig.run_until(RequestState.DONE, request=done, seconds=120)
    stopped = rig.ask("1", name="Вера")
    actions.stop_robot(stopped, reason="дубль", by=rig.world.administrator, now=rig.now)
    client = as_user(rig.world.manager)
    url = reverse("callback:report") + "?since=2026-03-18&until=2026-03-18"
    assert client.get(url).context["report"].total[:4] == ["Всего", 2, 1, 1]
    book = openpyxl.load_workbook(io.BytesIO(client.get(url + "&format=xlsx").content))
    assert book["По часам"]["A2"].value == "12:00"
    assert CallbackRequest.objects.count() == 2


def test_what_to_press_now_stands_above_the_family_on_the_ringing_card(
    rig: Rig, as_user: Login
) -> None:
    for name in ("Вера", "Олег"):
        rig.world.patient("Лунины", name, "", phones=["+79000007701"])
    rig.bind(rig.world.administrator, "admin_mute")
    request = rig.ask("1", name="Надежда")
    rig.run_until(RequestState.ASKING, request=request, seconds=60)
    page = (
        as_user(rig.world.administrator)
        .get(reverse("telephony:phone"), headers={"HX-Request": "true"})
        .content.decode()
    )
    assert 0 < page.index("любая клавиша — готов") < page.index("Лунины Вера")


def test_a_clinic_without_the_second_key_promises_none(rig: Rig, as_user: Login) -> None:
    rig.change_settings(has_second_key=False)
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask("1")
    rig.run_until(RequestState.SPEAKING, request=request, seconds=60)
    page = (
        as_user(rig.world.administrator)
        .get(reverse("telephony:phone"), headers={"HX-Request": "true"})
        .content.decode()
    )
    assert "читаем заявку" in page
    assert "2 уже записан" not in page


def test_a_paused_request_is_closed_or_continued_by_one_press(rig: Rig, as_user: Login) -> None:
    request = rig.ask()
    client = as_user(rig.world.administrator)
    actions.apply(
        request.pk, RequestEvent.PATIENT_CALLED_IN, now=rig.now, reason="звонил сам в 14:05"
    )
    page = client.get(reverse("callback:card", args=[request.pk])).content.decode()
    assert "звонил сам в 14:05 — закрыть заявку или продолжить звонить?" in page
    assert "Продолжить" in page
    form = page[page.index('class="acts"') : page.index("</form>", page.index('class="acts"'))]
    assert 'name="outcome" value="звонил сам в 14:05"' in form
    client.post(
        reverse("callback:act", args=[request.pk]),
        {"verb": "done", "outcome": "звонил сам в 14:05"},
    )
    request.refresh_from_db()
    assert (request.state, request.outcome) == (RequestState.CLOSED, "звонил сам в 14:05")


def test_an_attempt_that_rang_nobody_says_that_every_telephone_was_busy(
    rig: Rig, as_user: Login
) -> None:
    rig.bind(rig.world.administrator, "admin_mute")
    for digit in "012":  # the administrator's, the clinic's own, and none is left
        rig.ask(digit)
    rig.run(2)
    page = as_user(rig.world.administrator).get(reverse("callback:board")).content.decode()
    assert "никто не ответил: все телефоны заняты" in page


def test_whom_to_book_is_never_chosen_by_itself(rig: Rig, as_user: Login) -> None:
    rig.world.window(timezone.now() + dt.timedelta(days=1))  # the page looks at the real clock
    client = as_user(rig.world.administrator)
    stranger = client.get(reverse("callback:card", args=[rig.ask("1").pk])).content.decode()
    assert "заведите пациента" in stranger
    assert 'name="window"' in stranger
    assert all(" disabled" in tag.partition(">")[0] for tag in stranger.split('name="window"')[1:])
    for name in ("Вера", "Олег"):
        rig.world.patient("Лунины", name, "", phones=["+79000007702"])
    family = client.get(
        reverse("callback:card", args=[rig.ask("2", name="Надежда").pk])
    ).content.decode()
    assert '<option value="">Кого записываем?</option>' in family


def test_the_board_shows_the_newest_attempts_and_the_card_all_of_them(
    rig: Rig, as_user: Login
) -> None:
    rig.bind(rig.world.administrator, "admin_busy")
    request = rig.ask()
    rig.run(25 * 60)
    made = request.attempts.count()
    client = as_user(rig.world.administrator)
    board = client.get(reverse("callback:board")).content.decode()
    assert board.count('class="try-no"') == 3 < made
    assert f"ранее {made - 3} попытки" in board or f"ранее {made - 3} попытка" in board
    assert (
        client.get(reverse("callback:card", args=[request.pk]))
        .content.decode()
        .count('class="try-no"')
        == made
    )


@pytest.mark.parametrize("typed", ["Щёголева", "щеголева", "ЩЁГОЛЕВА"])
def test_the_board_finds_a_name_with_either_letter_and_any_case(
    typed: str, rig: Rig, as_user: Login
) -> None:
    rig.ask(name="Анна Щёголева")
    client = as_user(rig.world.administrator)
    page = client.get(reverse("callback:board"), {"q": typed}).content.decode()
    assert "Анна Щёголева" in page


def test_the_board_takes_a_number_no_key_can_have_as_absent(rig: Rig, as_user: Login) -> None:
    request, client = rig.ask(), as_user(rig.world.administrator)
    huge = "9" * 40
    board = client.get(reverse("callback:board"), {"clinic": huge, "source": huge})
    assert board.status_code == 200
    for name, field in (("patient", "patient"), ("book", "window")):
        for value in (huge, "x"):
            url = reverse(f"callback:{name}", args=[request.pk])
            assert client.post(url, {field: value}).status_code == 404
