"""How a text travels, on the borders and beside them, and against a calculator that others use (RULES §8)."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.segments import BASIC, EXTENSION, measure, replacements

NODE = Path(__file__).resolve().parents[1] / "node"
EMOJI = "🎉"
FAMILY = "👩‍👩‍👧‍👦"

# What a text is made of → encoding, units, parts.
VECTORS = [
    ("", "GSM-7", 0, 1),  # a gateway that takes an empty text sends one
    ("a", "GSM-7", 1, 1),
    ("a" * 159, "GSM-7", 159, 1),
    ("a" * 160, "GSM-7", 160, 1),
    ("a" * 161, "GSM-7", 161, 2),
    ("a" * 305, "GSM-7", 305, 2),
    ("a" * 306, "GSM-7", 306, 2),
    ("a" * 307, "GSM-7", 307, 3),
    ("a" * 458, "GSM-7", 458, 3),
    ("a" * 459, "GSM-7", 459, 3),
    ("a" * 460, "GSM-7", 460, 4),
    ("ç" + "a" * 68, "UCS-2", 69, 1),
    ("ç" + "a" * 69, "UCS-2", 70, 1),
    ("ç" + "a" * 70, "UCS-2", 71, 2),
    ("ç" + "a" * 132, "UCS-2", 133, 2),
    ("ç" + "a" * 133, "UCS-2", 134, 2),
    ("ç" + "a" * 134, "UCS-2", 135, 3),
    # An escape pair at the border of one part, and of several.
    ("a" * 158 + "€", "GSM-7", 160, 1),
    ("a" * 159 + "€", "GSM-7", 161, 2),
    ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
    ("a" * 152 + "€" + "a" * 151, "GSM-7", 305, 2),
    ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
    ("a" * 153 + "€" + "a" * 151, "GSM-7", 306, 2),
    ("€" * 80, "GSM-7", 160, 1),
    ("€" * 81, "GSM-7", 162, 2),
    ("€" * 152, "GSM-7", 304, 2),  # 76 pairs a part: one unit of each is lost
    ("€" * 153, "GSM-7", 306, 3),
    # A surrogate pair at the border of one part, and of several.
    ("a" * 68 + EMOJI, "UCS-2", 70, 1),
    ("a" * 69 + EMOJI, "UCS-2", 71, 2),
    ("a" * 65 + EMOJI + "a" * 67, "UCS-2", 134, 2),
    ("a" * 66 + EMOJI + "a" * 65, "UCS-2", 133, 2),
    ("a" * 66 + EMOJI + "a" * 66, "UCS-2", 134, 3),
    ("a" * 67 + EMOJI + "a" * 65, "UCS-2", 134, 2),
    (EMOJI * 35, "UCS-2", 70, 1),
    (EMOJI * 66, "UCS-2", 132, 2),
    (EMOJI * 67, "UCS-2", 134, 3),
    # Pairs of GSM-7 are none in UTF-16.
    ("ç" + "€" * 69, "UCS-2", 70, 1),
    (FAMILY, "UCS-2", 11, 1),
    ("\f", "GSM-7", 2, 1),
    ("\r\n", "GSM-7", 2, 1),
    ("\x1b", "UCS-2", 1, 1),  # the escape is no text of its own
    ("\t", "UCS-2", 1, 1),
]


@pytest.mark.parametrize(("text", "encoding", "units", "parts"), VECTORS)
def test_vectors(text: str, encoding: str, units: int, parts: int) -> None:
    found = measure(text)
    assert (found.encoding, found.units, found.parts) == (encoding, units, parts)
    assert found.units <= found.capacity


def test_every_character_of_the_alphabet() -> None:
    assert len(BASIC) == len(set(BASIC)) == 127  # 128 with the escape
    assert len(EXTENSION) == len(set(EXTENSION)) == 10
    assert {c: measure(c).units for c in BASIC} == dict.fromkeys(BASIC, 1)
    assert {c: measure(c).units for c in EXTENSION} == dict.fromkeys(EXTENSION, 2)
    assert measure(BASIC + EXTENSION).offending == []


def test_the_letters_people_trip_over() -> None:
    """RULES §8 names them."""
    assert measure("àèéìòùñüÇ").encoding == "GSM-7"
    assert measure("áíóúâêôãõçÈ’“”–").offending == list("áíóúâêôãõçÈ’“”–")


def test_offending_are_distinct_and_in_order() -> None:
    assert measure(f"“Olá” – olá{EMOJI} “ok”").offending == ["“", "á", "”", "–", EMOJI]


def test_replacements_are_suggestions_in_gsm() -> None:
    text = f"“Olá” – l’açaí… Œuvre №5 ﬁn\u200b\u00a0à{EMOJI}日"
    found = replacements(text)
    assert found == {
        "“": '"', "á": "a", "”": '"', "–": "-", "’": "'", "ç": "c", "í": "i", "…": "...", "Œ": "OE", "№": "No",
        "ﬁ": "fi", "\u200b": "", "\u00a0": " ",
    }  # fmt: skip
    for character, plain in found.items():
        text = text.replace(character, plain)
    assert measure(text).offending == [EMOJI, "日"]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from(BASIC + EXTENSION + "ç’" + EMOJI), max_size=400), st.data())
def test_what_holds_for_every_text(text: str, data: st.DataObject) -> None:
    """Parts only grow with the text, hold what they must and waste less than a unit each."""
    found = measure(text)
    size = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[found.encoding]
    if found.encoding == "UCS-2":
        assert found.units == len(text.encode("utf-16-le")) // 2
    else:
        assert found.units == len(text) + sum(text.count(c) for c in EXTENSION)
    assert (found.parts == 1) == (found.units <= size[0])
    if found.parts > 1:
        assert (found.parts - 1) * (size[1] - 1) < found.units <= found.parts * size[1]
    cut = data.draw(st.integers(0, len(text)))
    assert measure(text[:cut]).parts <= found.parts
    assert found.parts == _slowly(text, found.encoding, *size)


def _slowly(text: str, encoding: str, whole: int, part: int) -> int:
    """The same, character by character into parts."""
    costs = [2 if (c in EXTENSION if encoding == "GSM-7" else c > "\uffff") else 1 for c in text]
    if sum(costs) <= whole:
        return 1
    parts, room = 1, part
    for cost in costs:
        if cost > room:
            parts, room = parts + 1, part
        room -= cost
    return parts


def texts() -> list[str]:
    """Several hundred texts, the same in every run: borders, alphabets and sizes mixed."""
    dice = random.Random(8)
    alphabets = [BASIC, BASIC + EXTENSION, EXTENSION, BASIC + "áíóúâêôãõçÈ’“”–", "aç€" + EMOJI, EMOJI + "日本語"]
    made = [text for text, *_rest in VECTORS]
    for size in (1, 69, 70, 71, 133, 134, 135, 159, 160, 161, 305, 306, 307, 459, 460, 700):
        made += ["".join(dice.choices(alphabet, k=size)) for alphabet in alphabets for _ in range(6)]
    pairs = [("€", 153), (EMOJI, 67)]
    made += ["a" * (at + shift) + pair + "a" * at for pair, at in pairs for shift in range(-8, 9)]
    made += [f"{'Olá ' * n}{FAMILY}" for n in range(1, 8)] + ["e\u0301" * n for n in range(1, 30)]
    return made


@pytest.fixture
def node() -> str:
    """The interpreter, where it and the packages are; CI must have them."""
    found = shutil.which("node")
    if found is None or not (NODE / "node_modules" / "sms-segments-calculator").is_dir():
        missing = "needs Node.js and its packages: npm ci --prefix tests/node"
        if os.environ.get("CI_NODE"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def test_the_calculator_others_use_finds_the_same(node: str) -> None:
    """It keeps more together than RULES §8 asks, such as the people of a family emoji or a letter and its accent; where
    those meet a border it counts a part more, so that such texts stay below it here."""
    asked = texts()
    assert len(asked) > 600
    ran = subprocess.run(
        [node, NODE / "segments.cjs"], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60
    )
    found = [measure(text) for text in asked]
    mine = [{"encoding": f.encoding, "units": f.units, "parts": f.parts} for f in found]
    differing = [(t, m, t2) for t, m, t2 in zip(asked, mine, json.loads(ran.stdout), strict=True) if m != t2]
    assert differing == []
