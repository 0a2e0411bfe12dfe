"""``manage.py audience``: how many people may be texted for a purpose, and what keeps the others out."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.contacts.models import Audience
from consent.ledger import decision
from consent.ledger.management.purposes import purpose_and_moment


class Command(BaseCommand):
    help = "Count the contacts per refusal code for a purpose."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("purpose", metavar="BRAND/PURPOSE")
        parser.add_argument("--at", metavar="ISO-TIME", help="Without a zone: the zone of the brand. Default: now.")
        parser.add_argument("--audience", metavar="NAME", help="Only the contacts of this saved audience.")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        purpose, at = purpose_and_moment(options["purpose"], options["at"])
        contacts = None
        if name := options["audience"]:
            audience = Audience.objects.filter(name=name).first()
            if audience is None:
                known = ", ".join(Audience.objects.values_list("name", flat=True)) or "none"
                raise CommandError(f"There is no audience “{name}”. Known: {known}.")
            contacts = audience.contacts()
        counts = decision.counts(decision.context_for(purpose, at), contacts)
        total = sum(counts.values())
        if options["json"]:
            self.stdout.write(
                json.dumps({"purpose": purpose.path, "at": at.isoformat(), "counts": counts, "total": total})
            )
            return
        for code, count in counts.items():
            self.stdout.write(f"{count:>9}  {code}")
        self.stdout.write(f"{total:>9}  total")
