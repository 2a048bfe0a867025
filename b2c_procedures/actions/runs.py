"""Runs: started, led from step to step, held, handed over, taken back, stopped.

Each verb locks the run, looks whether the caller has seen its newest state (`version`), appends to
the history and brings the run's shadow columns up to date. The history is the truth: a run is led
on from it after any crash.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from b2c_procedures import engine
from b2c_procedures.actions.assignment import bump, carry_client, settle
from b2c_procedures.actions.versions import store_packaged
from b2c_procedures.models import Chat, Order, Run, RunEntry, RunObject, StepRecord
from b2c_procedures.queries.people import may_take, nobody_performs, unmanned_words
from b2c_procedures.states import ACTS_AS, LIVE_RUNS, ROLE_OF, Performer, RunSource, RunState
from b2c_procedures.steps.registry import STEP_ACTIONS, StepContext
from b2c_procedures.version_lookup import book_of, current_digests
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.models import Interaction
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.lib.localtime import local
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_RUN_PROCEDURES


def history_of(run: Run) -> list[dict[str, Any]]:
    """The run's history as the engine reads it, oldest first; `seq` is the entry's number."""
    return [
        {**data, "seq": seq, "kind": kind}
        for seq, kind, data in run.entries.values_list("seq", "kind", "data")
    ]


def screen_of(run: Run) -> engine.Screen:
    """Where the run stands, by its history; raises engine.BadMove for one that does not fit its
    versions.
    """
    return engine.step(book_of(run), history_of(run))


def start_run(
    *,
    procedure: int,
    clinic: Clinic,
    by: User,
    now: dt.datetime,
    patient: Patient | None = None,
    number: str = "",
    source: str = RunSource.CALL,
    event: str = "",
    interaction: Interaction | None = None,
    chat: Chat | None = None,
    order: Order | None = None,
    parent: Run | None = None,
) -> Run:
    """Begins a procedure with today's versions of all fifteen, which the run keeps to its end.

    `number` is the client's telephone (E.164) while nobody is known behind it; `parent` is the run
    that led here. Raises Refused for a procedure that does not exist.
    """
    with transaction.atomic():
        store_packaged(now=now)
        digests = current_digests(now)
        if procedure not in digests:
            raise Refused(f"Процедуры {procedure} нет.", field="procedure")
        run = Run.objects.create(
            clinic=clinic,
            patient=patient,
            number=number,
            source=source,
            interaction=interaction,
            chat=chat,
            order=order,
            parent=parent,
            procedure=procedure,
            procedure_versions={str(key): digest for key, digest in digests.items()},
            holder=by,
            at_procedure=procedure,
            step_started_at=now,
            started_at=now,
            started_by=by,
            facts=_inherited(parent, source),
        )
        book = book_of(run)
        begun = engine.start_entry(book[procedure], event)
        _append(run, begun, by=by, now=now)
        settle(run, engine.step(book, [begun]), by=by, now=now)
        run.save()
        audit.record(
            "b2c_procedures.start_run", run, by=by, now=now, after={"procedure": procedure}
        )
    return run


def press(
    run: Run,
    *,
    version: int,
    key: str,
    by: User,
    now: dt.datetime,
    data: Mapping[str, Any] | None = None,
) -> Run:
    """Takes one way out of the present step: does what the function is for, writes it down, goes
    on.

    `data` is what the step's form gave. Raises Conflict when somebody is ahead, NotAllowed for
    another performer's step, Refused when the deed lacks something (its `field` names what).
    """
    with transaction.atomic():
        run = _locked(run, version=version, by=by)
        book, history = book_of(run), history_of(run)
        screen = engine.step(book, history)
        try:
            button = screen.button(key)
        except engine.BadMove as error:
            raise Conflict(str(error)) from None
        if screen.function is not None:
            _check_performer(run, screen.function.performer, by)
        if run.state == RunState.HELD:
            _resume(run, now)
        seq = run.version
        if screen.function is not None:
            _do(run, screen, key, data or {}, by=by, now=now)
            _measure(run, screen, button, seq, by=by, now=now)
        entry = engine.result_entry(screen, button)
        _append(run, entry, by=by, now=now)
        settle(run, engine.step(book, [*history, entry]), by=by, now=now)
        run.save()
        audit.record(
            "b2c_procedures.press",
            run,
            by=by,
            now=now,
            before={"step": screen.function.id if screen.function else "возврат"},
            after={"outcome": button.label, "step": run.at_function},
        )
    return run


def go_back(run: Run, *, version: int, reason: str, by: User, now: dt.datetime) -> Run:
    """Returns to the step before; what that step made stays and is shown there. Raises Refused
    without a reason.
    """
    if not reason.strip():
        raise Refused(
            "Напишите, почему возвращаетесь: это увидит тот, кто продолжит.", field="reason"
        )
    with transaction.atomic():
        run = _locked(run, version=version, by=by)
        history = history_of(run)
        moves = engine.moves(history)
        if len(moves) < 2:
            raise Refused("Это первый шаг: назад некуда.")
        # The move taken back has a measured step only if it was a function's outcome, not a return
        # from a procedure.
        run.steps.filter(seq=int(str(moves[-1]["seq"]))).update(is_undone=True)
        back = {"kind": engine.BACK, "reason": reason.strip()[:250]}
        _append(run, back, by=by, now=now)
        settle(run, engine.step(book_of(run), [*history, back]), by=by, now=now)
        run.save()
        audit.record("b2c_procedures.go_back", run, by=by, now=now, note=reason)
    return run


def add_note(run: Run, *, text: str, by: User, now: dt.datetime) -> Run:
    """Writes a note into the history; anybody who sees the run may. Raises Refused for an empty
    one.
    """
    if not text.strip():
        raise Refused("Напишите текст заметки.", field="text")
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        _append(run, {"kind": "note", "text": text.strip()}, by=by, now=now)
        run.save(update_fields=["version"])
        bump(run)
    return run


def hold_run(run: Run, *, version: int, by: User, now: dt.datetime) -> Run:
    """«Поставлен на удержание»: the step's time stands still until it is resumed."""
    with transaction.atomic():
        run = _locked(run, version=version, by=by)
        if run.state != RunState.OPEN:
            raise Conflict(f"Процедура уже {run.get_state_display()}.")
        _append(run, {"kind": "hold"}, by=by, now=now)
        run.state, run.held_at = RunState.HELD, now
        run.save()
        bump(run)
    return run


