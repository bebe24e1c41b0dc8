"""Management commands that print one sentence, or with `--json` one line for scripts."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tidelog_server.core.errors import ApiError


class SayingCommand(BaseCommand):
    """A command whose `act` returns what it did, as a sentence and as values."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON line")
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        raise NotImplementedError

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        """Do it; returns the sentence and the values. Raises ApiError."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sentence, values = self.act(**options)
        except ApiError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(values) if options["json"] else sentence)
