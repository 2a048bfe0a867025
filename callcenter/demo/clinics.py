"""The fictional chain «Ромашка»: three clinics in two zones, twelve doctors, everybody who logs in,
their shifts.
"""

import datetime as dt
from typing import Final

from django.contrib.auth.hashers import make_password

from callcenter.clinics.models import Clinic, Doctor, LegalBasis, OpeningHours, Service, Specialty
from callcenter.clinics.states import ConsentPurpose
from callcenter.demo.logins import LOGINS, PASSWORD
from callcenter.lib.localtime import local_day
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import ShiftColour

CLINICS: Final = (
    # name, zone, address, phone, weekday hours, Saturday, Sunday
    (
        "Ромашка на Лесной",
        "Europe/Moscow",
        "Москва, Лесная ул., 7",
        "+79000009901",
        (8, 21),
        (9, 18),
        (10, 18),
    ),
    (
        "Ромашка на Садовой",
        "Europe/Moscow",
        "Москва, Садовая ул., 21",
        "+79000009902",
        (9, 20),
        (10, 16),
        None,
    ),
    (
        "Ромашка Урал",
        "Asia/Yekaterinburg",
        "Екатеринбург, Малахитовая ул., 3",
        "+79000009903",
        (9, 20),
        (10, 17),
        None,
    ),
)
DOCTORS: Final = (
    # full name, specialty, clinics
    ("Ландышев Олег Ильич", "Терапевт", (0,)),
    ("Метелина Инна Львовна", "Терапевт", (0,)),
    ("Кленов Роман Андреевич", "Ортопед", (0, 1)),
    ("Радугина Вера Павловна", "Ортодонт", (0,)),
    ("Снежинский Глеб Юрьевич", "Хирург", (0,)),
    ("Чижова Марина Сергеевна", "Терапевт", (1,)),
    ("Озёрский Павел Никитич", "Хирург", (1,)),
    ("Берёзкина Юлия Игоревна", "Гигиенист", (1,)),
    ("Зорин Кирилл Матвеевич", "Терапевт", (2,)),
    ("Туманова Алла Борисовна", "Ортопед", (2,)),
    ("Васильков Денис Олегович", "Хирург", (2,)),
    ("Синицына Дарья Петровна", "Гигиенист", (2,)),
)
SERVICES: Final = (
    # name, specialty, minutes, roubles
    ("Осмотр и консультация", "Терапевт", 30, 1_200),
    ("Лечение кариеса", "Терапевт", 60, 6_400),
    ("Лечение каналов", "Терапевт", 60, 11_800),
    ("Консультация ортопеда", "Ортопед", 30, 1_500),
    ("Коронка", "Ортопед", 60, 24_500),
    ("Контроль брекет-системы", "Ортодонт", 30, 3_500),
    ("Консультация хирурга", "Хирург", 30, 1_500),
    ("Удаление зуба", "Хирург", 60, 5_200),
    ("Установка импланта", "Хирург", 60, 38_000),
    ("Профессиональная гигиена", "Гигиенист", 60, 5_900),
)
SHIFT_DAYS: Final = 14


def load(now: dt.datetime) -> None:
    """Writes what no import brings: clinics with their hours and grounds, doctors, services,
    people, shifts.
    """
    clinics = [_clinic(index, now) for index in range(len(CLINICS))]
    users = _users(clinics)
    _doctors(clinics, users["doctor"])
    _shifts(users, local_day(now, clinics[0].zone))


def clinics() -> list[Clinic]:
    """The chain in the order of CLINICS."""
    found = {clinic.name: clinic for clinic in Clinic.objects.all()}
    return [found[name] for name, *_ in CLINICS]


def _clinic(index: int, now: dt.datetime) -> Clinic:
    name, zone, address, phone, weekday, saturday, sunday = CLINICS[index]
    clinic = Clinic.objects.create(
        name=name,
        zone=zone,
        address=address,
        phone=phone,
        site="https://romashka.example.org",
        reception_email=f"reception{index + 1}@romashka.example.org",
        responsible_emails=["quality@romashka.example.org"],
        observes_holidays=index != 0,
    )
    week = [weekday] * 5 + [saturday, sunday]
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=day, opens=dt.time(hours[0]), closes=dt.time(hours[1]))
        for day, hours in enumerate(week)
        if hours
    )
    LegalBasis.objects.create(
        clinic=clinic,
        purpose=ConsentPurpose.SERVICE,
        basis="Договор оказания медицинских услуг, п. 5.2: напоминания о визите",
        since=now.date() - dt.timedelta(days=400),
        source="договор пациента",
    )
    return clinic


def _users(clinics: list[Clinic]) -> dict[str, User]:
    hashed = make_password(PASSWORD)  # one hash for all: it costs half a second
    users = {}
    for login, full_name, role, extension, where in LOGINS:
        users[login] = User.objects.create(
            login=login,
            full_name=full_name,
            roles=[role],
            extension=extension,
            email=f"{login}@romashka.example.org",
            password=hashed,
        )
        users[login].clinics.set(clinics if where is None else [clinics[index] for index in where])
    return users


def _doctors(clinics: list[Clinic], user: User) -> None:
    for name, specialty, minutes, price in SERVICES:
        kind, _ = Specialty.objects.get_or_create(name=specialty)
        Service.objects.create(name=name, specialty=kind, minutes=minutes, price=price)
    for index, (full_name, specialty, where) in enumerate(DOCTORS):
        doctor = Doctor.objects.create(
            full_name=full_name,
            specialty=Specialty.objects.get_or_create(name=specialty)[0],
            source_id=f"В{index + 1:02}",
            user=user if full_name == user.full_name else None,
        )
        doctor.clinics.set([clinics[place] for place in where])


def _shifts(users: dict[str, User], today: dt.date) -> None:
    """Every day has its yellow shift; the two administrators take it in turns."""
    shifts = []
    for step in range(-SHIFT_DAYS, SHIFT_DAYS + 1):
        on = today + dt.timedelta(days=step)
        first, second = (
            ("administrator", "administrator2")
            if on.toordinal() % 4 < 2
            else ("administrator2", "administrator")
        )
        shifts.append(Shift(user=users[first], on=on, colour=ShiftColour.YELLOW))
        shifts.append(Shift(user=users[second], on=on, colour=ShiftColour.GREEN))
        if on.weekday() < 5:
            shifts.append(Shift(user=users["senior"], on=on, colour=ShiftColour.BLUE))
    Shift.objects.bulk_create(shifts)