def resume_run(run: Run, *, version: int, by: User, now: dt.datetime) -> Run:
    """Takes the client off hold; the step's deadline moves by the time he was held."""
    with transaction.atomic():
        run = _locked(run, version=version, by=by)
        if run.state != RunState.HELD:
            raise Conflict("Процедура не на удержании.")
        _append(run, {"kind": "resume"}, by=by, now=now)
        _resume(run, now)
        run.save()
        bump(run)
    return run


def hand_over(
    run: Run,
    *,
    version: int,
    by: User,
    now: dt.datetime,
    to: User | None = None,
    performer: str = "",
    comment: str = "",
) -> Run:
    """Gives the run with all that was seen so far to a colleague, or to whoever performs as
    `performer`.

    Raises Refused for nobody, a stranger to the clinic, or somebody who may not perform the present
    step; where nobody of the clinic could, everybody who works in procedures may (ADR 0103).
    """
    if to is None and not performer:
        raise Refused("Кому передать? Выберите сотрудника или роль.", field="to")
    if to is not None and not to.clinics.filter(pk=run.clinic_id).exists():
        raise Refused(f"{to.full_name} не работает с этой клиникой.", field="to")
    with transaction.atomic():
        run = _locked(run, version=version, by=by)
        function = screen_of(run).function
        if function is not None:
            _check_receiver(run, Performer(function.performer), to, performer)
        whom = to.full_name if to is not None else Performer(performer).label
        _append(run, {"kind": "hand_over", "to": whom, "text": comment.strip()}, by=by, now=now)
        run.holder = to
        run.waits_for = "" if to is not None else performer
        run.state = RunState.OPEN if to is not None else RunState.WAITING
        run.save()
        bump(run)
        audit.record(
            "b2c_procedures.hand_over",
            run,
            by=by,
            now=now,
            after={"to": str(to or performer)},
            note=comment,
        )
    return run


