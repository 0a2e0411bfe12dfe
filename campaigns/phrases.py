"""Ways of asking to be left alone that are more than one word (RULES §6, rule 3); the table is ``phrases.toml``."""

import re
import tomllib
from pathlib import Path


def _read() -> dict[str, re.Pattern[str]]:
    table = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
    return {
        language: re.compile("|".join(f"(?:{p.replace('NOUN', entry['noun'])})" for p in entry["patterns"]))
        for language, entry in table.items()
    }


PHRASES = _read()


def language_of(words: str) -> str:
    """The language whose way of asking to be left alone these words hold; empty when none does.

    Args:
        words: words as ``keywords.plain_words`` gives them, joined by blanks.
    """
    return next((language for language, pattern in PHRASES.items() if pattern.search(words)), "")
