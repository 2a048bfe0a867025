"""`manage.py make_history --contacts 1500000`: the history of contacts of a large chain, the same
every time.
"""

import datetime as dt
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from callcenter.demo.history import make_history


class Command(BaseCommand):
    help = "Fills an empty history with generated contacts (twice as many interactions) of three years."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--contacts", type=int, default=15_000)
        parser.add_argument(
            "--until", type=dt.date.fromisoformat, help="last day, today by default"
        )

    def handle(self, *args: Any, contacts: int, until: dt.date | None, **options: Any) -> None:  # noqa: ARG002
        started = time.monotonic()
        try:
            counts = make_history(contacts=contacts, until=until or timezone.now().date())
        except RuntimeError as error:
            raise CommandError(str(error)) from None
        with connection.cursor() as cursor:
            cursor.execute(
                "VACUUM ANALYZE contacts_contact, contacts_interaction, contacts_contactresult"
            )
        words = ", ".join(f"{count:,} {table}" for table, count in counts.items())
        self.stdout.write(f"{words} in {time.monotonic() - started:.0f} s")