def take_run(run: Run, *, by: User, now: dt.datetime) -> Run:
    """Makes a live run one's own: one that waits for the caller's role, or a colleague's at a
    change of shift.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if run.state not in LIVE_RUNS:
            raise Conflict(f"Процедура уже {run.get_state_display()}.")
        screen = screen_of(run)
        if screen.function is not None:
            performer = Performer(screen.function.performer)
            if not may_take(by, performer, run.clinic_id):
                raise NotAllowed(f"Этот шаг выполняет {performer.label}.")
            if not by.has(*ACTS_AS[performer]):
                run.facts["stand_in"] = by.pk
        if run.holder_id == by.pk and run.state != RunState.WAITING:
            return run
        _append(
            run,
            {"kind": "take", "from": run.holder.full_name if run.holder else ""},
            by=by,
            now=now,
        )
        run.holder, run.waits_for = by, ""
        run.state = RunState.HELD if run.held_at else RunState.OPEN
        carry_client(run, to=by, by=by, now=now)
        run.save()
        bump(run)
        audit.record("b2c_procedures.take_run", run, by=by, now=now)
    return run


def stop_run(run: Run, *, version: int, reason: str, by: User, now: dt.datetime) -> Run:
    """Breaks the procedure off where it stands, e.g. when the client hung up. Raises Refused
    without a reason.
    """
    if not reason.strip():
        raise Refused("Напишите, почему процедура прервана.", field="reason")
    with transaction.atomic():
        run = _locked(run, version=version, by=by)
        _append(run, {"kind": engine.STOP, "reason": reason.strip()[:250]}, by=by, now=now)
        run.state, run.finished_at, run.finish_note = RunState.STOPPED, now, reason.strip()[:250]
        run.holder, run.waits_for, run.step_due_at = by, "", None
        run.save()
        bump(run)
        audit.record("b2c_procedures.stop_run", run, by=by, now=now, note=reason)
    return run


def set_client(run: Run, *, patient: Patient, by: User, now: dt.datetime) -> Run:
    """Binds the run to a patient whom the client turned out to be."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        run.patient = patient
        _append(run, {"kind": "note", "text": f"Клиент: {patient.full_name}"}, by=by, now=now)
        run.save(update_fields=["patient", "version"])
        bump(run)
        audit.record("b2c_procedures.set_client", run, by=by, now=now, patient_id=patient.pk)
    return run


# --- inside
# ---------------------------------------------------------------------------------------------------------


def _inherited(parent: Run | None, source: str) -> dict[str, Any]:
    """What the run before learnt; a run begun out of the doctor's task answers that task when it
    ends.
    """
    facts = dict(parent.facts) if parent is not None else {}
    task = facts.pop("consultant_task", None)
    return {**facts, "answers_task": task} if task and source == RunSource.TASK else facts


def _locked(run: Run, *, version: int, by: User) -> Run:
    """The run under its lock, if it is live, the caller holds it, and nothing has happened since he
    looked.

    What the caller's object has read of clinic, patient, order and chat is taken over where it is
    the same row still.
    """
    seen, run = run, Run.objects.select_for_update().get(pk=run.pk)
    for name in ("clinic", "patient", "order", "chat"):
        if name in seen._state.fields_cache and getattr(seen, f"{name}_id") == getattr(
            run, f"{name}_id"
        ):
            setattr(run, name, getattr(seen, name))
    if run.state not in LIVE_RUNS:
        raise Conflict(f"Процедура уже {run.get_state_display()}.")
    # A colleague's note in between changes nothing of what the caller sees.
    if (
        run.version != version
        and run.entries.filter(seq__gte=version).exclude(kind="note").exists()
    ):
        raise Conflict(_who_is_ahead(run))
    if run.holder_id != by.pk:
        whose = run.holder.full_name if run.holder else f"роль «{Performer(run.waits_for).label}»"
        raise Conflict(f"Процедуру ведёт {whose}. Чтобы продолжить самому, нажмите «Принять».")
    run.holder = by
    return run


