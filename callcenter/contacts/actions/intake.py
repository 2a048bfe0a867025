"""Interactions coming in: by hand, through the API, from our own telephony and messaging — one way
for all of them.
"""

import datetime as dt
import uuid
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient, PatientPhone
from callcenter.contacts.actions.recompute import recompute_contacts
from callcenter.contacts.attribution import matching_rule
from callcenter.contacts.call_phases import Phases, merge, state_of, talked, waited
from callcenter.contacts.interaction_input import InteractionInput
from callcenter.contacts.locks import lock_words
from callcenter.contacts.models import ChatLine, Contact, ContactResult, Interaction
from callcenter.contacts.queries import channel_rules, marks_of
from callcenter.contacts.rules import ContactOwner, person_of
from callcenter.contacts.states import (
    ORIGIN_OF_WHO,
    STATES_OF,
    CallerType,
    Direction,
    InteractionKind,
    InteractionState,
)
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.localtime import day_bounds, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role

# What is known of an interaction only grows: a state is replaced only by one further on.
_FURTHER: Final[dict[str, int]] = {
    InteractionState.RINGING: 0,
    InteractionState.ACTIVE: 0,
    InteractionState.NEW: 0,
    InteractionState.TALKING: 1,
    InteractionState.MISSED: 2,
    InteractionState.FAILED: 2,
    InteractionState.ANSWERED: 3,
    InteractionState.CLOSED: 3,
    InteractionState.PROCESSED: 3,
    InteractionState.FINISHED: 3,
}
_REQUESTS: Final = (InteractionKind.REQUEST, InteractionKind.REQUEST_DIALOG)


def record_interaction(
    facts: InteractionInput, *, by: User | None, now: dt.datetime
) -> Interaction:
    """Write one interaction and put it into the contact of its person and local day.

    An interaction whose source name and id are known adds to the first row what is newly known,
    never a second row: phases of a call may come in any order. All instants are UTC. Raises Refused
    for a state that the kind does not have. Source: «История обращений», «Если в течение дня
    человек и позвонил, и написал вам, или позвонил несколько раз … все это в каждом случае будет
    считаться одним обращением».
    """
    if facts.state not in STATES_OF[facts.kind]:
        raise Refused(
            f"У записи «{facts.kind.label}» не бывает состояния «{facts.state.label}».",
            field="state",
        )
    source = facts.source
    with transaction.atomic():
        if source.id:
            lock_words("interaction", source.name, source.id)
            known = Interaction.objects.filter(source=source.name, source_id=source.id).first()
            if known is not None:
                return _merge_phases(known, facts)
        interaction = _new_interaction(facts, by=by, now=now)
        # Only people who turn to the clinic come by an advertising channel.
        if facts.direction == Direction.IN:
            rule = matching_rule(marks_of(interaction), channel_rules())
            if rule is not None:
                interaction.channel_id, interaction.channel_rule_id = rule.channel, rule.id
        _attach_to_contact(interaction)
        # The app that brings an interaction from elsewhere writes its own audit entry.
        if source.name == "hand":
            after = audit.values(interaction, "kind", "direction", "at", "comment")
            audit.record("contacts.add_by_hand", interaction, by=by, now=now, after=after)
    return interaction


