"""What a reply means (RULES §6): the words of seven languages, always all active, and the order of the rules.

Short words are never matched loosely: ALTA says yes and ALTO says stop.
"""

import itertools
import re
import unicodedata
from dataclasses import dataclass

from campaigns import phrases
from campaigns.models import InboundMessage

M = InboundMessage.Meaning

OPT_OUT: dict[str, tuple[str, ...]] = {
    "en": ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "remove"),
    "fr": ("arret", "arreter", "arrete", "desabonner", "desinscrire"),
    "es": ("baja", "cancelar", "parar", "detener", "alto", "salir", "desuscribir"),
    "pt": ("parar", "sair", "cancelar", "remover"),
    "gl": ("parar", "baixa", "cancelar"),
    "it": ("ferma", "cancella", "cancellami", "disiscrivi", "basta"),
    "de": ("stopp", "halt", "abmelden", "abbestellen", "ende"),
}
OPT_IN: dict[str, tuple[str, ...]] = {
    "en": ("start", "unstop", "subscribe", "join", "optin"),
    "fr": ("debut", "reprendre"),
    "es": ("alta", "comenzar", "suscribirme"),
    "pt": ("iniciar",),
    "gl": ("alta",),
    "it": ("inizia",),
    "de": ("start",),
}
HELP: dict[str, tuple[str, ...]] = {
    "en": ("help", "info"),
    "fr": ("aide",),
    "es": ("ayuda",),
    "pt": ("ajuda",),
    "gl": ("axuda",),
    "it": ("aiuto",),
    "de": ("hilfe",),
}
YES = frozenset({"yes", "si", "oui", "ja", "sim"})
NO = frozenset({"no", "non", "nein", "nao"})


