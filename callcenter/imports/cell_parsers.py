"""What one cell means: dates, times, phones, names, sums. Pure; whatever stands in a cell, the
answer is a value or BadCell.

A cell comes as Excel stored it (number, date, time…) or as the text of a CSV. An empty cell is
`None` everywhere.
"""

import contextlib
import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from callcenter.clinics.search_keys import normalise
from callcenter.clinics.states import AppointmentStatus
from callcenter.lib import phones
from callcenter.lib.calendar_names import month_number

Cell = str | int | float | bool | dt.date | dt.datetime | dt.time | dt.timedelta | None

LONGEST: Final = 5_000  # characters of one cell
_EXCEL_EPOCH: Final = dt.date(1899, 12, 30)
_SERIAL_DAYS: Final = range(10_000, 80_000)  # 1927…2119: numbers that Excel shows as a date
_ZONE: Final = re.compile(r"\s*(?:Z|UTC|GMT|[+\-]\d{1,2}:?(?:\d{2})?)", re.IGNORECASE)
# '1500', '1500,5' and '1500.0000' of a database; '1 500', '1.500,50' and '1,500.50': groups of
# three after one to three digits, their sign another than the one before the kopecks.
_PLAIN_SUM: Final = re.compile(r"(?P<whole>-?\d+)(?:[.,](?P<kopecks>\d{1,2}|\d{4}))?")
_GROUPED_SUM: Final = re.compile(
    r"(?P<whole>-?[1-9]\d{0,2}(?P<point>[ .,'])\d{3}(?:(?P=point)\d{3})*)(?:(?P<comma>[.,])(?P<kopecks>\d{1,2}))?"
)
_YES: Final = frozenset(
    {"да", "д", "yes", "y", "true", "истина", "1", "есть", "согласен", "согласна", "x", "х", "v"}
)
_NO: Final = frozenset(
    {"нет", "н", "no", "n", "false", "ложь", "0", "отказ", "не согласен", "не согласна"}
)
_SIGNS: Final[Mapping[str, bool]] = {
    "+": True,
    "✓": True,
    "✔": True,
    "-": False,
    "—": False,
    "–": False,
}
# What Excel shows for a formula that failed, in English and in Russian.
_EXCEL_ERROR: Final = re.compile(
    r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|GETTING_DATA"
    r"|Н/Д|ССЫЛКА!|ЗНАЧ!|ДЕЛ/0!|ИМЯ\?|ЧИСЛО!|ПУСТО!|ПЕРЕНОС!|ВЫЧИСЛ!|ПОЛЕ!|ЗАБЛОКИРОВАНО!)",
    re.IGNORECASE,
)
_PAID: Final = "оплачен"  # of a visit to come: paid ahead; of one that is over: it took place
STATUS_WORDS: Final[Mapping[AppointmentStatus, tuple[str, ...]]] = {
    AppointmentStatus.SCHEDULED: (
        "запланирован",
        "записан",
        "новый",
        "назначен",
        "ожидается",
        "создан",
    ),
    AppointmentStatus.CONFIRMED: ("подтвержд",),
    AppointmentStatus.ARRIVED: ("пришел", "пришла", "на приеме", "в клинике", "явился", "явилась"),
    AppointmentStatus.COMPLETED: (
        "состоялся",
        "заверш",
        "выполнен",
        "оказан",
        "принят",
        "закрыт",
        _PAID,
    ),
    AppointmentStatus.CANCELLED: ("отмен", "удален", "аннулир"),
    AppointmentStatus.NO_SHOW: ("не пришел", "не пришла", "неявка", "не явил"),
}


class BadCell(ValueError):
    """What is wrong in this cell, and what to do about it: both in Russian, for the person with the
    file.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what, self.todo = what, todo


class ParsedName(NamedTuple):
    last: str
    first: str
    middle: str


def shown(cell: Cell) -> str:
    """The cell as a person sees it in his table; also what goes into the file of rejected rows."""
    match cell:
        case None:
            return ""
        case bool():
            return "да" if cell else "нет"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case dt.datetime():
            return (
                cell.strftime("%d.%m.%Y")
                if cell.time() == dt.time()
                else cell.strftime("%d.%m.%Y %H:%M")
            )
        case dt.date():
            return cell.strftime("%d.%m.%Y")
        case dt.time():
            return cell.strftime("%H:%M")
        case dt.timedelta():
            minutes = round(cell.total_seconds() / 60)
            return f"{minutes // 60}:{minutes % 60:02}"
        case _:
            return str(cell)


def _quoted(cell: Cell) -> str:
    value = shown(cell)
    return f"«{value[:60]}…»" if len(value) > 60 else f"«{value}»"


def text(cell: Cell, *, limit: int = LONGEST) -> str | None:
    """The cell's words without the spaces around; line ends are kept. A formula that failed is no
    words at all.
    """
    value = shown(cell).strip().replace("\x00", "").replace("\x0b", "\n")
    if isinstance(cell, str) and _EXCEL_ERROR.fullmatch(value):
        raise BadCell(f"В ячейке ошибка Excel {value}.", "Исправьте формулу или впишите значение.")
    if len(value) > limit:
        raise BadCell(f"Слишком длинный текст: {len(value)} знаков.", f"Сократите до {limit}.")
    return value or None


def identifier(cell: Cell) -> str | None:
    """A code of the clinic's own system: text or a whole number."""
    return text(cell, limit=60)


