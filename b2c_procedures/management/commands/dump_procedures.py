"""`manage.py dump_procedures`: the procedures that are loaded, as JSON, to be held against the
document.
"""

import json
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from b2c_procedures.definition import dump, packaged


class Command(BaseCommand):
    help = "Prints the loaded procedures as JSON: functions, performers, norms, results and what follows them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--indent", type=int, default=1)

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002
        self.stdout.write(
            json.dumps(dump(packaged()), ensure_ascii=False, indent=int(str(options["indent"])))
        )
