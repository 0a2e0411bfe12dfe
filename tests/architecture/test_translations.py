"""Every staff language is complete: no string left out, no placeholder lost, the compiled catalogue up to date."""

import ast
import gettext
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|</?\w+|\{\w+\}")


def catalogue(language: str, ending: str) -> Path:
    return Path(settings.BASE_DIR) / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


def entries(language: str) -> list[dict[str, str]]:
    """The entries of a .po file: keyword (msgid, msgid_plural, msgstr, msgstr[0] …) → text."""
    found: list[dict[str, str]] = []
    for block in catalogue(language, "po").read_text("utf-8").split("\n\n"):
        entry: dict[str, str] = {}
        keyword = ""
        for line in block.splitlines():
            if line.startswith("#, fuzzy"):
                entry["fuzzy"] = "yes"
            if match := re.match(r'(msg\w+(?:\[\d\])?) (".*")$', line):
                keyword = match[1]
                entry[keyword] = ast.literal_eval(match[2])
            elif line.startswith('"'):
                entry[keyword] += ast.literal_eval(line)
        if entry.get("msgid"):
            found.append(entry)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated_with_all_its_placeholders(language: str) -> None:
    found = entries(language)
    assert len(found) > 500
    for entry in found:
        assert "fuzzy" not in entry, entry["msgid"]
        allowed = [Counter(PLACEHOLDER.findall(entry[k])) for k in ("msgid", "msgid_plural") if k in entry]
        for keyword, text in entry.items():
            if keyword.startswith("msgstr"):
                assert text, entry["msgid"]
                assert Counter(PLACEHOLDER.findall(text)) in allowed, entry["msgid"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_says_what_its_source_says(language: str) -> None:
    with catalogue(language, "mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in entries(language):
        if "msgid_plural" not in entry and "msgctxt" not in entry:
            assert compiled.gettext(entry["msgid"]) == entry["msgstr"]


def test_all_languages_translate_the_same_strings() -> None:
    first, *others = ({entry["msgid"] for entry in entries(language)} for language in LANGUAGES)
    assert all(other == first for other in others)


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recruiters_page_speaks_the_readers_language(language: str, recruiter: Any, sign_in: Any) -> None:
    client = sign_in(recruiter)
    english = {"Record an opt-in", "Save and next person", "How did they answer?"}
    translated = {entry["msgid"]: entry["msgstr"] for entry in entries(language) if entry["msgid"] in english}
    text = client.get(reverse("admin:record"), headers={"accept-language": language}).content.decode()
    assert f'lang="{language}"' in text
    assert len(translated) == len(english)
    for source, target in translated.items():
        assert target in text
        assert source not in text
