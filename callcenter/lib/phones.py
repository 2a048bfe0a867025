"""Telephone numbers: any usual shape in, E.164 in the database, '+7 (911) 010-10-01' on the screen."""

import re

import phonenumbers

_TWO = re.compile(r"[,;/]|\bи\b|\n")


class BadPhone(ValueError):
    """The text is no telephone number; `str(error)` says in Russian what is wrong and what to do."""


def parse(text: str, *, region: str = "RU") -> str:
    """E.164 of the one number written in `text`.

    Accepts '+7 911 010-10-01', '8-911-010-1001', '(911) 0101001', '7(777)0010101', '8812-0000-111'.
    Raises BadPhone for '+89110001122' (eight after plus), a number without its area code, two numbers in one cell.
    """
    raw = text.strip()
    if not raw:
        raise BadPhone("Номер телефона пуст. Укажите номер с кодом, например +7 911 010-10-01.")
    digits = re.sub(r"\D", "", raw)
    if _TWO.search(raw) or len(digits) > 15:
        raise BadPhone(f"«{raw[:60]}» — похоже на два номера в одной ячейке. Оставьте один номер.")
    if re.search(r"[^\W\d_]", raw):
        raise BadPhone(f"«{raw[:60]}» содержит буквы. Оставьте только номер, например +7 911 010-10-01.")
    if raw.startswith("+8") and len(digits) == 11:
        raise BadPhone(f"«{raw}»: после плюса стоит 8. Напишите +7… или 8… без плюса.")
    if len(digits) < 10:
        raise BadPhone(f"«{raw}» — не хватает цифр. Добавьте код города или оператора.")
    candidate = raw if raw.startswith("+") else digits
    if not raw.startswith("+") and len(digits) == 11 and digits[0] == "7":
        candidate = "+" + digits
    try:
        number = phonenumbers.parse(candidate, region)
    except phonenumbers.NumberParseException:
        raise BadPhone(f"«{raw[:60]}» не похоже на номер телефона. Пример: +7 911 010-10-01.") from None
    if not phonenumbers.is_valid_number(number) and not _is_reserved_for_examples(number):
        raise BadPhone(f"«{raw}» — такого номера не бывает. Проверьте код и количество цифр.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_reserved_for_examples(number: phonenumbers.PhoneNumber) -> bool:
    """+7 900 000-xx-xx and the documents' own samples: no operator has them, and the demo lives on them."""
    national = str(number.national_number)
    return number.country_code == 7 and len(national) == 10 and national[:6] in {"900000", "812000", "911000"}


def pretty(e164: str) -> str:
    """'+79110101001' → '+7 (911) 010-10-01'; a foreign number in its international form."""
    if re.fullmatch(r"\+7\d{10}", e164):
        return f"+7 ({e164[2:5]}) {e164[5:8]}-{e164[8:10]}-{e164[10:12]}"
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return e164


def masked(e164: str) -> str:
    """What a role without the right to see numbers gets: '+7 (911) ***-**-01'."""
    if re.fullmatch(r"\+7\d{10}", e164):
        return f"+7 ({e164[2:5]}) ***-**-{e164[10:12]}"
    return f"***{e164[-2:]}" if e164 else ""


def is_mobile(e164: str) -> bool:
    """Whether a text message can arrive there (Russian mobile codes begin with 9)."""
    if e164.startswith("+7"):
        return e164[2:3] == "9"
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return False
    return kind in {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
