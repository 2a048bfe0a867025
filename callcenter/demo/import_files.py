"""The chain's files as its own system would export them, loaded through the import: the real way
from the first day.
"""

import datetime as dt
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xlsxwriter
from django.conf import settings

from callcenter.clinics.models import Clinic
from callcenter.clinics.queries import hours_of
from callcenter.clinics.schedule import opening
from callcenter.demo import clinics as demo_clinics
from callcenter.demo import people
from callcenter.demo.people import DemoPerson
from callcenter.imports import actions
from callcenter.imports.cell_parsers import Cell
from callcenter.imports.kinds import kinds
from callcenter.imports.states import ImportState
from callcenter.lib.localtime import instant, local, local_day
from callcenter.staff.models import User

DAYS: Final = 30  # of visits behind us and before us, and of free windows
SLOT: Final = 30  # minutes
PATIENT_HEAD: Final = (
    "Код пациента", "Фамилия", "Имя", "Отчество", "Дата рождения", "Телефон", "Телефон 2", "E-mail", "Заметка", "Клиника",
    "Не звонить", "Почему не звонить", "О визите: СМС", "Реклама: СМС", "Реклама: мессенджер", "Реклама: e-mail",
    "Реклама: звонок человека", "Дата согласия", "Источник согласия",
)  # fmt: skip
VISIT_HEAD: Final = (
    "Код приёма", "Дата приёма", "Время", "Длительность", "Врач", "Клиника", "Код пациента", "ФИО пациента", "Услуга",
    "Статус", "Сумма", "Дата записи",
)  # fmt: skip
WINDOW_HEAD: Final = ("Дата", "Начало", "Окончание", "Врач", "Клиника")


@dataclass(frozen=True)
class Slot:
    """Half an hour or an hour of a doctor: somebody's visit, or free."""

    doctor: int  # index in demo_clinics.DOCTORS
    clinic: int
    on: dt.date
    at: dt.time
    minutes: int
    service: tuple[str, str, int, int]
    person: DemoPerson | None
    status: str
    booked_on: dt.date


def load(now: dt.datetime) -> None:
    """Writes the three files into FILES_DIR/demo and loads each of them as the senior would."""
    clinics = demo_clinics.clinics()
    senior = User.objects.get(login="senior")
    today = local_day(now, clinics[0].zone)
    cards = people.patients(today, len(clinics))
    slots = list(_schedule(clinics, cards, now))
    visits = [slot for slot in slots if slot.person is not None]
    free = [slot for slot in slots if slot.person is None]
    bring_in(
        "patients",
        "Картотека.xlsx",
        PATIENT_HEAD,
        _patient_rows(clinics, cards, today),
        by=senior,
        now=now,
    )
    bring_in("appointments", "Расписание.xlsx", VISIT_HEAD, _visit_rows(visits), by=senior, now=now)
    bring_in(
        "windows", "Прогнозное расписание.xlsx", WINDOW_HEAD, _window_rows(free), by=senior, now=now
    )


