"""``manage.py segments TEXT``: how a text travels and what it would cost in parts."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns import segments


class Command(BaseCommand):
    help = "Say how a text travels: encoding, units, parts, and the characters that make it UCS-2."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", help="The text; - reads it from standard input, as it is, in UTF-8.")
        parser.add_argument("--json", action="store_true", help="Print encoding, units, parts and offending as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        text = options["text"]
        if text == "-":
            text = sys.stdin.buffer.read().decode("utf-8", "replace")
        found = segments.measure(text)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json()))
            return
        parts = "1 part" if found.parts == 1 else f"{found.parts} parts"
        self.stdout.write(f"{found.encoding}, {found.units} of {found.capacity} units, {parts}.")
        suggested = segments.replacements(text)
        for character in found.offending:
            line = f"Not in GSM-7: {_shown(character)}"
            if character in suggested:
                line += f"; could be {_shown(suggested[character])}" if suggested[character] else "; could be left out"
            self.stdout.write(line)


def _shown(character: str) -> str:
    codes = " ".join(f"U+{ord(c):04X}" for c in character)
    return f"“{character}” ({codes})" if character.isprintable() else codes
