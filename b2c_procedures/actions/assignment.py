"""Whose turn it is: what a move leaves in the run's columns, and who has the client next (ADR
0073). Inside the caller's transaction and lock; the caller saves the run.
"""

import datetime as dt

from b2c_procedures import engine
from b2c_procedures.actions.chats import transfer_chat
from b2c_procedures.models import Run
from b2c_procedures.queries.people import nobody_performs
from b2c_procedures.states import ACTS_AS, Performer, RunState
from callcenter.assignments.actions import close_task
from callcenter.assignments.models import Task
from callcenter.lib import live_updates
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_STAND_IN


def settle(run: Run, screen: engine.Screen, *, by: User, now: dt.datetime) -> None:
    """Brings the shadow columns up to date with `screen`: where the run stands, whose turn it is,
    by when (UTC).
    """
    run.at_procedure = screen.procedure.number
    run.at_function = screen.function.id if screen.function else ""
    run.step_started_at, run.held_seconds, run.held_at = now, 0, None
    run.step_due_at = screen.norm.deadline(now) if screen.norm else None
    run.waits_for = ""
    if screen.kind == "end":
        run.state, run.finished_at = RunState.FINISHED, now
        _answer_task(run, screen.event, now)
    else:
        run.state = RunState.OPEN
        if screen.function is not None:
            _give_turn(run, Performer(screen.function.performer), by)
        _follow_transfer(run, by=by, now=now)
    bump(run)


def _answer_task(run: Run, event: str, now: dt.datetime) -> None:
    """A run that was begun out of the doctor's task (1.6) closes it with the event it ended with."""
    task = Task.objects.open().filter(pk=run.facts.get("answers_task")).first()
    if task is not None:
        close_task(task, outcome=event, by=None, now=now)


def _give_turn(run: Run, performer: Performer, by: User) -> None:
    """Keeps the run with its holder while he performs the step; else gives it back to its manager
    or to the role.

    Who stands in for a role that nobody of the clinic has goes on for all its steps, and then gives
    the run back, too.
    """
    holder = run.holder or by
    stands_in = run.facts.pop("stand_in", None) == holder.pk
    if not holder.has(*ACTS_AS[performer]):
        if (stands_in or holder.has(*CAN_STAND_IN)) and nobody_performs(performer, run.clinic_id):
            run.holder, run.facts["stand_in"] = holder, holder.pk
            return
    elif not stands_in or run.facts.get("manager") is None:
        run.holder = holder
        if performer == Performer.MANAGER_OKS:
            run.facts["manager"] = holder.pk
        return
    if performer == Performer.MANAGER_OKS and run.facts.get("manager"):
        manager = User.objects.filter(pk=run.facts["manager"], is_active=True).first()
        if manager is not None:
            run.holder = manager
            return
    run.holder, run.state, run.waits_for = None, RunState.WAITING, performer


def _follow_transfer(run: Run, *, by: User, now: dt.datetime) -> None:
    """After a step that transferred the client: to the colleague chosen, else to whoever has the
    turn (or takes it).
    """
    chosen = run.facts.get("transfer")
    if chosen is None:
        return
    colleague = (
        User.objects.filter(pk=chosen["to"], is_active=True).first() if chosen["to"] else None
    )
    if colleague is not None:
        run.holder, run.state, run.waits_for = colleague, RunState.OPEN, ""
    if run.holder is not None:
        carry_client(run, to=run.holder, by=by, now=now)


def carry_client(run: Run, *, to: User, by: User, now: dt.datetime) -> None:
    """The chat goes where the run has gone, if the step before was a transfer (1.5, 2.4, 2.8,
    12.4).
    """
    if run.facts.pop("transfer", None) is not None and run.chat is not None:
        transfer_chat(run.chat, to=to, by=by, now=now)


def bump(run: Run) -> None:
    """Tells the pages of the run and of its clinic to look again, after commit."""
    live_updates.bump(f"b2c_procedures:run:{run.pk}", f"b2c_procedures:clinic:{run.clinic_id}")
