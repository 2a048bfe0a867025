"""ИНН of a person: twelve digits, the last two of them a checksum. Pure."""

_FIRST = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_SECOND = (3, *_FIRST)


class BadInn(ValueError):
    """`str(error)` says in Russian what is wrong."""


def _digit(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(d * w for d, w in zip(digits, weights, strict=False)) % 11 % 10


def check_inn(text: str) -> str:
    """The twelve digits of a person's ИНН; raises BadInn when they are not twelve or the checksum
    is wrong.
    """
    inn = "".join(text.split())
    if inn.isascii() and inn.isdigit() and len(inn) == 10:
        raise BadInn(
            "10 цифр — это ИНН организации. Справку получает человек: спросите его ИНН из 12 цифр."
        )
    if not inn.isascii() or not inn.isdigit() or len(inn) != 12:
        raise BadInn("ИНН физического лица — 12 цифр. Проверьте, что продиктовал клиент.")
    digits = [int(char) for char in inn]
    if (
        digits[10] != _digit(digits[:10], _FIRST)
        or digits[11] != _digit(digits[:11], _SECOND)
        or inn == "0" * 12
    ):
        raise BadInn(
            "Контрольные цифры ИНН не сходятся: в одной из цифр ошибка. Переспросите клиента."
        )
    return inn
