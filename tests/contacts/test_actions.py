"""Merging, results that find their contact, requests, comments, recordings, channels: on a real
database.
"""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from callcenter.audit.models import AuditEntry
from callcenter.clinics.actions import book_appointment, cancel_appointment, set_status
from callcenter.clinics.models import PatientPhone
from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts import actions
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
)
from callcenter.contacts.models import (
    AdChannel,
    ChannelRecount,
    ChannelRule,
    Contact,
    ContactPolicy,
    ContactResult,
    DirectoryNumber,
    Interaction,
)
from callcenter.contacts.rules import decide
from callcenter.contacts.states import (
    CallerType,
    ContactOutcome,
    ContactType,
    Direction,
    InteractionKind,
    InteractionState,
    JobState,
    ResultKind,
    RuleKind,
)
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.range_responses import part_of
from tests.conftest import World
from tests.contacts.interactions import interaction_input

pytestmark = pytest.mark.django_db
IN, OUT = Direction.IN, Direction.OUT


def write(
    world: World,
    minute: float = 0,
    kind: InteractionKind = InteractionKind.CALL,
    state: InteractionState = InteractionState.ANSWERED,
    **more: Any,
) -> Interaction:
    at = world.now + dt.timedelta(minutes=minute)
    more.setdefault("source_id", f"m{minute}{kind}{more.get('number', '')}")
    by, now = more.pop("by", None), more.pop("now", at)
    values: dict[str, Any] = dict(clinic=world.clinic, source="test") | more
    facts = interaction_input(kind=kind, state=state, at=at, **values)
    return actions.record_interaction(facts, by=by, now=now)


def tick(world: World, minute: float = 60) -> None:
    now = world.now + dt.timedelta(minutes=minute)
    back = now - dt.timedelta(hours=3)
    actions.collect_results(since=back)
    actions.link_known_numbers(since=now.date() - dt.timedelta(days=2))
    actions.mark_changed_contacts(since=back, now=now)
    actions.recompute_due_contacts(now=now)


def test_a_number_tied_to_a_patient_later_merges_the_day(world: World) -> None:
    patient = world.patient(phones=["+79000004001"])
    write(world, 0, number="+79000004001")
    write(world, 5, number="+79000004002")
    assert Contact.objects.count() == 2
    PatientPhone.objects.create(patient=patient, number="+79000004002")
    tick(world)
    assert Contact.objects.get().interaction_count == 2
    assert Contact.objects.get().patient == patient


def test_a_family_number_asks_whom_and_is_answered_once(world: World) -> None:
    mother, son = (
        world.patient("Ли", phones=["+79000004003"]),
        world.patient("Ли", "Пётр", phones=["+79000004003"]),
    )
    write(world, 0, number="+79000004003")
    asked = Contact.objects.get()
    assert (asked.patient, asked.is_ambiguous) == (None, True)
    tick(world)
    assert Contact.objects.get().is_ambiguous, "the ticker must not choose for the family"
    named = actions.assign_patient(asked, patient=son, by=world.administrator, now=world.now)
    assert (named.patient, named.is_ambiguous) == (son, False)
    assert not Contact.objects.filter(patient=mother).exists()
    with pytest.raises(Conflict):
        actions.assign_patient(asked, patient=mother, by=world.administrator, now=world.now)


def test_midnight_of_the_clinic_parts_contacts(world: World) -> None:
    """«Одним днем считается отрезок времени от 00:00 до 23:59» — of the clinic's own zone."""
    evening = world.local(dt.date(2026, 3, 18), 23, 59)
    for clinic, count in ((world.clinic, 2), (world.clinic_b, 1)):
        for step, at in enumerate((evening, evening + dt.timedelta(minutes=1))):
            actions.record_interaction(
                InteractionInput(
                    clinic=clinic,
                    kind=InteractionKind.CALL,
                    state=InteractionState.ANSWERED,
                    phases=Phases(at),
                    participants=Participants(number="+79000004004"),
                    source=InteractionSource(name=clinic.name, id=str(step)),
                ),
                by=None,
                now=at,
            )
        assert Contact.objects.filter(clinic=clinic).count() == count


