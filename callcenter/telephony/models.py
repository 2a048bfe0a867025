"""Calls with their legs, the commands to the exchange, who sits at which phone, recordings."""

import datetime as dt
import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.models import Interaction
from callcenter.contacts.states import Direction
from callcenter.staff.models import User
from callcenter.telephony.states import (
    LIVE_LEGS,
    CommandState,
    CommandType,
    HangupReason,
    LegRole,
    LegState,
    PhoneKind,
    Scenario,
)


class PhoneLine(models.Model):
    """One of our own numbers: calls to it belong to its clinic; its label names the advertising
    channel's line.
    """

    number = models.CharField("номер", max_length=16, unique=True, help_text="E.164")
    label = models.CharField("название", max_length=60, blank=True)
    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="lines", verbose_name="клиника")

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]

    def __str__(self) -> str:
        return self.label or self.number


class PhoneBinding(models.Model):
    """At which telephone somebody sits on a day, chosen at the start of the shift; 'off' = «не на
    телефоне».
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="phone_bindings")
    on = models.DateField("день")
    kind = models.CharField("телефон", max_length=8, choices=PhoneKind.choices)
    endpoint = models.CharField("адрес в АТС", max_length=80, blank=True)
    bound_at = models.DateTimeField()
    rung_at = models.DateTimeField(
        null=True, blank=True
    )  # the robot begins with whom it rang longest ago

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "on"], name="phone_binding_day")
        ]


class CallQuerySet(models.QuerySet["Call"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(clinic__in=Clinic.objects.filter(staff=user))

    def live(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def due(self, now: dt.datetime) -> Self:
        """Those whose present step has lasted its time; the process that holds the exchange looks
        after them.
        """
        return self.filter(ended_at__isnull=True, step_due_at__lte=now)


class Call(models.Model):
    """One conversation, wished or held: its legs come and go while its scenario decides."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scenario = models.CharField(max_length=10, choices=Scenario.choices)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="calls")
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="calls"
    )
    employee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="calls")
    number = models.CharField(max_length=16, blank=True)
    line = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)  # both sides picked up
    connected_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=12, choices=HangupReason.choices, blank=True)
    bridge = models.CharField(max_length=60, blank=True)
    step_due_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=250, blank=True)
    interaction = models.OneToOneField(
        Interaction, models.SET_NULL, null=True, blank=True, related_name="call"
    )

    objects: ClassVar[models.Manager["Call"]] = CallQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-started_at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the loop of `run_robot` (steps that lasted their time); a live list
            models.Index(
                fields=["step_due_at"], name="call_step", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["clinic", "-started_at"], name="call_clinic_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scenario_display()} {self.number} {self.started_at:%d.%m.%Y %H:%M}"

    @property
    def talk_seconds(self) -> int:
        """How long both sides were connected; 0 while they are not."""
        if self.connected_at is None or self.ended_at is None:
            return 0
        return max(0, int((self.ended_at - self.connected_at).total_seconds()))


class Leg(models.Model):
    """One telephone that was rung (or that rang us) within a call."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="legs")
    channel = models.CharField(
        max_length=80, unique=True
    )  # ours, chosen before the exchange is asked
    role = models.CharField(max_length=8, choices=LegRole.choices)
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="legs")
    endpoint = models.CharField(max_length=120)
    number = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=8, choices=LegState.choices, default=LegState.PLANNED)
    created_at = models.DateTimeField()
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=12, choices=HangupReason.choices, blank=True)
    cause = models.PositiveSmallIntegerField(null=True, blank=True)
    dial_status = models.CharField(max_length=20, blank=True)
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # at most one live leg to a patient's number over all requests, and one to each
            # administrator
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(role="patient", state__in=LIVE_LEGS),
                name="leg_one_per_patient",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(role="employee", state__in=LIVE_LEGS, user__isnull=False),
                name="leg_one_per_employee",
            ),
            # the clinic's own number stands for whoever is near it: one call of ours rings there at
            # a time
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(role="employee", user__isnull=True, state__in=["planned", "ringing"])
                & ~Q(number=""),
                name="leg_one_ring_per_number",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # reader: comparing our rows with what is alive at the exchange
            models.Index(fields=["state"], name="leg_live", condition=Q(state__in=LIVE_LEGS)),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.user or self.number}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_LEGS

    @property
    def seconds(self) -> int | None:
        """From the answer to the end."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return int((self.ended_at - self.answered_at).total_seconds())


class PbxCommandQuerySet(models.QuerySet["PbxCommand"]):
    def pending(self) -> Self:
        return self.filter(state=CommandState.PENDING)


class PbxCommand(models.Model):
    """One thing to ask of the exchange: written with the state that wants it, carried out outside,
    answered here.
    """

    call = models.ForeignKey(Call, models.CASCADE, related_name="commands")
    leg = models.ForeignKey(Leg, models.CASCADE, null=True, blank=True, related_name="commands")
    verb = models.CharField(max_length=20, choices=CommandType.choices)
    ref = models.CharField(
        max_length=80, blank=True
    )  # the playback's, bridge's or recording's own id
    args = models.JSONField(default=dict)
    state = models.CharField(
        max_length=8, choices=CommandState.choices, default=CommandState.PENDING
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(
        null=True, blank=True
    )  # a ring that comes too late is no longer wanted
    claimed_at = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(null=True, blank=True)  # the lease under which it was taken
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)

    objects: ClassVar[models.Manager["PbxCommand"]] = PbxCommandQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the loop of `run_robot`, oldest first; a playback's end; recordings whose end
            # nobody heard
            models.Index(
                fields=["id"], name="command_pending", condition=Q(state__in=["pending", "taken"])
            ),
            models.Index(fields=["ref"], name="command_ref", condition=~Q(ref="")),
            models.Index(
                fields=["done_at"],
                name="command_recorded",
                condition=Q(verb="record", state="done"),
            ),
        ]


