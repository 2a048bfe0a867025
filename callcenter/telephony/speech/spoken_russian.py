"""Numbers, dates, times and money as a person reads them aloud in Russian. Pure."""

import datetime as dt
import re
from typing import Final

from num2words import num2words

from callcenter.lib.calendar_names import month_in_date

_SHORT: Final[dict[str, str]] = {
    "д-р": "доктор",
    "г.": "года",
    "ул.": "улица",
    "т.д.": "так далее",
    "МРТ": "эм эр тэ",
    "КТ": "ка тэ",
    "УЗИ": "узи",
    "ЭКГ": "э ка гэ",
    "ЛОР": "лор",
    "руб.": "рублей",
    "мин.": "минут",
    "№": "номер",
    "%": " процентов",
}
_DATE = re.compile(r"\b(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?(?!\d|\.\d)")
_TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
_PHONE = re.compile(r"\+7[\d\s()-]{10,16}\d|\b8[\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2}\b")
_MONEY = re.compile(r"(\d[\d\s\u00a0\u202f]*)\s*(?:₽|руб\.?)")
_ORDINAL = re.compile(r"\b(\d+)-(?:й|ый|ой|я|ая|е|ое)\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def to_speech_text(text: str) -> str:
    """'Приём 03.11 в 9:05, 1 500 ₽' → 'Приём третьего ноября в девять ноль пять, одна тысяча
    пятьсот рублей'.

    What no rule knows is left as it is; an impossible date is read as plain numbers.
    """
    text = _PHONE.sub(lambda m: phone_aloud(m.group()), text)
    text = _MONEY.sub(lambda m: _money(int(re.sub(r"\D", "", m.group(1)))), text)
    text = _DATE.sub(_date_match, text)
    text = _TIME.sub(lambda m: time_aloud(dt.time(int(m.group(1)), int(m.group(2)))), text)
    text = _ORDINAL.sub(lambda m: str(num2words(int(m.group(1)), lang="ru", to="ordinal")), text)
    for short, full in _SHORT.items():
        text = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", full, text)
    text = _NUMBER.sub(lambda m: number_aloud(m.group()), text)
    return re.sub(r"\s+", " ", text).strip()


def number_aloud(digits: str) -> str:
    """'42' → 'сорок два'; more than nine digits, or a leading zero, are read digit by digit."""
    if "." in digits or "," in digits:
        return str(num2words(float(digits.replace(",", ".")), lang="ru"))
    if len(digits) > 9 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(str(num2words(int(digit), lang="ru")) for digit in digits)
    return str(num2words(int(digits), lang="ru"))


def date_aloud(on: dt.date, *, year: bool = False) -> str:
    """3 ноября → 'третьего ноября'; with the year 'третьего ноября две тысячи двадцать шестого
    года'.
    """
    said = f"{_genitive(on.day)} {month_in_date(on.month)}"
    return f"{said} {_genitive(on.year)} года" if year else said


def time_aloud(at: dt.time) -> str:
    """9:00 → 'девять часов', 9:05 → 'девять ноль пять', 14:30 → 'четырнадцать тридцать'."""
    hour = str(num2words(at.hour, lang="ru"))
    if at.minute == 0:
        return f"{hour} {_form(at.hour, 'час', 'часа', 'часов')}"
    minute = str(num2words(at.minute, lang="ru"))
    return f"{hour} ноль {minute}" if at.minute < 10 else f"{hour} {minute}"


def phone_aloud(number: str) -> str:
    """+7 911 010-10-01 → 'плюс семь, девятьсот одиннадцать, ноль десять, десять, ноль один'."""
    digits = re.sub(r"\D", "", number)
    if len(digits) != 11:
        return " ".join(number_aloud(digit) for digit in digits)
    groups = (digits[1:4], digits[4:7], digits[7:9], digits[9:])
    start = "плюс семь" if number.lstrip().startswith("+") else number_aloud(digits[0])
    return ", ".join([start, *(_group(group) for group in groups)])


def name_aloud(full_name: str) -> str:
    """A name for the voice: initials lose their dots, everything but letters and hyphens goes ('Ли
    (стажёр)').
    """
    cleaned = re.sub(r"\(.*?\)", " ", full_name)
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s-]", " ", cleaned)).strip()


def _group(digits: str) -> str:
    zeros = len(digits) - len(digits.lstrip("0"))
    said = ["ноль"] * zeros
    if digits[zeros:]:
        said.append(str(num2words(int(digits[zeros:]), lang="ru")))
    return " ".join(said)


def _date_match(match: re.Match[str]) -> str:
    day, month, year = match.group(1), match.group(2), match.group(3)
    try:
        on = dt.date(
            int(year or 2024), int(month), int(day)
        )  # 2024: a leap year, so 29.02 is a date
    except ValueError:
        return match.group()
    return date_aloud(on, year=bool(year))


def _genitive(number: int) -> str:
    """'третье' → 'третьего', 'двадцать шестой' → 'двадцать шестого'."""
    words = str(num2words(number, lang="ru", to="ordinal")).split()
    last = words[-1]
    words[-1] = "третьего" if last == "третий" else f"{last[:-2]}ого"
    return " ".join(words)


def _money(amount: int) -> str:
    return f"{num2words(amount, lang='ru')} {_form(amount, 'рубль', 'рубля', 'рублей')}"


def _form(number: int, one: str, few: str, many: str) -> str:
    tail = number % 100
    if tail % 10 == 1 and tail != 11:
        return one
    return few if tail % 10 in (2, 3, 4) and tail not in (12, 13, 14) else many