def _new_interaction(facts: InteractionInput, *, by: User | None, now: dt.datetime) -> Interaction:
    """Return an unsaved interaction with all that its source tells, without contact or channel."""
    people, wrap_up, source, phases = (
        facts.participants,
        facts.wrap_up,
        facts.source,
        facts.phases,
    )
    is_merged_later = facts.kind == InteractionKind.CALL and bool(source.id)
    caller_type = wrap_up.caller_type
    origin = ORIGIN_OF_WHO.get(caller_type) if caller_type else None
    is_unnamed = origin is not None or caller_type in (None, CallerType.UNKNOWN)
    return Interaction(
        clinic=facts.clinic,
        kind=facts.kind,
        state=_state_after(facts.state, phases, facts.direction)
        if is_merged_later
        else facts.state,
        at=phases.started_at,
        answered_at=phases.answered_at,
        ended_at=phases.ended_at,
        direction=facts.direction,
        patient=people.patient,
        is_patient_given=people.patient is not None,
        number=people.number or _main_number(people.patient),
        client=people.client,
        employee=people.employee or by,
        line=people.line,
        account=source.account,
        chat_channel=source.chat_channel,
        wait_seconds=waited(phases),
        talk_seconds=talked(phases),
        summary=wrap_up.summary,
        topic=wrap_up.topic,
        reason=wrap_up.reason,
        comment=wrap_up.comment,
        is_recall=wrap_up.is_recall,
        caller_type_given="" if is_unnamed else str(caller_type),
        origin=origin or "",
        utm=dict(source.utm),
        referrer=source.referrer[:500],
        source=source.name,
        source_id=source.id,
        created_at=now,
        created_by=by,
    )


def _main_number(patient: Patient | None) -> str:
    if patient is None:
        return ""
    numbers = PatientPhone.objects.filter(patient=patient).values_list("number", flat=True)
    return numbers.first() or ""


def _merge_phases(known: Interaction, facts: InteractionInput) -> Interaction:
    """Add to a known interaction what its source newly tells; nothing known is ever taken back."""
    both = merge(Phases(known.at, known.answered_at, known.ended_at), facts.phases)
    state = _furthest(InteractionState(known.state), facts.state)
    if known.kind == InteractionKind.CALL:
        state = _state_after(state, both, known.direction)
    fresh: dict[str, object] = {
        "state": state,
        "answered_at": both.answered_at,
        "ended_at": both.ended_at,
        "wait_seconds": waited(both) if waited(both) is not None else known.wait_seconds,
        "talk_seconds": talked(both) if talked(both) is not None else known.talk_seconds,
        "comment": known.comment or facts.wrap_up.comment,
        "employee": known.employee or facts.participants.employee,
    }
    changed = [name for name, value in fresh.items() if getattr(known, name) != value]
    # The beginning stays within its local day: a source that corrects it over midnight does not
    # move the contact.
    if both.started_at < known.at and local_day(both.started_at, known.clinic.zone) == local_day(
        known.at, known.clinic.zone
    ):
        fresh["at"] = both.started_at
        changed.append("at")
    if not changed:
        return known
    for name in changed:
        setattr(known, name, fresh[name])
    known.save(update_fields=changed)
    recompute_contacts({known.contact_id, *_follow_up(known)})
    return known


def _state_after(state: InteractionState, phases: Phases, direction: str) -> InteractionState:
    """Return the further of the state that the source names and the one its phases imply."""
    if phases.answered_at is None and phases.ended_at is None:
        return state
    return _furthest(state, state_of(phases, direction))


def _furthest(*states: InteractionState) -> InteractionState:
    return max(states, key=lambda state: _FURTHER[state])


# --- Whose it is
# ----------------------------------------------------------------------------------------------------


def _attach_to_contact(interaction: Interaction) -> None:
    """Saves the interaction in the contact of its person and day, and settles every contact that
    this touches.
    """
    clinic = interaction.clinic
    on = local_day(interaction.at, clinic.zone)
    lock_words(
        "person", clinic.pk, on, interaction.number or interaction.client or interaction.patient_id
    )
    person = _person_behind(interaction, on)
    interaction.patient_id = person.patient
    contact = _contact_of(interaction, person, on)
    interaction.contact = contact
    interaction.save()
    touched = {contact.pk}
    if interaction.number and interaction.is_patient_given:
        touched |= _reassign_by_number(clinic, interaction.number, on)
    touched |= _follow_up(interaction)
    if recompute_contacts(touched):
        interaction.refresh_from_db()


def _person_behind(interaction: Interaction, on: dt.date) -> ContactOwner:
    if interaction.is_patient_given:
        return ContactOwner(interaction.patient_id)
    if not interaction.number:
        return ContactOwner(None)
    on_cards = set(
        PatientPhone.objects.filter(number=interaction.number).values_list("patient_id", flat=True)
    )
    return person_of(None, on_cards, _named(interaction.clinic, interaction.number, on))


