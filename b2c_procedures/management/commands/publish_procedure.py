"""`manage.py publish_procedure FILE`: checks a definition and publishes it as the next version."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from b2c_procedures.actions.versions import draft_version, publish_version
from b2c_procedures.definition import BadDefinition
from callcenter.lib.errors import DomainError


class Command(BaseCommand):
    help = "Lints a definition, shows what it changes and publishes it; runs that have begun keep their version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--check", action="store_true", help="only lint and show the differences"
        )

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002
        file = Path(str(options["file"]))
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from None
        now = timezone.now()
        try:
            draft = draft_version(text, file_name=file.name, now=now)
            self.stdout.write("\n".join(draft.differences) or "Отличий нет.")
            if not options["check"]:
                row = publish_version(text, file_name=file.name, by=None, now=now)
                self.stdout.write(f"Опубликовано: {row}")
        except BadDefinition as error:
            sys.stderr.write("\n".join(str(problem) for problem in error.problems) + "\n")
            raise CommandError("файл не опубликован") from None
        except DomainError as error:
            raise CommandError(str(error)) from None