def test_a_booking_of_the_same_employee_and_day_belongs_to_the_contact(world: World) -> None:
    patient = world.patient()
    call = write(world, 0, patient=patient, employee=world.administrator)
    visit = book_appointment(
        patient=patient,
        window=world.window(),
        by=world.administrator,
        now=world.now + dt.timedelta(minutes=40),
    )
    tick(world)
    result = ContactResult.objects.get()
    assert (result.contact, result.interaction, result.appointment) == (call.contact, call, visit)
    contact = Contact.objects.get()
    assert (contact.outcome, contact.caller_type, contact.owner) == (
        ContactOutcome.BOOKED,
        CallerType.WANTS_BOOKING,
        world.administrator,
    )
    tick(world)
    assert ContactResult.objects.count() == 1


def test_the_outcome_follows_the_visit(world: World) -> None:
    """«When a visit's state changes later, the outcome follows»: at the next tick of the timer."""
    patient = world.patient()
    call = write(world, 0, patient=patient, employee=world.administrator)
    visit = book_appointment(
        patient=patient, window=world.window(), by=world.administrator, now=world.now
    )
    actions.attach_result(
        call.contact,
        kind=ResultKind.BOOKED,
        at=world.now,
        by=world.administrator,
        subject=visit,
    )
    assert Contact.objects.get().outcome == ContactOutcome.BOOKED
    set_status(visit, status=AppointmentStatus.COMPLETED, money=4200, by=None, now=visit.starts_at)  # type: ignore[arg-type]
    tick(world)
    contact = Contact.objects.get()
    assert contact.outcome == ContactOutcome.CAME
    assert contact.money == 4200


def test_a_booking_attached_by_the_card_and_found_by_the_timer_is_one_result(world: World) -> None:
    patient = world.patient()
    call = write(world, 0, patient=patient, employee=world.administrator)
    visit = book_appointment(
        patient=patient, window=world.window(), by=world.administrator, now=world.now
    )
    tick(world)
    actions.attach_result(
        call.contact,
        kind=ResultKind.BOOKED,
        at=world.now,
        by=world.administrator,
        subject=visit,
        interaction=call,
    )
    tick(world)
    assert ContactResult.objects.count() == 1
    cancel_appointment(
        visit, reason="заболел", by=world.administrator, now=world.now + dt.timedelta(minutes=9)
    )
    tick(world)
    assert sorted(ContactResult.objects.values_list("kind", flat=True)) == ["booked", "cancelled"]
    assert Contact.objects.get().outcome == ContactOutcome.CANCELLED


def _booked_in_a_call(world: World, number: str) -> dict[str, Any]:
    """A call of ours to a patient who books; how his contact was decided."""
    patient = world.patient(phones=[number])
    call = write(
        world, 0, patient=patient, number=number, employee=world.administrator, direction=OUT
    )
    window = world.window(starts_at=world.now + dt.timedelta(days=int(number[-1])))
    visit = book_appointment(patient=patient, window=window, by=world.administrator, now=world.now)
    actions.attach_result(
        call.contact,
        kind=ResultKind.BOOKED,
        at=world.now,
        by=world.administrator,
        subject=visit,
        interaction=call,
    )
    names = (
        "outcome",
        "caller_type",
        "owner",
        "direction",
        "contact_type",
        "interaction_count",
        "results_count",
        "money",
        "due_at",
    )
    return {"patient": patient, **{name: name for name in names}}


def _decided(row: dict[str, Any]) -> dict[str, Any]:
    contact = Contact.objects.get(patient=row["patient"])
    said = Interaction.objects.get(contact=contact)
    return {name: getattr(contact, name) for name in row if name != "patient"} | {
        "main": contact.main_result is not None,
        "said": (said.contact_type, said.caller_type, said.shown_employee_id),
    }


