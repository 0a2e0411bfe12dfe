"""A file → rows: every way spreadsheets write it, and files that mean harm."""

import io
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest

from consent.core.errors import ImportRefused
from consent.ledger.importing import reading
from consent.ledger.importing.reading import COLUMNS
from tests.consent.ledger.importing.conftest import GOOD, csv_file, xlsx_file

FEW = ("phone", "name", "brand", "purpose", "answer")


def rows(content: bytes) -> list[reading.Row]:
    return list(reading.rows(io.BytesIO(content)))


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_delimiters_and_encodings_are_found_out(delimiter: str, encoding: str) -> None:
    content = csv_file({"name": "Zoë Núñez"}, columns=FEW, delimiter=delimiter, encoding=encoding)
    assert rows(content) == [(2, {c: (GOOD | {"name": "Zoë Núñez"})[c] for c in FEW})]


def test_rows_have_the_numbers_a_spreadsheet_shows() -> None:
    content = b'phone;brand;purpose;answer;name\r\n1;b;p;yes;"two\r\nlines"\r\n\r\n;;;;\r\n2;b;p;no\r\n'
    assert [(n, c["phone"]) for n, c in rows(content)] == [(2, "1"), (5, "2")]


def test_header_is_read_in_any_case_and_order_and_short_rows_are_blank_at_the_end() -> None:
    content = b"Answer, Purpose ,BRAND,phone,name\nyes,p,b,1\n"
    assert rows(content) == [(2, {"answer": "yes", "purpose": "p", "brand": "b", "phone": "1"})]


def test_cells_beyond_the_last_column_are_told_apart() -> None:
    ((_number, cells),) = rows(b"phone;brand;purpose;answer\n1;b;p;yes;more\n")
    assert reading.EXTRA in cells


def test_our_own_report_columns_come_back_ignored() -> None:
    assert rows(b"row;reason;phone;brand;purpose;answer\n7;why;1;b;p;yes\n") == [
        (2, {"phone": "1", "brand": "b", "purpose": "p", "answer": "yes"})
    ]


def test_a_workbook_gives_numbers_and_dates_as_text() -> None:
    content = xlsx_file(
        {"phone": 393123456789, "captured_at": datetime.fromisoformat("2026-05-01T10:30"), "notice_version": 1.0},
        {"phone": 3.12e9, "captured_at": date(2026, 5, 1), "notice_version": 1, "answer": True, "name": None},
    )
    first, second = (cells for _number, cells in rows(content))
    assert (first["phone"], first["captured_at"], first["notice_version"]) == (
        "393123456789",
        "2026-05-01T10:30:00",
        "1",
    )
    assert (second["phone"], second["captured_at"], second["answer"], second["name"]) == (
        "3120000000",
        "2026-05-01T00:00:00",
        "True",
        "",
    )


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def sheet_with(xml: bytes) -> bytes:
    """A workbook whose sheet is replaced by ``xml``."""
    source = zipfile.ZipFile(io.BytesIO(xlsx_file({})))
    members = {name: source.read(name) for name in source.namelist()}
    return zipped(members | {"xl/worksheets/sheet1.xml": xml})


HEADER = ";".join(FEW).encode()
REFUSED: list[tuple[str, bytes, str]] = [
    ("empty", b"", "empty"),
    ("only blank lines", b"\r\n;;;\r\n", "empty"),
    ("unknown column", b"phone;brand;purpose;answer;shoe_size\n", "shoe_size"),
    ("missing columns", b"phone;name\n1;A\n", "brand, purpose, answer"),
    ("column twice", b"phone;phone;brand;purpose;answer\n", "twice"),
    ("no header", b"+39 312 345 6789;Ada Prova\n", "first row"),
    ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0", "neither a CSV"),
    ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old kind"),
    ("UTF-16", "phone;brand".encode("utf-16"), "neither a CSV"),
    ("NUL in a cell", HEADER + b"\n1;A\0;b;p;yes\n", "neither a CSV"),
    ("another zip", zipped({"readme.txt": b"hello"}), "neither a CSV"),
    ("a torn zip", xlsx_file({})[:2000], "neither a CSV"),
    ("a cell of 10 MB", HEADER + b"\n1;" + b"A" * 10_000_000 + b";b;p;yes\n", "far too long"),
    ("a cell of many lines", HEADER + b'\n1;"' + b"A\n" * 200_000, "cannot be read"),
    ("a million columns", b";".join([b"phone"] * 1_000_000) + b"\n", "far too long"),
    ("entities", sheet_with(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'), "neither a CSV"),
    ("zip bomb", zipped({"xl/worksheets/sheet1.xml": b"0" * 900_000}), "too large when unpacked"),
    (
        "a row far away",
        sheet_with(
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData></worksheet>'
        ),
        "empty",
    ),
]


@pytest.mark.parametrize(("content", "word"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_no_list_is_refused_with_a_sentence(content: bytes, word: str, settings: object) -> None:
    if word == "too large when unpacked":
        settings.IMPORT_MAX_BYTES = 200_000  # type: ignore[attr-defined]
    with pytest.raises(ImportRefused, match=word):
        rows(content)


def test_people_in_a_first_row_are_not_repeated() -> None:
    with pytest.raises(ImportRefused) as refused:
        rows(b"phone;brand;purpose;answer;Ada Prova\n1;b;p;yes;x\n")
    assert "Ada" not in str(refused.value)
    assert "Column 5" in str(refused.value)


@pytest.mark.parametrize(("extra", "refused"), [(0, False), (1, True)])
def test_size_limit_is_exact(extra: int, refused: bool, settings: object) -> None:
    content = csv_file({})
    settings.IMPORT_MAX_BYTES = len(content) - extra  # type: ignore[attr-defined]
    if refused:
        with pytest.raises(ImportRefused, match="too large"):
            rows(content)
    else:
        assert len(rows(content)) == 1


def test_memory_stays_flat() -> None:
    content = csv_file(*[{"phone": f"312 {n:07d}"} for n in range(20_000)])
    file = io.BytesIO(content)
    tracemalloc.start()
    for _row in reading.rows(file):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(content) > 2_500_000
    assert peak < 2_000_000


def test_every_column_of_the_issue_is_known() -> None:
    assert len(COLUMNS) == 18
