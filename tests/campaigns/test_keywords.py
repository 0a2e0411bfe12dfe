"""What replies mean: every word of every language as people type it, and how seldom an ordinary text is misread."""

from pathlib import Path
from typing import Any

import pytest

from campaigns import keywords
from campaigns.keywords import classify

DATA = Path(__file__).parents[1] / "data"
# The words of RULES §6, written down once more: the table in the code is held against them.
OPT_OUT = """
    STOP STOPALL UNSUBSCRIBE CANCEL END QUIT OPTOUT REVOKE REMOVE ARRÊT ARRÊTER ARRÊTE DÉSABONNER DÉSINSCRIRE BAJA
    CANCELAR PARAR DETENER ALTO SALIR DESUSCRIBIR SAIR REMOVER BAIXA FERMA CANCELLA CANCELLAMI DISISCRIVI BASTA STOPP
    HALT ABMELDEN ABBESTELLEN ENDE
"""
OPT_IN = "START UNSTOP SUBSCRIBE JOIN OPTIN DÉBUT REPRENDRE ALTA COMENZAR SUSCRIBIRME INICIAR INIZIA"
HELP = "HELP INFO AIDE AYUDA AJUDA AXUDA AIUTO HILFE"
YES = "YES SI SÌ SÍ OUI JA SIM"
NO = "NO NON NEIN NAO NÃO"
TYPED = [
    "{}", " {} ", "{}.", "{}!!!", "“{}”", "'{}'", "«{}»", "*{}*", "({})", "-{}-", "\ufeff{}", "\u200b{}\u200d", "{} 🙏",
    "👍🏽{}", "{}\n", "{} please", "{}, please!", "{} now", "{} per favore", "{} grazie", "{} bitte", "{}, danke.",
    "{} por favor", "{} gracias", "{} obrigada", "{} grazas", "{} svp", "{} s’il vous plaît", "{} merci",
    "{} thank you", "{} please. Thanks!",
]  # fmt: skip


def cases(word: str) -> list[str]:
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isascii() else c for c in word)
    decomposed = keywords.unicodedata.normalize("NFD", word)
    return [word, word.lower(), word.title(), wide, decomposed, keywords._flat(word)]


@pytest.mark.parametrize(
    ("words", "meaning", "number"),
    [(OPT_OUT, "opt_out", "1"), (HELP, "help", "4"), (OPT_IN, "opt_in", "5"), (YES, "yes", "6"), (NO, "no", "6")],
)
def test_every_word_is_known_however_it_is_typed(words: str, meaning: str, number: str) -> None:
    for word in words.split():
        for text in cases(word) + [shape.format(w) for shape in TYPED for w in (word, word.lower())]:
            found = classify(text)
            assert (found.meaning, found.rule[0]) == (meaning, number), (text, found)


def test_the_tables_hold_the_words_of_the_rules_and_no_other() -> None:
    assert {keywords._flat(w) for w in OPT_OUT.split()} == keywords.OPT_OUT_WORDS
    assert {keywords._flat(w) for w in OPT_IN.split()} == keywords.OPT_IN_WORDS
    assert {keywords._flat(w) for w in HELP.split()} == keywords.HELP_WORDS
    assert not keywords.OPT_OUT_WORDS & (keywords.OPT_IN_WORDS | keywords.HELP_WORDS | keywords.YES | keywords.NO)
    assert keywords.STRONG <= keywords.OPT_OUT_WORDS


@pytest.mark.parametrize(
    ("text", "country", "meaning", "rule"),
    [
        ("opt out", "", "opt_out", "1 opt-out word"),
        ("Opt-Out!", "", "opt_out", "1 opt-out word"),
        ("stop all", "", "opt_out", "1 opt-out word"),
        ("STOP-ALL please", "", "opt_out", "1 opt-out word"),
        ("opt in", "", "opt_in", "5 opt-in word"),
        ("STOP STOP STOP STOP STOP", "", "opt_out", "1 opt-out word"),
        ("STOP 36123", "", "opt_out", "1 opt-out word and short code"),
        ("baja 36123", "", "opt_out", "1 opt-out word and short code"),
        ("STOP36123", "", "opt_out", "1 opt-out word and short code"),
        ("STOP 3612345678", "", "opt_out", "2 opt-out word first"),  # no short code
        ("stop sms", "", "opt_out", "2 opt-out word first"),
        ("Stop it now!", "", "opt_out", "2 opt-out word first"),
        ("unsubscribe me thanks", "", "opt_out", "2 opt-out word first"),
        ("STOP al 36123", "", "opt_out", "2 opt-out word first"),
        ("stop sending me", "", "opt_out", "2 opt-out word first"),  # three words
        ("stop sending me things", "", "review", "3 phrase (en)"),  # four
        ("stop writing to people like me", "US", "opt_out", "2 stop anywhere"),
        ("I think you should stop", "US", "opt_out", "2 stop anywhere"),
        ("I think you should stop", "CA", "opt_out", "2 stop anywhere"),
        ("I think you should stop", "GB", "review", "3 opt-out word inside"),
        ("nonstop flights", "US", "conversation", "none"),
        ("ALTO", "", "opt_out", "1 opt-out word"),
        ("ALTA", "", "opt_in", "5 opt-in word"),
        ("ALTI", "", "conversation", "none"),
        ("STPO", "", "conversation", "none"),  # never loosely
        ("STO", "", "conversation", "none"),
        ("s t o p", "", "review", "3 opt-out word spelt out"),
        ("S.T.O.P.", "", "review", "3 opt-out word spelt out"),
        ("please stop", "", "review", "3 opt-out word inside"),
        ("bitte ende", "", "review", "3 opt-out word with more"),
        ("🛑", "", "review", "3 sign"),
        ("", "", "conversation", "none"),
        ("  \u200b ", "", "conversation", "none"),
        ("?!", "", "conversation", "none"),
        ("yes and stop", "", "review", "3 opt-out word inside"),
        ("y", "", "conversation", "none"),
        ("thanks", "", "conversation", "none"),
        ("ja danke", "", "yes", "6 yes word"),
        ("no grazie", "", "no", "6 no word"),
        ("yes I can come", "", "conversation", "none"),
        ("cancel my interview on Friday", "", "conversation", "none"),
        ("I want to cancel", "", "review", "3 opt-out word inside"),
    ],
)
def test_the_rules_in_their_order(text: str, country: str, meaning: str, rule: str) -> None:
    assert classify(text, country) == keywords.Reading(meaning, rule)


