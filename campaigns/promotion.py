"""Whether a text sounds like promotion, which an informational one must not (RULES C11). The words are a table."""

import re
import tomllib
from functools import cache
from pathlib import Path

from consent.ledger.wording import plain

_TABLE = Path(__file__).with_suffix(".toml")
_EVERYWHERE = "everywhere"


@cache
def _patterns() -> tuple[dict[str, re.Pattern[str]], dict[str, re.Pattern[str]]]:
    """What promotes, and the ordinary use of the same words, by language."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    promoting = {language: _any(words) for language, words in table["words"].items()}
    promoting["shares"] = re.compile(table["shares"][_EVERYWHERE])
    ordinary = {language: re.compile(rf"(?<!\w)(?:{uses})(?!\w)") for language, uses in table["ordinary"].items()}
    return promoting, ordinary


def _any(words: list[str]) -> re.Pattern[str]:
    one = [re.escape(plain(word)).replace(r"\*", r"\w*") for word in sorted(words, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(one)})(?!\w)")


def promoting(text: str, language: str) -> list[str]:
    """The words of a text that sound like promotion in its language or in any, in the order they come."""
    promotes, ordinary = _patterns()
    compared = plain(text)
    if language in ordinary:
        compared = ordinary[language].sub(lambda hit: "·" * len(hit[0]), compared)
    hits = [
        (hit.start(), hit.end(), hit[0])
        for where in (_EVERYWHERE, language, "shares")
        if where in promotes
        for hit in promotes[where].finditer(compared)
    ]
    found, end = [], 0
    for start, until, word in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if start >= end:  # not a part of the one before
            found.append(word)
            end = until
    return list(dict.fromkeys(found))