def bring_in(
    kind: str,
    name: str,
    head: Sequence[str],
    rows: Iterator[Sequence[Cell]],
    *,
    by: User,
    now: dt.datetime,
) -> None:
    """Writes a workbook, reads it as an upload, checks and confirms it. A row that is refused is a
    fault of the demo.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "dd.mm.yyyy"}) as book:
        sheet, clock = book.add_worksheet("Выгрузка"), book.add_format({"num_format": "hh:mm"})
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        for index, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, dt.time):
                    sheet.write_datetime(index, column, cell, clock)
                elif cell not in (None, ""):
                    sheet.write(index, column, cell)
    folder = Path(settings.MEDIA_ROOT) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(out.getvalue())
    run = actions.start_import(
        kind=kinds()[kind],
        clinic=demo_clinics.clinics()[0],
        file_name=name,
        content=out.getvalue(),
        by=by,
        now=now,
    )
    actions.choose_columns(
        run, columns={int(key): field for key, field in run.columns.items()}, by=by, now=now
    )
    actions.work_on_due(clock=lambda: now, pk=run.pk)
    actions.confirm_import(run, cancel_missing=False, by=by, now=now)
    actions.work_on_due(clock=lambda: now, pk=run.pk)
    run.refresh_from_db()
    if run.state != ImportState.DONE or run.counts["rejected"]:
        first = run.findings.first()
        raise RuntimeError(
            f"{name}: {run.state} {run.error} {run.counts} {first.problems if first else ''}"
        )


def _patient_rows(
    clinics: list[Clinic], cards: list[DemoPerson], today: dt.date
) -> Iterator[Sequence[Cell]]:
    dice = random.Random(people.SEED + 1)
    for card in cards:
        consent_on = today - dt.timedelta(days=dice.randint(30, 700)) if card.consents else None
        yield (
            card.code, card.last, card.first, card.middle, card.born, *(*card.phones, "", "")[:2], card.email, card.note,
            clinics[card.clinic].name, "да" if card.do_not_call else "", card.do_not_call,
            *(card.consents.get(heading, "") for heading in PATIENT_HEAD[12:17]),
            consent_on, "анкета пациента" if card.consents else "",
        )  # fmt: skip


def _visit_rows(visits: list[Slot]) -> Iterator[Sequence[Cell]]:
    for number, slot in enumerate(visits, 1):
        assert slot.person is not None  # noqa: S101
        paid = slot.service[3] if slot.status == "состоялся" else ""
        yield (
            f"П{number:06}", slot.on, slot.at, slot.minutes, demo_clinics.DOCTORS[slot.doctor][0], demo_clinics.CLINICS[slot.clinic][0],
            slot.person.code, slot.person.full_name, slot.service[0], slot.status, paid, slot.booked_on,
        )  # fmt: skip


def _window_rows(free: list[Slot]) -> Iterator[Sequence[Cell]]:
    for slot in free:
        end = (dt.datetime.combine(slot.on, slot.at) + dt.timedelta(minutes=slot.minutes)).time()
        yield (
            slot.on,
            slot.at,
            end,
            demo_clinics.DOCTORS[slot.doctor][0],
            demo_clinics.CLINICS[slot.clinic][0],
        )


def _schedule(clinics: list[Clinic], cards: list[DemoPerson], now: dt.datetime) -> Iterator[Slot]:
    """Every doctor's half-days, filled more thickly in the past and thinly towards the end of the
    month.
    """
    dice = random.Random(people.SEED + 2)
    hours = [hours_of(clinic) for clinic in clinics]
    own = [[card for card in cards if card.clinic == index] for index in range(len(clinics))]
    busy: set[tuple[str, dt.date]] = set()
    for step in range(-DAYS, DAYS + 1):
        for index, (_, specialty, where) in enumerate(demo_clinics.DOCTORS):
            place = where[(step + index) % len(where)]
            on = local_day(now, clinics[place].zone) + dt.timedelta(days=step)
            span = opening(hours[place], on)
            if span is None or (step + index) % 5 == 4:  # every fifth day the doctor is off
                continue
            services = [service for service in demo_clinics.SERVICES if service[1] == specialty]
            start = max(span[0].hour, 9) if index % 2 else min(span[1].hour - 6, 14)
            minute = start * 60
            while minute < min((start + 6) * 60, span[1].hour * 60):
                service = dice.choice(services)
                length = min(service[2], min((start + 6) * 60, span[1].hour * 60) - minute)
                at = dt.time(minute // 60, minute % 60)
                slot = _slot(
                    dice,
                    index,
                    place,
                    clinics[place],
                    on,
                    at,
                    length,
                    service,
                    step,
                    own[place],
                    busy,
                    now,
                )
                if slot is not None:
                    yield slot
                minute += length


def _slot(
    dice: random.Random, doctor: int, place: int, clinic: Clinic, on: dt.date, at: dt.time, length: int,
    service: tuple[str, str, int, int], step: int, own: list[DemoPerson], busy: set[tuple[str, dt.date]], now: dt.datetime,
) -> Slot | None:  # fmt: skip
    """A visit, or a free window if the time is still to come."""
    starts_at = instant(on, at, clinic.zone)
    past = starts_at <= now
    fill = 0.78 if past or step <= 1 else max(0.2, 0.72 - step * 0.02)
    person = dice.choice(own)
    if dice.random() < fill and (person.code, on) not in busy:
        busy.add((person.code, on))
        booked_on = min(
            on - dt.timedelta(days=dice.choice((0, 1, 2, 3, 5, 7, 10, 14))),
            local(now, clinic.zone).date(),
        )
        return Slot(
            doctor, place, on, at, length, service, person, _status(dice, starts_at, now), booked_on
        )
    return None if past else Slot(doctor, place, on, at, length, service, None, "", on)


def _status(dice: random.Random, starts_at: dt.datetime, now: dt.datetime) -> str:
    if starts_at <= now - dt.timedelta(hours=1):
        return dice.choices(("состоялся", "не пришёл", "отменён"), (82, 8, 10))[0]
    if starts_at <= now:
        return "пришёл"
    return dice.choices(("запланирован", "подтверждён", "отменён"), (86, 8, 6))[0]
