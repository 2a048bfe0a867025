"""Обратный звонок of the demo: a week of requests played by the real robot on a clock of its own,
and some of today.
"""

import datetime as dt
import random
from typing import Final

from callback.actions import accept_request, book_from_card, run_due_requests, take_over
from callback.models import CallbackRequest, RequestSource
from callback.signing import create_source
from callcenter.clinics.models import Clinic, Doctor, Patient
from callcenter.clinics.queries import free_windows, hours_of
from callcenter.clinics.schedule import is_open, is_working_day
from callcenter.demo import clinics as demo_clinics
from callcenter.demo import people
from callcenter.lib.errors import DomainError
from callcenter.lib.localtime import instant, local_day
from callcenter.staff.models import User
from callcenter.telephony.models import Call, PhoneBinding, PhoneLine, RobotLease
from callcenter.telephony.pbx.simulator import SimulatorPbx
from callcenter.telephony.robot import Robot
from callcenter.telephony.states import PhoneKind

DAYS: Final = 4
SOURCES: Final = (
    ("НаПоправку", "napopravku", "НаПоправку"),
    ("Сайт клиники", "site", "сайта клиники"),
)
# The last digit of a number is its owner's character: 0–4 talk, 5 busy, 6 silent, 7 rejects, 8 a
# machine, 9 in a hurry.
CHARACTERS: Final = "0123401286"


class CallbackPlayback:
    """The robot and its telephones on a clock that runs as fast as the rows can be written."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.simulator = SimulatorPbx(lambda: self.now, wait=lambda _seconds: None)
        self.robot = Robot(lambda: self.simulator, holder="demo", clock=lambda: self.now, workers=0)

    def play(self, until: dt.datetime) -> None:
        """Everything due up to `until` happens at its own moment."""
        self._settle()
        while self.now < until:
            moments = [until, self.simulator.next_moment()]
            moments += Call.objects.filter(ended_at=None).values_list("step_due_at", flat=True)
            moments += CallbackRequest.objects.exclude(due_at=None).values_list("due_at", flat=True)
            ahead = [moment for moment in moments if moment is not None]
            self.now = min(
                max(moment, self.now + dt.timedelta(milliseconds=200)) for moment in ahead
            )
            self._settle()

    def _settle(self) -> None:
        while self.robot.run_once(0) or run_due_requests(now=self.now):
            pass


def load(now: dt.datetime) -> None:
    """Two sources, the clinics' lines, a week of requests and today's: one for the robot, one for
    people, night ones.
    """
    dice = random.Random(people.SEED + 7)
    clinics = demo_clinics.clinics()
    senior = User.objects.get(login="senior")
    sources = [
        create_source(name=name, code=code, spoken=spoken, clinics=clinics, by=senior, now=now)[0]
        for name, code, spoken in SOURCES
    ]
    PhoneLine.objects.bulk_create(
        [
            PhoneLine(number=clinic.phone, label=clinic.name, clinic=clinic)
            for clinic in clinics
            if clinic.phone
        ],
        ignore_conflicts=True,
    )
    clinic = clinics[0]
    _a_week(dice, clinic, sources, now)
    RobotLease.objects.all().delete()
    PhoneBinding.objects.all().delete()
    _today(dice, clinics, sources, now)


def _a_week(
    dice: random.Random, clinic: Clinic, sources: list[RequestSource], now: dt.datetime
) -> None:
    staff = list(User.objects.filter(login__in=("administrator", "administrator2")))
    for step in range(DAYS, 0, -1):
        on = local_day(now, clinic.zone) - dt.timedelta(days=step)
        if not is_working_day(hours_of(clinic), on):
            continue
        theatre = CallbackPlayback(instant(on, dt.time(11), clinic.zone))
        if not is_open(hours_of(clinic), theatre.now):
            continue
        for user, persona in zip(staff, ("admin_thorough", "admin_noanswer"), strict=True):
            PhoneBinding.objects.create(
                user=user,
                on=on,
                kind=PhoneKind.PBX,
                endpoint=f"persona/{persona}",
                bound_at=theatre.now,
            )
        RobotLease.objects.all().delete()
        for _ in range(2):
            who = _somebody(clinic)
            made = _ask(dice, clinic, sources, theatre.now, who)
            theatre.play(theatre.now + dt.timedelta(minutes=4))
            made.refresh_from_db()
            if made.connected_on and dice.random() < 0.7:
                _book(made, who, staff[0], theatre.now)
        theatre.play(theatre.now + dt.timedelta(hours=3))
        theatre.robot.release()


def _today(
    dice: random.Random, clinics: list[Clinic], sources: list[RequestSource], now: dt.datetime
) -> None:
    senior = User.objects.get(login="senior")
    for clinic in clinics[:2]:
        _ask(dice, clinic, sources, now, _somebody(clinic))
    mine = _ask(dice, clinics[0], sources, now, _somebody(clinics[0]))
    take_over(mine, by=senior, now=now)


def _somebody(clinic: Clinic) -> Patient:
    """Another one for every request."""
    return Patient.objects.filter(clinics=clinic).order_by("pk")[
        CallbackRequest.objects.count() * 7 % 90
    ]


def _ask(
    dice: random.Random,
    clinic: Clinic,
    sources: list[RequestSource],
    now: dt.datetime,
    who: Patient,
) -> CallbackRequest:
    serial = CallbackRequest.objects.count()
    doctor = dice.choice(list(Doctor.objects.filter(clinics=clinic, is_active=True).order_by("pk")))
    windows = free_windows(
        now=now, clinics=[clinic], since=now, until=now + dt.timedelta(days=7), doctor=doctor
    )
    return accept_request(
        clinic=clinic,
        name=who.full_name,
        phone=f"+7900000{9000 + serial * 10 + int(CHARACTERS[serial % len(CHARACTERS)]):04}",
        now=now,
        by=None,
        source=dice.choice(sources),
        external_id=f"demo-{serial}",
        doctor=doctor,
        service_words=dice.choice(("Первичный приём", "Консультация", "Осмотр", "")),
        window=windows.first() if dice.random() < 0.3 else None,
        wished=dice.choice(("", "", "после 18:00", "в субботу", "утром")),
    )


def _book(request: CallbackRequest, patient: Patient, by: User, now: dt.datetime) -> None:
    if request.doctor is None:
        return
    ahead = now + dt.timedelta(days=14)
    window = free_windows(
        now=now, clinics=[request.clinic], since=now, until=ahead, doctor=request.doctor
    ).first()
    if window is None:
        return
    try:
        book_from_card(request, patient=patient, window=window, by=by, now=now)
    except DomainError:
        return  # the visit's time is taken; the talk stands all the same
