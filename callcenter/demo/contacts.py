"""История обращений of the demo: three months of every kind of contact, made by the product's own
actions.
"""

import datetime as dt
import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from django.db import transaction

from callcenter.assignments.actions import close_task, create_task
from callcenter.assignments.models import Task
from callcenter.clinics.actions import (
    close_waiting,
    move_waiting,
    open_waiting,
    schedule_appointments,
)
from callcenter.clinics.models import Appointment, Clinic, Doctor, Patient, WaitingListEntry
from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
    add_chat_line,
    attach_result,
    collect_results,
    record_interaction,
    store_recording,
)
from callcenter.contacts.models import AdChannel, ChannelRule, DirectoryNumber, Interaction, Topic
from callcenter.contacts.states import (
    CallerType,
    Direction,
    InteractionKind,
    InteractionState,
    ResultKind,
    RuleKind,
)
from callcenter.demo import clinics as demo_clinics
from callcenter.demo.people import SEED
from callcenter.demo.recordings import Talk, talks
from callcenter.demo.scenarios import STORIES, ContactScript, ScriptStep
from callcenter.lib.localtime import instant, local_day
from callcenter.staff.models import User
from callcenter.staff.roles import Role

DAYS: Final = 91
A_DAY: Final = 4  # contacts of the whole chain on a working day
TOPICS: Final = (
    "Гигиена",
    "Лечение кариеса",
    "Имплантация",
    "Ортодонтия",
    "Протезирование",
    "Острая боль",
    "Детский приём",
    "Справка",
)
CHANNELS: Final = {
    "Контекстная реклама": {"Яндекс Директ": (RuleKind.UTM, "utm_source=yandex&utm_medium=cpc")},
    "Карты": {"Яндекс Карты": (RuleKind.NUMBER_TO, "+79000009921"), "2ГИС": (RuleKind.NUMBER_TO, "+79000009922")},
    "Социальные сети": {"MAX": (RuleKind.CHAT_CHANNEL, "max"), "ВКонтакте": (RuleKind.CHAT_CHANNEL, "vk")},
    "Сайт": {"Форма на сайте": (RuleKind.ACCOUNT, "site")},
}  # fmt: skip
LINES: Final = ("+79000009901", "+79000009921", "+79000009922")
CHAT: Final = (
    (Direction.IN, "Здравствуйте! Сколько стоит чистка зубов?"),
    (Direction.OUT, "Добрый день! Профессиональная гигиена — 5 900 ₽, занимает час."),
    (Direction.IN, "А на субботу есть время?"),
    (Direction.OUT, "Есть в 11:30 и в 15:00. Записать вас?"),
    (Direction.IN, "Спасибо, подумаю."),
)
RECORDED: Final = 45  # calls with sound
MONEY: Final = (1_200, 1_500, 3_500, 5_200, 5_900, 6_400, 11_800, 24_500, 38_000)


@dataclass
class _Demo:
    now: dt.datetime
    dice: random.Random
    clinics: list[Clinic]
    crew: list[User]
    doctors: list[Doctor]
    topics: list[Topic]
    patients: dict[int, list[Patient]]
    talks: list[Talk]
    recorded: int = 0
    serial: int = 0
    weights: list[int] = field(default_factory=lambda: [story.weight for story in STORIES])


