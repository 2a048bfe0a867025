"""The process at the exchange: holds the lease and the link, takes events into rows, carries out
the rows' commands.

One is active at a time. The lease is a row with a heartbeat; its token grows with every change of
hands. Everything that is written here is written under the lease's own row lock and the present
token (the fence), and nothing is asked of the exchange long after it was taken, so one who was
asleep and wakes up can write nothing and dial nothing.
"""

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.db import DataError, IntegrityError, transaction

from callcenter.lib import live_updates
from callcenter.lib.errors import DomainError
from callcenter.lib.leases import claim
from callcenter.telephony.actions import call_control, event_handlers, recordings
from callcenter.telephony.models import Call, Leg, PbxCommand, RobotLease
from callcenter.telephony.pbx.base import (
    Answered,
    ChannelGone,
    DialRequest,
    Incoming,
    LinkDown,
    LinkUp,
    Pbx,
    PbxError,
    PbxEvent,
    PbxRefused,
    PbxUnavailable,
    PbxUncertain,
    Recorded,
    Replaced,
    Snapshot,
    UnknownChannel,
)
from callcenter.telephony.queries import LEASE_SECONDS
from callcenter.telephony.speech import SpeechFailed, synthesize
from callcenter.telephony.states import (
    LIVE_LEGS,
    CommandState,
    CommandType,
    HangupReason,
    LegRole,
    LegState,
)

log = logging.getLogger(__name__)
HEARTBEAT: Final = 2.0  # seconds
FRESH: Final = LEASE_SECONDS / 2  # a command taken longer ago may belong to another process by now
BATCH: Final = 100
Result = TypeVar("Result")


class LeaseLost(Exception):
    """Another process holds the exchange now."""