def _all(table: dict[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(itertools.chain.from_iterable(table.values()))


OPT_OUT_WORDS, OPT_IN_WORDS, HELP_WORDS = _all(OPT_OUT), _all(OPT_IN), _all(HELP)

# Opt-out words that mean little else, so that one in front of a short text is enough (rule 2).
STRONG = frozenset(
    {"stop", "stopall", "stopp", "unsubscribe", "optout", "revoke", "desabonner", "desinscrire", "desuscribir"}
    | {"cancellami", "disiscrivi", "abmelden", "abbestellen"}
)
# Opt-out words that are also ordinary words of their language; inside a text they say nothing by themselves.
COMMON = frozenset({"end", "halt", "ende", "alto", "salir", "sair"})
SHORT = 3  # words
LONGEST = 1600  # characters that are read: ten parts; texts come in while their person is locked
ANYWHERE = frozenset({"US", "CA"})  # where STOP counts anywhere in a text (RULES O4)

# Said at the end of a text without changing it.
_POLITE_WORDS = (
    *("please", "pls", "plz", "now", "thanks", "thank you", "thx"),
    *("svp", "stp", "s'il vous plait", "s'il te plait", "maintenant", "merci"),
    *("por favor", "porfavor", "porfa", "ahora", "ya", "gracias"),
    *("agora", "ja", "obrigado", "obrigada", "xa", "grazas"),
    *("per favore", "per piacere", "ora", "adesso", "subito", "grazie"),
    *("bitte", "jetzt", "sofort", "danke"),
)
_POLITE = tuple(sorted(_POLITE_WORDS, key=len, reverse=True))
_POLITE_START = re.compile(r"^(?:please|pls|plz|ok|okay|bitte|por favor|per favore|svp|ok|now|hi|hey|hello)[^\w]+")
_QUOTES = str.maketrans(dict.fromkeys("’‘ʼ`´′＇", "'"))
_JOINED = (
    (re.compile(r"\bopt[\s\-_]+(out|in)\b"), r"opt\1"),
    (re.compile(r"\bstop[\s\-_]+all\b"), "stopall"),
)
_SHORT_CODE = re.compile(r"(?P<word>[a-z]+) ?\d{3,8}")
_SIGNS = frozenset("🛑⛔🚫✋🖐")
_SPELT = re.compile(r"(?:[a-z][\s.\-_*]+){3,}[a-z]")

# Beside these words STOP is a place, a habit or a sign.
_BEFORE = """
    bus tram train metro tube next last first second third final one two pit full non rest nearest truck petrol gas
    cant cannot couldnt wont never dont didnt doesnt wouldnt not the a this that every each my your our short
    lo uno allo dello sullo der ein am dem den un el al en le du au o um auto
    primo secondo terzo prossimo ultimo seguente primer segundo proximo ultima nachster letzter nachste prochain premier
"""
_BEHIND = """
    by at in over off for to here there and light lights sign signal loss motion watch laughing smiling crying thinking
    working raining snowing eating drinking smoking singing dancing worrying talking being doing playing running going
    coming trying loving until till before near outside e und et y
"""
# Two words that mean something else together.
_PAIRS = frozenset(
    {("baja", "medica"), ("baja", "laboral"), ("baja", "maternal"), ("baja", "paternal"), ("baixa", "medica")}
    | {
        ("baixa", "laboral"),
        ("arret", "maladie"),
        ("arret", "de"),
        ("arret", "bus"),
        ("basta", "che"),
        ("basta", "poco"),
    }
    | {("quit", "smoking"), ("ferma", "li"), ("basta", "un"), ("basta", "una"), ("parar", "aqui"), ("parar", "onde")}
)
_APPOINTMENT = re.compile(
    r"\b(?:cancel|cancelar|cancella|remove|remover|parar|detener)(?: \w+){0,3} (?:interview|appointment|meeting|order|"
    r"booking|flight|class|shift|entrevista|cita|pedido|reserva|consulta|reunion|reuniao|turno|appuntamento|colloquio|"
    r"ordine|prenotazione|riunione)\b"
)


@dataclass(frozen=True)
class Reading:
    """What a text means and which rule said so.

    Attributes:
        meaning: one of ``InboundMessage.Meaning``.
        rule: the number of the rule in RULES §6 and what fired.
    """

    meaning: str
    rule: str


def _flat(text: str) -> str:
    """Lower case, without accents, invisible characters and odd quotes, blanks collapsed."""
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold()
    decomposed = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(kept.split())


def _bare(text: str) -> str:
    """Without what is neither letter nor digit at both ends."""
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return text[start:end]


def normalise(text: str) -> str:
    """A text as it is compared with words: lower case, no accents, nothing around it, no please or thanks behind it.

    Empty when it is longer than ``LONGEST``: that is no word.
    """
    bare = _bare(_flat(text)) if len(text) <= LONGEST else ""
    for pattern, joined in _JOINED:
        bare = pattern.sub(joined, bare)
    return bare[: _polite_from(bare)]


def _polite_from(bare: str) -> int:
    """Where a bare text ends without what is said politely at its end."""
    end = len(bare)
    while start := next((end - len(said) for said in _POLITE if bare.endswith(said, 0, end)), 0):
        if bare[start - 1].isalnum() or bare[start - 1] == "_":  # the end of a longer word
            break
        end = start
        while not bare[end - 1].isalnum():  # it begins with one
            end -= 1
    return end


def plain_words(text: str) -> list[str]:
    """The words of a text, lower case, without accents and apostrophes."""
    return re.findall(r"[^\W_]+", _flat(text).replace("'", ""))


def classify(text: str, country: str = "") -> Reading:
    """What a text means by RULES §6. Keywords published on a sender are not looked at (``campaigns.inbound``).

    Args:
        text: as it was typed. Of a longer one than ``LONGEST`` only the head is read, and what looks like an opt-out
            there goes to a person.
        country: ISO 3166-1 alpha-2 of the number it came from; US and CA have a rule of their own.
    """
    head = text[:LONGEST]
    whole = normalise(head)
    words = plain_words(whole)
    found = _opt_out(head, whole, words, country)
    if len(text) <= LONGEST:
        return found or _other(whole)
    if found is None:
        return Reading(M.CONVERSATION, "none")
    anywhere = country in ANYWHERE and found.meaning == M.OPT_OUT
    return found if anywhere else Reading(M.REVIEW, "3 long text")


def _other(whole: str) -> Reading:
    if whole in HELP_WORDS:
        return Reading(M.HELP, "4 help word")
    if whole in OPT_IN_WORDS:
        return Reading(M.OPT_IN, "5 opt-in word")
    if whole in YES:
        return Reading(M.YES, "6 yes word")
    if whole in NO:
        return Reading(M.NO, "6 no word")
    return Reading(M.CONVERSATION, "none")


def _opt_out(text: str, whole: str, words: list[str], country: str) -> Reading | None:
    if words and all(word in OPT_OUT_WORDS for word in words):
        return Reading(M.OPT_OUT, "1 opt-out word")
    if (found := _SHORT_CODE.fullmatch(whole)) and found["word"] in OPT_OUT_WORDS:
        return Reading(M.OPT_OUT, "1 opt-out word and short code")
    if words and words[0] in STRONG and len(words) <= SHORT:
        return Reading(M.OPT_OUT, "2 opt-out word first")
    if country in ANYWHERE and "stop" in words:
        return Reading(M.OPT_OUT, "2 stop anywhere")
    return _doubtful(text, whole, words)


def _doubtful(text: str, whole: str, words: list[str]) -> Reading | None:
    """Whether a text looks like an opt-out to be seen by a person (rule 3)."""
    if not words:
        return Reading(M.REVIEW, "3 sign") if _SIGNS.intersection(text) else None
    asked = " ".join(plain_words(_POLITE_START.sub("", whole)))
    if language := phrases.language_of(" ".join(plain_words(text))) or phrases.ALONE.get(asked):
        return Reading(M.REVIEW, f"3 phrase ({language})")
    if words[0] in STRONG or any(_stands_out(words, i) for i in range(len(words))):
        return Reading(M.REVIEW, "3 opt-out word inside")
    if normalise(_POLITE_START.sub("", whole)) in OPT_OUT_WORDS:
        return Reading(M.REVIEW, "3 opt-out word with more")
    if _SPELT.fullmatch(whole) and re.sub(r"[^a-z]", "", whole) in OPT_OUT_WORDS:
        return Reading(M.REVIEW, "3 opt-out word spelt out")
    if whole.replace("0", "o") in OPT_OUT_WORDS:
        return Reading(M.REVIEW, "3 opt-out word with a zero")
    return None


def _stands_out(words: list[str], index: int) -> bool:
    """Whether the word there is an opt-out word that nothing around it explains."""
    word = words[index]
    before = words[index - 1] if index else ""
    behind = words[index + 1] if index + 1 < len(words) else ""
    if word not in OPT_OUT_WORDS or word in COMMON or (word, behind) in _PAIRS:
        return False
    if word in ("stop", "stopp"):
        return before not in _BEFORE.split() and behind not in _BEHIND.split()
    if word in STRONG:
        return True
    if _APPOINTMENT.search(" ".join(words)):
        return False
    if len(words) <= SHORT:
        return True
    return word in ("cancel", "quit", "cancelar", "remover") and not behind  # "I want to cancel"


_LOST = re.compile(r"[.\ufffd]+")
# What a character outside ASCII may have been, once its accent is off.
_CANDIDATES = ("a", "e", "i", "o", "u", "c", "n", "ss", "'", " ")


def may_mean_stop(blurred: str, country: str = "") -> bool:
    """Whether a text in which other characters than ASCII became dots may have been an opt-out.

    Args:
        blurred: the text; each dot may also be just a dot.
        country: as in ``classify``.
    """
    blurred = blurred[:LONGEST]
    runs = len(_LOST.findall(blurred))
    if runs <= 2:
        choices = itertools.product(_CANDIDATES, repeat=runs)
    else:
        choices = ((c,) * runs for c in _CANDIDATES)  # type: ignore[assignment]
    for choice in choices:
        letters = iter(choice)
        guess = _LOST.sub(lambda _found, letters=letters: next(letters), blurred)  # type: ignore[misc]
        if classify(guess, country).meaning in (M.OPT_OUT, M.REVIEW):
            return True
    return False
