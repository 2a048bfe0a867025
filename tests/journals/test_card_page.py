"""The card on the screen: the form, who may call, what a late or a second save answers, what the
senior does on it.
"""

import datetime as dt
import re
import uuid

import pytest
from django.urls import reverse

from journals.actions.cards import open_card
from journals.models import RecallCall, RecallEntry, RecallPolicy
from journals.outcome_rules import CallOutcome, Stage
from tests.journals.conftest import Recall
from tests.journals.pages import JOURNAL, Login, form, queries_of, url

pytestmark = pytest.mark.usefixtures("at_noon")


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
            recall.call(recall.entry(), CallOutcome.REMIND)

    grow(1)
    few = queries_of(client, url("card", entry))
    grow(9)
    assert queries_of(client, url("card", entry)) == few


def test_an_administrator_works_her_plan_and_is_led_to_the_next(
    recall: Recall, as_user: Login
) -> None:
    world = recall.world
    first, second = recall.entry(), recall.entry()
    recall.plan(world.administrator, 2)
    client = as_user(world.administrator)
    page = client.get(url("card", first)).content.decode()
    assert "Проверить коронку" in page
    first.refresh_from_db()
    assert first.reserved_by == world.administrator
    answer = client.post(
        url("card", first),
        form(recall, page, f"unreached:{recall.no_answer.pk}", go="next"),
        follow=False,
    )
    assert answer.status_code == 302
    assert answer["Location"] == url("card", second)
    first.refresh_from_db()
    assert (first.unreached, first.reserved_by_id) == (1, None)
    page = client.get(url("card", second)).content.decode()
    answer = client.post(
        url("card", second), form(recall, page, "refused", reason_refused=recall.dear.pk, go="next")
    )
    assert answer["Location"] == JOURNAL


def test_booking_from_the_forecast_schedule(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    window = recall.world.window()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    assert f'id="w{window.pk}"' in page
    assert (
        client.post(url("card", entry), form(recall, page, "booked", window=window.pk)).status_code
        == 302
    )
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


def test_a_form_that_lacks_something_comes_back_with_what_was_typed(
    recall: Recall, as_user: Login
) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    answer = client.post(
        url("card", entry), form(recall, page, "thinking", comment="перезвонит муж")
    )
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Выберите причину." in text
    assert "перезвонит муж" in text
    assert re.search(r'value="thinking"[^>]* checked', text)
    assert client.post(url("card", entry), form(recall, page, "нечто")).status_code == 422
    assert not RecallCall.objects.exists()


def test_the_last_unreached_call_demands_a_refusal_on_the_card(
    recall: Recall, as_user: Login
) -> None:
    RecallPolicy.objects.create(clinic=recall.world.clinic, calls=1)
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    assert "последний по правилу" in page
    data = form(recall, page, f"unreached:{recall.no_answer.pk}")
    assert client.post(url("card", entry), data).status_code == 422
    assert (
        client.post(
            url("card", entry), data | {"refusal_reason": recall.not_reached.pk}
        ).status_code
        == 302
    )
    entry.refresh_from_db()
    assert entry.stage == Stage.REFUSED


def test_an_unplanned_entry_is_refused_by_url_but_a_caller_may_be_served(
    recall: Recall, as_user: Login
) -> None:
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
        "call_on_remind": recall.today,
    }
    assert client.post(url("card", entry), forged).status_code == 403
    assert not RecallCall.objects.exists()
    page = client.get(url("card", entry) + "?call=in").content.decode()
    assert "Нам звонят" in page
    assert (
        client.post(
            url("card", entry), form(recall, page, "remind", call_on_remind=recall.today, call="in")
        ).status_code
        == 302
    )


