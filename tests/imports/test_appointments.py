"""Import of visits: the clinic's system owns the schedule; its moves and cancellations go the way
of the screen's.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from callcenter.clinics import actions
from callcenter.clinics.models import Appointment, AppointmentEvent, Patient, Service
from callcenter.clinics.states import AppointmentStatus as S
from callcenter.clinics.states import WaitingKind, WaitingState, WindowState
from callcenter.imports.appointment_rules import VisitChange, decide, spans
from callcenter.lib.errors import Conflict
from tests.conftest import NOON, World
from tests.imports.files import csv, load, through, words, xlsx
from tests.imports.visit_files import BORN, HEAD, TOMORROW, lengthless, moscow, preview, row, run_it


@pytest.mark.parametrize(
    ("ours", "theirs", "moved", "step"),
    [
        (S.SCHEDULED, None, False, VisitChange.NOTHING),
        (S.SCHEDULED, S.SCHEDULED, False, VisitChange.NOTHING),
        (S.SCHEDULED, S.CONFIRMED, False, VisitChange.MARK),
        (
            S.CONFIRMED,
            S.SCHEDULED,
            False,
            VisitChange.NOTHING,
        ),  # the file is older than the patient's answer
        (S.CONFIRMED, S.ARRIVED, False, VisitChange.MARK),
        (S.COMPLETED, S.NO_SHOW, False, VisitChange.NOTHING),
        (S.NO_SHOW, S.COMPLETED, False, VisitChange.MARK),
        (S.SCHEDULED, S.CANCELLED, False, VisitChange.CANCEL),
        (S.SCHEDULED, S.CANCELLED, True, VisitChange.CANCEL),
        (S.COMPLETED, S.CANCELLED, False, VisitChange.NOTHING),
        (S.SCHEDULED, None, True, VisitChange.MOVE),
        (S.CONFIRMED, S.CONFIRMED, True, VisitChange.MOVE),
        (S.COMPLETED, None, True, VisitChange.LATE),
        (S.CANCELLED, S.CANCELLED, False, VisitChange.NOTHING),
        (S.CANCELLED, S.SCHEDULED, False, VisitChange.DEAD),  # never brought back to life by a file
        (S.CANCELLED, None, True, VisitChange.DEAD),
    ],
)
def test_the_file_against_what_we_know(
    ours: S, theirs: S | None, moved: bool, step: VisitChange
) -> None:
    assert decide(ours, theirs, moved=moved) == step


@pytest.mark.parametrize(
    ("theirs", "step"),
    [(None, VisitChange.BACK), (S.SCHEDULED, VisitChange.BACK), (S.COMPLETED, VisitChange.BACK), (S.CANCELLED, VisitChange.NOTHING), (S.NO_SHOW, VisitChange.NOTHING)],
)  # fmt: skip
def test_what_a_file_cancelled_by_lacking_it_a_file_may_bring_back(
    theirs: S | None, step: VisitChange
) -> None:
    assert decide(S.CANCELLED, theirs, moved=False, dropped=True) == step


def test_a_slip_of_the_year_does_not_stretch_the_files_dates() -> None:
    first, last = dt.date(2026, 3, 1), dt.date(2026, 3, 28)
    assert spans({last, first, dt.date(2062, 3, 5)}) == [
        (first, last),
        (dt.date(2062, 3, 5), dt.date(2062, 3, 5)),
    ]
    assert spans([]) == []


@pytest.mark.django_db
class TestVisits:
    def test_a_visit_comes_in_with_a_new_patient_in_the_clinics_zone(self, world: World) -> None:
        assert run_it(world, row()).counts["created"] == 1
        visit = Appointment.objects.get()
        assert (visit.starts_at, visit.ends_at) == (moscow("10:00"), moscow("10:30"))
        assert (visit.source, visit.source_id, visit.status, visit.doctor) == (
            "import",
            "A1",
            S.SCHEDULED,
            world.doctor,
        )
        assert visit.patient.full_name == "Щёголева Ольга"
        assert list(visit.patient.clinics.all()) == [world.clinic]
        assert AppointmentEvent.objects.get(appointment=visit).kind == "booked"

    def test_the_same_file_twice_changes_nothing(self, world: World) -> None:
        rows = [row(), row("", at="11:00"), row("A3", status="отменён", at="12:00"), row("A4", TOMORROW - dt.timedelta(9), status="состоялся")]  # fmt: skip
        run_it(world, *rows)
        before = list(Appointment.objects.order_by("pk").values())
        run = run_it(world, *rows)
        assert run.counts["unchanged"] == 4
        assert list(Appointment.objects.order_by("pk").values()) == before
        assert AppointmentEvent.objects.count() == 4

    @pytest.mark.parametrize("service", ["-", "—", " . "])
    def test_a_dash_for_a_service_is_no_service(self, world: World, service: str) -> None:
        content = xlsx((*HEAD, "Услуга"), (*row(), service))  # type: ignore[arg-type]
        for counter in ("created", "unchanged"):
            run = through("appointments", content, clinic=world.clinic, by=world.senior, now=NOON)
            assert run.counts[counter] == 1
        assert Appointment.objects.get().service is None
        assert not Service.objects.exists()

    def test_a_moved_visit_is_rescheduled_as_by_hand(self, world: World) -> None:
        run_it(world, row())
        run = preview(world, row(at="15:00"))
        assert words(run, "moved") == [
            "2 : Щёголева Ольга, Белов О. И.: 19.03.2026 10:00 → 19.03.2026 15:00"
        ]
        assert Appointment.objects.get().starts_at == moscow("10:00")
        assert load(run, by=world.senior, now=NOON).counts["moved"] == 1
        visit = Appointment.objects.get()
        assert (visit.starts_at, visit.version) == (moscow("15:00"), 2)
        assert visit.events.get(kind="moved").starts_at_before == moscow("10:00")

    def test_a_moved_visit_without_codes_is_known_by_its_patient_and_doctor(
        self, world: World
    ) -> None:
        run_it(world, row(""), row("", at="11:00", name="Ким Анна", phone="+79000001002"))
        run = run_it(
            world, row("", at="15:00"), row("", at="11:00", name="Ким Анна", phone="+79000001002")
        )
        assert (run.counts["moved"], run.counts["unchanged"], run.counts.get("cancelled", 0)) == (
            1,
            1,
            0,
        )
        assert Appointment.objects.count() == 2

    def test_a_file_without_lengths_leaves_a_longer_visit_and_its_confirmation_alone(
        self, world: World
    ) -> None:
        patient = world.patient("Щёголева", "Ольга", "", birth_date=BORN, phones=["+79000001001"])
        visit = world.visit(patient, moscow("10:00"), ends_at=moscow("11:00"), status=S.CONFIRMED)
        run = through("appointments", lengthless(), clinic=world.clinic, by=world.senior, now=NOON)
        visit.refresh_from_db()
        assert run.counts["unchanged"] == 1
        assert (visit.status, visit.version, visit.ends_at) == (S.CONFIRMED, 1, moscow("11:00"))

    def test_a_visit_moved_by_a_file_without_lengths_keeps_its_own(self, world: World) -> None:
        patient = world.patient("Щёголева", "Ольга", "", birth_date=BORN, phones=["+79000001001"])
        visit = world.visit(patient, moscow("10:00"), ends_at=moscow("11:00"), source="import")
        run = through(
            "appointments", lengthless(at="15:00"), clinic=world.clinic, by=world.senior, now=NOON
        )
        visit.refresh_from_db()
        assert run.counts["moved"] == 1
        assert (visit.starts_at, visit.ends_at) == (moscow("15:00"), moscow("16:00"))

    def test_a_visit_that_took_longer_than_planned_is_not_refused(self, world: World) -> None:
        past = TOMORROW - dt.timedelta(days=3)
        run_it(world, row(on=past, status="состоялся"))
        Appointment.objects.update(ends_at=moscow("11:00", past))
        for content in (
            lengthless("состоялся", on=past),
            xlsx(HEAD, row(on=past, status="состоялся")),  # type: ignore[arg-type]
        ):
            run = through("appointments", content, clinic=world.clinic, by=world.senior, now=NOON)
            assert (run.counts["rejected"], run.counts["unchanged"]) == (0, 1)
        assert Appointment.objects.get().ends_at == moscow("11:00", past)

    def test_a_visit_missing_from_a_newer_file_is_shown_then_cancelled(self, world: World) -> None:
        far = TOMORROW + dt.timedelta(days=40)
        run_it(world, row("A1"), row("A2", at="11:00"), row("A3", far))
        run = preview(world, row("A2", at="11:00"))
        assert words(run, "missing") == ["0 : 19.03.2026 10:00, Щёголева Ольга, врач Белов О. И."]
        assert run.cancel_missing
        assert load(run, by=world.senior, now=NOON).counts["cancelled"] == 1
        gone = Appointment.objects.get(source_id="A1")
        assert (gone.status, gone.version) == (S.CANCELLED, 2)
        assert "нет в файле" in gone.cancel_reason
        assert (
            Appointment.objects.get(source_id="A3").status == S.SCHEDULED
        )  # outside the file's days

    def test_missing_visits_stay_when_the_person_says_so(self, world: World) -> None:
        run_it(world, row("A1"), row("A2", at="11:00"))
        load(preview(world, row("A2", at="11:00")), by=world.senior, now=NOON, cancel_missing=False)
        assert Appointment.objects.get(source_id="A1").status == S.SCHEDULED

    def test_only_what_the_person_saw_is_cancelled(self, world: World) -> None:
        run_it(world, row("A1"), row("A2", at="11:00"))
        run = preview(world, row("A2", at="11:00"))
        visit = Appointment.objects.get(source_id="A1")
        actions.move_appointment(
            visit, starts_at=moscow("16:00"), ends_at=moscow("16:30"), by=world.senior, now=NOON
        )
        load(run, by=world.senior, now=NOON)
        visit.refresh_from_db()
        assert visit.status == S.SCHEDULED

    def test_a_refused_row_does_not_make_its_visit_missing(self, world: World) -> None:
        run_it(
            world,
            row("A1"),
            row("A2", at="11:00"),
            row("", at="12:00", name="Ким Анна", phone="+79000001002"),
        )
        run = preview(world, row("A1", phone="010-10-01"), row("A2", at="11:00"), row("", at="12:00", name="Ким 2", phone="+79000001002"))  # fmt: skip
        assert run.counts["rejected"] == 2
        assert words(run, "missing") == []

    def test_a_refused_row_without_a_code_keeps_the_visits_of_its_hour_and_no_others(
        self, world: World
    ) -> None:
        run_it(world, row("A1"), row("A2", at="11:00"), row("A3", at="12:00"))
        run = preview(world, row("A2", at="11:00"), row("", at="10:00", doctor="Неизвестный Н. Н."))
        assert words(run) == [
            "3 Врач: Врача «Неизвестный Н. Н.» нет в справочнике. Добавьте его или исправьте написание."
        ]
        assert words(run, "missing") == ["0 : 19.03.2026 12:00, Щёголева Ольга, врач Белов О. И."]
        assert words(run, "notice") == []

    def test_a_row_that_may_mean_any_visit_stops_the_cancelling(self, world: World) -> None:
        run_it(world, row("A1"), row("A2", at="11:00"))
        run = preview(world, row("A2", at="11:00"), row("", at="когда-нибудь"))
        assert words(run, "missing") == []
        assert "часть строк не читается" in words(run, "notice")[0]

    def test_most_of_the_schedule_missing_is_not_cancelled_unasked(self, world: World) -> None:
        run_it(
            world,
            *(
                row(
                    f"A{n}",
                    at=f"{8 + n // 2}:{n % 2 * 30:02}",
                    name="Ким Анна",
                    phone="+79000001002",
                )
                for n in range(15)
            ),
        )
        run = preview(world, row("A1", at="8:30", name="Ким Анна", phone="+79000001002"))
        assert len(words(run, "missing")) == 14
        assert not run.cancel_missing

    def test_a_visit_booked_here_is_not_cancelled_but_named_and_then_adopted(
        self, world: World
    ) -> None:
        patient = world.patient("Щёголева", "Ольга", "", birth_date=BORN, phones=["+79000001001"])
        window = world.window(moscow("10:00"))
        visit = actions.book_appointment(
            patient=patient, window=window, by=world.administrator, now=NOON
        )
        run = run_it(world, row("A2", at="12:00", name="Ким Анна", phone="+79000001002"))
        assert "записанных в Дозвоне и не найденных в файле: 1" in words(run, "notice")[0]
        run = run_it(world, row("A1"), row("A2", at="12:00", name="Ким Анна", phone="+79000001002"))
        visit.refresh_from_db()
        assert (visit.status, visit.source, visit.source_id, visit.version) == (
            S.SCHEDULED,
            "import",
            "A1",
            1,
        )
        assert run.counts["changed"] == 1

    def test_a_visit_cancelled_here_is_not_brought_back(self, world: World) -> None:
        run_it(world, row())
        actions.cancel_appointment(
            Appointment.objects.get(), reason="попросил", by=world.administrator, now=NOON
        )
        run = run_it(world, row(at="15:00"))
        assert "У нас этот приём отменён" in words(run, "notice")[0]
        assert Appointment.objects.get().status == S.CANCELLED

    @pytest.mark.parametrize("code", ["A1", ""])
    def test_a_visit_cancelled_for_not_being_in_a_file_comes_back_with_the_next_one(
        self, world: World, code: str
    ) -> None:
        full = [row(code), row("A2", at="11:00", name="Ким Анна", phone="+79000001002")]
        run_it(world, *full)
        assert run_it(world, full[1]).counts["cancelled"] == 1
        run = run_it(world, *full)
        assert (run.counts["created"], run.counts["rejected"]) == (1, 0)
        assert "отменённых раньше, потому что их не было в файле: 1" in words(run, "notice")[0]
        gone, again = Appointment.objects.filter(starts_at=moscow("10:00")).order_by("pk")
        assert (gone.status, gone.source_id) == (S.CANCELLED, "")
        assert (again.status, again.source_id, again.patient) == (S.SCHEDULED, code, gone.patient)
        assert run_it(world, *full).counts["unchanged"] == 2
        actions.cancel_appointment(again, reason="передумала", by=world.administrator, now=NOON)
        run = run_it(world, *full)
        assert "У нас этот приём отменён" in words(run, "notice")[0]
        assert not Appointment.objects.occupying().filter(starts_at=moscow("10:00")).exists()

    def test_states_and_money_go_forward(self, world: World) -> None:
        run_it(world, row(on=TOMORROW - dt.timedelta(2)))
        content = xlsx(
            (*HEAD, "Сумма"),
            (*row(on=TOMORROW - dt.timedelta(2), status="состоялся"), "4 500,00 ₽"),  # type: ignore[arg-type]
        )
        run = through("appointments", content, clinic=world.clinic, by=world.senior, now=NOON)
        visit = Appointment.objects.get()
        assert (visit.status, run.counts["changed"]) == (S.COMPLETED, 1)
        assert visit.money == Decimal(4500)

    def test_what_is_still_to_come_can_be_paid_for_but_not_be_over(self, world: World) -> None:
        run = run_it(
            world, row("A1", status="Оплачен"), row("A2", at="11:00", status="неявка"), row("A3", at="12:00", status="состоялся"),
            row("A4", at="13:00", status="пришёл"), row("A5", NOON.date(), "13:00", "пришёл"), row("A6", TOMORROW - dt.timedelta(3), status="оплачен"),
        )  # fmt: skip
        assert words(run) == [
            "3 Статус: Приём ещё впереди, а статус «не пришёл». Проверьте дату и статус.",
            "4 Статус: Приём ещё впереди, а статус «состоялся». Проверьте дату и статус.",
            "5 Статус: Приём ещё впереди, а статус «пришёл». Проверьте дату и статус.",
        ]
        assert dict(Appointment.objects.values_list("source_id", "status")) == {
            "A1": S.SCHEDULED, "A5": S.ARRIVED, "A6": S.COMPLETED,
        }  # fmt: skip

    def test_windows_under_visits_are_taken_and_waiting_patients_are_served(
        self, world: World
    ) -> None:
        window = world.window(moscow("10:00"))
        patient = world.patient("Щёголева", "Ольга", "", birth_date=BORN, phones=["+79000001001"])
        entry = actions.open_waiting(clinic=world.clinic, patient=patient, call_on=TOMORROW, comment="к Белову", by=world.administrator, now=NOON, kind=WaitingKind.WAITING_LIST, doctor=world.doctor)  # fmt: skip
        run_it(world, row())
        window.refresh_from_db()
        entry.refresh_from_db()
        visit = Appointment.objects.get()
        assert (window.state, window.appointment) == (WindowState.TAKEN, visit)
        assert (entry.state, entry.appointment) == (WaitingState.CLOSED, visit)

    def test_rows_that_name_nobody_known(self, world: World) -> None:
        run = run_it(world, row(doctor="Неизвестный Н. Н."), row("A2", at="25:00"), row("A1", at="13:00"), row("A1", at="14:00"), row("A5", name="", phone="+79000007777"))  # fmt: skip
        assert words(run) == [
            "2 Врач: Врача «Неизвестный Н. Н.» нет в справочнике. Добавьте его или исправьте написание.",
            "3 Время: «25:00» не похоже на время. Напишите часы и минуты: 09:30.",
            "5 Код приёма: Этот же приём уже есть в строке 4. Удалите лишнюю строку.",
            "6 ФИО пациента: Такого пациента нет. Добавьте ФИО и телефон или исправьте код.",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({}, {"phone": "+79000001999"}),  # a new phone
            ({"phone": "", "born": ""}, {"phone": "+79000001777", "born": ""}),  # the first phone
            ({}, {"phone": "+79000001999", "name": "Иванова Ольга"}),  # and married
            (
                {},
                {"phone": "+79000001999", "born": dt.date(1985, 12, 3)},
            ),  # and a slip of the birth date corrected
        ],
    )
    def test_a_visits_code_knows_its_patient_whatever_his_phone_is_now(
        self, world: World, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        run_it(world, row(**before))
        run = run_it(world, row(at="12:00", **after))
        assert words(run) == []
        assert run.counts["moved"] == 1
        assert Patient.objects.count() == 1

    def test_a_visits_code_with_somebody_else_in_its_row_is_refused(self, world: World) -> None:
        run_it(world, row())
        run = run_it(world, row(name="Щёголева Мария", born=dt.date(2015, 1, 1)))
        assert "Под этим кодом у нас приём другого пациента" in words(run)[0]

    def test_another_clinics_visit_at_the_same_time_is_left_alone(self, world: World) -> None:
        world.doctor.clinics.add(world.clinic_b)
        patient = world.patient("Щёголева", "Ольга", "", birth_date=BORN, phones=["+79000001001"])
        visit = world.visit(patient, moscow("10:00"), clinic=world.clinic_b)
        run = run_it(world, row(""))
        visit.refresh_from_db()
        assert (visit.clinic, visit.version) == (world.clinic_b, 1)
        assert "У врача уже есть приём 19.03.2026 10:00–10:30" in words(run)[0]

    def test_a_code_of_another_clinics_visit_is_refused(self, world: World) -> None:
        patient = world.patient("Щёголева", "Ольга", "", birth_date=BORN, phones=["+79000001001"])
        world.visit(
            patient, clinic=world.clinic_b, doctor=world.doctor_b, source="import", source_id="A1"
        )
        run = run_it(world, row())
        assert "Под этим кодом приём клиники, где вы не работаете" in words(run)[0]

    @pytest.mark.parametrize("end", ["10:45", "19.03.2026 10:45"])
    def test_a_date_with_its_time_in_one_column_of_an_old_csv(self, world: World, end: str) -> None:
        content = csv(("Дата и время", "Окончание", "Врач", "Пациент", "Тел"), ("19.03.2026 10:00", end, "Белов Олег Ильич", "Ёлкина Яна", "89000001001"), encoding="cp1251")  # fmt: skip
        through("appointments", content, clinic=world.clinic, by=world.senior, now=NOON)
        visit = Appointment.objects.get()
        assert (visit.starts_at, visit.ends_at, visit.patient.last_name) == (
            moscow("10:00"),
            moscow("10:45"),
            "Ёлкина",
        )

    def test_an_end_of_another_day_must_be_near(self, world: World) -> None:
        head = ("Дата и время", "Окончание", "Врач", "Пациент", "Тел")
        content = csv(
            head,
            (
                "19.03.2026 23:30",
                "20.03.2026 00:15",
                "Белов Олег Ильич",
                "Ёлкина Яна",
                "89000001001",
            ),
            ("19.03.2026 10:00", "29.03.2026 10:30", "Белов Олег Ильич", "Ким Анна", "89000001002"),
        )
        run = through("appointments", content, clinic=world.clinic, by=world.senior, now=NOON)
        assert Appointment.objects.get().ends_at == moscow("00:15", TOMORROW + dt.timedelta(days=1))
        assert words(run) == [
            "3 Окончание: От начала до окончания больше 12 часов. Проверьте даты и время."
        ]

    def test_the_second_of_two_confirmations_is_told_so(self, world: World) -> None:
        run = preview(world, row())
        load(run, by=world.senior, now=NOON)
        with pytest.raises(Conflict, match="уже «загружен»"):
            load(run, by=world.senior, now=NOON)
        assert Appointment.objects.count() == 1