def _named(clinic: Clinic, number: str, on: dt.date) -> set[int]:
    """The patients somebody has said the number's interactions of this day to be of."""
    since, until = day_bounds(on, clinic.zone)
    found = Interaction.objects.filter(
        clinic=clinic,
        number=number,
        at__gte=since,
        at__lt=until,
        is_patient_given=True,
        patient__isnull=False,
    ).values_list("patient_id", flat=True)
    return {patient for patient in found if patient is not None}


def _contact_of(interaction: Interaction, person: ContactOwner, on: dt.date) -> Contact:
    """The contact by its unique key; the constraint `contact_person_day` holds when two writers
    come at once.
    """
    if person.patient is not None:
        key = f"p{person.patient}"
    elif interaction.number:
        key = f"n{interaction.number}"
    elif interaction.client:
        key = f"c{interaction.client}"
    else:
        key = f"x{uuid.uuid4().hex}"
    # Of one that exists only what its interactions and results refer to, not the whole row that is
    # decided below.
    contact, _ = Contact.objects.only("clinic", "patient", "is_ambiguous").get_or_create(
        clinic=interaction.clinic,
        on=on,
        person_key=key,
        defaults=dict(
            patient_id=person.patient,
            number=interaction.number,
            is_ambiguous=person.asks,
            started_at=interaction.at,
            last_at=interaction.at,
        ),
    )
    return contact


def _reassign_by_number(clinic: Clinic, number: str, on: dt.date) -> set[int]:
    """Looks again whose the number's interactions of the day are and moves those that belong
    elsewhere now.
    """
    since, until = day_bounds(on, clinic.zone)
    rows = list(
        Interaction.objects.filter(
            clinic=clinic, number=number, at__gte=since, at__lt=until, is_patient_given=False
        ).only("contact", "clinic", "number", "client", "at")
    )
    if not rows:
        return set()
    on_cards = set(PatientPhone.objects.filter(number=number).values_list("patient_id", flat=True))
    person = person_of(None, on_cards, _named(clinic, number, on))
    target = _contact_of(rows[0], person, on)
    if target.is_ambiguous != person.asks:
        Contact.objects.filter(pk=target.pk).update(is_ambiguous=person.asks)
    moved = [row for row in rows if row.contact_id != target.pk]
    if not moved:
        return {target.pk}
    former = {row.contact_id for row in moved}
    _move(moved, target, person.patient)
    return {target.pk, *former}


def _move(rows: list[Interaction], target: Contact, patient: int | None) -> None:
    """Carries interactions to another contact of the day, and what came of them with them."""
    former = {row.contact_id for row in rows}
    Interaction.objects.filter(pk__in=[row.pk for row in rows]).update(
        contact=target, patient=patient
    )
    ContactResult.objects.filter(interaction__in=[row.pk for row in rows]).update(contact=target)
    # A result that hangs on no single interaction follows when its contact is left without any.
    emptied = Contact.objects.filter(pk__in=former, interactions__isnull=True).values_list(
        "pk", flat=True
    )
    ContactResult.objects.filter(contact__in=list(emptied)).update(contact=target)