def lines(name: str) -> list[str]:
    found = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in found if line and line[0] not in "#["]


def test_ways_of_asking_to_be_left_alone_go_to_a_person() -> None:
    phrases = lines("opt_out_phrases.txt")
    assert len(phrases) > 80
    read = {text: (classify(text).meaning, classify(text.upper()).meaning) for text in phrases}
    assert {text: found for text, found in read.items() if found != ("review", "review")} == {}


def test_ordinary_texts_are_hardly_ever_taken_for_an_opt_out() -> None:
    texts = lines("ordinary_texts.txt")
    assert len(texts) > 400
    found = [classify(text) for text in texts]
    assert [t for t, f in zip(texts, found, strict=True) if f.meaning == "opt_out"] == []
    assert sum(f.meaning == "review" for f in found) <= len(texts) / 100
    assert {f.meaning for f in found} <= {"conversation", "review"}


def test_what_must_never_be_said_about_an_ordinary_text_can_be_said() -> None:
    """The ordinary texts do hold the words that mislead, in every language."""
    words = [keywords.plain_words(text) for text in lines("ordinary_texts.txt")]
    misleading = {"stop", "end", "ende", "halt", "alto", "salir", "sair", "parar", "baja", "baixa", "basta", "ferma"}
    assert [w for w in misleading if not any(w in text for text in words)] == []


@pytest.mark.parametrize(
    ("blurred", "may"),
    [
        ("ARR.T", True), ("ARR..T", True), ("D..SABONNER", True), ("numero.. sbagliato", True), ("STOP..", True),
        ("ne m...crivez plus", True), ("n..o me mandem mais", True), ("S..", False), ("Perch.. no", False),
        ("OK. A domani.", False), ("a.b.c.d.e", False),
    ],
)  # fmt: skip
def test_lost_characters_are_read_as_what_they_may_have_been(blurred: str, may: bool) -> None:
    assert keywords.may_mean_stop(blurred) is may


MANY = 64 * 1024


@pytest.mark.parametrize(
    ("text", "meaning", "in_us"),
    [
        ("please don't text me. " + "a " * MANY, "review", "review"),
        ("stop" + " please" * MANY, "review", "opt_out"),
        ("stop " * MANY, "review", "opt_out"),
        ("a" + "!" * MANY + "b", "conversation", "conversation"),
        ("yes" + " please" * MANY, "conversation", "conversation"),
        ("a " * MANY + "stop", "conversation", "conversation"),
    ],
)
def test_of_a_very_long_text_the_head_is_read(text: str, meaning: str, in_us: str, monkeypatch: Any) -> None:
    seen = []
    monkeypatch.setattr(keywords, "_flat", lambda text, flat=keywords._flat: [seen.append(len(text)), flat(text)][1])
    assert (classify(text).meaning, classify(text, "US").meaning) == (meaning, in_us)
    assert keywords.normalise(text) == ""
    keywords.may_mean_stop(text)
    assert max(seen) <= keywords.LONGEST == 1600


def test_a_text_is_long_from_one_character_more() -> None:
    assert classify("stop".ljust(1600)).meaning == "opt_out"
    assert classify("stop".ljust(1601)).meaning == "review"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("stop please, thank you", "stop"), ("xplease", "xplease"), ("x_please", "x_please"), ("please", "please"),
        ("please please", "please"), ("oui s’il te plaît!", "oui"), ("stop __ please", "stop"),
    ],
)  # fmt: skip
def test_politeness_at_the_end_is_left_out(text: str, bare: str) -> None:
    assert keywords.normalise(text) == bare