def test_decided_once_at_the_end_is_decided_the_same(world: World) -> None:
    step_by_step = _booked_in_a_call(world, "+79000004021")
    with transaction.atomic(), actions.defer_recompute():
        at_the_end = _booked_in_a_call(world, "+79000004022")
        assert (
            Contact.objects.get(patient=at_the_end["patient"]).outcome == ContactOutcome.NOT_BOOKED
        )
    assert _decided(at_the_end) == _decided(step_by_step)


def test_what_fails_before_the_end_is_not_decided(world: World) -> None:
    patient = world.patient(phones=["+79000004023"])
    booking = Conflict("Это время только что заняли.")

    @transaction.atomic
    def call_and_book() -> None:
        with actions.defer_recompute():
            write(world, 0, patient=patient)
            raise booking

    with pytest.raises(Conflict):
        call_and_book()
    assert not Contact.objects.exists()
    write(world, 1, patient=patient)
    assert Contact.objects.get().interaction_count == 1  # nothing is put off any more


def test_what_fits_nowhere_waits_to_be_linked_and_the_figures_follow(world: World) -> None:
    patient = world.patient(phones=["+79000004010"])
    call = write(world, 0, number="+79000004011", employee=world.administrator2)
    book_appointment(patient=patient, window=world.window(), by=world.administrator, now=world.now)
    tick(world)
    loose = ContactResult.objects.get()
    assert loose.contact is None
    actions.link_result(loose, interaction=call, by=world.administrator, now=world.now)
    contact = Contact.objects.get()
    assert (contact.patient, contact.outcome) == (patient, ContactOutcome.BOOKED)
    assert AuditEntry.objects.filter(action="contacts.link_result", by=world.administrator).exists()
    with pytest.raises(Conflict):
        actions.link_result(loose, interaction=call, by=world.administrator, now=world.now)
    loose.refresh_from_db()
    actions.unlink_result(loose, by=world.administrator, now=world.now)
    assert Contact.objects.get().outcome == ContactOutcome.NOT_BOOKED
    tick(world)
    assert ContactResult.objects.get().contact is None, (
        "the timer must not undo what a person undid"
    )


def test_a_deed_waits_for_a_call_that_arrives_later(world: World) -> None:
    patient = world.patient()
    book_appointment(patient=patient, window=world.window(), by=world.administrator, now=world.now)
    tick(world)
    assert ContactResult.objects.get().contact is None
    call = write(world, -3, patient=patient, employee=world.administrator)
    assert ContactResult.objects.get().interaction == call
    assert Contact.objects.get().outcome == ContactOutcome.BOOKED


def test_a_call_from_a_list_takes_only_what_happens_within_fifteen_minutes(world: World) -> None:
    patient = world.patient()
    write(
        world,
        0,
        patient=patient,
        employee=world.administrator,
        direction=OUT,
        caller_type=CallerType.WAITING_LIST,
    )
    book_appointment(
        patient=patient,
        window=world.window(),
        by=world.administrator,
        now=world.now + dt.timedelta(minutes=16),
    )
    tick(world)
    assert ContactResult.objects.get().contact is None
    ContactPolicy.objects.create(clinic=world.clinic, result_minutes=30)
    write(world, 20, kind=InteractionKind.CHAT, state=InteractionState.CLOSED, patient=patient)
    assert Contact.objects.get().outcome == ContactOutcome.BOOKED, (
        "the window is a setting of the clinic"
    )