def _who_is_ahead(run: Run) -> str:
    last = run.entries.select_related("by").last()
    if last is None:
        return "Процедура изменилась. Обновите страницу."
    who = last.by.full_name if last.by else "Система"
    at = local(last.at, run.clinic.zone)
    where = f"шаг {run.at_function}" if run.at_function else "конец процедуры"
    return f"{who} уже впереди: в {at:%H:%M:%S} сделан следующий ход, сейчас {where}. Страница обновлена."


def _check_receiver(run: Run, present: Performer, to: User | None, performer: str) -> None:
    """Raises Refused unless he, or the role, may do the present step; remembers who is asked to
    stand in for nobody.
    """
    roles = ACTS_AS[present]
    if to.has(*roles) if to is not None else ROLE_OF[Performer(performer)] in roles:
        if to is not None or not nobody_performs(present, run.clinic_id):
            return
        raise Refused(f"{unmanned_words(present)}: передайте сотруднику.", field="to")
    if to is None or not (to.has(*CAN_RUN_PROCEDURES) and nobody_performs(present, run.clinic_id)):
        raise Refused(
            f"Этот шаг выполняет {present.label}: передайте тому, кто может его сделать.",
            field="to",
        )
    run.facts["stand_in"] = to.pk


def _check_performer(run: Run, performer: str, by: User) -> None:
    """The holder `by` has the step's role, or stands in for it in a clinic where nobody has (ADR
    0103).
    """
    role = Performer(performer)
    if by.has(*ACTS_AS[role]):
        return
    if run.facts.get("stand_in") != by.pk or not nobody_performs(role, run.clinic_id):
        raise NotAllowed(f"Этот шаг выполняет {role.label}. Передайте процедуру.")


def _append(run: Run, entry: Mapping[str, object], *, by: User | None, now: dt.datetime) -> None:
    data = {name: value for name, value in entry.items() if name != "kind"}
    RunEntry.objects.create(
        run=run, seq=run.version, at=now, by=by, kind=str(entry["kind"]), data=data
    )
    run.version += 1


def _resume(run: Run, now: dt.datetime) -> None:
    if run.held_at is not None:
        held = now - run.held_at
        run.held_seconds += int(held.total_seconds())
        if run.step_due_at is not None:
            run.step_due_at += held
    run.state, run.held_at = RunState.OPEN, None


def _do(
    run: Run,
    screen: engine.Screen,
    key: str,
    data: Mapping[str, Any],
    *,
    by: User,
    now: dt.datetime,
) -> None:
    """Carries out what the function is for, and remembers what was made."""
    function = screen.function
    if function is None or not function.action:
        return
    events = tuple(result.event for result, _ in engine.chosen(function, key))
    done = StepRecord.objects.filter(run=run, function=function.id, is_undone=False).count()
    step = StepContext(
        run=run, function=function, events=events, data=data, by=by, now=now, turn=done
    )
    for made in STEP_ACTIONS[function.action].perform(step):
        RunObject.objects.update_or_create(
            run=run,
            function=function.id,
            kind=made.obj._meta.label_lower,
            object_id=made.obj.pk,
            defaults=dict(seq=run.version, title=made.title[:250], link=made.link, at=now),
        )


def _measure(
    run: Run, screen: engine.Screen, button: engine.Button, seq: int, *, by: User, now: dt.datetime
) -> None:
    function = screen.function
    if function is None:
        return
    if screen.norm is not None:
        spent = screen.norm.spent(run.step_started_at, now)
    else:
        spent = int((now - run.step_started_at).total_seconds())
    StepRecord.objects.create(
        run=run,
        seq=seq,
        clinic=run.clinic,
        procedure=screen.procedure.number,
        function=function.id,
        choice=button.key,
        event=button.label,
        by=by,
        started_at=run.step_started_at,
        finished_at=now,
        seconds=max(0, spent - run.held_seconds),
        norm_seconds=screen.norm.seconds if screen.norm else None,
    )
