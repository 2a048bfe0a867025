import argparse
import logging
import os
import signal
import socket
import time
from types import FrameType

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.utils import timezone

from callcenter.telephony.actions.browser_phones import StoredBrowserPhones
from callcenter.telephony.models import RobotLease
from callcenter.telephony.pbx import exchange
from callcenter.telephony.queries import LEASE_SECONDS
from callcenter.telephony.robot import LeaseLost, Robot

log = logging.getLogger(__name__)


def _check() -> None:
    """Fails when no process has been heard of; a link that is down is the exchange's trouble, not
    the process's.
    """
    lease = RobotLease.objects.filter(pk=1).first()
    beat = lease.heartbeat_at if lease is not None else None
    if beat is None or (timezone.now() - beat).total_seconds() > LEASE_SECONDS:
        raise CommandError("no process holds the exchange")


class Command(BaseCommand):
    help = (
        "Hold the link to the exchange: ring, speak, connect."
        " Start two: one works, the other takes over."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--name", default=f"{socket.gethostname()}:{os.getpid()}", help="how it signs the lease"
        )
        parser.add_argument(
            "--idle", type=float, default=2.0, help="seconds between tries to win the lease"
        )

        parser.add_argument(
            "--check", action="store_true", help="only say whether some process holds the exchange"
        )

    def handle(self, *_args: object, **options: object) -> None:
        if options["check"]:
            _check()
            return
        self._stopping = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        robot = Robot(
            lambda: exchange(timezone.now, StoredBrowserPhones(timezone.now)),
            holder=str(options["name"]),
            clock=timezone.now,
        )
        idle = float(str(options["idle"]))
        try:
            while not self._stopping:
                self._round(robot, idle)
        finally:
            robot.release()

    def _round(self, robot: Robot, idle: float) -> None:
        try:
            if not robot.run_once() and robot.pbx is None:
                time.sleep(idle)
        except LeaseLost as error:
            log.warning("%s", error)
            robot.release()
            time.sleep(idle)
        except OperationalError as error:
            log.error("database away: %s", error)
            connection.close()
            time.sleep(idle)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True