class RobotLease(models.Model):
    """Who holds the exchange: one row, one holder, a token that grows with every change of hands
    (the fence).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    holder = models.CharField(max_length=80, blank=True)
    token = models.BigIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    connected = models.BooleanField(default=False)
    connected_at = models.DateTimeField(null=True, blank=True)  # since when the link is as it is
    trouble = models.CharField(max_length=250, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="robot_lease_single")
        ]


class BrowserPhone(models.Model):
    """A telephone in a browser during one leg: what rings there, what is heard. Used by the demo
    and for training.
    """

    channel = models.CharField(max_length=80, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="browser_phones")
    caller = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=8, choices=LegState.choices, default=LegState.RINGING)
    clip = models.CharField(max_length=40, blank=True)  # key of the sound that is being heard
    clip_no = models.PositiveSmallIntegerField(default=0)
    talking = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user"], name="browser_phone_live", condition=~Q(state="ended"))
        ]


class BrowserPhoneAction(models.Model):
    """What was pressed on a telephone in a browser, for the simulator to take up."""

    channel = models.CharField(max_length=80)
    kind = models.CharField(max_length=10)
    value = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()


class PbxWebhook(models.Model):
    """One webhook of a cloud PBX as it came; read at once, and again by the ticker when that
    failed.
    """

    vendor = models.CharField(max_length=20)
    session = models.CharField(max_length=80)
    event = models.CharField(max_length=40)
    happened = models.CharField(max_length=40, blank=True)
    body = models.JSONField()
    clinic = models.ForeignKey(Clinic, models.CASCADE, null=True, related_name="+")
    received_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["vendor", "session", "event", "happened"], name="pbx_webhook_once"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # reader: the ticker that takes up what could not be read at once
            models.Index(
                fields=["received_at"], name="pbx_webhook_open", condition=Q(done_at__isnull=True)
            ),
        ]


class LinkedRecording(models.Model):
    """The sound of a call that lies at a cloud PBX behind a link: fetched into our own storage, or
    why it was not.
    """

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="linked_recordings")
    url = models.CharField(max_length=1000)  # who has it may listen: it never goes into a log
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)  # None: fetched, or given up
    claimed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["interaction", "url"], name="linked_recording_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # readers: the ticker that fetches them; its reaper
            models.Index(
                fields=["due_at"], name="linked_recording_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(
                fields=["claimed_at"],
                name="linked_recording_claimed",
                condition=Q(claimed_at__isnull=False),
            ),
        ]
