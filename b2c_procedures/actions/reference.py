"""Import of reference data from XLSX: one sheet, Russian headings, each row made or changed by its
key.

Rows are independent: a bad one is told with its number, the others are taken. The same file again
changes nothing.
"""

import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import python_calamine
from django.db import transaction

from b2c_procedures.models import Branch, CourierCity, Institution, Order, OrderStudy, Study
from b2c_procedures.states import OrderStatus
from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.search_keys import normalise
from callcenter.lib.calendar_names import weekday_abbrs
from callcenter.lib.errors import Refused
from callcenter.lib.phones import BadPhone, parse
from callcenter.staff.models import User


class BadReferenceCell(ValueError):
    """`str(error)` says in Russian what is wrong with the cell."""


@dataclass
class ReferenceReport:
    """What became of the rows."""

    made: int = 0
    changed: int = 0
    same: int = 0
    errors: list[str] = field(default_factory=list)


ReferenceRow = Mapping[str, Any]


def import_reference(kind: str, data: bytes, *, by: User, now: dt.datetime) -> ReferenceReport:
    """Takes the first sheet of an XLSX. Raises Refused for a file that is none, or without the
    needed headings.
    """
    taker = IMPORTERS[kind]
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = workbook.get_sheet_by_index(0).to_python()
    except (
        python_calamine.CalamineError,
        python_calamine.ZipError,
        python_calamine.XmlError,
        ValueError,
    ) as error:
        raise Refused(
            "Это не файл XLSX или в нём нет листа. Сохраните таблицу как .xlsx.", field="file"
        ) from error
    if not rows:
        raise Refused("Лист пуст.", field="file")
    headings = [normalise(str(cell)) for cell in rows[0]]
    missing = [name for name in taker.needed if normalise(name) not in headings]
    if missing:
        raise Refused(
            f"Нет столбцов: {', '.join(missing)}. Первая строка — заголовки.", field="file"
        )
    report = ReferenceReport()
    for number, cells in enumerate(rows[1:], 2):
        if not any(str(cell).strip() for cell in cells):
            continue
        row = dict(zip(headings, cells, strict=False))
        try:
            with transaction.atomic():
                outcome = taker.take(row, by, now)
        except BadReferenceCell as error:
            report.errors.append(f"Строка {number}: {error}")
            continue
        setattr(report, outcome, getattr(report, outcome) + 1)
    audit.record(
        "b2c_procedures.import_reference",
        by=by,
        now=now,
        after={
            "kind": kind,
            "made": report.made,
            "changed": report.changed,
            "errors": len(report.errors),
        },
    )
    return report


def _text(row: ReferenceRow, name: str, *, needed: bool = False) -> str:
    value = row.get(normalise(name), "")
    text = (
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    )
    if needed and not text:
        raise BadReferenceCell(f"пусто в столбце «{name}»")
    return text


def _number(row: ReferenceRow, name: str, default: int | None = None) -> int:
    text = _text(row, name)
    if not text and default is not None:
        return default
    if not text.isascii() or not text.isdigit():
        raise BadReferenceCell(f"«{text}» в столбце «{name}» — не целое число")
    return int(text)


def _money(row: ReferenceRow, name: str) -> Decimal:
    text = _text(row, name, needed=True).replace(" ", "").replace("\xa0", "").replace(",", ".")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadReferenceCell(f"«{text}» в столбце «{name}» — не сумма") from None
    if not value.is_finite() or value < 0 or value >= 10**8:
        raise BadReferenceCell(f"«{text}» в столбце «{name}» — не сумма")
    return value


def _day(row: ReferenceRow, name: str) -> dt.date | None:
    value = row.get(normalise(name), "")
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if not str(value).strip():
        return None
    try:
        return dt.datetime.strptime(str(value).strip(), "%d.%m.%Y").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise BadReferenceCell(f"«{value}» в столбце «{name}» — не дата дд.мм.гггг") from None


def _phone(row: ReferenceRow, name: str) -> str:
    text = _text(row, name)
    if not text:
        return ""
    try:
        return parse(text)
    except BadPhone as error:
        raise BadReferenceCell(str(error)) from None


def _keep(model: Any, key: dict[str, Any], values: dict[str, Any]) -> tuple[Any, str]:
    """Made, changed or the same."""
    found = model.objects.filter(**key).first()
    if found is None:
        return model.objects.create(**key, **values), "made"
    if all(getattr(found, name) == value for name, value in values.items()):
        return found, "same"
    for name, value in values.items():
        setattr(found, name, value)
    found.save()
    return found, "changed"


def _take_study(row: ReferenceRow, by: User, now: dt.datetime) -> str:  # noqa: ARG001
    login = _text(row, "Ответственный")
    responsible = User.objects.filter(login=login).first() if login else None
    if login and responsible is None:
        raise BadReferenceCell(f"сотрудника с логином «{login}» нет")
    values = dict(
        name=_text(row, "Исследование", needed=True)[:200],
        description=_text(row, "Описание"),
        preanalytics=_text(row, "Преаналитика"),
        biomaterial=_text(row, "Биоматериал")[:120],
        term_days=_number(row, "Срок", 10),
        price=_money(row, "Цена"),
        link=_text(row, "Ссылка")[:200],
        responsible=responsible,
    )
    return _keep(Study, {"code": _text(row, "Код", needed=True)[:30]}, values)[1]


