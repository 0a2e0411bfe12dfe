"""``manage.py reconcile_inbound``: add what Kannel received and could not tell us."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns import reconcile
from consent.core import numbers


class Command(BaseCommand):
    help = "Read a Kannel access log and add the received texts that are not stored, as if they had come in then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--zone", default=settings.TIME_ZONE, help="Zone of the log's times. Default: ours.")
        parser.add_argument("--simulate", action="store_true", help="Count only, change nothing.")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["zone"] not in numbers.ZONES:
            raise CommandError("--zone: this is not a time zone. Write it like Europe/Rome.")
        counts: Counter[str] = Counter(read=0, known=0, added=0, unreadable=0)
        try:
            with options["file"].open("rb") as lines:
                for so_far in reconcile.run(lines, ZoneInfo(options["zone"]), simulate=options["simulate"]):
                    counts = so_far
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        if options["json"]:
            self.stdout.write(json.dumps(dict(counts)))
        else:
            self.stdout.write(", ".join(f"{name} {count}" for name, count in counts.items()) + ".")
