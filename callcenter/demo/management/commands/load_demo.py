"""Fills an empty database with the demo clinic."""

import argparse
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.utils import timezone
from django.utils.module_loading import import_string

from callcenter.clinics.models import Clinic
from callcenter.demo.loaders import LOADERS
from callcenter.demo.logins import LOGINS, PASSWORD


class Command(BaseCommand):
    help = "Loads the demo clinic, dated relative to today. Refuses when there is data already, unless --reset."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="delete everything first (DEMO=1 only)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "The demo clinic is loaded with DEMO=1 only: then no real gateway can be reached."
            )
        if options["reset"]:
            self._empty()
        if Clinic.objects.exists():
            raise CommandError(
                "There is data already. `load_demo --reset` deletes it and loads the demo anew."
            )
        now = timezone.now()
        for path in LOADERS:
            started = time.monotonic()
            import_string(path)(now)
            self.stdout.write(f"{path}: {time.monotonic() - started:.1f} s")
        logins = ", ".join(login for login, *_ in LOGINS)
        self.stdout.write(f"Logins: {logins}; the password of each is {PASSWORD}")

    def _empty(self) -> None:
        """The tables anew, since migrations fill dictionaries and procedures. Raises CommandError
        when others hold them.
        """
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10s'")
            try:
                cursor.execute("DROP SCHEMA public CASCADE")
            except OperationalError as error:
                raise CommandError("The database is in use: stop the demo first.") from error
            cursor.execute("CREATE SCHEMA public")
        call_command("migrate", verbosity=0)