def date(cell: Cell) -> dt.date | None:
    """A day: an Excel date, its serial number, or text such as 05.11.2026, 2026-11-05, 5 ноября
    2026 г.
    """
    if isinstance(cell, dt.datetime):
        return _reasonable(cell.date(), cell)
    if isinstance(cell, dt.date):
        return _reasonable(cell, cell)
    value = text(cell)
    if value is None:
        return None
    serial = (
        _number(cell)
        if isinstance(cell, int | float)
        else _number(value)
        if value.isdecimal()
        else None
    )
    if serial is not None and int(serial) in _SERIAL_DAYS:
        return _EXCEL_EPOCH + dt.timedelta(days=int(serial))
    found = _date_of_text(value)
    if found is None:
        raise BadCell(
            f"{_quoted(cell)} не похоже на дату.", "Напишите день, месяц и год: 05.11.2026."
        )
    return _reasonable(found, cell)


def _date_of_text(value: str) -> dt.date | None:
    """The date at the beginning of `value`, which may go on with a midnight; None when there is
    none.
    """
    value = re.sub(r"[T ]+0?0:00(:00(\.0+)?)?$", "", value)
    if found := re.fullmatch(r"(\d{1,2})[./\-](\d{1,2})[./\-](\d{4}|\d{2})\s*(?:г\.?)?", value):
        day, month, year = (int(part) for part in found.groups())
        return _real(_full_year(year, digits=len(found[3])), month, day)
    if found := re.fullmatch(r"(\d{4})[./\-](\d{1,2})[./\-](\d{1,2})", value):
        return _real(*(int(part) for part in found.groups()))
    if found := re.fullmatch(
        r"(\d{1,2})\s+([а-яё]{3,10})\.?\s+(\d{4})\s*(?:г\.?|года)?", value.lower()
    ):
        return _real(int(found[3]), month_number(found[2]) or 0, int(found[1]))
    return None


def _full_year(year: int, *, digits: int) -> int:
    """Two digits: 00…39 are of this century, 40…99 of the last."""
    if digits == 4:
        return year
    return 2000 + year if year < 40 else 1900 + year


def _real(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _reasonable(on: dt.date, cell: Cell) -> dt.date:
    if not 1900 <= on.year <= 2100:
        raise BadCell(f"{_quoted(cell)} — такого года не может быть.", "Проверьте год.")
    return on


def birth_date(cell: Cell, *, today: dt.date) -> dt.date | None:
    """A day of birth: not in the future, not more than 120 years ago."""
    value = text(cell)
    if (
        value is not None
        and isinstance(cell, str)
        and (found := re.fullmatch(r"(\d{1,2}\W\d{1,2}\W)(\d{2})", value))
    ):
        # Nobody is born in the future: with two digits 31 may be 1931.
        century = 2000 if 2000 + int(found[2]) <= today.year else 1900
        cell = f"{found[1]}{century + int(found[2])}"
    on = date(cell)
    if on is None:
        return None
    if on > today:
        raise BadCell(f"Дата рождения {on:%d.%m.%Y} ещё не наступила.", "Проверьте год.")
    if today.year - on.year > 120:
        raise BadCell(f"По дате {on:%d.%m.%Y} пациенту больше 120 лет.", "Проверьте год.")
    return on


def time(cell: Cell) -> dt.time | None:
    """A time of day: an Excel time, a share of a day, or text such as 9:30, 09.30, 9-30, 930."""
    if isinstance(cell, dt.datetime):
        return _minute(cell.time())
    if isinstance(cell, dt.time):
        return _minute(cell)
    if isinstance(cell, dt.timedelta) and dt.timedelta() <= cell < dt.timedelta(days=1):
        return _clock(round(cell.total_seconds() / 60))
    if isinstance(cell, float) and 0 < cell < 1:
        return _clock(round(cell * 24 * 60))
    value = text(cell)
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,2})[:.\-](\d{2})(?:[:.]\d{2})?", value) or re.fullmatch(
        r"(\d{1,2})(\d{2})", value
    )
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadCell(f"{_quoted(cell)} не похоже на время.", "Напишите часы и минуты: 09:30.")
    return dt.time(int(found[1]), int(found[2]))