def test_our_answered_call_handles_the_request_in_either_order(world: World) -> None:
    write(world, 0, InteractionKind.REQUEST, InteractionState.NEW, number="+79000004020")
    assert Contact.objects.get().outcome == ContactOutcome.REQUESTS
    write(world, 5, number="+79000004020", direction=OUT, state=InteractionState.FAILED)
    assert Contact.objects.get().outcome == ContactOutcome.REQUESTS, "a failed call answers nothing"
    write(world, 24 * 60, number="+79000004020", direction=OUT)
    assert Interaction.objects.get(kind=InteractionKind.REQUEST).state == InteractionState.PROCESSED
    assert not Contact.objects.filter(outcome=ContactOutcome.REQUESTS).exists()
    write(world, 30, number="+79000004021", direction=OUT)
    late = write(world, 25, InteractionKind.REQUEST, InteractionState.NEW, number="+79000004021")
    assert late.state == InteractionState.PROCESSED


def test_a_call_is_bound_to_a_request_by_hand(world: World) -> None:
    """«выбрать „Изменить комментарий“ и отметить галочкой, к какой заявке нужно привязать звонок»."""
    request = write(world, 0, InteractionKind.REQUEST, InteractionState.NEW, number="+79000004022")
    call = write(world, 30, number="+79000004023")
    actions.handle_request(request, call=call, by=world.administrator, now=world.now)
    actions.handle_request(request, call=call, by=world.administrator, now=world.now)
    request.refresh_from_db()
    assert (request.state, request.handled_by) == (InteractionState.PROCESSED, call)
    assert AuditEntry.objects.filter(action="contacts.handle_request").count() == 1
    with pytest.raises(Refused):
        actions.handle_request(call, call=call, by=world.administrator, now=world.now)


def test_a_missed_call_knows_who_came_back_first(world: World) -> None:
    missed = write(world, 0, state=InteractionState.MISSED, number="+79000004024")
    write(world, 90, number="+79000004024")
    write(world, 15, number="+79000004024", direction=OUT)
    missed.refresh_from_db()
    assert (missed.returned_at, missed.returned_by) == (world.now + dt.timedelta(minutes=15), OUT)
    earlier = write(world, -30, state=InteractionState.MISSED, number="+79000004024")
    assert earlier.returned_at == missed.returned_at


def test_only_its_author_or_the_senior_deletes_a_comment_that_stands_alone(world: World) -> None:
    """«Комментарий, не привязавшийся к звонку, можно удалить»."""
    alone = write(
        world,
        0,
        InteractionKind.COMMENT,
        InteractionState.FINISHED,
        by=world.administrator,
        comment="личный номер",
        source="hand",
        source_id="",
    )
    with pytest.raises(NotAllowed):
        actions.delete_comment(alone, by=world.administrator2, now=world.now)
    actions.delete_comment(alone, by=world.senior, now=world.now)
    assert not Contact.objects.exists(), "a contact without interactions is none"
    write(world, 10, number="+79000004025")
    bound = write(
        world,
        11,
        InteractionKind.COMMENT,
        InteractionState.FINISHED,
        number="+79000004025",
        by=world.administrator,
        comment="цена",
        source="hand",
        source_id="",
    )
    with pytest.raises(Refused):
        actions.delete_comment(bound, by=world.administrator, now=world.now)
    assert Contact.objects.get().contact_type == ContactType.CALL_IN_NOTED


def test_a_number_of_the_directory_is_a_colleague_or_a_supplier(world: World) -> None:
    DirectoryNumber.objects.create(
        number="+79000004026", name="Курьер", caller_type=CallerType.OTHER
    )
    write(world, 0, number="+79000004026")
    assert Contact.objects.get().caller_type == CallerType.OTHER