def assign_patient(
    contact: Contact, *, patient: Patient, by: User | None, now: dt.datetime
) -> Contact:
    """Says whose a contact is: a shared family number, or a number nobody knew. It merges with that
    patient's contact of the day.

    Returns the contact that stands afterwards. Raises Conflict when the contact has been merged
    away meanwhile.
    """
    with transaction.atomic():
        held = (
            Contact.objects.select_for_update()
            .filter(pk=contact.pk)
            .select_related("clinic")
            .first()
        )
        if held is None:
            raise Conflict("Это обращение уже объединено с другим. Обновите страницу.")
        rows = list(held.interactions.select_related("clinic"))
        lock_words("person", held.clinic_id, held.on, held.number or patient.pk)
        before = str(held.patient or held.number)
        target, _ = Contact.objects.get_or_create(
            clinic=held.clinic,
            on=held.on,
            person_key=f"p{patient.pk}",
            defaults=dict(
                patient=patient,
                number=held.number,
                started_at=held.started_at,
                last_at=held.last_at,
            ),
        )
        if target.pk != held.pk:
            _move(rows, target, patient.pk)
        held.interactions.model.objects.filter(pk__in=[row.pk for row in rows]).update(
            patient=patient, is_patient_given=True
        )
        audit.record(
            "contacts.assign_patient",
            target,
            by=by,
            now=now,
            patient_id=patient.pk,
            before={"person": before},
            after={"person": patient.full_name},
        )
        touched = {held.pk, target.pk}
        for row in rows:
            touched |= _follow_up(row)
        recompute_contacts(touched)
    return Contact.objects.get(pk=target.pk)


def link_known_numbers(*, since: dt.date, limit: int = 1000) -> int:
    """Merges the contacts of numbers that by now stand on exactly one patient's card; returns how
    many were looked at.

    Facts are pulled: a card may get its number by hand or by an import, and nobody has to tell.
    """
    unknown = Contact.objects.filter(patient__isnull=True, on__gte=since).exclude(number="")
    numbers = set(unknown.values_list("number", flat=True))
    owners: dict[str, set[int]] = {}
    for number, patient_id in PatientPhone.objects.filter(number__in=numbers).values_list(
        "number", "patient_id"
    ):
        owners.setdefault(number, set()).add(patient_id)
    found = [
        (clinic_id, number, on)
        for clinic_id, number, on, asks in unknown.values_list(
            "clinic_id", "number", "on", "is_ambiguous"
        )
        if number in owners and (len(owners[number]) == 1 or not asks)
    ][:limit]  # the rest, after a large import, is the next look's
    clinics = Clinic.objects.in_bulk({clinic_id for clinic_id, _, _ in found})
    for clinic_id, number, on in found:
        with transaction.atomic():
            lock_words("person", clinic_id, on, number)
            recompute_contacts(_reassign_by_number(clinics[clinic_id], number, on))
    return len(found)


# --- What one interaction means for others
# --------------------------------------------------------------------------


def _same_person(interaction: Interaction) -> Q:
    same = Q(pk__in=[])
    if interaction.number:
        same |= Q(number=interaction.number)
    if interaction.patient_id is not None:
        same |= Q(patient_id=interaction.patient_id)
    return same


def _is_talk(interaction: Interaction) -> bool:
    return interaction.kind == InteractionKind.CALL and interaction.state in (
        InteractionState.ANSWERED,
        InteractionState.TALKING,
    )


def _follow_up(interaction: Interaction) -> set[int]:
    """A talk answers the person's missed calls and, when it was ours, his open requests — whichever
    arrived first here.

    Returns the contacts that this changes.
    """
    people = Interaction.objects.filter(_same_person(interaction), clinic_id=interaction.clinic_id)
    if _is_talk(interaction):
        return _answered_by(interaction, people)
    talks = people.filter(
        kind=InteractionKind.CALL, state__in=[InteractionState.ANSWERED, InteractionState.TALKING]
    ).order_by("at")
    if interaction.kind == InteractionKind.CALL and interaction.state == InteractionState.MISSED:
        back = talks.filter(at__gt=interaction.at).first()
        if back is not None:
            Interaction.objects.filter(pk=interaction.pk).update(
                returned_at=back.at, returned_by=back.direction
            )
    if interaction.kind in _REQUESTS and interaction.state == InteractionState.NEW:
        answer = talks.filter(at__gte=interaction.at, direction=Direction.OUT).first()
        if answer is not None:
            Interaction.objects.filter(pk=interaction.pk).update(
                state=InteractionState.PROCESSED, handled_by=answer.pk
            )
            return {interaction.contact_id}
    return set()


