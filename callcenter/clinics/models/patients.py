"""Patients, the words of their names, and their phone numbers."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Replace, Reverse

from callcenter.clinics.models.clinics import ZONES, Clinic
from callcenter.clinics.search_keys import name_key
from callcenter.staff.models import User


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User) -> Self:
        """Patients of the clinics that list the user among their staff.

        A patient belongs to the chain; the clinics that the patient visits see the card.
        """
        return self.filter(clinics__in=Clinic.objects.filter(staff=user)).distinct()


class Patient(models.Model):
    last_name = models.CharField("фамилия", max_length=80)
    first_name = models.CharField("имя", max_length=80, blank=True)
    middle_name = models.CharField("отчество", max_length=80, blank=True)
    birth_date = models.DateField("дата рождения", null=True, blank=True)
    email = models.EmailField("e-mail", blank=True)
    zone = models.CharField(
        "часовой пояс", max_length=40, blank=True, choices=ZONES, help_text="если известен"
    )
    clinics = models.ManyToManyField(Clinic, related_name="patients", verbose_name="посещает")
    do_not_call = models.BooleanField("не звонить", default=False)
    do_not_call_since = models.DateTimeField(null=True, blank=True)
    do_not_call_reason = models.CharField("почему не звонить", max_length=250, blank=True)
    note = models.TextField("заметка", blank=True)
    source_id = models.CharField("код в картотеке", max_length=60, blank=True)
    # The database computes the keys, so no writer can forget them: ё → е, lower case, one space
    # between words. Each begins with another field of the name, so that the beginning of its first
    # word is the beginning of a key; further words are `PatientNameWord`s (reader:
    # `clinics.search`).
    sort_key = name_key("last_name", "first_name", "middle_name")
    first_name_key = name_key("first_name", "last_name", "middle_name")
    middle_name_key = name_key("middle_name", "last_name", "first_name")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Patient"]] = PatientQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["sort_key"]
        verbose_name = "пациент"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source_id"], condition=~Q(source_id=""), name="patient_source"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["birth_date"], name="patient_birth", condition=Q(birth_date__isnull=False)
            ),
            # reader: patient search; the id is included so that the index alone answers
            models.Index(fields=["sort_key", "id"], name="patient_last"),
            models.Index(fields=["first_name_key", "id"], name="patient_first"),
            models.Index(fields=["middle_name_key", "id"], name="patient_middle"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return " ".join(
            part for part in (self.last_name, self.first_name, self.middle_name) if part
        )

    @property
    def short_name(self) -> str:
        """'Иванова О. П.'"""
        return " ".join(
            [
                self.last_name,
                *(f"{part[0]}." for part in (self.first_name, self.middle_name) if part),
            ]
        )


class NamePart(models.IntegerChoices):
    """Fields of a name, in the order in which a search shows its results."""

    LAST = 1, "фамилия"
    FIRST = 2, "имя"
    MIDDLE = 3, "отчество"


class PatientNameWord(models.Model):
    """A word of a name that no key of the card begins with.

    Examples: 'оглы', the 'Мария' of 'Анна-Мария', the 'Круз' of 'де ла Круз'. Database triggers
    (created by a migration) write the rows at every change of a card; most cards have none.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="words")
    part = models.PositiveSmallIntegerField(choices=NamePart.choices)
    key = models.CharField(max_length=330, help_text="the word, then the card's sort_key")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # reader: patient search; the patient is included so that the index alone answers
            models.Index(fields=["part", "key", "patient"], name="patient_word")
        ]

    def __str__(self) -> str:
        return self.key


class PatientPhone(models.Model):
    """A number that reaches the patient; several patients (a family) may share it."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="phones")
    number = models.CharField("телефон", max_length=16, help_text="E.164")
    # The digits reversed: a search by four or more last digits becomes a prefix, which an index
    # can find.
    reversed_digits = models.GeneratedField(
        expression=Reverse(Replace(F("number"), Value("+"))),
        output_field=models.CharField(max_length=16),
        db_persist=True,
    )
    label = models.CharField("чей", max_length=60, blank=True)
    is_main = models.BooleanField("основной", default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-is_main", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["patient", "number"], name="patient_phone_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["number"], name="phone_number"),
            models.Index(fields=["reversed_digits"], name="phone_reversed"),
        ]

    def __str__(self) -> str:
        return self.number
