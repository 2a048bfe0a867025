import argparse
import getpass
import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from callcenter.audit import actions as audit
from callcenter.clinics.models import ZONES, Clinic
from callcenter.lib.errors import DomainError
from callcenter.staff.actions import PersonFacts, create_user
from callcenter.staff.roles import Role


class Command(BaseCommand):
    help = (
        "The first senior administrator of a new installation, who is its manager too and so may give every role"
        " (docs/adr/0010), and its first clinic. She makes everybody and everything else in the browser. The password is asked for, or read from standard input when that is no terminal."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("login")
        parser.add_argument("full_name", help="«Иванова Ольга Петровна»")
        parser.add_argument(
            "--clinic", default="", help="the clinic's name; made if it is not there yet"
        )
        parser.add_argument("--zone", default="Europe/Moscow", choices=[zone for zone, _ in ZONES])

    def handle(self, *_args: object, **options: str) -> None:
        password = _password()
        try:
            with transaction.atomic():
                ids = self._clinics(options["clinic"].strip(), options["zone"])
                facts = PersonFacts(
                    options["login"],
                    options["full_name"],
                    (Role.SENIOR.value, Role.MANAGER.value),
                    frozenset(ids),
                )
                create_user(facts=facts, password=password, by=None, now=timezone.now())
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{options['login']} may log in. Opening hours and colleagues: «Настройки», «Сотрудники»."
        )

    def _clinics(self, name: str, zone: str) -> list[int]:
        """All clinics there are, with the named one, which is opened if it is not there."""
        if name and not Clinic.objects.filter(name=name).exists():
            clinic = Clinic.objects.create(name=name, zone=zone)
            audit.record(
                "clinics.create_clinic", clinic, by=None, now=timezone.now(), clinic_id=clinic.pk
            )
        ids = list(Clinic.objects.values_list("pk", flat=True))
        if not ids:
            raise CommandError("There is no clinic yet: name the first one with --clinic «…».")
        return ids


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CommandError("These are two different passwords. Nothing was made.")
    return first
