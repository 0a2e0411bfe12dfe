"""Lists as CSV that no spreadsheet runs as a formula."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

_DANGEROUS = {"=", "+", "-", "@"}


def neutral(cell: Any) -> str:
    """A cell as text; one that a spreadsheet would take for a formula gets a leading apostrophe."""
    text = "" if cell is None else str(cell)
    # Blanks in front are passed over and full-width signs understood, as some spreadsheets do.
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if first in _DANGEROUS or text[:1] in {"\t", "\r", "\n"} else text


def csv_lines(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a semicolon-separated file with BOM, as spreadsheets in Europe open it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([neutral(c) for c in header])
    for row in rows:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([neutral(c) for c in row])
    yield buffer.getvalue()