def _answered_by(talk: Interaction, people: QuerySet[Interaction]) -> set[int]:
    """The person's missed calls that nobody has called back sooner, and the requests that a call of
    ours answers.
    """
    missed = Q(kind=InteractionKind.CALL, state=InteractionState.MISSED, at__lt=talk.at) & (
        Q(returned_at=None) | Q(returned_at__gt=talk.at)
    )
    requests = Q(kind__in=_REQUESTS, state=InteractionState.NEW, at__lte=talk.at)
    # One look at both: mostly there is neither, and nothing to write.
    waiting = missed | requests if talk.direction == Direction.OUT else missed
    found = list(people.filter(waiting).values_list("pk", "kind", "contact_id"))
    calls = [pk for pk, kind, _contact in found if kind == InteractionKind.CALL]
    if calls:
        Interaction.objects.filter(missed, pk__in=calls).update(
            returned_at=talk.at, returned_by=talk.direction
        )
    asked = {pk: contact for pk, kind, contact in found if kind != InteractionKind.CALL}
    if asked:
        Interaction.objects.filter(requests, pk__in=asked).update(
            state=InteractionState.PROCESSED, handled_by=talk.pk
        )
    return set(asked.values())


def handle_request(
    request: Interaction, *, by: User | None, now: dt.datetime, call: Interaction | None = None
) -> Interaction:
    """Marks a request processed, by `call` when it was a call: «клиент не дождался перезвона и сам
    позвонил».

    Idempotent. Raises Refused when it is no request, or the call is of another clinic.
    """
    if request.kind not in _REQUESTS:
        raise Refused("Связать звонок можно только с заявкой.")
    if call is not None and (
        call.kind != InteractionKind.CALL or call.clinic_id != request.clinic_id
    ):
        raise Refused("Заявка и звонок должны быть одной клиники.")
    with transaction.atomic():
        held = Interaction.objects.select_for_update().get(pk=request.pk)
        if held.state == InteractionState.PROCESSED and (
            call is None or held.handled_by_id == call.pk
        ):
            return held
        before: dict[str, object] = {"state": held.state, "handled_by": held.handled_by_id}
        held.state, held.handled_by = InteractionState.PROCESSED, call or held.handled_by
        held.save(update_fields=["state", "handled_by"])
        audit.record(
            "contacts.handle_request",
            held,
            by=by,
            now=now,
            before=before,
            after={"state": held.state, "handled_by": held.handled_by_id},
        )
        recompute_contacts({held.contact_id})
    return held


def delete_comment(comment: Interaction, *, by: User, now: dt.datetime) -> None:
    """«Комментарий, не привязавшийся к звонку, можно удалить»: by its author or the senior.

    Raises Refused when it is no comment or has joined a call, NotAllowed for anybody else.
    """
    if comment.created_by_id != by.pk and not by.has(Role.SENIOR):
        raise NotAllowed("Удалить комментарий может его автор или старший администратор.")
    with transaction.atomic():
        held = Interaction.objects.select_for_update().filter(pk=comment.pk).first()
        if held is None:
            raise Conflict("Комментарий уже удалён.")
        if held.kind != InteractionKind.COMMENT or held.joined_call_id is not None:
            raise Refused("Удалить можно только комментарий, который не соединился со звонком.")
        audit.record(
            "contacts.delete_comment", held, by=by, now=now, before={"comment": held.comment}
        )
        contact_id = held.contact_id
        held.delete()
        recompute_contacts({contact_id})


def add_chat_line(
    interaction: Interaction,
    *,
    at: dt.datetime,
    direction: Direction,
    text: str,
    author: str = "",
    source_id: str = "",
) -> ChatLine:
    """Adds one message to a chat; the same `source_id` again returns the first."""
    if interaction.kind != InteractionKind.CHAT:
        raise Refused("Сообщения бывают только у чата.")
    if source_id:
        line, _ = ChatLine.objects.get_or_create(
            interaction=interaction,
            source_id=source_id,
            defaults=dict(at=at, direction=direction, text=text, author=author),
        )
        return line
    return ChatLine.objects.create(
        interaction=interaction, at=at, direction=direction, text=text, author=author
    )