def test_changed_rules_recompute_only_on_request_and_go_on_after_a_killed_worker(
    world: World,
) -> None:
    call = write(world, 0, number="+79000004027", utm={"utm_source": "yandex"})
    channel = AdChannel.objects.create(name="Яндекс")
    ChannelRule.objects.create(channel=channel, kind=RuleKind.UTM, pattern="utm_source=yandex")
    tick(world)
    assert Interaction.objects.get().channel is None
    day = world.now.date()
    order = actions.order_recount(
        clinic=world.clinic, since=day, until=day, by=world.senior, now=world.now
    )
    ChannelRecount.objects.filter(pk=order.pk).update(claimed_at=world.now, state=JobState.RUNNING)
    assert actions.recount_due_channels(now=world.now) == 0, "another worker holds it"
    assert actions.recount_due_channels(now=world.now + dt.timedelta(minutes=6)) == 1
    order.refresh_from_db()
    assert (order.state, order.done, order.changed) == (JobState.DONE, 1, 1)
    call.refresh_from_db()
    assert call.channel == channel == Contact.objects.get().channel
    with pytest.raises(Refused):
        actions.order_recount(
            clinic=world.clinic,
            since=day,
            until=day - dt.timedelta(days=1),
            by=world.senior,
            now=world.now,
        )


def test_one_contact_that_fails_keeps_its_error_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = write(world, 0, number="+79000004028"), write(world, 1, number="+79000004029")
    Contact.objects.update(due_at=world.now)

    def fails(facts: Any) -> Any:
        if facts.said[0].number == "+79000004028":
            raise ValueError("сломано")
        return decide(facts)

    monkeypatch.setattr("callcenter.contacts.actions.recompute.decide", fails)
    assert actions.recompute_due_contacts(now=world.now) == 2
    broken = Contact.objects.get(pk=first.contact_id)
    assert "сломано" in broken.last_error
    assert broken.due_at == world.now + dt.timedelta(minutes=5)
    assert Contact.objects.get(pk=second.contact_id).due_at is None


@pytest.mark.parametrize(
    ("header", "size", "part"),
    [
        ("bytes=0-99", 1000, (0, 99)),
        ("bytes=100-", 1000, (100, 999)),
        ("bytes=-100", 1000, (900, 999)),
        ("bytes=990-2000", 1000, (990, 999)),
        ("bytes=-2000", 1000, (0, 999)),
        ("bytes=1000-", 1000, None),
    ],
)
def test_the_part_a_browser_asks_for(header: str, size: int, part: tuple[int, int] | None) -> None:
    assert part_of(header, size) == part


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=", "bytes=-", "items=0-1", "bytes=0-1,5-6"])
def test_other_forms_of_range_are_none(header: str) -> None:
    with pytest.raises(ValueError, match=r"bytes|items"):
        part_of(header, 1000)


def test_a_recording_is_served_in_parts_and_listening_is_written_down(
    world: World, as_user: Any
) -> None:
    call = write(world, 0, number="+79000004030")
    sound = bytes(range(256)) * 8
    recording = actions.store_recording(
        call, content=sound, seconds=1.5, now=world.now, source_id="r"
    )
    assert (
        actions.store_recording(call, content=b"", seconds=0, now=world.now, source_id="r")
        == recording
    )
    client: Client = as_user(world.manager)
    url = f"/contacts/recording/{recording.pk}/"
    whole = client.get(url)
    assert (whole.status_code, b"".join(whole.streaming_content), whole["Accept-Ranges"]) == (  # type: ignore[attr-defined]
        200,
        sound,
        "bytes",
    )
    part = client.get(url, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 100-199/{len(sound)}")
    assert b"".join(part.streaming_content) == sound[100:200]  # type: ignore[attr-defined]
    assert client.get(url, headers={"Range": f"bytes={len(sound)}-"}).status_code == 416
    assert AuditEntry.objects.filter(action="contacts.listen", by=world.manager).count() == 1


def test_nobody_names_a_contact_after_a_patient_he_may_not_see(world: World, as_user: Any) -> None:
    write(world, 0, number="+79000004040")
    stranger = world.patient("Чужая", clinics=[world.clinic_b])
    url = f"/contacts/{Contact.objects.get().pk}/whose/"
    assert as_user(world.administrator).post(url, {"patient": stranger.pk}).status_code == 404
    own = world.patient("Своя")
    assert as_user(world.administrator).post(url, {"patient": own.pk}).status_code == 302
    assert Contact.objects.get().patient == own