def load(now: dt.datetime) -> None:
    """Dictionaries of channels with rules, then the days from the first to today."""
    dice = random.Random(SEED + 4)
    clinics = demo_clinics.clinics()
    demo = _Demo(
        now=now,
        dice=dice,
        clinics=clinics,
        crew=list(
            User.objects.with_role(Role.ADMINISTRATOR)
            .filter(login__startswith="administrator")
            .order_by("pk")
        ),
        doctors=list(Doctor.objects.order_by("pk")),
        topics=[Topic.objects.get_or_create(name=name)[0] for name in TOPICS],
        patients={
            clinic.pk: list(
                Patient.objects.filter(clinics=clinic, phones__isnull=False)
                .distinct()
                .order_by("pk")[:600]
            )
            for clinic in clinics
        },
        talks=talks(),
    )
    _channels()
    DirectoryNumber.objects.get_or_create(
        number="+79000009951",
        defaults=dict(name="Курьер лаборатории", caller_type=CallerType.OTHER),
    )
    DirectoryNumber.objects.get_or_create(
        number="+79000009952",
        defaults=dict(name="Дежурный техник", caller_type=CallerType.EMPLOYEE),
    )
    today = local_day(now, clinics[0].zone)
    for step in range(DAYS):
        on = today - dt.timedelta(days=DAYS - 1 - step)
        for _ in range(A_DAY if on.weekday() < 5 else A_DAY // 3):
            clinic = dice.choices(clinics, (5, 3, 2))[0]
            at = instant(
                on,
                dt.time(
                    dice.choice((9, 10, 10, 11, 11, 12, 13, 14, 15, 16, 17, 18)), dice.randrange(60)
                ),
                clinic.zone,
            )
            _tell(demo, dice.choices(STORIES, demo.weights)[0], clinic, at)
    for number in ("+79000009951", "+79000009952"):
        _write(
            demo,
            ScriptStep(InteractionKind.CALL, InteractionState.ANSWERED, wait=5, talk=35),
            clinics[0],
            now - dt.timedelta(hours=30),
            number=number,
        )
    _two_at_work(demo)


def _two_at_work(demo: _Demo) -> None:
    """Yesterday two administrators shared the work: one contact has a «участвовали», one deed waits
    on «Связать».
    """
    clinic, (first, second) = demo.clinics[0], demo.crew[:2]
    asked, promised = demo.dice.sample(demo.patients[clinic.pk], 2)
    at = instant(local_day(demo.now, clinic.zone) - dt.timedelta(days=1), dt.time(11), clinic.zone)
    wants = str(CallerType.WANTS_BOOKING)
    _write(
        demo,
        ScriptStep(InteractionKind.CALL, InteractionState.ANSWERED, wait=14, talk=130),
        clinic,
        at,
        patient=asked,
        employee=first,
    )
    note = ScriptStep(
        InteractionKind.COMMENT,
        InteractionState.FINISHED,
        minute=2,
        comment="Просил перезвонить после обеда",
        who=wants,
    )
    _write(demo, note, clinic, at, patient=asked, employee=first)
    ours = ScriptStep(
        InteractionKind.CALL, InteractionState.ANSWERED, Direction.OUT, minute=150, wait=9, talk=95
    )
    back = _write(demo, ours, clinic, at, patient=asked, employee=second)
    _result(demo, ContactScript(0, (), result=ResultKind.WAITING_LIST), back, asked, second)
    _write(
        demo,
        ScriptStep(InteractionKind.CALL, InteractionState.ANSWERED, wait=11, talk=80),
        clinic,
        at,
        patient=promised,
        employee=first,
    )
    later = at + dt.timedelta(hours=2)
    open_waiting(
        clinic=clinic,
        patient=promised,
        call_on=local_day(demo.now, clinic.zone) + dt.timedelta(days=4),
        comment="Ждёт время в субботу",
        by=second,
        now=later,
    )
    collect_results(since=later)


def _channels() -> None:
    for name, below in CHANNELS.items():
        parent, _ = AdChannel.objects.get_or_create(name=name, parent=None)
        for child, (kind, pattern) in below.items():
            channel, _ = AdChannel.objects.get_or_create(name=child, parent=parent)
            ChannelRule.objects.get_or_create(channel=channel, kind=kind, pattern=pattern)


def _tell(demo: _Demo, story: ContactScript, clinic: Clinic, at: dt.datetime) -> None:
    """One contact by its story; nothing of it lies in the future."""
    if at + dt.timedelta(minutes=200) > demo.now:
        at -= dt.timedelta(days=1)
    dice = demo.dice
    patient = dice.choice(demo.patients[clinic.pk]) if story.known else None
    number = "" if patient else f"+7900000{8000 + dice.randrange(1500):04}"
    employee = dice.choice(demo.crew)
    topic = dice.choice(demo.topics) if story.topic else None
    utm = (
        {"utm_source": "yandex", "utm_medium": "cpc"}
        if story.channel and dice.random() < 0.5
        else {}
    )
    first: Interaction | None = None
    for step in story.steps:
        one = _write(
            demo,
            step,
            clinic,
            at,
            patient=patient,
            number=number,
            employee=employee,
            topic=topic,
            utm=utm,
        )
        if first is None and step.answered:
            first = one
        utm = {}
    if first is not None and patient is not None:
        _result(demo, story, first, patient, employee)


def _write(
    demo: _Demo,
    step: ScriptStep,
    clinic: Clinic,
    at: dt.datetime,
    *,
    patient: Patient | None = None,
    number: str = "",
    employee: User | None = None,
    topic: Topic | None = None,
    utm: dict[str, str] | None = None,
) -> Interaction:
    at += dt.timedelta(minutes=step.minute, seconds=demo.dice.randrange(50))
    is_written = step.kind in (
        InteractionKind.COMMENT,
        InteractionKind.DIALOG,
        InteractionKind.REQUEST_DIALOG,
    )
    longer = demo.dice.randrange(60)
    talk = step.talk + longer if step.talk is not None else None
    is_live = step.kind in (InteractionKind.CALL, InteractionKind.CHAT)
    answered_at = at + dt.timedelta(seconds=step.wait or 0)
    demo.serial += 1
    account = {InteractionKind.CALL: "ats", InteractionKind.REQUEST: "site"}.get(step.kind, "")
    facts = InteractionInput(
        clinic=clinic,
        kind=step.kind,
        state=step.state,
        phases=Phases(
            at,
            answered_at=answered_at if is_live and talk is not None else None,
            ended_at=answered_at + dt.timedelta(seconds=talk or 0) if is_live else None,
        ),
        direction=step.direction,
        participants=Participants(
            patient=patient,
            number=number,
            client=f"max:{demo.serial}"
            if step.kind == InteractionKind.CHAT and not number and patient is None
            else "",
            employee=employee if step.answered else None,
            line=demo.dice.choice(LINES) if step.kind == InteractionKind.CALL else "",
        ),
        wrap_up=WrapUp(
            topic=topic if is_written or not step.minute else None,
            comment=step.comment,
            caller_type=CallerType(step.who or step.origin) if step.who or step.origin else None,
        ),
        source=InteractionSource(
            name="hand" if is_written else "demo",
            id="" if is_written else f"demo-{demo.serial}",
            account=account,
            chat_channel=demo.dice.choice(("max", "vk"))
            if step.kind == InteractionKind.CHAT
            else "",
            utm=utm or {},
        ),
    )
    one = record_interaction(facts, by=employee if is_written else None, now=at)
    if step.kind == InteractionKind.CHAT:
        for place, (direction, text) in enumerate(CHAT):
            add_chat_line(
                one,
                at=at + dt.timedelta(seconds=70 * place),
                direction=direction,
                text=text,
                source_id=str(place),
            )
    has_talk = step.kind == InteractionKind.CALL and talk is not None
    if has_talk and demo.recorded < RECORDED and at > demo.now - dt.timedelta(days=45):
        _record(demo, one, topic)
    return one


def _record(demo: _Demo, call: Interaction, topic: Topic | None) -> None:
    """The talk about the call's topic, or any."""
    fitting = [talk for talk in demo.talks if topic is not None and talk.topic == topic.name]
    talk = fitting[0] if fitting else demo.dice.choice(demo.talks)
    store_recording(
        call,
        content=talk.wav,
        seconds=talk.seconds,
        now=call.at,
        source_id="demo",
        transcript=talk.lines,
    )
    demo.recorded += 1


def _result(
    demo: _Demo, story: ContactScript, call: Interaction, patient: Patient, employee: User
) -> None:
    """What came of the call, by the same actions as at the desks, at the time of the call."""
    if story.result is None:
        return
    at = call.at + dt.timedelta(seconds=20)
    visit = _visit(demo, story, call, patient, employee) if story.visit is not None else None
    if story.visit is not None and visit is None:
        return
    waiting = task = None
    if story.result in (ResultKind.WAITING_LIST, ResultKind.WAITING_MOVED):
        waiting = _waiting(demo, story, call, patient, employee, at)
    if story.result == ResultKind.TASK_CLOSED:
        task = _task(call, patient, employee, at)
    attach_result(
        call.contact,
        kind=story.result,
        at=at,
        by=employee,
        interaction=call,
        subject=visit or waiting or task,
    )


def _waiting(
    demo: _Demo,
    story: ContactScript,
    call: Interaction,
    patient: Patient,
    employee: User,
    at: dt.datetime,
) -> WaitingListEntry:
    """An entry of the waiting list: the recent ones are open still, the others closed, with a visit
    or without.
    """
    on = local_day(at, call.clinic.zone)
    entry = open_waiting(
        clinic=call.clinic,
        patient=patient,
        call_on=on + dt.timedelta(days=3),
        comment="Хочет раньше, если освободится время",
        by=employee,
        now=at if story.result == ResultKind.WAITING_LIST else at - dt.timedelta(days=5),
    )
    if story.result == ResultKind.WAITING_MOVED:
        return move_waiting(entry, call_on=on + dt.timedelta(days=7), by=employee, now=at)
    closed_at = at + dt.timedelta(days=4)
    if closed_at > demo.now - dt.timedelta(days=10):
        return entry
    came = replace(story, visit=AppointmentStatus.COMPLETED)
    visit = _visit(demo, came, call, patient, employee) if demo.dice.random() < 0.5 else None
    return close_waiting(
        entry, reason="" if visit else "передумал", by=employee, now=closed_at, appointment=visit
    )


def _task(call: Interaction, patient: Patient, employee: User, at: dt.datetime) -> Task:
    task = create_task(
        title="Узнать, как самочувствие после приёма",
        deadline_at=at + dt.timedelta(hours=3),
        by=employee,
        now=at - dt.timedelta(days=1),
        assignee=employee,
        clinic=call.clinic,
        patient=patient,
    )
    return close_task(task, outcome="Всё хорошо, жалоб нет", by=employee, now=at)


def _visit(
    demo: _Demo, story: ContactScript, call: Interaction, patient: Patient, employee: User
) -> Appointment | None:
    """A visit some days after the call, at a time of its own; one that lies ahead is only planned.
    None in a full week.
    """
    doctors = [one for one in demo.doctors if one.clinics.filter(pk=call.clinic_id).exists()]
    for _ in range(6):
        on = local_day(call.at, call.clinic.zone) + dt.timedelta(days=demo.dice.randrange(1, 8))
        starts_at = instant(
            on,
            dt.time(demo.dice.randrange(8, 20), demo.dice.choice((5, 20, 35, 50))),
            call.clinic.zone,
        )
        is_ahead = (
            story.visit == AppointmentStatus.SCHEDULED
            or starts_at > demo.now - dt.timedelta(hours=2)
        )
        status = (
            AppointmentStatus.SCHEDULED
            if is_ahead
            else AppointmentStatus(story.visit or AppointmentStatus.COMPLETED)
        )
        if is_ahead and starts_at < demo.now:
            starts_at += dt.timedelta(days=7 * (1 + (demo.now - starts_at).days // 7))
        visit = Appointment(
            patient=patient,
            doctor=demo.dice.choice(doctors),
            clinic=call.clinic,
            starts_at=starts_at,
            ends_at=starts_at + dt.timedelta(minutes=15),
            status=status,
            money=Decimal(demo.dice.choice(MONEY))
            if status == AppointmentStatus.COMPLETED
            else None,
            created_at=call.at,
            created_by=employee,
            changed_at=call.at,
            source="archive",
        )
        with transaction.atomic():
            refused = schedule_appointments([visit], by=employee, now=call.at, note="архив записей")
        if not refused:
            return visit
    return None