def _take_institution(row: ReferenceRow, by: User, now: dt.datetime) -> str:  # noqa: ARG001
    key = {
        "city": _text(row, "Город", needed=True)[:80],
        "name": _text(row, "Учреждение", needed=True)[:200],
    }
    codes = [
        code.strip()
        for code in _text(row, "Исследования").replace(";", ",").split(",")
        if code.strip()
    ]
    studies = list(Study.objects.filter(code__in=codes))
    unknown = set(codes) - {study.code for study in studies}
    if unknown:
        raise BadReferenceCell(f"нет исследований с кодами: {', '.join(sorted(unknown))}")
    values = dict(
        address=_text(row, "Адрес")[:250],
        phone=_phone(row, "Телефон"),
        note=_text(row, "Условия")[:250],
    )
    found, outcome = _keep(Institution, key, values)
    if set(found.studies.all()) != set(studies):
        found.studies.set(studies)
        outcome = "changed" if outcome == "same" else outcome
    return outcome


def _take_courier(row: ReferenceRow, by: User, now: dt.datetime) -> str:  # noqa: ARG001
    words = _text(row, "Дни", needed=True).lower().replace(";", ",").replace(",", " ").split()
    names = weekday_abbrs()
    unknown = [word for word in words if word not in names]
    if unknown:
        raise BadReferenceCell(f"«{unknown[0]}» — не день недели; пишите пн, вт, ср…")
    days = sorted({names.index(word) for word in words})
    values = dict(weekdays=days, note=_text(row, "Условия")[:250])
    return _keep(CourierCity, {"city": _text(row, "Город", needed=True)[:80]}, values)[1]


def _take_branch(row: ReferenceRow, by: User, now: dt.datetime) -> str:  # noqa: ARG001
    values = dict(
        city=_text(row, "Город", needed=True)[:80],
        address=_text(row, "Адрес", needed=True)[:250],
        hours=_text(row, "График", needed=True)[:250],
        phone=_phone(row, "Телефон"),
        partner=_text(row, "Партнёр").lower() in {"да", "1", "+"},
    )
    return _keep(Branch, {"name": _text(row, "МО", needed=True)[:150]}, values)[1]


def _take_order(row: ReferenceRow, by: User, now: dt.datetime) -> str:
    clinic = Clinic.objects.visible_to(by).filter(name=_text(row, "Клиника", needed=True)).first()
    if clinic is None:
        raise BadReferenceCell("такой клиники у вас нет")
    name = _text(row, "Пациент", needed=True)
    people = list(Patient.objects.filter(clinics=clinic, sort_key=normalise(name))[:2])
    if len(people) != 1:
        raise BadReferenceCell(
            f"пациента «{name}» нет в картотеке" if not people else f"пациентов «{name}» несколько"
        )
    labels = {status.label.lower(): status for status in OrderStatus}
    status = labels.get(_text(row, "Статус").lower() or OrderStatus.REGISTERED.label.lower())
    if status is None:
        raise BadReferenceCell(
            f"статуса «{_text(row, 'Статус')}» нет; есть: {', '.join(OrderStatus.labels)}"
        )
    codes = [
        code.strip()
        for code in _text(row, "Исследования", needed=True).replace(";", ",").split(",")
        if code.strip()
    ]
    studies = list(Study.objects.filter(code__in=codes))
    if len(studies) != len(set(codes)):
        raise BadReferenceCell(f"не все исследования есть в справочнике: {', '.join(codes)}")
    values = dict(
        clinic=clinic,
        patient=people[0],
        status=status,
        partner=_text(row, "Партнёр")[:150],
        biomaterial_received_on=_day(row, "Биоматериал сдан"),
        result_due_on=_day(row, "Срок выдачи"),
        moved_due_on=_day(row, "Новый срок"),
        result_sent_on=_day(row, "Результат направлен"),
    )
    number = _text(row, "Номер", needed=True)[:30]
    standing = Order.objects.filter(number=number).first()
    if standing is None:
        values |= dict(created_at=now, created_by=by)
    elif standing.status == OrderStatus.REFUSED != status:
        raise BadReferenceCell(
            f"в заказе {number} стоит «Отказ»: его снимает аудитор, а не таблица"
        )
    elif not Clinic.objects.visible_to(by).filter(pk=standing.clinic_id).exists():
        raise BadReferenceCell(f"заказ {number} есть в другой клинике")
    order, outcome = _keep(Order, {"number": number}, values)
    if {line.study_id for line in order.lines.all()} != {study.pk for study in studies}:
        order.lines.all().delete()
        OrderStudy.objects.bulk_create(
            OrderStudy(order=order, study=study, price=study.price) for study in studies
        )
        outcome = "changed" if outcome == "same" else outcome
    return outcome


@dataclass(frozen=True)
class Importer:
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    take: Callable[[ReferenceRow, User, dt.datetime], str]


IMPORTERS: Final[dict[str, Importer]] = {
    "studies": Importer(
        ("Код", "Исследование", "Цена"),
        ("Описание", "Преаналитика", "Биоматериал", "Срок", "Ссылка", "Ответственный"),
        _take_study,
    ),
    "institutions": Importer(
        ("Город", "Учреждение"), ("Адрес", "Телефон", "Исследования", "Условия"), _take_institution
    ),
    "couriers": Importer(("Город", "Дни"), ("Условия",), _take_courier),
    "branches": Importer(("МО", "Город", "Адрес", "График"), ("Телефон", "Партнёр"), _take_branch),
    "orders": Importer(
        ("Номер", "Клиника", "Пациент", "Исследования"),
        (
            "Статус",
            "Партнёр",
            "Биоматериал сдан",
            "Срок выдачи",
            "Новый срок",
            "Результат направлен",
        ),
        _take_order,
    ),
}
