"""Import of patients: new cards, and what the clinic's card file knows better than ours. Nothing is
ever taken away.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from callcenter.audit import actions as audit
from callcenter.audit.actions import LogRow
from callcenter.clinics import actions
from callcenter.clinics.models import Clinic, Consent, Patient, PatientPhone
from callcenter.clinics.states import ConsentChannel, ConsentPurpose
from callcenter.imports import cell_parsers
from callcenter.imports.columns import Field
from callcenter.imports.jobs import ImportJob, ImportKind, ImportRow, ImportScope, Report, batches
from callcenter.imports.patient_matching import (
    PATIENT_FIELDS,
    AmbiguousPatient,
    PatientDirectory,
    PatientQuery,
    PatientRecord,
    sought,
)
from callcenter.lib.bulk_sql import copy_rows, update_rows
from callcenter.lib.localtime import instant
from callcenter.staff.roles import CAN_MANAGE_CLINIC

CONSENT_FIELDS: Final[dict[str, tuple[ConsentPurpose, ConsentChannel]]] = {
    f"{purpose}_{channel}": (purpose, channel)
    for purpose in ConsentPurpose
    for channel in ConsentChannel
}
_PURPOSE_WORD: Final = {ConsentPurpose.SERVICE: "О визите", ConsentPurpose.ADVERTISING: "Реклама"}
FIELDS: Final = (
    *PATIENT_FIELDS,
    Field("phone3", "Третий телефон", ("Телефон 3", "Третий телефон")),
    Field("email", "E-mail", ("E-mail", "Email", "Почта", "Электронная почта")),
    Field("note", "Заметка", ("Заметка", "Примечание", "Комментарий")),
    Field("clinic", "Клиника", ("Клиника", "Филиал")),
    Field(
        "do_not_call",
        "Не звонить",
        ("Не звонить", "Запрет звонков"),
        "да / нет; «нет» не снимает нашу отметку",
    ),
    Field(
        "do_not_call_reason", "Почему не звонить", ("Почему не звонить", "Причина запрета звонков")
    ),
    *(
        Field(
            name,
            f"{_PURPOSE_WORD[purpose]}: {channel.label}",
            (f"{_PURPOSE_WORD[purpose]}: {channel.label}",),
        )
        for name, (purpose, channel) in CONSENT_FIELDS.items()
    ),
    Field("consent_on", "Дата согласия", ("Дата согласия", "Согласие от")),
    Field("consent_source", "Источник согласия", ("Источник согласия", "Основание согласия")),
)
_NAME: Final = ("last_name", "first_name", "middle_name")
# Fields of the card that the file may fill or correct, by their names in the model.
_CARD: Final = (*_NAME, "birth_date", "email", "note", "source_id")


@dataclass(slots=True)
class PatientCardChange:
    """What one row adds to one patient."""

    row: ImportRow
    person: PatientRecord
    clinic: Clinic
    is_new: bool
    fields: dict[str, str | dt.date]
    numbers: list[str]
    consents: dict[tuple[str, str], bool]
    consent_at: dt.datetime | None
    consent_source: str = ""
    do_not_call: str = ""  # the reason, when he must not be called from now on
    had_numbers: bool = False
    before: dict[str, object] = field(default_factory=dict)


class PatientsJob(ImportJob):
    """Cards are matched by `people.People`; a row that says nothing new changes nothing."""

    def __init__(self, scope: ImportScope) -> None:
        super().__init__(scope)
        self.people = PatientDirectory(scope)
        self.cards: list[PatientCardChange] = []
        self._rows: dict[int, int] = {}  # id() of a person → the row that speaks of him

    def plan(self, rows: Sequence[ImportRow], report: Report) -> None:
        done = 0
        for batch in batches(rows):
            read = [
                (row, sought(row, today=self.places.today[self.scope.clinic.pk])) for row in batch
            ]
            self.people.load([one for _, one in read])
            planned = [card for row, one in read if (card := self._plan_row(row, one)) is not None]
            self._keep_what_is_news(planned)
            report(done := done + len(batch))

    def _plan_row(self, row: ImportRow, one: PatientQuery) -> PatientCardChange | None:
        clinic = self.places.clinic(row)
        if third := row.get("phone3", cell_parsers.phone):
            one.numbers = tuple(dict.fromkeys((*one.numbers, third)))
        fields: dict[str, str | dt.date | None] = {
            "email": row.get("email", cell_parsers.email),
            "note": row.get("note", cell_parsers.text),
            "birth_date": one.born,
            "source_id": one.code or None,
        }
        consents = {
            (str(purpose), str(channel)): granted
            for name, (purpose, channel) in CONSENT_FIELDS.items()
            if name in row.columns
            if (granted := row.get(name, cell_parsers.flag)) is not None
        }
        since = row.get("consent_on", cell_parsers.date)
        source = row.get("consent_source", lambda cell: cell_parsers.text(cell, limit=200))
        blocked = row.get("do_not_call", cell_parsers.flag)
        reason = row.get("do_not_call_reason", lambda cell: cell_parsers.text(cell, limit=150))
        if one.name is None and not row.faulty("full_name", "last_name"):
            row.refuse("full_name", "Не заполнено ФИО.", "Напишите фамилию, имя и отчество.")
        if row.problems or clinic is None or one.name is None:
            return None
        fields |= {name: value or None for name, value in zip(_NAME, one.name, strict=True)}
        try:
            person = self.people.find(one)
        except AmbiguousPatient as unclear:
            row.refuse("patient_id" if one.code else "phone", unclear.what, unclear.todo)
            return None
        if person is not None and (earlier := self._rows.get(id(person))):
            row.refuse(
                "full_name", f"Этот пациент уже есть в строке {earlier}.", "Соедините строки."
            )
            return None
        card = PatientCardChange(
            row,
            person or self.people.add(one),
            clinic,
            is_new=person is None,
            fields={name: value for name, value in fields.items() if value is not None},
            numbers=[
                number
                for number in one.numbers
                if person is not None and number not in person.numbers
            ],
            consents=consents,
            consent_at=instant(since, dt.time(), clinic.zone) if since else None,
            consent_source=source or "",
            do_not_call=(reason or "отметка в картотеке") if blocked else "",
            had_numbers=person is not None and bool(person.numbers),
        )
        self._rows[id(card.person)] = row.line.number
        if card.is_new:
            card.person.extras = {
                name: str(card.fields[name]) for name in ("email", "note") if name in card.fields
            }
        else:
            self.people.learn(card.person, one)
        return card

    def _keep_what_is_news(self, planned: list[PatientCardChange]) -> None:
        """Takes from each card what the database says already; counts new, changed and unchanged."""
        known = {
            patient.pk: patient
            for patient in Patient.objects.filter(
                pk__in=[card.person.pk for card in planned if card.person.pk]
            )
        }
        newest = self._newest_consents(
            [card for card in planned if card.consents and card.person.pk]
        )
        for card in planned:
            patient = known.get(card.person.pk)
            if patient is not None:
                card.fields = {
                    name: value
                    for name, value in card.fields.items()
                    if _is_better(name, getattr(patient, name), value)
                }
                card.before = {name: str(getattr(patient, name) or "") for name in card.fields}
                card.do_not_call = "" if patient.do_not_call else card.do_not_call
                card.consents = {
                    key: granted
                    for key, granted in card.consents.items()
                    if _is_news(newest.get((patient.pk, *key)), granted, card.consent_at)
                }
            joins = card.clinic.pk not in card.person.clinics
            if card.is_new:
                self.counts["created"] += 1
            elif card.person.pk and (
                card.fields or card.numbers or card.consents or card.do_not_call or joins
            ):
                self.counts["changed"] += 1
            else:
                self.counts["unchanged"] += 1
                continue
            self.cards.append(card)

    def _newest_consents(
        self, cards: list[PatientCardChange]
    ) -> dict[tuple[int, str, str], tuple[bool, dt.datetime]]:
        found = Consent.objects.filter(patient_id__in=[card.person.pk for card in cards]).order_by(
            "at", "pk"
        )
        return {
            (patient_id, purpose, channel): (granted, at)
            for patient_id, purpose, channel, granted, at in found.values_list(
                "patient_id", "purpose", "channel", "granted", "at"
            )
        }

    def write(self, report: Report) -> None:
        note = f"импорт «{self.scope.file_name}»"
        self.people.write_new(note)
        done = 0
        for batch in batches(self.cards):
            self._change([card for card in batch if not card.is_new], note)
            self.people.join((card.person, card.clinic) for card in batch)
            by = self.scope.by.pk if self.scope.by else None
            copy_rows(
                Consent,
                ("patient", "purpose", "channel", "granted", "at", "source", "by"),
                (
                    (
                        card.person.pk,
                        purpose,
                        channel,
                        granted,
                        card.consent_at or self.scope.now,
                        card.consent_source or note,
                        by,
                    )
                    for card in batch
                    for (purpose, channel), granted in card.consents.items()
                ),
            )
            for card in batch:
                if card.do_not_call:
                    patient = Patient.objects.get(pk=card.person.pk)
                    reason = f"{card.do_not_call} ({note})"
                    actions.set_do_not_call(
                        patient, value=True, reason=reason, by=self.scope.by, now=self.scope.now
                    )
            report(done := done + len(batch))

    def _change(self, cards: list[PatientCardChange], note: str) -> None:
        """Corrects known cards and adds their new numbers, with what stood there before in the
        audit log.
        """
        wanted = [card.person.pk for card in cards if card.fields and card.person.pk]
        # Held till the end and in one order: whoever edits a card meanwhile waits, and nobody waits
        # in a ring.
        patients = Patient.objects.select_for_update(no_key=True).order_by("pk").in_bulk(wanted)
        for card in cards:
            for name, value in card.fields.items():
                setattr(patients[card.person.pk], name, value)
        update_rows(list(patients.values()), _CARD)
        PatientPhone.objects.bulk_create(
            (
                PatientPhone(
                    patient_id=card.person.pk,
                    number=number,
                    is_main=not card.had_numbers and index == 0,
                )
                for card in cards
                for index, number in enumerate(card.numbers)
            ),
            ignore_conflicts=True,
        )
        audit.record_many(
            "clinics.change_patient",
            "clinics.patient",
            (
                LogRow(
                    card.person.pk,
                    card.person.words,
                    clinic_id=card.clinic.pk,
                    patient_id=card.person.pk,
                    before=card.before,
                    after={name: str(value) for name, value in card.fields.items()}
                    | {"phones": card.numbers},
                )
                for card in cards
            ),
            by=self.scope.by,
            now=self.scope.now,
            note=note,
        )


def _is_better(name: str, ours: str | dt.date | None, theirs: str | dt.date) -> bool:
    """Whether the file knows a field of the card better: our code stays, and an initial is no
    better than the name.
    """
    if ours == theirs or (name == "source_id" and ours):
        return False
    return name not in _NAME or not cell_parsers.is_initial_of(str(theirs), str(ours))


def _is_news(known: tuple[bool, dt.datetime] | None, granted: bool, at: dt.datetime | None) -> bool:
    """Whether the file's consent adds to ours. A dated one counts when it is newer; of the undated
    only a refusal outweighs what we have: a refusal works at once, a consent is never taken from a
    file that may be older than it.
    """
    if known is None:
        return True
    if known[0] == granted:
        return False
    return at > known[1] if at else not granted


PATIENTS: Final = ImportKind(
    name="patients",
    label="Пациенты",
    icon="users",
    roles=CAN_MANAGE_CLINIC,
    fields=FIELDS,
    needed=(("full_name", "last_name"),),
    job=PatientsJob,
    about="Картотека: ФИО, телефоны, дата рождения, согласия. Известные карты дополняются, ничего не удаляется.",
)
