"""Ways of asking to be left alone that are more than one word (RULES §6, rule 3); the table is ``phrases.toml``."""

import re
import tomllib
from pathlib import Path

_TABLE = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
PHRASES = {
    language: re.compile("|".join(f"(?:{p.replace('NOUN', entry['noun'])})" for p in entry["patterns"]))
    for language, entry in _TABLE.items()
}
# What asks for it only when nothing else is said → its language.
ALONE: dict[str, str] = {words: language for language, entry in _TABLE.items() for words in entry["alone"]}


def language_of(words: str) -> str:
    """The language whose way of asking to be left alone these words hold; empty when none does.

    Args:
        words: words as ``keywords.plain_words`` gives them, joined by blanks.
    """
    return next((language for language, pattern in PHRASES.items() if pattern.search(words)), "")