def test_a_held_card_answers_409_with_its_state(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    recall.plan(recall.world.administrator)
    open_card(entry, by=recall.world.administrator, now=recall.world.now)
    answer = as_user(recall.world.senior).get(url("card", entry) + "?call=out")
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Карточку держит Орлова О. П., освободится не позже 12:10" in page
    assert "Забрать себе" in page
    assert "call-form" not in page
    listed = as_user(recall.world.senior).get(f"{JOURNAL}?tab=call").content.decode()
    assert "Орлова О. П. до 12:10" in listed


def test_the_senior_looks_on_without_taking_the_card_and_may_take_it_over(
    recall: Recall, as_user: Login
) -> None:
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
    assert (
        as_user(recall.world.administrator).post(url("hold", entry), {"key": "x"}).status_code
        == 409
    )


def test_a_late_save_shows_the_present_state_and_keeps_the_words(
    recall: Recall, as_user: Login
) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    recall.call(entry, CallOutcome.REFUSED)
    answer = client.post(
        url("card", entry), form(recall, page, "remind", call_on_remind=recall.today)
    )
    assert answer.status_code == 409
    assert "«Отказ»" in answer.content.decode()
    assert RecallCall.objects.count() == 1


def test_a_taken_window_answers_409_with_what_is_left(recall: Recall, as_user: Login) -> None:
    entry, window, other = recall.entry(), recall.world.window(), recall.world.window()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    recall.call(recall.entry(), CallOutcome.BOOKED, window=window)
    answer = client.post(
        url("card", entry), form(recall, page, "booked", window=window.pk, comment="ждёт")
    )
    assert answer.status_code == 409
    text = answer.content.decode()
    assert f'id="w{window.pk}"' not in text
    assert f'id="w{other.pk}"' in text
    assert "ждёт" in text


def test_a_double_submit_is_one_call(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    data = form(
        recall,
        client.get(url("card", entry)).content.decode(),
        "remind",
        call_on_remind=recall.today,
    )
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


def test_a_person_says_which_visit_it_was(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    visit = recall.world.visit(entry.patient)
    recall.world.visit(entry.patient, visit.starts_at + dt.timedelta(days=1))
    from journals.actions.auto_close import close_found

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
    recall.call(entry, CallOutcome.UNREACHED, refusal_reason=recall.not_reached)
    recall.call(flagged, CallOutcome.REMIND)
    client = as_user(recall.world.senior)
    assert "Разрешить ещё звонок" in client.get(url("card", entry)).content.decode()
    assert client.post(url("grant", entry)).status_code == 302
    assert client.post(url("unflag", flagged)).status_code == 302
    entry.refresh_from_db()
    flagged.refresh_from_db()
    assert (entry.stage, flagged.flagged) == (Stage.CALL, False)


def test_a_day_is_chosen_by_a_button_or_typed_beside_it(recall: Recall, as_user: Login) -> None:
    client = as_user(recall.world.senior)
    tomorrow, later = recall.today + dt.timedelta(days=1), recall.today + dt.timedelta(days=20)
    for fields, expected in (
        ({"call_on_remind": tomorrow}, tomorrow),
        ({"call_on_remind": "", "call_on_remind_other": later}, later),
    ):
        entry = recall.entry(recall.world.patient())
        page = client.get(url("card", entry)).content.decode()
        assert f'name="call_on_remind" id="call_on_remind-1" value="{tomorrow}"' in page
        assert (
            client.post(url("card", entry), form(recall, page, "remind", **fields)).status_code
            == 302
        )
        entry.refresh_from_db()
        assert entry.call_on == expected
    entry = recall.entry(recall.world.patient())
    page = client.get(url("card", entry)).content.decode()
    answer = client.post(
        url("card", entry), form(recall, page, "remind", call_on_remind="", call_on_remind_other="")
    )
    assert answer.status_code == 422
    assert "Когда напомнить? Выберите дату." in answer.content.decode()


def test_the_card_shows_no_control_that_would_answer_no(recall: Recall, as_user: Login) -> None:
    world = recall.world
    number = "+79000004444"
    patient = world.patient("Здешняя", phones=[number])
    elsewhere = world.patient("Чужой", "Родственник", phones=[number], clinics=[world.clinic_b])
    world.doctor.clinics.add(world.clinic_b)
    visit = world.visit(patient, clinic=world.clinic_b)
    page = as_user(world.manager).get(url("card", recall.entry(patient))).content.decode()
    assert reverse("journals:edit", args=[RecallEntry.objects.get().pk]) not in page
    assert elsewhere.full_name not in page
    assert reverse("clinics:visit", args=[visit.pk]) not in page
    assert str(world.clinic_b) in page


def test_an_edit_that_came_too_late_shows_the_date_as_it_is_by_now(
    recall: Recall, as_user: Login
) -> None:
    entry = recall.entry()
    client = as_user(recall.world.doctor_user)
    page = client.get(url("edit", entry)).content.decode()
    data = {"doctor_comment": "Снять мерки", "call_on": "2026-03-18", "version": re.search(r'name="version" value="(\d+)"', page)[1]}  # type: ignore[index]  # fmt: skip
    recall.call(entry, CallOutcome.UNREACHED)
    late = client.post(url("edit", entry), data)
    words = late.content.decode()
    assert late.status_code == 409
    assert "дата прозвона теперь 25.03.2026" in words
    assert "Снять мерки" in words
    again = re.search(r'name="version" value="(\d+)"', words)
    assert again
    data |= {"version": again[1], "call_on": re.search(r'name="call_on" value="([^"]*)"', words)[1]}  # type: ignore[index]
    assert client.post(url("edit", entry), data).status_code == 302
    entry.refresh_from_db()
    assert (entry.doctor_comment, f"{entry.call_on:%d.%m}") == ("Снять мерки", "25.03")


def test_a_new_entrys_date_is_the_clinics_own_today(recall: Recall, as_user: Login) -> None:
    world = recall.world
    world.now = world.now.replace(
        hour=22, minute=30
    )  # half past eight of the next day in Vladivostok
    patient = world.patient("Восточная", clinics=[world.clinic_b])
    page = as_user(world.senior_b).get(f"/journals/new/?patient={patient.pk}").content.decode()
    assert 'name="call_on" value="2026-03-19"' in page
