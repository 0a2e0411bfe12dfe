"""``manage.py segments``: the measure of a text, for people and for programs."""

import io
import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("segments", *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi", {"encoding": "GSM-7", "units": 2, "parts": 1, "offending": []}),
        ("", {"encoding": "GSM-7", "units": 0, "parts": 1, "offending": []}),
        ("a" * 152 + "€" + "a" * 152, {"encoding": "GSM-7", "units": 306, "parts": 3, "offending": []}),
        ("Olá 🎉 olá", {"encoding": "UCS-2", "units": 10, "parts": 1, "offending": ["á", "🎉"]}),
    ],
)
def test_json_has_exactly_these_keys(text: str, found: dict[str, Any]) -> None:
    assert json.loads(run(text, "--json")) == found


def test_words_for_people_name_what_could_stand_instead() -> None:
    assert run("Hi") == "GSM-7, 2 of 160 units, 1 part.\n"
    said = run("l’été 🎉\u200b" + "a" * 70)
    assert said.startswith("UCS-2, 79 of 134 units, 2 parts.\n")
    assert "“’” (U+2019); could be “'” (U+0027)" in said
    assert "U+200B; could be left out" in said
    assert "Not in GSM-7: “🎉” (U+1F389)\n" in said


def test_a_dash_reads_standard_input_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO("à\r\n".encode())))
    assert json.loads(run("-", "--json"))["units"] == 3