def _minute(value: dt.time) -> dt.time:
    """Excel keeps 09:30 as 0.39583…, which may come out as 09:29:59.999."""
    return _clock(
        round((value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) / 60)
    )


def _clock(minutes: int) -> dt.time:
    minutes = min(minutes, 24 * 60 - 1)
    return dt.time(minutes // 60, minutes % 60)


def moment(cell: Cell) -> tuple[dt.date | None, dt.time | None] | None:
    """A day and, when the cell has one, a time: '21.11.2026 10:30' is both. The zone is the
    clinic's.
    """
    if isinstance(cell, dt.datetime):
        at = None if cell.time() == dt.time() else _minute(cell.time())
        return date(cell), at
    if (
        isinstance(cell, float)
        and math.isfinite(cell)
        and not cell.is_integer()
        and int(cell) in _SERIAL_DAYS
    ):
        return date(float(int(cell))), _clock(round(cell % 1 * 24 * 60))
    value = text(cell)
    if (
        isinstance(cell, str)
        and value
        and (
            found := re.fullmatch(
                r"(.+?)(?:\s*,\s*|\s+в\s+|\s+|T)(\d{1,2}[:.]\d{2}(?::\d{2}(?:\.\d+)?)?)(.*)", value
            )
        )
    ):
        if _ZONE.fullmatch(found[3]):
            raise BadCell(
                f"{_quoted(cell)} — время не клиники, а с указанием пояса.",
                "Выгрузите местное время, без «Z» и без сдвига.",
            )
        if found[3]:
            raise BadCell(
                f"{_quoted(cell)} не похоже на дату и время.", "Напишите так: 05.11.2026 10:30."
            )
        return date(found[1]), time(found[2].partition(".")[0] if ":" in found[2] else found[2])
    return None if value is None else (date(cell), None)


def time_or_moment(cell: Cell) -> tuple[dt.date | None, dt.time] | None:
    """A time of day, with its day where the cell has one: how a table says when something ends."""
    if (
        isinstance(cell, dt.datetime) and cell.year >= 1900
    ):  # before it: a mere time, as Excel counts from 1899
        return cell.date(), _minute(cell.time())
    with contextlib.suppress(BadCell):
        on, at = moment(cell) or (None, None)
        if at is not None:
            return on, at
    found = time(cell)
    return None if found is None else (None, found)


def minutes(cell: Cell) -> int | None:
    """A length in minutes: 30, '30 мин', 0:30, 1 ч 30 мин; from 1 minute to 12 hours."""
    value = text(cell)
    if value is None:
        return None
    length: float | None = None
    if isinstance(cell, dt.time):
        length = cell.hour * 60 + cell.minute
    elif isinstance(cell, dt.timedelta):
        length = cell.total_seconds() / 60
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        length = _number(cell)
    elif found := re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", value):
        length = int(found[1]) * 60 + int(found[2])
    elif found := re.fullmatch(
        r"(?:(\d{1,2})\s*ч\w*\.?)?\s*(?:(\d{1,3})\s*(?:м\w*\.?)?)?", value.lower()
    ):
        length = int(found[1] or 0) * 60 + int(found[2] or 0)
    if length is None or not 1 <= length <= 12 * 60:
        raise BadCell(
            f"{_quoted(cell)} не похоже на длительность.", "Напишите минуты, например 30."
        )
    return round(length)


def money(cell: Cell) -> Decimal | None:
    """A sum in roubles: 1500, '1 500,00 ₽', '1.500,50 руб.'; never below nought."""
    value = text(cell)
    if value is None:
        return None
    words = re.sub(r"\s+", " ", re.sub(r"(?i)\s*(?:₽|р\.?|руб\w*\.?)$", "", value))
    if isinstance(cell, float) and math.isfinite(cell):
        amount = Decimal(repr(cell))
    elif plain := _PLAIN_SUM.fullmatch(words):
        amount = Decimal(f"{plain['whole']}.{plain['kopecks'] or 0}")
    elif (grouped := _GROUPED_SUM.fullmatch(words)) and grouped["point"] != grouped["comma"]:
        amount = Decimal(f"{re.sub('[^0-9-]', '', grouped['whole'])}.{grouped['kopecks'] or 0}")
    elif re.fullmatch(r"[\d .,']+", words):
        raise BadCell(
            f"{_quoted(cell)}: непонятно, где рубли, а где копейки.", "Напишите так: 1500,00."
        )
    else:
        raise BadCell(
            f"{_quoted(cell)} не похоже на сумму.", "Напишите число рублей, например 1500,00."
        )
    if amount >= Decimal("1e10"):
        raise BadCell(f"{_quoted(cell)} — слишком большая сумма.", "Проверьте число.")
    if amount < 0:
        raise BadCell(f"Сумма {_quoted(cell)} меньше нуля.", "Напишите сумму без минуса.")
    return amount.quantize(Decimal("0.01"))


def _number(cell: Cell) -> float | None:
    try:
        value = float(cell) if isinstance(cell, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def flag(cell: Cell) -> bool | None:
    """Yes or no: да/нет, 1/0, +/-, true/false; an empty cell is neither."""
    if isinstance(cell, bool):
        return cell
    value = text(cell)
    if value is None:
        return None
    if value in _SIGNS:
        return _SIGNS[value]
    if (word := normalise(value)) in _YES:
        return True
    if word in _NO:
        return False
    raise BadCell(f"{_quoted(cell)} — непонятно, да или нет.", "Напишите «да» или «нет».")


def status(cell: Cell) -> AppointmentStatus | None:
    """The state of a visit in the words of the usual systems."""
    value = text(cell)
    if value is None:
        return None
    word = normalise(value)
    known: AppointmentStatus
    for known in AppointmentStatus:
        if word == known.value:
            return known
    # «не пришёл» begins otherwise than «пришёл»: the refusals are looked for first.
    for known in (AppointmentStatus.NO_SHOW, AppointmentStatus.CANCELLED, *AppointmentStatus):
        if any(word.startswith(beginning) for beginning in STATUS_WORDS[known]):
            return known
    raise BadCell(
        f"Статус {_quoted(cell)} неизвестен.",
        "Подойдут: запланирован, подтверждён, пришёл, состоялся, отменён, не пришёл.",
    )


def paid(cell: Cell) -> bool:
    """Whether the state of a visit only says that it is paid for."""
    return normalise(shown(cell)).startswith(_PAID)


def phone(cell: Cell) -> str | None:
    """One number in any usual shape → E.164."""
    value = text(cell)
    if value is None:
        return None
    try:
        return phones.parse(value)
    except phones.BadPhone as error:
        raise BadCell(error.what, error.todo) from None


def email(cell: Cell) -> str | None:
    value = text(cell, limit=254)
    if value is None:
        return None
    try:
        validate_email(value)
    except ValidationError:
        raise BadCell(
            f"{_quoted(cell)} не похоже на e-mail.", "Пример: ivanova@example.org."
        ) from None
    return value.lower()


def name_part(cell: Cell) -> str | None:
    """A surname, a first name or a patronymic: letters, hyphens, apostrophes, dots and spaces."""
    value = text(cell, limit=80)
    if value is None:
        return None
    value = re.sub(r"\s+", " ", value)
    if not re.fullmatch(r"[^\W\d_][^\W\d_'’ʼ`.\-– ()]*(?:[ '’ʼ`.\-–()]+[^\W\d_]*)*", value):
        raise BadCell(f"{_quoted(cell)} не похоже на имя.", "Оставьте буквы, пробелы и дефис.")
    if value.isupper() or value.islower():
        value = re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize(), value)
    return value


def full_name(cell: Cell) -> ParsedName | None:
    """«Фамилия Имя Отчество» in this order; whatever follows the first name is the patronymic («Али
    оглы»). Two initials are two names, with a space between them or without («Иванов И.И.»).
    """
    value = text(cell, limit=240)
    if value is None:
        return None
    last, _, rest = re.sub(r"\s+", " ", value).partition(" ")
    if initials := re.fullmatch(r"([^\W\d_]\.) ?([^\W\d_]\.?)", rest):
        first, middle = initials.groups()
    else:
        first, _, middle = rest.partition(" ")
    return ParsedName(*(name_part(part) or "" for part in (last, first, middle)))


def is_initial_of(short: str, whole: str) -> bool:
    """Whether `short` is but the first letter of the name."""
    letter, name = normalise(short), normalise(whole)
    return len(letter) == 1 and name.startswith(letter)
