"""The demo world the real files speak of, and files made on the spot."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings

from consent.core import history
from consent.ledger.importing import batches
from consent.ledger.importing.reading import COLUMNS
from consent.ledger.models import ImportBatch
from tests import factories

NO_COUNTS = dict.fromkeys(("applied", "unchanged", "unknown", "conflicting", "rejected"), 0)
VERBAL = {"method": "verbal", "place": "Job fair", "recorded_by": "ada", "read_verbatim": "yes", "reference": ""}
DATA = Path(__file__).parents[3] / "data"
GOOD = {
    "phone": "312 345 6789",
    "country": "IT",
    "name": "Ada Prova",
    "kind": "applicant",
    "language": "it",
    "brand": "officina-lavoro",
    "purpose": "job-alerts",
    "answer": "yes",
    "method": "web_form",
    "captured_at": "2026-05-01T10:00:00+02:00",
    "notice_version": "1",
    "reference": "https://example.org/optin/1",
    "source": "website",
    "external_id": "E1",
}


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    """Two brands with two purposes each, version 1 of every notice in every language."""
    officina = factories.brand("officina-lavoro")
    mercado = factories.brand("mercado-vivo", zone="Europe/Madrid")
    purposes = {
        "job-alerts": factories.purpose("job-alerts", of=officina),
        "interview-reminders": factories.purpose("interview-reminders", of=officina, kind="informational"),
        "offers": factories.purpose("offers", of=mercado, kind="marketing"),
        "order-updates": factories.purpose("order-updates", of=mercado, kind="informational"),
    }
    for purpose in purposes.values():
        for language, _name in settings.LANGUAGES:
            factories.notice(purpose, language)
    return purposes


def csv_file(
    *rows: dict[str, str], columns: Iterable[str] = COLUMNS, delimiter: str = ";", encoding: str = "utf-8"
) -> bytes:
    """A file with these rows; each takes what it does not say from ``GOOD``."""
    columns = list(columns)
    lines = [delimiter.join(columns)]
    for row in rows:
        cells = GOOD | row
        lines.append(delimiter.join(cells.get(c, "") for c in columns))
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def xlsx_file(*rows: dict[str, Any], columns: Iterable[str] = COLUMNS) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(columns))
    for row in rows:
        cells = GOOD | row
        sheet.append([cells.get(c) for c in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def load(world: dict[str, Any]) -> Callable[..., ImportBatch]:
    """``load(content)`` imports a file; ``load(content, state="checking")`` only checks it."""

    def run(content: bytes, *, state: str = "running", country: str = "IT") -> ImportBatch:
        batch = batches.upload(
            io.BytesIO(content),
            filename="list.csv",
            country=country,
            reason="Job fair",
            actor=history.Actor.job("test"),
            state=state,
        )
        batches.run(batch)
        return batch

    return run


def outcomes(batch: ImportBatch) -> dict[int, tuple[str, str, str]]:
    """Row → outcome, column, reason of the rows that were not simply applied."""
    return {r.number: (r.outcome, r.field, r.reason) for r in batch.rows.exclude(outcome="applied", reason="")}


def counts(batch: ImportBatch) -> dict[str, int]:
    return {name: getattr(batch, name) for name in ("applied", "unchanged", "unknown", "conflicting", "rejected")}


def only(batch: Any) -> tuple[str, str, str]:
    (found,) = outcomes(batch).values()
    return found
