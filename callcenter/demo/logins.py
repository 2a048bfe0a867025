"""Who logs in to the demo. Django-free: the launcher prints it."""

from typing import Final

# Known to everybody who reads this file: it opens a demo on one's own machine and nothing else.
PASSWORD: Final = "dozvon-demo"  # noqa: S105

LOGINS: Final = (
    # login, full name, role (callcenter.staff.roles), extension, clinics (None: all)
    ("administrator", "Голубкина Анна Сергеевна", "administrator", "101", None),
    ("administrator2", "Калинкина Зоя Игоревна", "administrator", "102", None),
    ("senior", "Полянская Вера Андреевна", "senior", "100", None),
    ("manager", "Каменский Максим Юрьевич", "manager", "110", None),
    ("doctor", "Ландышев Олег Ильич", "doctor", "201", (0,)),
    ("consultant", "Росинкина Елена Дмитриевна", "consultant", "210", None),
    ("lead", "Лебединский Артём Павлович", "lead", "120", None),
    ("head", "Вишнякова Нина Олеговна", "head", "121", None),
    ("auditor", "Песчанов Илья Романович", "auditor", "130", None),
    ("responsible", "Яблочкина Лариса Петровна", "responsible", "140", None),
    ("branch", "Горная Ульяна Кирилловна", "branch", "301", (2,)),
)
