"""``manage.py import_opt_ins FILE``: the import of the admin, by hand."""

import json
from pathlib import Path
from typing import Any

import phonenumbers
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.core import history
from consent.core.errors import ImportRefused
from consent.ledger.importing import batches
from consent.ledger.models import ImportBatch, ImportRow

State = ImportBatch.State


class Command(BaseCommand):
    help = (
        "Import contacts and opt-ins from a CSV or XLSX file. One row is one answer to one purpose. Interrupted and "
        "started again with the same file it goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="A CSV or XLSX file.")
        parser.add_argument("--country", default=settings.DEFAULT_COUNTRY, help="Country of numbers without prefix.")
        parser.add_argument("--simulate", action="store_true", help="Say what would happen and change nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        parser.add_argument("--reason", default="Import of opt-ins", help="Why, for the history of what changes.")

    def handle(self, *args: Any, **options: Any) -> None:
        country = options["country"].upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise CommandError("--country takes the two letters of a country, such as IT.")
        batch = self._batch(Path(options["file"]), country, options["reason"], options["simulate"])
        try:
            batches.run(batch)
            if batch.error:
                again = "" if options["simulate"] else " What was finished is kept; run the command again to go on."
                raise CommandError(batch.error + again)
            self._print(batch, options["simulate"], options["json"])
        finally:
            if options["simulate"]:
                batches.remove(batch)

    def _batch(self, path: Path, country: str, reason: str, simulate: bool) -> ImportBatch:
        try:
            with path.open("rb") as file:
                interrupted = None if simulate else batches.unfinished(batches.digest(file), country)
                if interrupted:
                    return batches.start(interrupted)
                return batches.upload(
                    file,
                    filename=path.name,
                    country=country,
                    reason=reason[:200],
                    actor=history.Actor.job("import_opt_ins"),
                    state=State.CHECKING if simulate else State.RUNNING,
                )
        except OSError as error:
            raise CommandError(f"The file cannot be opened: {error.strerror}.") from None
        except ImportRefused as refused:
            raise CommandError(str(refused)) from None

    def _print(self, batch: ImportBatch, simulated: bool, as_json: bool) -> None:
        counts = {name: getattr(batch, name) for name in ImportRow.Outcome.values}
        left = batch.rows.exclude(outcome=ImportRow.Outcome.APPLIED).values_list("number", "outcome", "field", "reason")
        if as_json:
            rows = [dict(zip(("row", "outcome", "field", "reason"), row, strict=True)) for row in left]
            self.stdout.write(
                json.dumps({"rows_read": batch.total, **counts, "simulated": simulated, "rows": rows}, indent=1)
            )
            return
        self.stdout.write(f"{batch.total} rows read" + (", nothing changed (--simulate)" if simulated else ""))
        for outcome, count in counts.items():
            self.stdout.write(f"{count:>9} {outcome}")
        for number, outcome, column, reason in left.iterator():
            self.stdout.write(f"row {number}, {outcome}{f', {column}' if column else ''}: {reason}")
