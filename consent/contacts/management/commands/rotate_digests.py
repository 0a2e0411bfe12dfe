import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from consent.contacts import rotation


class Command(BaseCommand):
    help = (
        "Move contacts and their suppressions to the newest suppression key. First add the new key behind the old one "
        "in SUPPRESSION_KEYS and restart every process, then move it to the front, restart again and run this. "
        "It can be interrupted and repeated, and runs beside everything else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--simulate", action="store_true", help="Count what would move and change nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        for progress in rotation.rotate(simulate=options["simulate"]):
            last = progress
        if options["json"]:
            self.stdout.write(json.dumps({"simulated": options["simulate"], **asdict(last)}))
            return
        done = "would move" if options["simulate"] else "moved"
        self.stdout.write(f"{last.contacts} contacts and {last.suppressions} suppressions {done} to key {last.key}.")
        for key, count in last.remaining.items():
            where = "now" if options["simulate"] else "because their numbers are not on record"
            self.stdout.write(f"{count} suppressions are under key {key} {where}. Keep that key in SUPPRESSION_KEYS.")
        for key in last.unreadable:
            self.stderr.write(f"Key {key} is not in SUPPRESSION_KEYS: its suppressions hold for nobody. Put it back.")
        if not last.remaining:
            self.stdout.write("No suppression is under an older key: older keys can be retired.")
