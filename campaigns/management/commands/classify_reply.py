"""``manage.py classify_reply``: what a reply would be taken for, and by which rule."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns import keywords
from campaigns.models import InboundMessage


class Command(BaseCommand):
    help = "Say what a reply means (RULES §6). Keywords published on a sender are not looked at."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text")
        parser.add_argument("--country", default="", metavar="CC", help="Country of the number it came from.")
        parser.add_argument("--json", action="store_true", help="Print class and rule as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = keywords.classify(options["text"], options["country"].strip().upper())
        if options["json"]:
            self.stdout.write(json.dumps({"class": str(found.meaning), "rule": found.rule}))
        else:
            self.stdout.write(f"{InboundMessage.Meaning(found.meaning).label} (rule {found.rule})")
