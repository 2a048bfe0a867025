"""Reasons of the dictionary, and makers of entries, plans and calls."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from callcenter.clinics.actions import record_consent
from callcenter.clinics.models import Patient
from callcenter.clinics.states import ConsentChannel, ConsentPurpose
from callcenter.contacts.models import Reason
from callcenter.lib.localtime import local_day
from callcenter.staff.models import User
from journals.actions.cards import CallOutcomeInput, open_card, record_call
from journals.actions.entries import open_entry
from journals.actions.plans import give_plan
from journals.models import RecallCall, RecallEntry
from journals.outcome_rules import OUTCOME_RULES
from journals.queries.segments import Segment
from tests.conftest import World


@dataclass
class Recall:
    """The journal of clinic A at noon of a Wednesday."""

    world: World
    no_answer: Reason
    thinks: Reason
    dear: Reason
    not_reached: Reason

    @property
    def today(self) -> dt.date:
        return local_day(self.world.now, self.world.clinic.zone)

    def entry(self, patient: Patient | None = None, **fields: Any) -> RecallEntry:
        """An entry ready to be called today."""
        fields.setdefault("call_on", self.today)
        return open_entry(
            clinic=fields.pop("clinic", self.world.clinic),
            patient=patient or self.world.patient(),
            doctor=fields.pop("doctor", self.world.doctor),
            doctor_comment=fields.pop("doctor_comment", "Проверить коронку, продолжить лечение"),
            by=fields.pop("by", self.world.doctor_user),
            now=fields.pop("now", self.world.now),
            **fields,
        )

    def segment(self, **fields: Any) -> Segment:
        return Segment(clinic=self.world.clinic, on=fields.pop("on", self.today), **fields)

    def plan(self, person: User, count: int = 1, **fields: Any) -> None:
        give_plan(
            self.segment(**fields), shares={person: count}, by=self.world.senior, now=self.world.now
        )

    def answer(self, outcome: str, **fields: Any) -> CallOutcomeInput:
        """Everything the table asks for at this outcome."""
        rule = OUTCOME_RULES[outcome]
        fields.setdefault("comment", "поговорили")
        if "reason" in rule.asks:
            fields.setdefault("reason", self.reasons[rule.reason_use])
        if "call_on" in rule.asks:
            fields.setdefault("call_on", self.today + dt.timedelta(days=2))
        if "window" in rule.asks and "window" not in fields:
            fields["window"] = self.world.window()
        return CallOutcomeInput(outcome=outcome, **fields)

    @property
    def reasons(self) -> dict[str, Reason]:
        """One fitting reason for each use."""
        return {"unreached": self.no_answer, "thinking": self.thinks, "refused": self.dear}

    def call(
        self,
        entry: RecallEntry,
        outcome: str,
        *,
        by: User | None = None,
        now: dt.datetime | None = None,
        token: uuid.UUID | None = None,
        patient_called: bool = False,
        **fields: Any,
    ) -> RecallCall:
        """Opens the card and saves the outcome, as the screen does; by the senior, who needs no
        plan.
        """
        by, now = by or self.world.senior, now or self.world.now
        entry = open_card(entry, by=by, now=now, patient_called=patient_called)
        return record_call(
            entry,
            self.answer(outcome, **fields),
            version=entry.version,
            token=token or uuid.uuid4(),
            by=by,
            now=now,
            patient_called=patient_called,
        )


def make_reason(name: str, *uses: str) -> Reason:
    return Reason.objects.get_or_create(name=name, defaults={"uses": list(uses)})[0]


def make_recall(world: World) -> Recall:
    return Recall(
        world=world,
        no_answer=make_reason("Не берёт трубку", "unreached"),
        thinks=make_reason("Хочет подумать", "thinking"),
        dear=make_reason("Дорого", "thinking", "refused"),
        not_reached=make_reason("Не дозвонились", "refused"),
    )


@pytest.fixture
def at_noon(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' clock stands at the noon of the cast."""
    monkeypatch.setattr(timezone, "now", lambda: recall.world.now)


@pytest.fixture
def every_kind(recall: Recall) -> Recall:
    """One entry of each place, two ready."""
    world = recall.world
    recall.entry()
    recall.plan(world.administrator)
    recall.entry(world.patient(do_not_call=True))
    recall.entry(world.patient(phones=[]))
    refused = world.patient()
    record_consent(
        refused, purpose=ConsentPurpose.ADVERTISING, channel=ConsentChannel.CALL, granted=True, source="анкета", by=None,
        now=world.now - dt.timedelta(days=1),
    )  # fmt: skip
    record_consent(
        refused,
        purpose=ConsentPurpose.ADVERTISING,
        channel=ConsentChannel.CALL,
        granted=False,
        source="звонок",
        by=None,
        now=world.now,
    )
    recall.entry(refused)
    visitor = world.patient()
    world.visit(visitor)
    recall.entry(visitor)
    open_card(recall.entry(), by=world.senior, now=world.now)
    recall.entry(call_on=recall.today + dt.timedelta(days=3))
    recall.entry(call_on=recall.today - dt.timedelta(days=1))
    recall.entry()
    return recall
