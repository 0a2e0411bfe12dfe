"""What the documents point at exists, and what must be documented is."""

import re
from pathlib import Path

import environ
import pytest

from config import settings
from tests.architecture.sources import ROOT, files, name

DOCUMENTS = [path for path in files(".md") if "tests" not in path.parts]
PATH = re.compile(r"`((?:config|consent|campaigns|tests|docs|tools|benchmarks)/[\w./-]+)`|\]\(((?!http)[^)#]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_file_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [(inside, document.parent / linked) for inside, linked in PATH.findall(text)]
    missing = [
        inside or str(linked)
        for inside, linked in named
        if not ((ROOT / inside).exists() if inside else linked.exists())
    ]
    assert missing == []


def test_every_environment_variable_is_in_the_operations_manual() -> None:
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert isinstance(settings.env, environ.Env)
    assert {variable for variable in settings.env.scheme if f"| `{variable}` |" not in manual} == set()
