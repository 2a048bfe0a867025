"""The instruction «Обратный звонок» from end to end: real rows, the real robot, simulated
people.
"""

import datetime as dt
from typing import Any

import pytest

from callback import actions
from callback.models import CallbackAttempt, CallbackRequest
from callback.state_machine import RequestState
from callcenter.clinics.actions import book_appointment, set_do_not_call
from callcenter.clinics.models import Doctor, Specialty
from callcenter.contacts.actions import InteractionInput, Participants, Phases, record_interaction
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import InteractionKind
from callcenter.contacts.states import InteractionState as ContactState
from callcenter.lib.errors import Conflict, Refused
from callcenter.messaging.models import Message
from callcenter.telephony.models import Leg, PbxCommand
from callcenter.telephony.pbx.simulator import PhonePersona
from callcenter.telephony.states import CommandType, HangupReason, LegRole
from tests.callback.rig import Rig

pytestmark = pytest.mark.django_db


def said(rig: Rig) -> list[str]:
    return [
        phrase
        for command in PbxCommand.objects.filter(verb=CommandType.PLAY)
        for phrase in command.args["phrases"]
    ]


def test_a_key_the_reading_the_patient_a_talk_and_the_request_is_done(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask(source=rig.source(), service_words="первичный приём")
    rig.run_until(RequestState.DONE, request=request, seconds=120)
    assert said(rig)[1:] == [
        "Заявка на запись с НаПоправку",
        "Пациент — Пётр Семёнов",
        "Запись к врачу — Белов Олег Ильич",
        "Запись на услугу — первичный приём",
        "Соединяю с пациентом",
    ]
    assert request.connected_on == 1
    assert request.holder == rig.world.administrator
    call = Interaction.objects.get(kind=InteractionKind.CALL)
    assert (call.state, call.talk_seconds) == (ContactState.ANSWERED, 25)
    assert call.wait_seconds == 6
    assert Interaction.objects.get(kind=InteractionKind.REQUEST).state == ContactState.PROCESSED
    assert not Leg.objects.exclude(state="ended").exists()


@pytest.mark.parametrize("relatives", [0, 1])
def test_of_a_family_the_name_is_read_though_it_is_matched_and_of_a_lonely_patient_it_is_not(
    rig: Rig, relatives: int
) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    number = "+79000007700"
    rig.world.patient("Семёнов", "Пётр", phones=[number])
    for _ in range(relatives):
        rig.world.patient("Семёнова", "Анна", phones=[number])
    request = rig.ask(name="Пётр Семёнов", phone=number)
    assert request.patient is not None
    rig.run_until(RequestState.DONE, request=request, seconds=120)
    assert ("Пациент — Пётр Семёнов" in said(rig)) is bool(relatives)


def test_administrators_are_rung_one_after_another_then_the_clinics_number(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_busy")
    rig.bind(rig.world.administrator2, "admin_noanswer")
    request = rig.ask()
    rig.run(60)
    legs = list(Leg.objects.filter(role=LegRole.EMPLOYEE).order_by("pk"))
    assert [leg.user for leg in legs[:2]] == [rig.world.administrator, rig.world.administrator2]
    assert [leg.end for leg in legs[:2]] == [HangupReason.BUSY, HangupReason.NO_ANSWER]
    assert legs[2].number == rig.world.clinic.phone
    assert (legs[1].ended_at - legs[1].created_at).total_seconds() == pytest.approx(25, abs=1)  # type: ignore[operator]
    assert request.attempts.count() == 1


def test_no_key_is_not_ready_and_the_next_attempt_comes_five_minutes_after_the_end(
    rig: Rig,
) -> None:
    rig.bind(rig.world.administrator, "admin_mute")
    request = rig.ask()
    rig.run(120)
    first = request.attempts.get()
    request.refresh_from_db()
    assert (first.result, request.state) == ("no_key", RequestState.WAITING)
    assert first.ended_at is not None
    rig.run(400)
    second = request.attempts.get(number=2)
    assert (second.started_at - first.ended_at).total_seconds() == pytest.approx(300, abs=1)


def test_after_the_first_failure_people_get_the_details_once(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_mute")
    request = rig.ask()
    rig.run(1000)
    assert request.attempts.count() >= 3
    assert sum("подробности" in line.text for line in request.lines.all()) == 1


def test_a_patient_who_never_answers_is_dialled_four_times_gets_an_sms_and_a_letter_at_the_end(
    rig: Rig,
) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask("6")
    rig.run(3 * 3600)
    request.refresh_from_db()
    assert request.state == RequestState.ESCALATED
    assert request.dials == 4
    assert Leg.objects.filter(role=LegRole.PATIENT).count() == 4
    assert request.sms_at is not None
    assert request.first_try_at is not None
    assert request.letter_at is not None
    assert (request.letter_at - request.first_try_at).total_seconds() == pytest.approx(9000, abs=6)
    assert "Пациент не ответил. Робот попробует позже." in said(rig)


def test_as_the_document_has_it_the_robot_goes_on_after_the_sms_when_the_clinic_says_so(
    rig: Rig,
) -> None:
    rig.change_settings(is_dialling_after_sms=True)
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask("6")
    rig.run(3 * 3600)
    assert Leg.objects.filter(role=LegRole.PATIENT).count() > 10
    assert sum("СМС" in line.text for line in request.lines.all()) == 1


@pytest.mark.parametrize(("digit", "why"), [("9", "short talk"), ("8", "an answering machine")])
def test_voicemail_and_a_talk_of_ten_seconds_or_less_do_not_close_the_request(
    rig: Rig, digit: str, why: str
) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask(digit)
    rig.run(90)
    request.refresh_from_db()
    assert request.state == RequestState.WAITING
    assert request.attempts.get().result == "talked_short"


@pytest.mark.parametrize("digit", ["9", "8"])
def test_a_patient_whose_voicemail_took_every_dial_gets_the_sms_too(rig: Rig, digit: str) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask(digit)
    rig.run(3 * 3600)
    request.refresh_from_db()
    assert (request.dials, request.state) == (4, RequestState.ESCALATED)
    assert request.sms_at is not None
    assert sum("СМС" in line.text for line in request.lines.all()) == 1


def test_after_the_last_dial_the_administrator_hears_of_the_sms_and_not_of_another_try(
    rig: Rig,
) -> None:
    rig.change_settings(patient_tries=1)
    rig.bind(rig.world.administrator, "admin_thorough")
    rig.ask("6")
    rig.run(300)
    assert said(rig)[-1] == "Пациент не ответил. Мы пошлём ему СМС с номером клиники."


def test_the_robot_does_not_take_back_what_it_may_not_dial_any_more(rig: Rig) -> None:
    rig.change_settings(patient_tries=1)
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask("6")
    rig.run_until(RequestState.ESCALATED, request=request, seconds=3 * 3600)
    later = rig.now + dt.timedelta(hours=1)
    with pytest.raises(Refused, match="столько раз, сколько разрешено"):
        actions.resume(request, by=rig.world.administrator, now=rig.now)
    with pytest.raises(Refused, match="столько раз, сколько разрешено"):
        actions.postpone(request, at=later, by=rig.world.administrator, now=rig.now)
    request.refresh_from_db()
    assert request.state == RequestState.ESCALATED


def test_a_request_withdrawn_at_its_source_is_closed_though_people_have_it_already(
    rig: Rig,
) -> None:
    request = rig.ask()
    actions.take_over(request, by=rig.world.administrator, now=rig.now)
    assert actions.withdraw_request(request, now=rig.now).state == RequestState.CLOSED


def test_words_about_a_doctor_we_do_not_know_are_not_answered_by_any_visit(rig: Rig) -> None:
    patient = rig.world.patient("Семёнов", "Пётр", phones=["+79000007700"])
    request = rig.ask(doctor=None, doctor_words="Профессор Незнакомый")
    window = rig.world.window(rig.now + dt.timedelta(days=1))
    book_appointment(
        patient=patient,
        window=window,
        by=rig.world.administrator,
        now=rig.now + dt.timedelta(seconds=1),
    )
    rig.now += dt.timedelta(seconds=2)
    rig.run(60)
    request.refresh_from_db()
    assert request.state == RequestState.WAITING


@pytest.mark.parametrize(
    ("name", "spoken", "sms", "subject", "phrase"),
    [
        (
            "НаПоправку",
            "НаПоправку",
            "с сайта НаПоправку.",
            "Заявка с НаПоправку —",
            "Заявка на запись с НаПоправку",
        ),
        (
            "Сайт",
            "сайта клиники",
            "с сайта клиники.",
            "Заявка с сайта клиники —",
            "Заявка на запись с сайта клиники",
        ),
        ("", "", "по заявке.", "Заявка —", "Заявка на запись"),
    ],
)
def test_the_source_is_named_as_it_is_said_and_one_by_hand_has_none(
    rig: Rig, name: str, spoken: str, sms: str, subject: str, phrase: str
) -> None:
    rig.change_settings(patient_tries=1)
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask("6", source=rig.source(name=name, spoken=spoken) if name else None)
    rig.run_until(RequestState.ESCALATED, request=request, seconds=3 * 3600)
    sent = Message.objects.filter(subject_key=f"callbackrequest:{request.pk}")
    assert sms in sent.get(channel="sms").text
    assert any(subject in message.subject for message in sent.filter(purpose="callback_call_back"))
    assert phrase in said(rig)


def test_a_night_request_waits_for_the_opening_hour_of_the_next_working_day(rig: Rig) -> None:
    rig.now = rig.world.local(dt.date(2026, 3, 21), 22)  # Saturday night; Sunday is closed
    request = rig.ask()
    assert request.due_at == rig.world.local(dt.date(2026, 3, 23), 9)  # opens at 8, calls from 9
    rig.now = request.due_at - dt.timedelta(minutes=1)
    rig.bind(rig.world.administrator, "admin_thorough")
    rig.run_until(RequestState.DONE, request=request, seconds=300)


def test_nothing_is_dialled_after_closing_and_the_rest_of_the_window_runs_next_morning(
    rig: Rig,
) -> None:
    rig.now = rig.world.local(dt.date(2026, 3, 18), 19, 30)
    request = rig.ask()
    rig.run(14 * 3600)  # nobody sits at a telephone; the clinic's number hangs in the air
    closed = rig.world.local(dt.date(2026, 3, 18), 20), rig.world.local(dt.date(2026, 3, 19), 9)
    assert not CallbackAttempt.objects.filter(
        started_at__gte=closed[0], started_at__lt=closed[1]
    ).exists()
    request.refresh_from_db()
    # 30 minutes in the evening, then from the opening at 8:00: 2 h more
    assert request.until == rig.world.local(dt.date(2026, 3, 19), 10)


def test_a_booking_made_since_for_this_doctor_closes_the_request_before_anybody_is_rung(
    rig: Rig,
) -> None:
    rig.bind(rig.world.administrator, "admin_mute")
    patient = rig.world.patient("Семёнов", "Пётр", "", phones=["+79000007700"])
    request = rig.ask()
    rig.run(100)
    book_appointment(
        patient=patient, window=rig.world.window(), by=rig.world.administrator2, now=rig.now
    )
    rig.run(400)
    request.refresh_from_db()
    assert request.state == RequestState.CLOSED
    assert request.is_closed_automatically
    assert "уже записан" in request.outcome
    assert request.attempts.count() == 1


def test_a_booking_found_after_the_key_is_told_and_the_patient_is_left_in_peace(rig: Rig) -> None:
    patient = rig.world.patient("Семёнов", "Пётр", "", phones=["+79000007700"])
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask()
    rig.run_until(RequestState.ASKING, request=request, seconds=30)
    book_appointment(
        patient=patient, window=rig.world.window(), by=rig.world.administrator2, now=rig.now
    )
    rig.run_until(RequestState.CLOSED, request=request, seconds=60)
    rig.run(20)
    assert "Пациент уже записан. Звонить не нужно." in said(rig)
    assert not Leg.objects.filter(role=LegRole.PATIENT).exists()
    assert not Leg.objects.exclude(state="ended").exists()


def test_a_booking_with_another_specialty_does_not_stop_the_robot(rig: Rig) -> None:
    other = Doctor.objects.create(
        full_name="Зубов", specialty=Specialty.objects.create(name="Стоматология")
    )
    patient = rig.world.patient("Семёнов", "Пётр", "", phones=["+79000007700"])
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask()
    book_appointment(patient=patient, window=rig.world.window(doctor=other), by=None, now=rig.now)
    rig.run_until(RequestState.DONE, request=request, seconds=120)


def test_who_asked_not_to_be_called_is_not_called(rig: Rig) -> None:
    patient = rig.world.patient("Семёнов", "Пётр", "", phones=["+79000007700"])
    request = rig.ask()
    set_do_not_call(patient, value=True, reason="просил", by=rig.world.senior, now=rig.now)
    rig.run(5)
    request.refresh_from_db()
    assert request.state == RequestState.CLOSED
    assert not Leg.objects.exists()


def test_a_patient_who_has_called_himself_pauses_the_robot_until_somebody_decides(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_mute")
    request = rig.ask()
    rig.run(100)
    record_interaction(
        InteractionInput(
            clinic=rig.world.clinic,
            kind=InteractionKind.CALL,
            state=ContactState.ANSWERED,
            phases=Phases(
                rig.now, answered_at=rig.now, ended_at=rig.now + dt.timedelta(seconds=60)
            ),
            participants=Participants(number=request.number),
        ),
        by=None,
        now=rig.now,
    )
    rig.run(400)
    request.refresh_from_db()
    assert (request.state, request.pause_reason) == (RequestState.PAUSED, "звонил сам в 12:01")
    attempts = request.attempts.count()
    actions.resume(request, by=rig.world.administrator, now=rig.now)
    rig.run(5)
    assert request.attempts.count() == attempts + 1


def test_a_second_request_of_the_number_within_an_hour_joins_the_first(rig: Rig) -> None:
    first = rig.ask()
    rig.now += dt.timedelta(minutes=20)
    second = rig.ask(comment="очень жду")
    assert (second.state, second.joined_to) == (RequestState.JOINED, first)
    assert any("повторная" in line.text and "очень жду" in line.text for line in first.lines.all())
    rig.now += dt.timedelta(hours=2)
    assert rig.ask().state == RequestState.WAITING


@pytest.mark.parametrize(
    ("digit", "state"),
    [
        ("2", RequestState.CLOSED),
        ("3", RequestState.LATER),
        ("4", RequestState.CLOSED),
        ("1", RequestState.DONE),
    ],
)
def test_the_second_key_counts(rig: Rig, digit: str, state: RequestState) -> None:
    rig.simulator.personas["decided"] = PhonePersona(
        "decided", answers=1.0, digits=((1.0, "1"), (3.5, digit))
    )
    rig.bind(rig.world.administrator, "decided")
    request = rig.ask()
    rig.run_until(state, request=request, seconds=120)
    dialled = Leg.objects.filter(role=LegRole.PATIENT).exists()
    assert dialled == (digit == "1")


def test_a_key_pressed_twice_by_habit_is_no_second_key(rig: Rig) -> None:
    rig.simulator.personas["nervous"] = PhonePersona(
        "nervous", answers=1.0, digits=((1.0, "2"), (1.4, "2"))
    )
    rig.bind(rig.world.administrator, "nervous")
    request = rig.ask()
    rig.run_until(RequestState.DONE, request=request, seconds=120)


def test_a_closing_by_key_can_be_undone_for_fifteen_minutes(rig: Rig) -> None:
    rig.simulator.personas["not_ours"] = PhonePersona(
        "not_ours", answers=1.0, digits=((1.0, "1"), (3.5, "4"))
    )
    rig.bind(rig.world.administrator, "not_ours")
    request = rig.ask()
    rig.run_until(RequestState.CLOSED, request=request, seconds=60)
    rig.now += dt.timedelta(minutes=14)
    actions.undo_closing(request, by=rig.world.administrator, now=rig.now)
    request.refresh_from_db()
    assert request.state == RequestState.WAITING
    rig.run_until(RequestState.CLOSED, request=request, seconds=60)
    rig.now += dt.timedelta(minutes=16)
    with pytest.raises(Conflict):
        actions.undo_closing(request, by=rig.world.administrator, now=rig.now)


def test_a_voice_that_fails_gives_the_request_to_people_before_anybody_is_rung(
    rig: Rig, settings: Any
) -> None:
    settings.SPEECH_ENGINE = "off"
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask()
    rig.run(5)
    request.refresh_from_db()
    assert request.state == RequestState.ESCALATED
    assert request.letter_at is not None
    assert Leg.objects.get().end == HangupReason.FAILED
    assert "выключен" in Leg.objects.get().note


def test_a_person_stops_takes_over_and_marks(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_mute")
    request = rig.ask()
    rig.run(3)
    with pytest.raises(Refused):
        actions.stop_robot(request, reason=" ", by=rig.world.administrator, now=rig.now)
    actions.take_over(request, by=rig.world.administrator2, now=rig.now)
    rig.run(2)
    request.refresh_from_db()
    assert (request.state, request.holder) == (RequestState.PEOPLE, rig.world.administrator2)
    assert not Leg.objects.exclude(state="ended").exists()
    rig.run(1000)
    assert request.attempts.count() == 1
    actions.mark_done(
        request, outcome="записан по телефону", by=rig.world.administrator2, now=rig.now
    )
    with pytest.raises(Conflict):
        actions.take_over(request, by=rig.world.administrator, now=rig.now)


def test_who_took_a_request_and_forgot_it_is_reminded_by_the_letter_and_the_task(rig: Rig) -> None:
    request = rig.ask()
    actions.take_over(request, by=rig.world.administrator, now=rig.now)
    rig.run(3 * 3600)
    request.refresh_from_db()
    assert (request.state, request.letter_at is not None) == (RequestState.ESCALATED, True)


def test_a_free_window_is_held_until_the_talk_and_a_taken_one_is_told(rig: Rig) -> None:
    window = rig.world.window()
    request = rig.ask(window=window)
    window.refresh_from_db()
    assert (window.state, request.window_lost) == ("held", False)
    late = rig.ask("1", window=window, name="Вера")
    assert late.window_lost
    rig.bind(rig.world.administrator, "admin_thorough")
    rig.run_until(RequestState.DONE, request=late, seconds=900)
    assert "Выбранное время занято, предложите другое" in said(rig)
    window.refresh_from_db()
    rig.run_until(RequestState.DONE, request=request, seconds=900)


def test_booking_from_the_card_takes_the_held_window_and_closes_the_request(rig: Rig) -> None:
    patient = rig.world.patient("Семёнов", "Пётр", "", phones=["+79000007700"])
    window = rig.world.window()
    request = rig.ask(window=window)
    visit = actions.book_from_card(
        request, patient=patient, window=window, by=rig.world.administrator, now=rig.now
    )
    request.refresh_from_db()
    assert (request.state, request.is_closed_automatically) == (RequestState.CLOSED, False)
    assert visit.starts_at == window.starts_at


def test_two_requests_ring_one_administrator_one_after_the_other(rig: Rig) -> None:
    rig.world.clinic.phone = ""
    rig.world.clinic.save()
    rig.bind(rig.world.administrator, "admin_thorough")
    first, second = rig.ask("0"), rig.ask("1", name="Вера")
    rig.run(5)
    assert Leg.objects.filter(user=rig.world.administrator).count() == 1
    rig.run_until(RequestState.DONE, request=first, seconds=900)
    rig.run_until(RequestState.DONE, request=second, seconds=900)


def test_the_request_is_idempotent_by_the_sources_own_id(rig: Rig) -> None:
    source = rig.source()
    first = rig.ask(source=source, external_id="42")
    assert rig.ask(source=source, external_id="42", name="Другой") == first
    with pytest.raises(Refused) as bad:
        rig.ask(phone="123", source=source, external_id="43")
    assert bad.value.field == "phone"
    assert CallbackRequest.objects.count() == 1


def test_who_hangs_up_while_the_robot_speaks_is_not_ready_and_the_voice_is_not_to_blame(
    rig: Rig,
) -> None:
    rig.bind(rig.world.administrator, "admin_hangup")
    request = rig.ask()
    rig.run(60)
    request.refresh_from_db()
    assert request.state == RequestState.WAITING
    assert request.attempts.get().result == "admin_gone"
