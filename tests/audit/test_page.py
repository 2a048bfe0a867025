"""The journal of deeds: whose deeds are seen, filters, pages that neither miss nor repeat a row."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from callcenter.audit import actions as audit
from callcenter.staff.models import User
from tests.conftest import World

Login = Callable[[User], Client]


@pytest.fixture
def page(world: World, as_user: Login) -> Callable[..., str]:
    """The journal as the senior of A (or `user`) sees it."""

    def fetch(user: User | None = None, **params: str) -> str:
        answer = as_user(user or world.senior).get(reverse("audit:entries"), params)
        assert answer.status_code == 200
        return answer.content.decode()

    return fetch


def notes(html: str) -> list[str]:
    return re.findall(r"заметка [^<\s]+", html)


def test_one_sees_the_deeds_of_ones_own_clinics(world: World, page: Callable[..., str]) -> None:
    mine, foreign = world.patient(), world.patient(clinics=[world.clinic_b])
    for note, who, facts in (
        ("своя", world.administrator, {"clinic_id": world.clinic.pk}),
        ("чужая", world.administrator_b, {"clinic_id": world.clinic_b.pk}),
        ("своего-пациента", world.administrator_b, {"patient_id": mine.pk}),
        ("чужого-пациента", world.administrator, {"patient_id": foreign.pk}),
        ("коллеги", world.administrator, {}),
        ("далёкого", world.administrator_b, {}),
        ("сам-по-себе", None, {"clinic_id": world.clinic.pk}),
    ):
        audit.record("staff.change_user", by=who, now=world.now, note=f"заметка {note}", **facts)  # type: ignore[arg-type]
    assert set(notes(page())) == {
        "заметка своя",
        "заметка своего-пациента",
        "заметка коллеги",
        "заметка сам-по-себе",
    }
    assert set(notes(page(world.manager))) == set(notes(page()))


def test_what_was_done_to_people_of_other_clinics_is_not_seen(
    world: World, page: Callable[..., str]
) -> None:
    """A manager of both clinics keeps the people of both; the senior of one reads only of her own."""
    world.manager.clinics.add(world.clinic_b)
    for person in (world.administrator, world.administrator_b):
        audit.record(
            "staff.change_user",
            person,
            by=world.manager,
            now=world.now,
            after={"email": "new@clinic.example"},
        )
    shown = page()
    assert world.administrator.full_name in shown
    assert world.administrator_b.full_name not in shown
    assert world.administrator_b.full_name in page(world.manager)


def test_before_and_after_are_readable(world: World, page: Callable[..., str]) -> None:
    audit.record(
        "staff.change_user", world.administrator, by=world.senior, now=world.now, clinic_id=world.clinic.pk,
        before={"extension": "", "roles": ["administrator"]}, after={"extension": "107", "roles": ["senior"]},
    )  # fmt: skip
    html = page()
    for text in (
        "изменил сотрудника",
        "внутренний номер:",
        "— → 107",
        "старший администратор",
        "18.03.2026 12:00",
    ):
        assert text in html


def test_filters_by_who_what_object_patient_and_day(world: World, page: Callable[..., str]) -> None:
    patient = world.patient()
    for number, (who, action, obj, day) in enumerate(
        (
            (world.administrator, "clinics.view_patient", patient, 0),
            (world.administrator2, "clinics.view_patient", patient, 1),
            (world.administrator, "staff.change_profile", world.administrator, 2),
            (None, "clinics.close_waiting", None, 3),
        )
    ):
        audit.record(
            action, obj, by=who, now=world.now + dt.timedelta(days=day), clinic_id=world.clinic.pk,
            patient_id=patient.pk if obj is patient else None, note=f"заметка {number}",
        )  # fmt: skip

    def numbers(**params: str) -> str:
        return "".join(sorted(note[-1] for note in notes(page(**params))))

    assert numbers() == "0123"
    assert numbers(by=str(world.administrator.pk)) == "02"
    assert numbers(by="0") == "3"
    assert numbers(action="clinics.view_patient") == "01"
    assert numbers(patient=str(patient.pk)) == "01"
    assert numbers(object=f"staff.user:{world.administrator.pk}") == "2"
    assert numbers(since="2026-03-19", until="2026-03-20") == "12"
    assert numbers(since="nonsense", by="x", object="y", after="z") == "0123"


def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    world: World, page: Callable[..., str]
) -> None:
    """Twenty deeds of one instant lie across the border of the pages."""
    for number in range(110):
        at = world.now + dt.timedelta(seconds=number // 20)
        audit.record("staff.copy_week", by=world.senior, now=at, note=f"заметка {number}")
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(3):
        html = page(**after)
        seen += notes(html)
        mark = re.search(r'href="\?after=([^"&]+)">Дальше', html)
        after = {"after": mark.group(1).replace("%3A", ":").replace("%2B", "+")} if mark else {}
    assert not after
    assert len(seen) == len(set(seen)) == 110


def test_it_is_read_by_the_senior_and_the_manager_only(world: World, as_user: Login) -> None:
    codes = {user.login: as_user(user).get(reverse("audit:entries")).status_code
             for user in (world.senior, world.manager, world.administrator, world.doctor_user)}  # fmt: skip
    assert codes == {"senior_a": 200, "manager_a": 200, "admin_a": 403, "doctor_a": 403}


def test_the_page_asks_the_same_for_three_and_for_thirty(world: World, as_user: Login) -> None:
    client, counts = as_user(world.senior), []
    for count in (3, 27):
        for _ in range(count):
            patient = world.patient()
            audit.record(
                "clinics.view_patient",
                patient,
                by=world.administrator,
                now=world.now,
                patient_id=patient.pk,
            )
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("audit:entries"))
        counts.append(len(seen))
    assert counts[0] == counts[1]
