"""In a large table the search goes through indexes; no plan reads every row."""

import json
import re
from typing import Any

import pytest
from django.db import connection

from consent.contacts import search
from consent.contacts.models import Contact
from tests import many

ROWS = 200_000


def whole_tables_read(plan: str) -> list[str]:
    """The steps of a plan that read a whole table or index of contacts or of the words of their names."""
    if connection.vendor == "sqlite":
        return [step for step in plan.splitlines() if re.search(r"SCAN (contacts_\w+|[UV]\d)", step)]
    found: list[str] = []

    def walk(node: dict[str, Any]) -> None:
        if node["Node Type"] == "Seq Scan" or ("Index" in node["Node Type"] and "Index Cond" not in node):
            found.append(f"{node['Node Type']} {node.get('Relation Name')} {node.get('Index Name')}")
        for child in node.get("Plans", []):
            walk(child)

    walk(json.loads(plan)[0]["Plan"])
    return found


@pytest.mark.django_db
def test_search_never_scans() -> None:
    many.contacts(ROWS)
    many.analyze()
    whole = Contact.objects.order_by("-id").filter(name="x")
    options = {"format": "json"} if connection.vendor == "postgresql" else {}
    assert whole_tables_read(whole.explain(**options))  # the test can see a scan
    for typed, found in {
        "350 0004711": 1,
        "+39 350 0004711": 1,
        "0039350 000 4711": 1,
        "+3935000047": 100,
        "family4711 given47": 10,
        "family4711": 11,
        "ATS-4711": 0,
        "ats-4711": 1,
    }.items():
        rows = search.find(Contact.objects.order_by("-id"), typed)[:50]
        plan = rows.explain(**options)
        assert not whole_tables_read(plan), f"{typed}: {plan}"
        assert search.find(Contact.objects.all(), typed).count() == found, typed
