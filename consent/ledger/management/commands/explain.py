"""``manage.py explain``: may this number be texted for this purpose, and why (not)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.core import numbers
from consent.core.errors import DomainError
from consent.ledger import explanation
from consent.ledger.management.purposes import purpose_and_moment


class Command(BaseCommand):
    help = "Say whether a number may be texted for a purpose: every code that applies, its rule, consent and proof."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", help="In any form people type it.")
        parser.add_argument("--purpose", required=True, metavar="BRAND/PURPOSE")
        parser.add_argument("--at", metavar="ISO-TIME", help="Without a zone: the zone of the brand. Default: now.")
        parser.add_argument("--country", metavar="CC", help="Country of a number written without a prefix.")
        parser.add_argument("--json", action="store_true", help="Print the explanation as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        purpose, at = purpose_and_moment(options["purpose"], options["at"])
        try:
            number = numbers.parse(options["number"], options["country"])
        except DomainError as error:
            raise CommandError(str(error)) from None
        found = explanation.explain_number(number, purpose, at)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(lines(number, found)))


def lines(number: numbers.Number, found: explanation.Explanation) -> list[str]:
    """The explanation as text."""
    verdict = "may be texted" if found.allowed else "may not be texted"
    text = [f"{number.international} {verdict} for {found.purpose} at {found.at.isoformat(timespec='seconds')}."]
    if not found.known:
        text.append("The number belongs to no contact.")
    text += [f"  {code.code}: {code.sentence} [{code.rule}]" for code in found.codes]
    if consent := found.consent:
        until = f" until {consent.until:%Y-%m-%d %H:%M %Z}" if consent.until else ""
        text.append(f"Consent {consent.uid}: {consent.status} since {consent.since:%Y-%m-%d %H:%M %Z}{until}.")
    if proof := found.proof:
        words = f", notice v{proof.notice_version} ({proof.notice_language})" if proof.notice_version else ""
        evidence = ", with a file" if proof.file else ""
        by = f", recorded by {proof.recorded_by}" if proof.recorded_by else ""
        text.append(f"Proof {proof.uid}: {proof.method} on {proof.when:%Y-%m-%d %H:%M %Z}{words}{by}{evidence}.")
    return text
