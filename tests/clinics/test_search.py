"""Patient search: beginnings of words in any order, ё = е, last digits, birth date; only patients
of one's clinics.
"""

import datetime as dt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.clinics.models import Patient
from callcenter.clinics.search import patients_that_fit, search_patients
from callcenter.clinics.search_keys import normalise
from tests.conftest import World


def found(world: World, text: str) -> list[str]:
    return [patient.full_name for patient in search_patients(text, user=world.administrator)]


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("иван", True),
        ("ИВАНОВА", True),
        ("анна", True),
        ("петр", True),
        ("ан ив", True),
        ("петр ан ив", True),
        ("  ив   пе ", True),
        ("ванова", False),
        ("ив сидор", False),
        ("и", False),
        ("", False),
        ("%", False),
        ("_в", False),
        ("ив'; drop", False),
    ],
)
def test_beginnings_of_words_in_any_order(world: World, text: str, finds: bool) -> None:
    world.patient("Иванова", "Анна", "Петровна")
    assert bool(found(world, text)) is finds


def test_yo_and_ye_are_one_letter_in_the_card_and_in_the_query(world: World) -> None:
    world.patient("Королёва", "Алёна", "")
    world.patient("Семенов", "Петр", "")
    assert found(world, "королева") == ["Королёва Алёна"]
    assert found(world, "ален") == ["Королёва Алёна"]
    assert found(world, "семёнов пётр") == ["Семенов Петр"]


def test_surnames_come_before_first_names_before_patronymics(world: World) -> None:
    world.patient("Яшин", "Иван", "Олегович")
    world.patient("Абаев", "Олег", "Иванович")
    world.patient("Иванов", "Яков", "Ильич")
    assert found(world, "иван") == [
        "Иванов Яков Ильич",
        "Яшин Иван Олегович",
        "Абаев Олег Иванович",
    ]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (("Мамин-Сибиряк", "Дмитрий", ""), ("мамин сиб", "сиб дм", "сибиряк")),
        (
            ("Мамедов", "Али", "Гусейн оглы"),
            ("мамедов али гусейн оглы", "оглы", "огл мам", "гус ал огл"),
        ),
        (("Мамедова", "Лейла", "Вагиф кызы"), ("лейла кызы", "кызы")),
        (("Петрова", "Анна-Мария", ""), ("петрова анна-мария", "петр мар", "мария")),
        (("Д'Артаньян", "Шарль", ""), ("д'артаньян", "артаньян", "шарль арт")),
        (("Нгуен", "Тхи Лан", ""), ("нгуен тхи лан", "лан нгу")),
        (("де ла Круз", "Хуан", ""), ("де ла круз хуан", "круз", "хуан ла")),
        (("Йылмаз", "Али", "Ахмед Тимур оглы"), ("тимур", "огл тим йыл", "оглы")),
    ],
)
def test_every_word_of_a_name_may_begin_what_is_typed(
    world: World, name: tuple[str, str, str], texts: tuple[str, ...]
) -> None:
    patient = world.patient(*name)
    for text in texts:
        assert found(world, text) == [patient.full_name], text
        assert list(patients_that_fit(text)) == [patient], text


# Letters that fold alike, and few, so that words of one name often begin alike.
_WORD = st.text(alphabet="абеёЁАБ", min_size=1, max_size=4)
_FIELD = st.lists(_WORD, min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from([" ", "-", "'", " - "]).map(lambda between: between.join(words))
)


@settings(max_examples=60)
@given(
    names=st.tuples(_FIELD, st.just("") | _FIELD, st.just("") | _FIELD),
    chance=st.randoms(use_true_random=False),
)
def test_beginnings_of_any_words_of_a_name_in_any_order_find_its_owner(
    world: World, names: tuple[str, str, str], chance: Random
) -> None:
    patient = world.patient(*names)
    words = [word for name in names for word in normalise(name).split()]
    chosen = chance.sample(words, chance.randint(1, min(4, len(words))))
    text = " ".join(word[: chance.randint(1, len(word))] for word in chosen)
    if len(text.replace(" ", "")) >= 2:
        assert patient.pk in [
            one.pk for one in search_patients(text, user=world.administrator, limit=500)
        ], text
        assert patients_that_fit(text).filter(pk=patient.pk).exists(), text
    patient.delete()


def test_a_changed_name_is_found_by_its_new_words_alone(world: World) -> None:
    patient = world.patient("Мамин-Сибиряк", "Дмитрий", "")
    patient.last_name = "Римский-Корсаков"
    patient.save()
    assert (found(world, "сибиряк"), found(world, "корсаков")) == ([], [patient.full_name])
    patient.last_name = "Римский"
    patient.save()
    assert found(world, "корсаков") == []


def test_words_inside_a_field_come_after_its_first_words(world: World) -> None:
    for name in (
        ("Яшин", "Олег-Иван", ""),
        ("Абаев", "Иван", ""),
        ("Зимин-Иванов", "Олег", ""),
        ("Иванов", "Яков", ""),
    ):
        world.patient(*name)
    assert found(world, "иван") == [
        "Иванов Яков",
        "Зимин-Иванов Олег",
        "Абаев Иван",
        "Яшин Олег-Иван",
    ]


@pytest.mark.parametrize(
    "text", ["1001", "01001", "010-10-01", "+7 900 010-10-01", "89000101001", "8 (900) 0101001"]
)
def test_four_or_more_last_digits_of_any_phone(world: World, text: str) -> None:
    world.patient("Чужой", phones=["+79000002002"])
    mine = world.patient("Свой", phones=["+79000003003", "+79000101001"])
    assert found(world, text) == [mine.full_name]


def test_three_digits_are_too_few(world: World) -> None:
    world.patient(phones=["+79000101001"])
    assert found(world, "001") == []


def test_a_birth_date_alone_and_with_a_name(world: World) -> None:
    world.patient("Иванова", birth_date=dt.date(1980, 3, 12))
    world.patient("Сидорова", birth_date=dt.date(1980, 3, 12))
    assert len(found(world, "12.03.1980")) == 2
    assert found(world, "сид 12.03.1980") == ["Сидорова Анна Петровна"]
    assert found(world, "31.02.1980") == []


def test_patients_of_other_clinics_are_not_found(world: World) -> None:
    world.patient("Дальняя", clinics=[world.clinic_b])
    assert found(world, "дальн") == []
    assert search_patients("дальн", user=world.administrator_b) != []


def test_at_most_twenty_best_first(world: World) -> None:
    for index in range(30):
        world.patient(f"Иванов{'абвгдежзик'[index % 10]}", f"Имя{index:02}")
    names = found(world, "иванов")
    assert len(names) == 20
    assert names == sorted(names)


@pytest.mark.django_db
@given(st.text(alphabet="абвгдеёжзиАЁ -'.A1", min_size=1, max_size=30))
def test_the_database_folds_names_as_python_does(name: str) -> None:
    patient = Patient.objects.create(last_name=name)
    patient.refresh_from_db()
    assert patient.sort_key == normalise(name)
    patient.delete()


@given(st.text(max_size=40))
def test_no_text_breaks_the_search(world: World, text: str) -> None:
    search_patients(text.replace("\x00", ""), user=world.administrator)


def test_three_names_or_thirty_cost_the_same_queries(
    world: World, django_assert_max_num_queries: object
) -> None:
    for index in range(30):
        world.patient(f"Иванов{index}")
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert len(found(world, "иванов")) == 20
