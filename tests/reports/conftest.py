"""A day of the clinic with every kind of interaction."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts.actions import attach_result, record_interaction, store_recording
from callcenter.contacts.models import AdChannel, ChannelRule, Interaction, Topic
from callcenter.contacts.states import (
    CallerType,
    Direction,
    InteractionKind,
    InteractionState,
    ResultKind,
    RuleKind,
)
from tests.conftest import World
from tests.contacts.interactions import interaction_input


@pytest.fixture
def clock(world: World) -> Any:
    """The pages take the time themselves: it stands at six in the evening of the cast's day."""
    with time_machine.travel(world.now + dt.timedelta(hours=6), tick=False):
        yield


@pytest.fixture
def day(world: World, clock: None) -> dict[str, Any]:
    """Seven contacts: a booked call, a missed one returned, a missed one not, a chat, a request, a
    dialog, a comment.
    """
    now = world.now
    topic = Topic.objects.create(name="Имплантация")
    root = AdChannel.objects.create(name="Контекстная реклама")
    yandex = AdChannel.objects.create(name="Яндекс Директ", parent=root)
    ChannelRule.objects.create(channel=yandex, kind=RuleKind.UTM, pattern="utm_source=yandex")

    def write(
        minute: int, kind: InteractionKind, state: InteractionState, **more: Any
    ) -> Interaction:
        at = now + dt.timedelta(minutes=minute)
        more.setdefault("source", "test")
        more.setdefault("source_id", f"i{minute}" if more["source"] == "test" else "")
        facts = interaction_input(clinic=world.clinic, kind=kind, state=state, at=at, **more)
        return record_interaction(facts, by=None, now=at)

    patient = world.patient("Кедрова", phones=["+79000002001"])
    booked = write(
        0,
        InteractionKind.CALL,
        InteractionState.ANSWERED,
        number="+79000002001",
        employee=world.administrator,
        answered_at=now + dt.timedelta(seconds=12),
        ended_at=now + dt.timedelta(minutes=3),
        topic=topic,
        comment="=хочет имплант",
        caller_type=CallerType.WANTS_BOOKING,
        utm={"utm_source": "yandex"},
    )
    visit = world.visit(patient, status=AppointmentStatus.COMPLETED, money=12500)
    attach_result(
        booked.contact,
        kind=ResultKind.BOOKED,
        at=now + dt.timedelta(minutes=2),
        by=world.administrator,
        interaction=booked,
        subject=visit,
    )
    store_recording(booked, content=b"RIFF" + bytes(4000), seconds=2.5, now=now, source_id="r1")
    write(10, InteractionKind.CALL, InteractionState.MISSED, number="+79000002002")
    write(
        22,
        InteractionKind.CALL,
        InteractionState.ANSWERED,
        number="+79000002002",
        direction=Direction.OUT,
        employee=world.administrator2,
    )
    write(30, InteractionKind.CALL, InteractionState.MISSED, number="+79000002003")
    chat = write(
        40,
        InteractionKind.CHAT,
        InteractionState.CLOSED,
        client="max:1",
        chat_channel="max",
        employee=world.administrator2,
    )
    write(
        50,
        InteractionKind.REQUEST,
        InteractionState.NEW,
        number="+79000002004",
        comment="Перезвоните",
        utm={"utm_source": "yandex"},
    )
    write(
        60,
        InteractionKind.DIALOG,
        InteractionState.FINISHED,
        employee=world.administrator,
        comment="Спросил дорогу",
        source="hand",
    )
    write(
        70,
        InteractionKind.COMMENT,
        InteractionState.FINISHED,
        number="+79000002005",
        employee=world.administrator,
        comment="Личный номер",
        source="hand",
    )
    return {
        "booked": booked,
        "patient": patient,
        "visit": visit,
        "topic": topic,
        "yandex": yandex,
        "root": root,
        "chat": chat,
    }
