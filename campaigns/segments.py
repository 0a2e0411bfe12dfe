"""How a text travels: its encoding, its size and the parts it is cut into (RULES §8).

A text of GSM-7 characters has 160 units in one part and 153 in each of several; any other text has 70 and 67 units of
UTF-16. Characters of two units (the extension table, what lies beyond the first plane) are never cut in half, so that
parts are packed, not divided.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

GSM_7 = "GSM-7"
UCS_2 = "UCS-2"

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Written as an escape and a second unit. The escape itself is no text: it is what announces them.
EXTENSION = "\f^{}\\[~]|€"
_WHOLE, _PART = {GSM_7: 160, UCS_2: 70}, {GSM_7: 153, UCS_2: 67}
_FOREIGN = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
_EXTENDED = re.compile(f"[{re.escape(EXTENSION)}]")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")

# What compatibility forms of Unicode do not say by themselves.
_ALIKE = {
    **dict.fromkeys("‘’‚‛′`´ʼʻˈ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‹", "<"),
    **dict.fromkeys("›", ">"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•·∙", "-"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f", ""),
    "⁄": "/",
    "×": "x",
    "œ": "oe",
    "Œ": "OE",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "\t": " ",
    "\u2028": "\n",
    "\u2029": "\n",
    "©": "(c)",
    "®": "(r)",
}


@dataclass(frozen=True)
class Segments:
    """The measure of a text.

    Attributes:
        encoding: ``GSM-7`` or ``UCS-2``.
        units: septets, or units of UTF-16.
        parts: what it is cut into, each of which costs; an empty text travels as one.
        offending: the distinct characters that are not GSM-7, in the order they come.
    """

    encoding: str
    units: int
    parts: int
    offending: list[str]

    @property
    def capacity(self) -> int:
        """How many units fit into this many parts."""
        return _WHOLE[self.encoding] if self.parts == 1 else self.parts * _PART[self.encoding]

    def as_json(self) -> dict[str, Any]:
        """As ``manage.py segments --json`` prints it."""
        return asdict(self)


def measure(text: str) -> Segments:
    """Measure a text as it will be handed over."""
    offending = list(dict.fromkeys(_FOREIGN.findall(text)))
    encoding, double = (UCS_2, _BEYOND) if offending else (GSM_7, _EXTENDED)
    doubles = [found.start() for found in double.finditer(text)]
    units = len(text) + len(doubles)
    if units <= _WHOLE[encoding]:
        return Segments(encoding, units, 1, offending)
    return Segments(encoding, units, _packed(doubles, units, _PART[encoding]), offending)


def _packed(doubles: Iterable[int], units: int, size: int) -> int:
    """How many parts of ``size`` units a text takes.

    Args:
        doubles: the positions of the characters of two units.
        units: the units of the whole text.
    """
    # A character of two units that would begin in the last unit of a part leaves that unit empty.
    lost = 0
    for before, position in enumerate(doubles):
        if (position + before + lost) % size == size - 1:
            lost += 1
    return -(-(units + lost) // size)


def replacement(character: str) -> str | None:
    """What could stand for a character that is not GSM-7: an equal, or a letter without its accent; None: nothing."""
    if character in _ALIKE:
        return _ALIKE[character]
    if unicodedata.combining(character):
        return ""
    decomposed = unicodedata.normalize("NFKD", character)
    plain = "".join(_ALIKE.get(c, c) for c in decomposed if not unicodedata.combining(c))
    if decomposed == character or _FOREIGN.search(plain):
        return None
    return plain


def replacements(text: str) -> dict[str, str]:
    """Suggested GSM-7 equivalents for the offending characters of a text; it is never changed without being asked."""
    found = ((character, replacement(character)) for character in measure(text).offending)
    return {character: plain for character, plain in found if plain is not None}
