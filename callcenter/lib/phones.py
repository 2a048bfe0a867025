"""Telephone numbers: any usual shape in, E.164 in the database, '+7 (911) 010-10-01' on the screen."""

import re
from typing import Final

import phonenumbers

_SEPARATORS: Final = re.compile(r"[,;/|\n]|\bи\b|\bили\b")
# Two numbers beside each other with nothing but a space: a second '+7', or '8' after a whole
# number.
_SECOND: Final = re.compile(r"\d\D*\+")
# A number inside a text: ten digits as people group them, or E.164. Dates and sums are grouped
# otherwise.
_WITHIN: Final = re.compile(
    r"\+\d{10,15}(?!\d)|(?<![\d+])(?:\+?\d{1,3}[ \-]*)?\(?\d{3}\)?[ \-]*\d{3}[ \-]*\d{2}[ \-]*\d{2}(?!\d)"
)
# What nearly every cell of a file holds: a Russian mobile in one of its usual shapes. Any
# 9XXXXXXXXX is valid but for the codes 93X, of which some do not exist; `phonenumbers` takes a
# hundred times as long to say so.
_MOBILE: Final = re.compile(
    r"(?:\+7|[78])?[ \-]?(?:\((9[0-24-9][0-9])\)|(9[0-24-9][0-9]))[ \-]?([0-9]{3})[ \-]?([0-9]{2})[ \-]?([0-9]{2})"
)


class BadPhone(ValueError):
    """The text is no telephone number: `what` is wrong with it and what `todo`, in Russian; str()
    is both.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what, self.todo = what, todo


def parse(text: str, *, region: str = "RU") -> str:
    """E.164 of the one number written in `text`.

    Accepts '+7 911 010-10-01', '8-911-010-1001', '(911) 0101001', '7(777)0010101', '8812-0000-111'.
    Raises BadPhone for '+89110001122' (eight after plus), a number without its area code, two
    numbers in one cell.
    """
    raw = text.strip().strip(",;/|").strip()
    if region == "RU" and (mobile := _MOBILE.fullmatch(raw)):
        return "+7" + "".join(filter(None, mobile.groups()))
    named = f"«{raw[:40]}…»" if len(raw) > 40 else f"«{raw}»"
    digits = "".join(str(int(sign)) for sign in raw if sign.isdecimal())
    if not raw:
        raise BadPhone("Номер телефона пуст.", "Укажите номер с кодом, например +7 911 010-10-01.")
    if len(digits) > 15 or _SECOND.search(raw) or _has_two(raw):
        raise BadPhone(f"{named} — похоже на два номера в одной ячейке.", "Оставьте один номер.")
    if re.search(r"[^\W\d_]", raw):
        raise BadPhone(
            f"{named} — в номере есть буквы.", "Оставьте только номер, например +7 911 010-10-01."
        )
    if raw.startswith("+8") and len(digits) == 11:
        raise BadPhone(f"{named} — после плюса стоит 8.", "Напишите +7… или 8… без плюса.")
    if len(digits) < 10:
        raise BadPhone(f"{named} — не хватает цифр.", "Добавьте код города или оператора.")
    international = raw.startswith("+") or (len(digits) == 11 and digits[0] == "7")
    try:
        number = phonenumbers.parse(
            f"+{digits}" if international else digits, None if international else region
        )
    except phonenumbers.NumberParseException:
        raise BadPhone(
            f"{named} не похоже на номер телефона.", "Пример: +7 911 010-10-01."
        ) from None
    if not phonenumbers.is_valid_number(number) and not _is_reserved_for_examples(number):
        raise BadPhone(f"{named} — такого номера не бывает.", "Проверьте код и количество цифр.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _has_two(raw: str) -> bool:
    """Whether a comma, a slash or «и» parts the text into two pieces with digits on both sides."""
    return sum(any(sign.isdecimal() for sign in part) for part in _SEPARATORS.split(raw)) > 1


def _is_reserved_for_examples(number: phonenumbers.PhoneNumber) -> bool:
    """+7 900 000-xx-xx and the documents' own samples: no operator has them, and the demo lives on
    them.
    """
    national = str(number.national_number)
    return (
        number.country_code == 7
        and len(national) == 10
        and national[:6] in {"900000", "812000", "911000"}
    )


def e164_or_text(text: str) -> str:
    """E.164 when the text is a number, else the text itself: a line may be a number, an extension
    or a service's name.
    """
    try:
        return parse(text)
    except BadPhone:
        return text


def format_phone(e164: str) -> str:
    """'+79110101001' → '+7 (911) 010-10-01'; a foreign number in its international form."""
    if re.fullmatch(r"\+7\d{10}", e164):
        return f"+7 ({e164[2:5]}) {e164[5:8]}-{e164[8:10]}-{e164[10:12]}"
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )
    except phonenumbers.NumberParseException:
        return e164


def masked(e164: str) -> str:
    """What a role without the right to see numbers gets: '+7 (911) ***-**-01'."""
    if re.fullmatch(r"\+7\d{10}", e164):
        return f"+7 ({e164[2:5]}) ***-**-{e164[10:12]}"
    return f"***{e164[-2:]}" if e164 else ""


def masked_within(text: str) -> str:
    """The text with every number in it masked, in whatever shape it was written."""
    return _WITHIN.sub(lambda found: masked(e164_or_text(found[0])), text)


def is_mobile(e164: str) -> bool:
    """Whether a text message can arrive there (Russian mobile codes begin with 9)."""
    if e164.startswith("+7"):
        return e164[2:3] == "9"
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return False
    return kind in {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
