"""A file → its rows, in flat memory. A file that is no list of opt-ins is refused with a sentence."""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from django.conf import settings
from django.utils.translation import gettext as _

from consent.core.errors import ImportRefused

COLUMNS = (
    "phone", "country", "name", "email", "kind", "language", "brand", "purpose", "answer", "method", "captured_at",
    "place", "recorded_by", "notice_version", "read_verbatim", "reference", "source", "external_id",
)  # fmt: skip
REPORT = ("row", "outcome", "column", "reason")  # what we add to rows for download; ignored when they come back
REQUIRED = ("phone", "brand", "purpose", "answer")
EXTRA = ""  # the key of cells beyond the last column

Cells = dict[str, str]
Row = tuple[int, Cells]

_MAX_LINE = 200_000  # characters; a row of real cells is far below
_MAX_ROW = 1_048_576  # the last row of a spreadsheet
_MAX_UNPACKED = 4  # times IMPORT_MAX_BYTES; real sheets shrink by four to eight, and ours are small
_CHUNK = 1 << 17


def rows(file: IO[bytes]) -> Generator[Row, None, None]:
    """The rows of a file that are not empty.

    Args:
        file: an open CSV (any of ``; , |`` or tab; UTF-8 or Windows-1252) or XLSX file (its first sheet).

    Yields:
        The number of the row as a spreadsheet shows it (the header is row 1), and its cells by column as text; dates
        of a spreadsheet in ISO form. Cells beyond the last column come under ``EXTRA``.

    Raises:
        ImportRefused: the file cannot be read as a list of opt-ins.
    """
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    if size == 0:
        raise ImportRefused(_("The file is empty."))
    if size > settings.IMPORT_MAX_BYTES:
        raise ImportRefused(
            _("The file is too large: at most %(size)s MB. Split it.") % {"size": settings.IMPORT_MAX_BYTES // 2**20}
        )
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        lines = _xlsx(file)
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise ImportRefused(_("This is a spreadsheet of the old kind (.xls) or locked. Save it as .xlsx or CSV."))
    else:
        lines = _csv(file)
    return _closing(lines)


def _closing(lines: Generator[tuple[int, Sequence[str]], None, None]) -> Generator[Row, None, None]:
    with closing(lines):
        yield from _with_header(lines)


def check(file: IO[bytes]) -> None:
    """Refuse a file whose beginning shows that it is no list of opt-ins.

    Raises:
        ImportRefused: see ``rows``; what is wrong further down shows only when the file is read.
    """
    with closing(rows(file)) as found:
        if next(found, None) is None:
            raise ImportRefused(_("The file has a header but no rows."))
    file.seek(0)


def _with_header(lines: Iterator[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    header: list[str] | None = None
    for number, cells in lines:
        if not any(cells):
            continue
        if header is None:
            header = _header(cells)
            continue
        if number > _MAX_ROW:
            raise ImportRefused(_("The file has more rows than a spreadsheet can show. Split it."))
        row = {name: cell for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
        if any(cells[len(header) :]) or any(c for name, c in zip(header, cells, strict=False) if not name):
            row[EXTRA] = "…"
        yield number, row
    if header is None:
        raise ImportRefused(_("The file is empty."))


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    known = set(names) & set(COLUMNS)
    if not known:
        raise ImportRefused(_("The first row must name the columns: %(columns)s.") % {"columns": ", ".join(COLUMNS)})
    for place, name in enumerate(names, 1):
        if name and name not in COLUMNS + REPORT:
            # Only what looks like the name of a column is repeated: a file without header has people in its first row.
            shown = f"{place} “{name}”" if re.fullmatch(r"[a-z_-]{1,30}", name) else str(place)
            raise ImportRefused(
                _("Column %(column)s is not known. Columns may be: %(columns)s.")
                % {"column": shown, "columns": ", ".join(COLUMNS)}
            )
        if name and names.count(name) > 1:
            raise ImportRefused(_("The column “%(column)s” is there twice.") % {"column": name})
    if missing := [name for name in REQUIRED if name not in known]:
        raise ImportRefused(_("These columns are missing: %(columns)s.") % {"columns": ", ".join(missing)})
    return names


# --- CSV ----------------------------------------------------------------------------------------------------------


def _csv(file: IO[bytes]) -> Generator[tuple[int, Sequence[str]], None, None]:
    text = io.TextIOWrapper(file, encoding=_encoding(file), newline="")
    number = 0
    try:
        delimiter = _delimiter(text.readline(_MAX_LINE))
        text.seek(0)
        for number, cells in enumerate(csv.reader(_lines(text), delimiter=delimiter), 1):
            yield number, cells
    except csv.Error:
        raise ImportRefused(
            _("Row %(row)s cannot be read: a quote is not closed, or a cell is far too long.") % {"row": number + 1}
        ) from None
    except UnicodeDecodeError:
        raise ImportRefused(_not_a_list()) from None
    finally:
        text.detach()  # the file is its owner's to close


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 when the whole file is, else Windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    while chunk := file.read(_CHUNK):
        if b"\0" in chunk:
            raise ImportRefused(_not_a_list())
        if utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf8 = False
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    file.seek(0)
    return "utf-8-sig" if utf8 else "cp1252"


def _not_a_list() -> str:
    return _("This is neither a CSV file nor an Excel workbook (.xlsx). Save the list as “CSV UTF-8” or .xlsx.")


def _delimiter(header: str) -> str:
    """The delimiter that finds the most known columns in the header."""

    def found(delimiter: str) -> int:
        return sum(name.strip().strip('"').lower() in COLUMNS for name in header.lstrip("\ufeff").split(delimiter))

    return max(";,\t|", key=found)


def _lines(text: IO[str]) -> Iterator[str]:
    number = 0
    while line := text.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise ImportRefused(
                _("Line %(row)s is far too long for a list of opt-ins. Is this the right file?") % {"row": number}
            )
        yield line


# --- XLSX ---------------------------------------------------------------------------------------------------------


def _xlsx(file: IO[bytes]) -> Generator[tuple[int, Sequence[str]], None, None]:
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > settings.IMPORT_MAX_BYTES * _MAX_UNPACKED:
            raise ImportRefused(_("The workbook is too large when unpacked. Split it or save it as CSV."))
        file.seek(0)
        book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        sheet = next(iter(book.worksheets), None)
        if sheet is None:
            raise ImportRefused(_("The workbook has no sheet."))
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = [_text(value) for value in values]
            if sum(map(len, cells)) > _MAX_LINE:
                raise ImportRefused(
                    _("Line %(row)s is far too long for a list of opt-ins. Is this the right file?") % {"row": number}
                )
            yield number, cells
            if number > _MAX_ROW:
                break
    except (
        zipfile.BadZipFile, zlib.error, ParseError, DefusedXmlException, KeyError, ValueError, TypeError, IndexError,
        AttributeError, EOFError, OSError, NotImplementedError,
    ):  # fmt: skip
        # openpyxl meets a broken or hostile workbook with whatever its internals raise.
        raise ImportRefused(_not_a_list()) from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
