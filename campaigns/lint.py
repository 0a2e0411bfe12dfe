"""What is wrong with a text before it is sent: what stops it, and what its writer should know (RULES §7, O1, C11)."""

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import promotion, segments, wording
from campaigns.models import Sender
from consent.contacts.models import Audience, Contact
from consent.ledger.models import Purpose
from consent.ledger.wording import plain, says

STOP, WARN = "stop", "warn"
MANY_PARTS = 3
_SHOUTED, _SHORTEST = 0.7, 20  # share of capitals, letters

# A way out that somebody wrote by hand; the software adds its own.
_WAY_OUT = re.compile(
    r"(?<!\w)STOP(?!\w)|(?i:(?<!\w)(?:opt[- ]?out|unsubscribe|disiscri\w*|per cancellarti|abmeld\w*|abbestell\w*"
    r"|cancelar a (?:subscrição|inscrição)|darte de (?:baja|baixa)|darse de (?:baja|baixa)|d[ée]sabonne\w*"
    r"|d[ée]sinscri\w*)(?!\w))"
)
_SHORTENED = re.compile(
    r"(?i)(?<![\w.-])(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|cutt\.ly|rb\.gy|rebrand\.ly|t\.ly"
    r"|shorturl\.at|tiny\.cc|s\.id|v\.gd|bl\.ink)(?=/)"
)


@dataclass(frozen=True)
class Finding:
    """Something about a text.

    Attributes:
        level: ``stop``: it cannot be approved so; ``warn``: its writer should know.
        sentence: what, and what to do.
        code: which check found it.
    """

    level: str
    sentence: str
    code: str = ""

    def as_json(self) -> dict[str, str]:
        """As the live preview gets it, with the level in words."""
        return asdict(self) | {"word": _("Must change") if self.level == STOP else _("Note")}


def findings(body: str, language: str, *, purpose: Purpose, sender: Sender) -> list[Finding]:
    """What is to be said about a text; what stops it comes first.

    Args:
        body: as written, with placeholders.
        language: it is in.
        purpose: what it is for.
        sender: from whom.
    """
    if not body.strip():
        return [Finding(STOP, _("There is no text. Write one."), "empty"), *_of_sender(purpose, sender)]
    found = [Finding(STOP, sentence, "placeholder") for sentence in wording.problems(body)]
    filled = not found
    found += _of_sender(purpose, sender)
    found += _of_content(body, language, purpose, sender)
    found += _of_form(body)
    if filled:
        found += _of_size(body, language, purpose, sender)
    return sorted(found, key=lambda finding: finding.level != STOP)


def unread(audience: Audience, written: Collection[str], fallback: str) -> list[Finding]:
    """The languages of an audience that have no text of their own.

    Args:
        written: the languages that have one.
        fallback: the language everybody else gets.
    """
    names = dict(settings.LANGUAGES)
    readers = audience.contacts().order_by().exclude(language__in=written).values_list("language")
    found = []
    for language, count in sorted(readers.annotate(n=Count("pk")), key=lambda row: -row[1]):
        words = {"count": count, "language": names.get(language, language), "other": names.get(fallback, fallback)}
        sentence = ngettext(
            "%(count)s person reads %(language)s and gets the text in %(other)s.",
            "%(count)s people read %(language)s and get the text in %(other)s.",
            count,
        )
        found.append(Finding(WARN, sentence % words, "language"))
    return found


def _of_sender(purpose: Purpose, sender: Sender) -> list[Finding]:
    found = []
    if barred := sender.barred(purpose):
        found.append(Finding(STOP, barred, "sender"))
    way_out = sender.stop_sender
    if not sender.two_way and (way_out is None or not (way_out.two_way and way_out.active)):
        sentence = _("Nobody could reply STOP to this sender. Give it a sender that receives replies (RULES O2).")
        found.append(Finding(STOP, sentence, "opt_out"))
    return found


def _of_content(body: str, language: str, purpose: Purpose, sender: Sender) -> list[Finding]:
    found = []
    brand = sender.brand
    if "{brand}" not in body and not says(plain(body), (brand.name,)):
        sentence = _("The text does not say who writes. Put {brand} or “%(brand)s” into it (RULES O1).")
        found.append(Finding(STOP, sentence % {"brand": brand.name}, "brand"))
    if purpose.kind == Purpose.Kind.INFORMATIONAL and (words := promotion.promoting(body, language)):
        sentence = _(
            "This sounds like promotion: %(words)s. An informational purpose does not allow it (RULES C11). "
            "Leave it out or choose a marketing purpose."
        )
        found.append(Finding(STOP, sentence % {"words": _quoted(words)}, "promotion"))
    if not wording.privacy_address(brand, language):
        level = STOP if purpose.kind == Purpose.Kind.MARKETING else WARN
        sentence = _("A first text must point at the privacy policy, but %(brand)s has published none (RULES §7).")
        found.append(Finding(level, sentence % {"brand": brand.name}, "privacy"))
    return found


def _of_form(body: str) -> list[Finding]:
    found = []
    if _WAY_OUT.search(body):
        sentence = _("The text says how to stop, and so does the line that is added to it. Leave it out.")
        found.append(Finding(WARN, sentence, "twice"))
    if shortened := _SHORTENED.findall(body):
        sentence = _("Carriers block shortened addresses such as %(address)s. Write the whole address.")
        found.append(Finding(WARN, sentence % {"address": shortened[0].lower()}, "shortened"))
    letters = [c for c in re.sub(r"\{[^{}]*\}", "", body) if c.isalpha()]
    if len(letters) >= _SHORTEST and sum(c.isupper() for c in letters) / len(letters) > _SHOUTED:
        found.append(Finding(WARN, _("Most of the text is in capitals, which reads as shouting."), "capitals"))
    return found


def _of_size(body: str, language: str, purpose: Purpose, sender: Sender) -> list[Finding]:
    someone = Contact(name=wording.example_name(language), language=language)
    text = wording.render(body, contact=someone, sender=sender, purpose=purpose, language=language, first=True)
    size = segments.measure(text)
    found = []
    if size.offending:
        suggested = segments.replacements(text)
        sentence = ngettext(
            "%(count)s character is not in GSM-7, so that a part holds 70 characters instead of 160: %(characters)s.",
            "%(count)s characters are not in GSM-7, so that a part holds 70 characters instead of 160: %(characters)s.",
            len(size.offending),
        ) % {"count": len(size.offending), "characters": " ".join(size.offending)}
        if offers := [f"{bad} → {good}" for bad, good in suggested.items() if good and bad.isprintable()]:
            sentence += " " + _("Could be: %(offers)s.") % {"offers": ", ".join(offers)}
        found.append(Finding(WARN, sentence, "encoding"))
    if size.parts > MANY_PARTS:
        sentence = _("A first text has %(parts)s parts, each of which costs. Shorten it.") % {"parts": size.parts}
        found.append(Finding(WARN, sentence, "parts"))
    return found


def _quoted(words: Collection[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)
