"""The rows of a file in the order in which they are worked through, outside our memory.

All rows of one number lie side by side, in order of time; numbers come in the order of their first row. So two rows
that contradict each other, repeat each other or follow each other always meet, however far apart they stand.
"""

import pickle
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.ledger.importing.reading import Cells
from consent.ledger.importing.rows import Glance

MAX_PER_NUMBER = 1000  # rows; nobody answers more often, and a chunk holds all of a number's rows


@dataclass(frozen=True)
class Item:
    """A row to be worked through; ``surplus``: the number stands in the file too often."""

    row: int
    cells: Cells
    glance: Glance
    surplus: bool


class Scratch:
    """A nameless temporary database: SQLite unlinks it when it opens it, so nothing of it outlives the run."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE heap (row INTEGER PRIMARY KEY, person TEXT, at TEXT, payload BLOB)")
        self._db.execute(
            "CREATE TABLE queue (place INTEGER PRIMARY KEY, row INTEGER, person TEXT, surplus INTEGER)",
        )

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *error: object) -> None:
        self._db.close()

    def fill(self, rows: Iterable[tuple[int, Cells, Glance]]) -> int:
        """Take in all rows and put them in order.

        Returns:
            How many there are.
        """
        self._db.executemany("INSERT INTO heap VALUES (?, ?, ?, ?)", map(_packed, rows))
        self._db.execute(
            """
            INSERT INTO queue (row, person, surplus)
            SELECT row, person, rank > ? FROM (
                SELECT row, person, at,
                    min(row) OVER (PARTITION BY person) AS first,
                    row_number() OVER (PARTITION BY person ORDER BY at, row) AS rank
                FROM heap)
            ORDER BY first, rank
            """,
            [MAX_PER_NUMBER],
        )
        return self._db.execute("SELECT count(*) FROM queue").fetchone()[0]

    def chunk(self, done: int, size: int) -> list[Item]:
        """The rows after the first ``done``: about ``size`` of them, never only some of a number's rows."""
        items: list[Item] = []
        last = None
        found = self._db.execute(
            "SELECT queue.person, queue.row, surplus, payload FROM queue JOIN heap ON heap.row = queue.row "
            "WHERE place > ? ORDER BY place",
            [done],
        )
        for person, row, surplus, payload in found:
            if len(items) >= size and (person != last or surplus):
                break
            last = person
            cells, seen = pickle.loads(payload)  # noqa: S301 - our own, from a file that has no name
            items.append(Item(row, cells, seen, bool(surplus)))
        return items


def _packed(row: tuple[int, Cells, Glance]) -> tuple[int, str, str, bytes]:
    number, cells, seen = row
    person = seen.number.e164 if seen.number else f"row {number}"
    return number, person, _sortable(seen.at), pickle.dumps((cells, seen), pickle.HIGHEST_PROTOCOL)


def _sortable(at: datetime | None) -> Any:
    return at.isoformat(timespec="microseconds") if at else ""
