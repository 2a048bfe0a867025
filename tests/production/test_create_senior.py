"""The first log-in of a new installation."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from callcenter.audit.models import AuditEntry
from callcenter.clinics.models import Clinic
from callcenter.staff.models import User

pytestmark = pytest.mark.django_db


def create(*args: str, password: str = "длинный-пароль-7", monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    out = io.StringIO()
    call_command("create_senior", *args, stdout=out)
    return out.getvalue()


def test_the_first_senior_gets_the_first_clinic_and_can_log_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(
        "olga",
        "Иванова Ольга Петровна",
        "--clinic",
        "На Садовой",
        "--zone",
        "Asia/Omsk",
        monkeypatch=monkeypatch,
    )
    senior = User.objects.get(login="olga")
    assert senior.roles == ["senior", "manager"]
    assert [(clinic.name, clinic.zone) for clinic in senior.clinics.all()] == [
        ("На Садовой", "Asia/Omsk")
    ]
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "clinics.create_clinic",
        "staff.create_user",
    }
    client = Client()
    answer = client.post("/login/", {"username": "olga", "password": "длинный-пароль-7"})
    assert answer.status_code == 302


def test_a_second_senior_sees_the_clinics_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    Clinic.objects.create(name="Первая")
    Clinic.objects.create(name="Вторая")
    create("vera", "Белова Вера Ильинична", "--clinic", "Первая", monkeypatch=monkeypatch)
    assert User.objects.get(login="vera").clinics.count() == 2


@pytest.mark.parametrize(
    ("args", "password", "words"),
    [
        (("olga", "Иванова Ольга"), "длинный-пароль-7", "no clinic yet"),
        (("olga", "Иванова Ольга", "--clinic", "А"), "12345", "парол"),
    ],
)
def test_what_can_not_be_is_said_and_nothing_is_made(
    args: tuple[str, ...], password: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=words):
        create(*args, password=password, monkeypatch=monkeypatch)
    assert not User.objects.exists()
    assert not Clinic.objects.exists()
