"""The demo clinic: invented people with the right endings, and everything loaded through the
import.
"""

import datetime as dt
import re
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import Count

from callcenter.clinics.models import (
    Appointment,
    Clinic,
    Doctor,
    Patient,
    PatientPhone,
    ScheduleWindow,
)
from callcenter.contacts.models import Reason
from callcenter.demo import people
from callcenter.demo.logins import LOGINS, PASSWORD
from callcenter.imports.models import ImportFile, ImportRun
from callcenter.staff.models import Shift, User
from callcenter.staff.roles import Role
from journals.models import RecallCall, RecallEntry

TODAY = dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("father", "son", "daughter"),
    [
        ("Иван", "Иванович", "Ивановна"),
        ("Юрий", "Юрьевич", "Юрьевна"),
        ("Дмитрий", "Дмитриевич", "Дмитриевна"),
        ("Илья", "Ильич", "Ильинична"),
        ("Игорь", "Игоревич", "Игоревна"),
        ("Пётр", "Петрович", "Петровна"),
        ("Михаил", "Михайлович", "Михайловна"),
        ("Алексей", "Алексеевич", "Алексеевна"),
    ],
)
def test_patronymics(father: str, son: str, daughter: str) -> None:
    assert people.patronymic(father, woman=False) == son
    assert people.patronymic(father, woman=True) == daughter


@pytest.mark.parametrize(
    ("man", "woman"),
    [
        ("Зорин", "Зорина"),
        ("Полянский", "Полянская"),
        ("Луговой", "Луговая"),
        ("Горный", "Горная"),
        ("Ким", "Ким"),
    ],
)
def test_surnames(man: str, woman: str) -> None:
    assert people.feminine(man) == woman


def test_the_card_file_is_the_same_every_time_and_has_every_kind_of_people() -> None:
    cards = people.patients(TODAY, 3)
    assert cards == people.patients(TODAY, 3)
    assert len({card.code for card in cards}) == 2_000
    numbers = [number for card in cards for number in card.phones]
    assert all(re.fullmatch(r"\+7 900 000-\d\d-\d\d", number) for number in numbers)
    assert len(set(numbers)) < len(numbers) - 500  # families
    assert 30 < sum(not card.phones for card in cards) < 120
    assert 30 < sum(bool(card.do_not_call) for card in cards) < 120
    men = {*people.SURNAMES, *people.UNCHANGED}
    women = {people.feminine(surname) for surname in men}
    for card in cards:
        woman = card.middle.endswith("на")
        assert woman == (card.first in people.WOMEN), card.full_name
        assert card.last in (women if woman else men), card.full_name


@pytest.fixture
def dictionaries(db: None) -> None:
    """What the migrations fill in: a test with real commits that this worker ran before has emptied
    every table.
    """
    if not Reason.objects.exists():
        import_module("journals.migrations.0002_reasons").add(apps, None)
        import_module("b2c_procedures.migrations.0002_phrases").fill(apps, None)


@pytest.mark.django_db
@pytest.mark.usefixtures("dictionaries")
@pytest.mark.timeout(600)
def test_the_demo_comes_in_through_the_import() -> None:
    call_command("load_demo")
    assert (Clinic.objects.count(), Doctor.objects.count(), Patient.objects.count()) == (
        3,
        12,
        2_000,
    )
    assert Clinic.objects.values("zone").distinct().count() == 2
    assert {run.kind for run in ImportRun.objects.all()} == {
        "patients",
        "appointments",
        "windows",
        "recalls",
    }
    assert all(
        (run.state, run.counts["rejected"]) == ("done", 0) for run in ImportRun.objects.all()
    )
    assert not ImportFile.objects.exists()
    states = dict(Appointment.objects.values_list("status").annotate(Count("pk")))
    assert set(states) >= {"scheduled", "confirmed", "completed", "cancelled", "no_show"}
    assert Appointment.objects.filter(money__gt=0).count() == states["completed"]
    assert ScheduleWindow.objects.filter(state="free").count() > 500
    assert RecallEntry.objects.count() == 300
    stages = dict(RecallEntry.objects.values_list("stage").annotate(Count("pk")))
    assert min(stages["call"], stages["booked"], stages["refused"]) > 3
    assert RecallEntry.objects.filter(stage="call", calls__gt=0).exists()
    assert set(RecallCall.objects.values_list("outcome", flat=True)) == {
        "booked",
        "unreached",
        "thinking",
        "remind",
        "refused",
    }
    assert not PatientPhone.objects.exclude(number__startswith="+7900000").exists()
    assert Shift.objects.filter(colour="yellow").values("on").distinct().count() > 20
    for login, _, role, *_ in LOGINS:
        user = User.objects.get(login=login)
        assert user.check_password(PASSWORD)
        assert user.has(Role(role))
    with pytest.raises(CommandError, match="--reset"):
        call_command("load_demo")
