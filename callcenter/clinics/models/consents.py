"""A patient's consents and refusals."""

from typing import ClassVar

from django.db import models

from callcenter.clinics.models.patients import Patient
from callcenter.clinics.states import ConsentChannel, ConsentPurpose
from callcenter.staff.models import User


class Consent(models.Model):
    """A consent or refusal for one purpose through one channel.

    The newest row of a purpose and channel is in force; rows are never changed.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="consents")
    purpose = models.CharField("цель", max_length=12, choices=ConsentPurpose.choices)
    channel = models.CharField("канал", max_length=10, choices=ConsentChannel.choices)
    granted = models.BooleanField("согласен")
    at = models.DateTimeField("когда")
    source = models.CharField("источник", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "purpose", "channel", "-at"], name="consent_newest")
        ]