class Robot:
    def __init__(
        self,
        pbx: Callable[[], Pbx],
        *,
        holder: str,
        clock: Callable[[], dt.datetime],
        workers: int = 8,
    ) -> None:
        """`pbx` makes a fresh link each time the lease is won; `workers=0` carries commands out in
        this thread.
        """
        self._make, self._holder, self._clock = pbx, holder, clock
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="pbx") if workers else None
        self.pbx: Pbx | None = None
        self.token = 0
        self._beat_at: dt.datetime | None = None
        self._linked = False  # calls can be made
        self._hearing = False  # events flow
        self._compare_again_at: dt.datetime | None = None
        self._unhandled: deque[PbxEvent] = (
            deque()
        )  # heard, and not yet written down (the database may be away)
        self._running: dict[
            int, tuple[PbxCommand, Future[None]]
        ] = {}  # what was asked and is not answered yet
        self._fetching: dict[
            str, tuple[Recorded, Future[bytes]]
        ] = {}  # recordings on their way to us

    # --- the lease

    def take_lease(self) -> bool:
        """Wins the lease if its holder has been silent for LEASE_SECONDS; opens the link."""
        now = self._clock()
        with transaction.atomic():
            RobotLease.objects.get_or_create(pk=1)
            lease = RobotLease.objects.select_for_update().get(pk=1)
            fresh = (
                lease.heartbeat_at is not None
                and (now - lease.heartbeat_at).total_seconds() < LEASE_SECONDS
            )
            if fresh and lease.holder:
                return False
            lease.holder, lease.token, lease.heartbeat_at = self._holder, lease.token + 1, now
            lease.connected, lease.connected_at, lease.trouble = False, now, "Соединяемся с АТС."
            lease.save()
            self.token = lease.token
        log.info("lease %s taken by %s", self.token, self._holder)
        self._beat_at, self._linked, self._hearing = now, False, False
        self._unhandled.clear()
        self.pbx = self._make()
        self.pbx.open()
        return True

    def release(self) -> None:
        """Gives the lease and the link up; live calls stay where the exchange can keep them."""
        for _, work in self._running.values():
            work.cancel()
        self._running.clear()
        self._fetching.clear()
        if self.pbx is not None:
            self.pbx.close()
            self.pbx = None
        RobotLease.objects.filter(pk=1, token=self.token).update(
            holder="", heartbeat_at=None, connected=False
        )
        self.token = 0

    def _keep_lease(self, now: dt.datetime) -> None:
        if self._beat_at is not None and (now - self._beat_at).total_seconds() < HEARTBEAT:
            return
        if not RobotLease.objects.filter(pk=1, token=self.token).update(heartbeat_at=now):
            raise LeaseLost(f"lease {self.token} of {self._holder} was taken over")
        self._beat_at = now

    @contextmanager
    def _fence(self) -> Iterator[None]:
        """A transaction that only the lease's holder can commit: nobody takes the lease over before
        its end.
        """
        with transaction.atomic():
            if (
                not RobotLease.objects.select_for_update(no_key=True)
                .filter(pk=1, token=self.token)
                .exists()
            ):
                raise LeaseLost(f"lease {self.token} of {self._holder} was taken over")
            yield

    def _set_link(self, connected: bool, trouble: str = "") -> None:
        changes: dict[str, object] = {"trouble": trouble[:250]}
        if (
            self._linked != connected
        ):  # one more failed try does not make the gap younger: people hear after a minute
            changes |= {"connected": connected, "connected_at": self._clock()}
        if trouble or len(changes) > 1:
            RobotLease.objects.filter(pk=1, token=self.token).update(**changes)
            live_updates.bump("pbx")
        self._linked = connected

    def _lose_link(self, why: str) -> None:
        """The exchange did not answer a request: nothing is asked of it for a second, then rows are
        compared again.
        """
        self._set_link(False, why)
        self._compare_again_at = self._clock() + dt.timedelta(seconds=1)

    # --- one round

    def run_once(self, wait: float = 0.2) -> bool:
        """One round: lease, events, steps that lasted their time, commands. True when there was
        work.

        Raises LeaseLost; the caller then calls `release` and tries `take_lease` later.
        """
        if self.pbx is None:
            return self.take_lease()
        self._keep_lease(self._clock())
        found = self._collect() > 0
        self._unhandled += self.pbx.events(0 if found or self._running or self._unhandled else wait)
        while self._unhandled:
            self._keep_lease(self._clock())
            self._handle(self._unhandled[0])
            self._unhandled.popleft()
            found = True
        if (
            self._compare_again_at is not None
            and self._hearing
            and self._clock() >= self._compare_again_at
        ):
            self._link_up()
        if self._linked:
            found = self._fire_steps() or found
            found = self._carry_out() or found
        return found

    def _handle(self, event: PbxEvent) -> None:
        if isinstance(event, Replaced):
            raise LeaseLost("another process has taken the application at the exchange")
        if isinstance(event, LinkDown):
            log.warning("link down: %s", event.why)
            self._hearing = False
            self._set_link(False, event.why)
        elif isinstance(event, LinkUp):
            self._hearing = True
            self._link_up()
        elif isinstance(event, Recorded):
            self._fetch(event)
        elif isinstance(event, UnknownChannel):
            self._adopt_channel(event)
        elif isinstance(event, Incoming):
            self._open_call(event)
        else:
            self._run_fenced(event_handlers.handle_event, event)

    def _run_fenced(self, action: Callable[..., None], *args: object, **kwargs: object) -> None:
        """One call's trouble is written down and stays its own; the others go on."""
        try:
            with self._fence():
                action(*args, **kwargs)
        except (DomainError, IntegrityError, DataError):
            log.exception("%s %s failed", action.__name__, args)

    def _open_call(self, event: Incoming) -> None:
        """A call to a number of ours; one that belongs to no clinic goes the exchange's own way."""
        assert self.pbx is not None  # noqa: S101
        self._run_fenced(event_handlers.handle_event, event)
        if not Leg.objects.filter(channel=event.channel).exists():
            self._submit(self.pbx.return_to_dialplan, event.channel)

    def _adopt_channel(self, event: UnknownChannel) -> None:
        """A telephone that an earlier process dialled and that was answered just now: its leg's, or
        nobody's.
        """
        assert self.pbx is not None  # noqa: S101
        if Leg.objects.filter(channel=event.channel, state__in=LIVE_LEGS).exists():
            self.pbx.adopt([event.channel], answered=[event.channel])
            self._run_fenced(event_handlers.handle_event, Answered(event.at, event.channel))
            return
        log.warning("stray %s was answered: hung up", event.channel)
        self._submit(self.pbx.hang_up, event.channel)

    def _fire_steps(self) -> bool:
        now = self._clock()
        due = list(
            Call.objects.due(now).order_by("step_due_at").values_list("pk", flat=True)[:BATCH]
        )
        for call_id in due:
            self._run_fenced(event_handlers.handle_step_timeout, call_id, now=now)
        return bool(due)

    # --- after a gap

    def _link_up(self) -> None:
        """Compares our rows with what is alive at the exchange: nobody told us what happened
        meanwhile.
        """
        assert self.pbx is not None  # noqa: S101
        self._compare_again_at = None
        legs = {leg.channel: leg for leg in Leg.objects.filter(state__in=LIVE_LEGS)}
        self.pbx.adopt(
            legs, answered=[leg.channel for leg in legs.values() if leg.state == LegState.UP]
        )
        try:
            alive = self.pbx.snapshot()
        except PbxError as error:
            self._lose_link(str(error))
            return
        self._resolve_taken_commands(alive)
        for channel, leg in legs.items():
            if channel in alive.channels:
                if alive.channels[channel] and leg.state != LegState.UP:
                    self._run_fenced(event_handlers.handle_event, Answered(self._clock(), channel))
            elif not leg.commands.filter(
                verb=CommandType.RING, state=CommandState.PENDING
            ).exists():
                self._run_fenced(event_handlers.mark_leg_lost, channel, now=self._clock())
        self._hang_up_strays(alive)
        self._rebuild_bridges(alive)
        for (
            caller
        ) in alive.callers:  # put to us while nobody listened, or to a process that died over it
            if caller.channel not in legs:
                self.pbx.adopt([caller.channel], answered=[caller.channel])
                self._open_call(caller)
        for name in recordings.not_fetched(now=self._clock()):
            self._fetch(Recorded(self._clock(), name, ok=True))
        self._set_link(True)

    def _resolve_taken_commands(self, alive: Snapshot) -> None:
        """Commands that an earlier process took and never answered for.

        Playing, connecting and hanging up are safe to ask again: their ids are ours. A ring is not:
        it counts as done when its channel is there, and as lost when it is not.
        """
        for command in (
            PbxCommand.objects.filter(state=CommandState.TAKEN)
            .exclude(fence=self.token)
            .select_related("leg")
        ):
            if command.verb != CommandType.RING:
                self._ask_again(command.pk)
            elif command.leg is not None and command.leg.channel in alive.channels:
                self._finish(command.pk, CommandState.DONE)
            else:
                self._finish(
                    command.pk,
                    CommandState.MAYBE,
                    "процесс прервался во время набора",
                    HangupReason.LOST,
                )

    def _hang_up_strays(self, alive: Snapshot) -> None:
        """Channels of ours whose leg has ended in our rows, and bridges of calls that are over:
        nobody else ends them.
        """
        assert self.pbx is not None  # noqa: S101
        ours = [channel for channel in alive.channels if channel.startswith(call_control.OURS)]
        known = set(
            Leg.objects.filter(channel__in=ours, state__in=LIVE_LEGS).values_list(
                "channel", flat=True
            )
        )
        for channel in set(ours) - known:
            try:
                self.pbx.hang_up(channel)
            except PbxError as error:
                log.warning("stray %s stays: %s", channel, error)
        bridges = {
            name
            for name, inside in alive.bridges.items()
            if name.startswith(call_control.BRIDGE) and not inside
        }
        for bridge in bridges - set(
            Call.objects.live().filter(bridge__in=bridges).values_list("bridge", flat=True)
        ):
            try:
                self.pbx.disconnect(bridge)
            except PbxError as error:
                log.warning("empty bridge %s stays: %s", bridge, error)

    def _rebuild_bridges(self, alive: Snapshot) -> None:
        """A conversation whose bridge did not come about before the gap, though both sides are
        still there.
        """
        for call in Call.objects.live().exclude(bridge="").prefetch_related("legs"):
            up = [
                leg
                for leg in call.legs.all()
                if leg.state == LegState.UP and leg.channel in alive.channels
            ]
            inside = alive.bridges.get(call.bridge, frozenset())
            pending = call.commands.filter(
                verb=CommandType.CONNECT, state=CommandState.PENDING
            ).exists()
            if len(up) == 2 and not pending and not {leg.channel for leg in up} <= inside:
                with self._fence():
                    call_control.connect(call, up, now=self._clock())

    # --- commands

    def _carry_out(self) -> bool:
        """Takes pending commands under the lease, one at a time for each call, oldest first."""
        now = self._clock()
        busy = {one.call_id for one, _ in self._running.values()}
        first = (
            PbxCommand.objects.pending()
            .exclude(call__in=busy)
            .order_by("call_id", "pk")
            .distinct("call_id")
        )
        wanted = list(first.values_list("pk", flat=True)[:BATCH])
        if not wanted:
            return False
        with self._fence():
            due = PbxCommand.objects.pending().filter(pk__in=wanted).order_by("pk")
            taken = claim(due, now=now, limit=BATCH, state=CommandState.TAKEN, fence=self.token)
        legs = Leg.objects.in_bulk(
            [command.leg_id for command in taken if command.leg_id is not None]
        )
        for command in taken:
            if command.expires_at is not None and command.expires_at < now:
                self._finish(
                    command.pk, CommandState.EXPIRED, "АТС была недоступна, звонок устарел"
                )
                continue
            leg = legs.get(command.leg_id) if command.leg_id is not None else None
            self._running[command.pk] = (
                command,
                self._submit(self._ask, command, leg, time.monotonic()),
            )
        self._collect()
        return bool(taken)

    def _submit(self, action: Callable[..., Result], *args: Any) -> "Future[Result]":
        """In another thread, or at once in this one; the action must not touch the database."""
        if self._pool is not None:
            return self._pool.submit(action, *args)
        work: Future[Result] = Future()
        try:
            work.set_result(action(*args))
        except (PbxError, SpeechFailed) as error:
            work.set_exception(error)
        return work

    def _ask(self, command: PbxCommand, leg: Leg | None, taken: float) -> None:
        """The outside call, outside any transaction and without the database: it may run in another
        thread.

        `taken`: when the command was taken (seconds, monotonic). Whoever slept since then may have
        lost the lease.
        """
        pbx, args = self.pbx, command.args
        if pbx is None or time.monotonic() - taken > FRESH:
            raise PbxUnavailable("Процесс телефонии надолго замирал.")
        channel = leg.channel if leg is not None else ""
        match command.verb:
            case CommandType.RING:
                for phrases in args["prepare"]:
                    synthesize(*phrases)
                to_patient = leg is not None and leg.role == LegRole.PATIENT
                pbx.ring(
                    DialRequest(
                        channel,
                        args["endpoint"],
                        args["caller"],
                        args["timeout"],
                        listen=to_patient,
                    )
                )
            case CommandType.PLAY:
                pbx.play(channel, command.ref, synthesize(*args["phrases"]))
            case CommandType.STOP_PLAYING:
                pbx.stop_playing(command.ref)
            case CommandType.CONNECT:
                pbx.connect(command.ref, tuple(args["channels"]))
            case CommandType.RECORD:
                pbx.record(channel, command.ref)
            case CommandType.ANSWER:
                pbx.answer(channel)
            case CommandType.RETURN_TO_DIALPLAN:
                pbx.return_to_dialplan(channel)
            case CommandType.DISCONNECT:
                pbx.disconnect(command.ref)
            case CommandType.HANG_UP:
                pbx.hang_up(channel)

    def _collect(self) -> int:
        """Writes back what became of the commands that are through."""
        through = [(command, work) for command, work in self._running.values() if work.done()]
        plain = [
            command.pk
            for command, work in through
            if not work.cancelled()
            and work.exception() is None
            and command.verb != CommandType.CONNECT
        ]
        if plain:
            with self._fence():
                event_handlers.finish_commands(plain, now=self._clock())
        for command, work in through:
            if not work.cancelled() and command.pk not in plain:
                self._write_back(command, work.exception())
            del self._running[command.pk]
        return len(through) + self._store_recordings()

    def _write_back(self, command: PbxCommand, error: BaseException | None) -> None:
        pk = command.pk
        match error:
            case None:
                self._finish(pk, CommandState.DONE)
            case SpeechFailed():
                log.error("speech failed: %s", error)
                self._run_fenced(event_handlers.fail_speech, pk, why=str(error), now=self._clock())
            case PbxUncertain() if command.verb == CommandType.RING:
                self._finish(pk, CommandState.MAYBE, str(error), HangupReason.LOST)
            case PbxRefused():
                self._finish(pk, CommandState.REFUSED, str(error), error.end)
            case PbxUnavailable() | PbxUncertain():
                # not done, or safe to do twice (its id is ours): asked again once the link is back;
                # a ring expires
                self._ask_again(pk, str(error))
                self._lose_link(str(error))
            case ChannelGone():
                self._finish(pk, CommandState.REFUSED, str(error))
            case PbxError():
                self._finish(pk, CommandState.REFUSED, str(error))
                self._set_link(self._linked, str(error))
            case _:
                raise error

    def _finish(
        self, pk: int, state: CommandState, error: str = "", end: HangupReason = HangupReason.FAILED
    ) -> None:
        self._run_fenced(
            event_handlers.finish_command, pk, state, now=self._clock(), error=error, end=end
        )

    def _ask_again(self, pk: int, error: str = "") -> None:
        with self._fence():
            PbxCommand.objects.filter(pk=pk).update(
                state=CommandState.PENDING, claimed_at=None, last_error=error[:250]
            )

    # --- recordings

    def _fetch(self, event: Recorded) -> None:
        """Brings what one leg said into our own files, before the exchange clears its folder."""
        assert self.pbx is not None  # noqa: S101
        if event.name not in self._fetching:
            self._fetching[event.name] = (event, self._submit(self._recorded, event))

    def _recorded(self, event: Recorded) -> bytes:
        if self.pbx is None or not event.ok:
            raise ChannelGone("АТС не смогла записать разговор.")
        return self.pbx.recording(event.name)

    def _store_recordings(self) -> int:
        through = [(event, work) for event, work in self._fetching.values() if work.done()]
        for event, work in through:
            error = None if work.cancelled() else work.exception()
            if error is None and not work.cancelled():
                self._run_fenced(recordings.keep, event, work.result(), now=self._clock())
            elif isinstance(error, PbxError):
                self._run_fenced(recordings.miss, event.name, str(error))
            elif error is not None:
                raise error
            del self._fetching[event.name]
        return len(through)
