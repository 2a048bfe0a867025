"""The cast of the suite: two clinics in two zones, people of every role, and makers of patients,
visits and windows.
"""

import datetime as dt
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import psycopg
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, TransactionTestCase
from django.utils import timezone
from hypothesis import HealthCheck
from pytest_django import DjangoDbBlocker

from callcenter.clinics.actions import open_waiting
from callcenter.clinics.models import (
    Appointment,
    Clinic,
    Doctor,
    OpeningHours,
    Patient,
    PatientPhone,
    ScheduleWindow,
    Specialty,
)
from callcenter.clinics.queries import hours_of
from callcenter.clinics.states import AppointmentStatus
from callcenter.lib.localtime import instant, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role
from journals.actions.auto_close import close_found
from journals.actions.entries import open_entry
from journals.actions.plans import give_plan
from journals.models import RecallEntry
from journals.queries.segments import Segment
from journals.schedule import plan_ends_at
from tests.html import tight
from tests.pristine import Pristine

pytest_plugins = ["tests.fixtures"]

# How fast an example is drawn or tried depends on the machine, and is not what these tests are about. A fixture that all
# examples of a test share is what they mean: the database, say, that is only read or that each example fills anew.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
hypothesis.settings.load_profile("suite")

PASSWORD = "wicket-keeper-1"
MOSCOW = "Europe/Moscow"
VLADIVOSTOK = "Asia/Vladivostok"
# A Wednesday, noon in Moscow: a working day with every clinic of the cast open or just closed.
NOON = dt.datetime(2026, 3, 18, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A test that commits gives back the database of the migrations.

    A test that leaves a thread behind with an open connection is a defect; the last requests of a
    browser may still end.
    """
    with django_db_blocker.unblock():
        pristine = Pristine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _self: pristine.restore())
        yield
    params = connection.get_connection_params()
    server = {key: params[key] for key in ("host", "port", "user", "password") if key in params}
    own = connection.connection.info.backend_pid if connection.connection is not None else None
    asked = "SELECT pid, state, query FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() AND pid <> %s"
    with psycopg.connect(**server, dbname="postgres") as outside:
        for _ in range(100):
            left = outside.execute(asked, [connection.settings_dict["NAME"], own or 0]).fetchall()
            outside.rollback()
            if not left:
                return
            time.sleep(0.1)
    raise AssertionError(f"connections left open by tests: {left}")


@dataclass
class World:
    """Clinic A (Moscow) with its people, clinic B (Vladivostok) whose administrator must see
    nothing of A.
    """

    now: dt.datetime
    clinic: Clinic
    clinic_b: Clinic
    administrator: User
    administrator2: User
    senior: User
    manager: User
    doctor_user: User
    administrator_b: User
    senior_b: User
    specialty: Specialty
    doctor: Doctor
    doctor_b: Doctor
    extra: dict[str, Any] = field(default_factory=dict)
    # Each test counts anew: what its numbers and times meet must not depend on the tests before it.
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(5001), repr=False)
    _hours: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def patient(
        self, last: str = "Иванова", first: str = "Анна", middle: str = "Петровна", **fields: Any
    ) -> Patient:
        """A patient of clinic A (or of `clinics`) with one phone (or `phones`)."""
        clinics = fields.pop("clinics", [self.clinic])
        phones = fields.pop("phones", None)
        patient = Patient.objects.create(
            last_name=last, first_name=first, middle_name=middle, **fields
        )
        patient.clinics.add(*clinics)
        for index, number in enumerate(
            [f"+7900000{next(self._numbers)}"] if phones is None else phones
        ):
            PatientPhone.objects.create(patient=patient, number=number, is_main=index == 0)
        return patient

    def window(
        self, starts_at: dt.datetime | None = None, minutes: int = 30, **fields: Any
    ) -> ScheduleWindow:
        """A free window of the doctor of A; by default the next hour nobody has asked for yet,
        after the one of `visit`.
        """
        start = starts_at or self.now + dt.timedelta(days=1, hours=next(self._hours))
        fields.setdefault("clinic", self.clinic)
        fields.setdefault("doctor", self.doctor)
        return ScheduleWindow.objects.create(
            starts_at=start, ends_at=start + dt.timedelta(minutes=minutes), **fields
        )

    def visit(
        self, patient: Patient | None = None, starts_at: dt.datetime | None = None, **fields: Any
    ) -> Appointment:
        """A visit of `patient` to the doctor of A, tomorrow at 12:00 Moscow by default."""
        start = starts_at or self.now + dt.timedelta(days=1)
        fields.setdefault("clinic", self.clinic)
        fields.setdefault("doctor", self.doctor)
        fields.setdefault("created_at", self.now)
        fields.setdefault("changed_at", self.now)
        fields.setdefault("ends_at", start + dt.timedelta(minutes=30))
        return Appointment.objects.create(
            patient=patient or self.patient(), starts_at=start, **fields
        )

    def local(
        self, on: dt.date, hour: int, minute: int = 0, clinic: Clinic | None = None
    ) -> dt.datetime:
        """The instant of a wall-clock time at the clinic."""
        return instant(on, dt.time(hour, minute), (clinic or self.clinic).zone)


def make_user(login: str, name: str, *roles: Role, clinics: list[Clinic] | None = None) -> User:
    return make_users({login: (name, roles, clinics or [])})[login]


def make_users(people: dict[str, tuple[str, Sequence[Role], list[Clinic]]]) -> dict[str, User]:
    """By login: the name, the roles, the clinics. All with PASSWORD."""
    users = {}
    for login, (name, roles, _) in people.items():
        users[login] = User(login=login, full_name=name, roles=[str(role) for role in roles])
        users[login].set_password(PASSWORD)
    User.objects.bulk_create(users.values())
    staff = Clinic.staff.through
    staff.objects.bulk_create(
        staff(clinic_id=clinic.pk, user_id=users[login].pk)
        for login, (_, _, clinics) in people.items()
        for clinic in clinics
    )
    return users


def make_clinic(name: str, zone: str) -> Clinic:
    return make_clinics({name: zone})[0]


def make_clinics(zones: dict[str, str]) -> list[Clinic]:
    clinics = Clinic.objects.bulk_create(
        Clinic(
            name=name,
            zone=zone,
            address="ул. Примерная, 1",
            phone="+79000009999",
            reception_email="reception@clinic.example",
            responsible_emails=["boss@clinic.example"],
        )
        for name, zone in zones.items()
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=day, opens=dt.time(8), closes=dt.time(20))
        for clinic in clinics
        for day in range(6)
    )
    return clinics


@pytest.fixture(autouse=True)
def _own_files_and_cache(settings: Any, tmp_path: Any) -> None:
    """Nothing that a test has stored outside the database meets the next one."""
    settings.MEDIA_ROOT = tmp_path
    cache.clear()


@pytest.fixture(autouse=True)
def _pages_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give pages of the test client without the space that HTML does not show.

    Tests look for markup; where its lines break is the formatter's business.
    """
    ask = Client.request

    def request(self: Client, **environ: Any) -> Any:
        answer = ask(self, **environ)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if not answer.streaming and is_page:
            answer.content = tight(answer.content.decode()).encode()
        return answer

    monkeypatch.setattr(Client, "request", request)


@pytest.fixture
def world(db: None) -> World:
    clinic, clinic_b = make_clinics({"Клиника А": MOSCOW, "Клиника Б": VLADIVOSTOK})
    a, b = [clinic], [clinic_b]
    people = make_users(
        {
            "admin_a": ("Орлова Ольга Петровна", [Role.ADMINISTRATOR], a),
            "admin_a2": ("Зимина Зоя Игоревна", [Role.ADMINISTRATOR], a),
            "senior_a": ("Старшинова Вера Львовна", [Role.SENIOR], a),
            "manager_a": ("Главный Глеб Юрьевич", [Role.MANAGER], a),
            "doctor_a": ("Белов Олег Ильич", [Role.DOCTOR], a),
            "admin_b": ("Дальняя Дарья Ивановна", [Role.ADMINISTRATOR], b),
            "senior_b": ("Восточная Ева Ильинична", [Role.SENIOR], b),
        }
    )
    specialty = Specialty.objects.create(name="Терапия")
    doctor, doctor_b = Doctor.objects.bulk_create(
        [
            Doctor(full_name="Белов Олег Ильич", specialty=specialty, user=people["doctor_a"]),
            Doctor(full_name="Чернова Инна Львовна", specialty=specialty),
        ]
    )
    works_in = Doctor.clinics.through
    works_in.objects.bulk_create(
        works_in(doctor_id=one.pk, clinic_id=where.pk)
        for one, where in ((doctor, clinic), (doctor_b, clinic_b))
    )
    return World(
        now=NOON,
        clinic=clinic,
        clinic_b=clinic_b,
        administrator=people["admin_a"],
        administrator2=people["admin_a2"],
        senior=people["senior_a"],
        manager=people["manager_a"],
        doctor_user=people["doctor_a"],
        administrator_b=people["admin_b"],
        senior_b=people["senior_b"],
        specialty=specialty,
        doctor=doctor,
        doctor_b=doctor_b,
    )


@pytest.fixture
def busy_world(world: World) -> World:
    """A working day around the present moment, which is what pages ask for: a family, visits,
    windows, the waiting list, a patient of both clinics with a relative in the other one, and the
    journal of recall.
    """
    world.now = now = timezone.now()
    family = "+79000007777"
    people = [
        world.patient("Аметистова", "Алла", phones=[family], birth_date=dt.date(1980, 2, 3)),
        world.patient("Аметистов", "Пётр", phones=[family, "+79000007778"]),
        world.patient("Безтелефонная", "Ия", phones=[]),
        world.patient("Неберущий", "Лев", do_not_call=True, do_not_call_reason="просил"),
    ]
    for days, status in (
        (1, "scheduled"),
        (2, "confirmed"),
        (-1, "completed"),
        (-2, "cancelled"),
        (-3, "no_show"),
    ):
        world.visit(people[0], now + dt.timedelta(days=days), status=AppointmentStatus(status))
    for hours in range(1, 60, 5):
        world.window(now + dt.timedelta(days=1, hours=hours))
    for patient, days in zip(people, (-1, 0, 1, 5), strict=True):
        open_waiting(
            clinic=world.clinic,
            patient=patient,
            call_on=(now + dt.timedelta(days=days)).date(),
            comment="просила напомнить",
            by=world.administrator,
            now=now - dt.timedelta(days=3),  # so the first one is overdue
        )
    _a_patient_of_both_clinics(world)
    _recall(world)
    return world


def _a_patient_of_both_clinics(world: World) -> None:
    """His card is whole for both, but neither opens the other's visits; his relative is known in
    clinic B alone.
    """
    shared = "+79000006666"
    patient = world.patient(
        "Обоюдный", "Яков", phones=[shared], clinics=[world.clinic, world.clinic_b]
    )
    world.patient("Дальняя", "Рита", phones=[shared], clinics=[world.clinic_b])
    doctor = Doctor.objects.create(full_name="Ушаков Юрий Львович", specialty=world.specialty)
    doctor.clinics.add(world.clinic)
    world.visit(patient, world.now + dt.timedelta(days=4), doctor=doctor)
    world.visit(
        patient, world.now + dt.timedelta(days=6), doctor=world.doctor_b, clinic=world.clinic_b
    )


def _recall(world: World) -> None:
    """Three entries of the journal: one in the administrator's plan, one ready for a plan, one
    closed by a booking.
    """
    today = local_day(world.now, world.clinic.zone)
    for days, name in enumerate(("Плановая", "Готовая", "Записанная")):
        open_entry(
            clinic=world.clinic,
            patient=world.patient(name, "Ева"),
            doctor=world.doctor,
            doctor_comment="проверить коронку",
            call_on=today - dt.timedelta(days=3 - days),
            by=world.doctor_user,
            now=world.now - dt.timedelta(days=9),
        )
    booked = RecallEntry.objects.get(patient__last_name="Записанная")
    world.visit(
        booked.patient, world.now + dt.timedelta(days=5), created_at=world.now, changed_at=world.now
    )
    close_found(now=world.now)
    is_over = (
        plan_ends_at(hours_of(world.clinic), today) <= world.now
    )  # in the evening plans are given for tomorrow
    on = today + dt.timedelta(days=1) if is_over else today
    give_plan(
        Segment(clinic=world.clinic, on=on),
        shares={world.administrator: 1},
        by=world.senior,
        now=world.now,
    )


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A test client logged in as the user."""

    def login(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return login
