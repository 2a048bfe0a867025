"""Invented people: natural Russian names with the right endings, families on one telephone, a fixed
start of the random numbers.

Phones are of +7 900 000-xx-xx only, which belong to nobody.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SEED: Final = 20_260_321
PATIENTS: Final = 2_000
# Surnames in both forms come from the man's one; all of them from the meadow, the wood and the
# weather.
SURNAMES: Final = [
    "Ромашкин",
    "Облаков",
    "Туманов",
    "Снегирёв",
    "Чайкин",
    "Зорин",
    "Ветров",
    "Ручьёв",
    "Калинкин",
    "Рябинин",
    "Полянский",
    "Луговой",
    "Озёрский",
    "Дубравин",
    "Берёзкин",
    "Ёлкин",
    "Кленов",
    "Синицын",
    "Соколовский",
    "Журавлин",
    "Лебединский",
    "Щеглов",
    "Чижов",
    "Воробейкин",
    "Ласточкин",
    "Перепёлкин",
    "Голубкин",
    "Кукушкин",
    "Пчёлкин",
    "Стрекозов",
    "Мотыльков",
    "Светлячков",
    "Капелькин",
    "Росинкин",
    "Дождиков",
    "Радугин",
    "Морозкин",
    "Снежинский",
    "Метелин",
    "Вьюгин",
    "Сугробов",
    "Ледовской",
    "Каменский",
    "Песчанов",
    "Травин",
    "Клеверов",
    "Васильков",
    "Ландышев",
    "Незабудкин",
    "Колокольцев",
    "Подснежников",
    "Смородинов",
    "Малинкин",
    "Земляникин",
    "Брусникин",
    "Крыжовников",
    "Яблочкин",
    "Грушин",
    "Вишняков",
    "Сливин",
    "Черёмухин",
    "Сиренев",
    "Жасминов",
    "Липовский",
    "Ясенев",
    "Ольховский",
    "Осинкин",
    "Тополев",
    "Кедрин",
    "Пихтин",
    "Можжевелов",
    "Боровиков",
    "Подберёзовиков",
    "Лисичкин",
    "Опёнков",
    "Рыжиков",
    "Груздев",
    "Ежевикин",
    "Ёжиков",
    "Бельчонков",
    "Зайкин",
    "Барсуков",
    "Бобровский",
    "Лосев",
    "Оленин",
    "Рысин",
    "Степной",
    "Горный",
    "Речной",
    "Заречный",
]
UNCHANGED: Final = ("Ким", "Тихоненко", "Гайдук", "Черных", "Цой", "Белых")
MEN: Final = [
    "Александр",
    "Алексей",
    "Андрей",
    "Антон",
    "Артём",
    "Борис",
    "Вадим",
    "Валерий",
    "Виктор",
    "Владимир",
    "Георгий",
    "Григорий",
    "Даниил",
    "Денис",
    "Дмитрий",
    "Евгений",
    "Егор",
    "Иван",
    "Игорь",
    "Илья",
    "Кирилл",
    "Константин",
    "Лев",
    "Максим",
    "Матвей",
    "Михаил",
    "Никита",
    "Николай",
    "Олег",
    "Павел",
    "Пётр",
    "Роман",
    "Сергей",
    "Степан",
    "Тимофей",
    "Фёдор",
    "Юрий",
    "Ярослав",
]
WOMEN: Final = [
    "Александра",
    "Алина",
    "Алла",
    "Анастасия",
    "Анна",
    "Валентина",
    "Варвара",
    "Вера",
    "Виктория",
    "Галина",
    "Дарья",
    "Евгения",
    "Екатерина",
    "Елена",
    "Елизавета",
    "Жанна",
    "Зоя",
    "Ирина",
    "Кира",
    "Ксения",
    "Лариса",
    "Лидия",
    "Любовь",
    "Людмила",
    "Маргарита",
    "Марина",
    "Мария",
    "Надежда",
    "Наталья",
    "Нина",
    "Оксана",
    "Ольга",
    "Полина",
    "Раиса",
    "Светлана",
    "София",
    "Тамара",
    "Татьяна",
    "Ульяна",
    "Юлия",
    "Яна",
]
_SPECIAL_FATHERS: Final = {
    "Илья": "Ильич",
    "Никита": "Никитич",
    "Пётр": "Петрович",
    "Лев": "Львович",
    "Павел": "Павлович",
    "Дмитрий": "Дмитриевич",
    "Михаил": "Михайлович",
    "Георгий": "Георгиевич",
}


@dataclass
class DemoPerson:
    code: str
    last: str
    first: str
    middle: str
    born: dt.date
    phones: list[str]
    clinic: int  # index in the chain
    email: str = ""
    note: str = ""
    do_not_call: str = ""
    consents: dict[str, str] = field(
        default_factory=dict
    )  # heading of the patients' file → да / нет

    @property
    def full_name(self) -> str:
        return f"{self.last} {self.first} {self.middle}"


def feminine(surname: str) -> str:
    """Зорин → Зорина, Полянский → Полянская, Луговой → Луговая; Ким stays."""
    if surname in UNCHANGED:
        return surname
    for ending, woman in (("ский", "ская"), ("цкий", "цкая"), ("ный", "ная"), ("ой", "ая")):
        if surname.endswith(ending):
            return surname.removesuffix(ending) + woman
    return f"{surname}а"


def patronymic(father: str, *, woman: bool) -> str:
    """Иван → Иванович / Ивановна, Юрий → Юрьевич, Илья → Ильич / Ильинична, Игорь → Игоревич."""
    man = _SPECIAL_FATHERS.get(father)
    if man is None:
        if father.endswith("ий"):
            man = f"{father[:-2]}ьевич"
        elif father.endswith(("й", "ь")):
            man = f"{father[:-1]}евич"
        else:
            man = f"{father}ович"
    if not woman:
        return man
    return {"Ильич": "Ильинична", "Никитич": "Никитична"}.get(man, f"{man[:-2]}на")


def patients(today: dt.date, clinics: int) -> list[DemoPerson]:
    """The whole card file, the same for the same day: families, shared and missing phones,
    refusals, consents.
    """
    dice = random.Random(SEED)
    numbers = iter(dice.sample(range(100, 9_900), 3_000))
    people: list[DemoPerson] = []
    while len(people) < PATIENTS:
        size = dice.choices((1, 2, 3, 4), (70, 14, 10, 6))[0]
        people += _family(dice, today, min(size, PATIENTS - len(people)), clinics, numbers)
    for index, person in enumerate(people):
        person.code = f"К{index + 1:05}"
    return people


def _family(
    dice: random.Random, today: dt.date, size: int, clinics: int, numbers: Iterator[int]
) -> list[DemoPerson]:
    surname = dice.choice(UNCHANGED) if dice.random() < 0.05 else dice.choice(SURNAMES)
    clinic, shared = dice.choices(range(clinics), (5, 3, 2)[:clinics])[0], _number(numbers)
    father = dice.choice(MEN)
    family = []
    for place in range(size):
        child = place >= 2
        woman = (
            place == 1
            or (place != 0 and dice.random() < 0.5)
            or (size == 1 and dice.random() < 0.58)
        )
        age = (
            dice.randint(3, 16)
            if child
            else dice.randint(19, 84)
            if size == 1
            else dice.randint(27, 46)
        )
        parent = father if child else dice.choice(MEN)
        first = (
            dice.choice(WOMEN) if woman else father if place == 0 and size > 1 else dice.choice(MEN)
        )
        own = [] if child else [shared] if place == 0 else [_number(numbers), shared]
        person = DemoPerson(
            code="",
            last=feminine(surname) if woman else surname,
            first=first,
            middle=patronymic(parent, woman=woman),
            born=today - dt.timedelta(days=age * 365 + dice.randint(0, 364)),
            phones=own or [shared],
            clinic=clinic,
        )
        _habits(dice, person, numbers)
        family.append(person)
    return family


def _number(numbers: Iterator[int]) -> str:
    tail = next(numbers)
    return f"+7 900 000-{tail // 100:02}-{tail % 100:02}"


def _habits(dice: random.Random, person: DemoPerson, numbers: Iterator[int]) -> None:
    """What makes one card differ from the next: no phone, a second one, e-mail, refusals and
    consents, a note.
    """
    if dice.random() < 0.03:
        person.phones = []
    elif dice.random() < 0.06:
        person.phones = [*person.phones[:1], _number(numbers)]
    if dice.random() < 0.35:
        person.email = f"patient{dice.randint(1000, 9999)}@example.org"
    if dice.random() < 0.03:
        person.do_not_call = dice.choice(
            ("просил не звонить", "пишите только на почту", "сменил клинику, звонков не ждёт")
        )
    for channel in ("СМС", "мессенджер", "e-mail", "звонок человека"):
        if (roll := dice.random()) < 0.45:
            person.consents[f"Реклама: {channel}"] = "да" if roll < 0.38 else "нет"
    if dice.random() < 0.02:
        person.consents["О визите: СМС"] = "нет"
    if dice.random() < 0.05:
        person.note = dice.choice(
            ("Боится анестезии, говорить спокойно.", "Плохо слышит, звонить на второй номер.", "Удобнее после 17:00.",
             "Приводит детей вместе.", "Предпочитает переписку.")
        )  # fmt: skip
