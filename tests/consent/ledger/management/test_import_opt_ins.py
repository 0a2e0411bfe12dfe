"""``manage.py import_opt_ins``: what it prints, what it leaves, and a real kill in the middle."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from consent.contacts.models import Contact
from consent.ledger.importing import engine
from consent.ledger.models import Consent, ImportBatch, ImportRow
from tests.consent.ledger.importing.conftest import csv_file, world  # noqa: F401 - world is a fixture

OUTCOMES = ("applied", "unchanged", "unknown", "conflicting", "rejected")


def run(path: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_opt_ins", str(path), *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def listed(tmp_path: Path, world: Any) -> Path:  # noqa: F811
    path = tmp_path / "fair.csv"
    path.write_bytes(
        csv_file(
            {},
            {},
            {"phone": "02 1234567", "name": "Bo Landline"},
            {"phone": "312 1", "answer": "maybe"},
            {"phone": "312 345 6780", "external_id": "E2", "answer": ""},
            {"phone": "312 345 6781", "external_id": "E3"},
            {"phone": "312 345 6781", "external_id": "E3", "answer": "no"},
        )
    )
    return path


@pytest.mark.django_db
def test_json_adds_up_and_names_every_row_not_applied(listed: Path) -> None:
    printed = run(listed, "--json", "--reason", "Job fair")
    found = json.loads(printed)
    assert {k: found[k] for k in ("rows_read", *OUTCOMES, "simulated")} == {
        "rows_read": 7, "applied": 1, "unchanged": 1, "unknown": 1, "conflicting": 2, "rejected": 2, "simulated": False,
    }  # fmt: skip
    assert Counter(row["outcome"] for row in found["rows"]) == {k: found[k] for k in OUTCOMES if k != "applied"}
    assert [(r["row"], r["field"]) for r in found["rows"] if r["outcome"] == "rejected"] == [(4, "phone"), (5, "phone")]
    assert Consent.objects.filter(status="given").get().history.get().history_change_reason == "Job fair"
    for personal in ("Ada", "Bo", "312", "02 1234567", "+39"):
        assert personal not in printed


@pytest.mark.django_db
def test_simulating_tells_the_same_and_leaves_nothing(listed: Path) -> None:
    simulated = json.loads(run(listed, "--simulate", "--json"))
    assert not Contact.objects.exists()
    assert not ImportBatch.objects.exists()
    assert not ImportRow.objects.exists()
    applied = json.loads(run(listed, "--json"))
    assert simulated == applied | {"simulated": True}


@pytest.mark.django_db
def test_plain_output_is_a_summary_and_the_rows(listed: Path) -> None:
    lines = run(listed).splitlines()
    assert lines[:3] == ["7 rows read", "        1 applied", "        1 unchanged"]
    assert (
        "row 4, rejected, phone: This number is a landline and cannot receive texts. Ask for a mobile number." in lines
    )


@pytest.mark.django_db
def test_country_goes_for_numbers_without_prefix(tmp_path: Path, world: Any) -> None:  # noqa: F811
    path = tmp_path / "list.csv"
    path.write_bytes(csv_file({"phone": "612 34 56 78", "country": ""}))
    run(path, "--country", "es")
    assert Contact.objects.get().phone.as_e164 == "+34612345678"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (None, (), "cannot be opened"),
        (b"", (), "empty"),
        (b"phone\n1\n", (), "missing: brand, purpose, answer"),
        (b"phone;brand;purpose;answer\n1;b;p;yes\n", ("--country", "XX"), "two letters"),
    ],
)
def test_what_cannot_be_imported_is_an_error(tmp_path: Path, content: Any, options: Any, words: str) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(path, *options)
    assert not ImportBatch.objects.exists()


@pytest.mark.django_db
def test_interrupted_and_started_again_it_goes_on(listed: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(engine, "CHUNK", 2)
    step, taken = engine._step, []

    def interrupted(*args: Any) -> bool:
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(step(*args))
        return taken[-1]

    monkeypatch.setattr(engine, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(listed)
    assert 0 < ImportBatch.objects.get().next_row < 7
    monkeypatch.setattr(engine, "_step", step)
    found = json.loads(run(listed, "--json"))
    assert (found["rows_read"], found["applied"], found["unchanged"]) == (7, 1, 1)
    assert ImportBatch.objects.count() == 1
    again = json.loads(run(listed, "--json"))
    assert (again["applied"], again["unchanged"]) == (0, 2)


SLOW = """
import time, django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests import factories
factories.notice(factories.purpose("job-alerts", of=factories.brand("officina-lavoro")), "it")
from consent.ledger.importing import engine
engine.CHUNK = 20
keep = engine._keep
def slowly(*args, **kwargs):
    keep(*args, **kwargs)
    time.sleep(0.05)  # a step is open for a while, so that the kill lands inside one
engine._keep = slowly
call_command("import_opt_ins", {path!r})
"""
TABLES = (
    "contacts_contact",
    "ledger_proof",
    "ledger_consent",
    "ledger_historicalconsent",
    "contacts_historicalcontact",
)


def test_kill_9_in_the_middle_loses_and_repeats_nothing(tmp_path: Path) -> None:
    env = {**os.environ, "DEBUG": "on", "DATA_DIR": str(tmp_path), "DATABASE_URL": "", "CELERY_BROKER_URL": ""}
    env["DJANGO_SETTINGS_MODULE"] = "config.settings"
    path = tmp_path / "list.csv"
    path.write_bytes(csv_file(*[{"phone": f"312 {n:07d}", "external_id": f"E{n}"} for n in range(400)]))
    database = sqlite3.connect(tmp_path / "placet.sqlite3", timeout=30)

    def ask(sql: str) -> Any:
        try:
            return database.execute(sql).fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # the table is not there yet

    def python(*arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, *arguments], env=env, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL)

    victim = python("-c", SLOW.format(path=str(path)))
    while not ask("SELECT count(*) FROM contacts_contact") and victim.poll() is None:
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(30) == -signal.SIGKILL
    done = ask("SELECT next_row FROM ledger_importbatch")
    assert 0 < done < 400
    assert ask("SELECT count(*) FROM contacts_contact") == done

    assert python("manage.py", "import_opt_ins", str(path)).wait(120) == 0
    assert {table: ask(f"SELECT count(*) FROM {table}") for table in TABLES} == dict.fromkeys(TABLES, 400)
    assert ask("SELECT applied FROM ledger_importbatch") == 400
    assert ask("SELECT count(*) FROM ledger_importbatch") == 1
    database.close()
