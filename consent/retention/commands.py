"""The base of the commands that run a job by hand."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.retention import runner
from consent.retention.models import JobRun


class JobCommand(BaseCommand):
    """``manage.py NAME [--simulate] [--limit N] [--json]`` for the job named ``job``."""

    job = ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--simulate", action="store_true", help="Count what would happen and change nothing.")
        parser.add_argument("--limit", type=int, help="Touch at most this many rows.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        run = runner.run(self.job, simulate=options["simulate"], limit=options["limit"])
        if options["json"]:
            self.stdout.write(
                json.dumps({"job": run.job, "simulated": run.simulated, "state": run.state, "counts": run.counts})
            )
        else:
            done = "would be" if run.simulated else "are"
            for name, count in run.counts.items():
                self.stdout.write(f"{count} {done} {name}")
        if run.state == JobRun.State.FAILED:
            raise CommandError(f"The job stopped: {run.error}. What was finished is kept; run it again to go on.")
