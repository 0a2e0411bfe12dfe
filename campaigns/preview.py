"""What a text looks like when it arrives, while it is being written: with real data, its parts, cost and faults.

``Preview.as_json`` is what ``static/placet/composer.js`` shows; the names in it are described there.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import lint, segments, wording
from campaigns.models import Sender
from consent.contacts.models import Audience, Contact
from consent.ledger import decision
from consent.ledger.models import Purpose

TRIED = 25  # contacts looked at to find one who may be texted


@dataclass(frozen=True)
class Shown:
    """A text as it arrives, with its measure."""

    label: str
    text: str
    size: segments.Segments

    @property
    def summary(self) -> str:
        """Encoding, units and parts in words."""
        words = {"encoding": self.size.encoding, "units": self.size.units, "capacity": self.size.capacity}
        parts = ngettext("%(count)s part", "%(count)s parts", self.size.parts) % {"count": self.size.parts}
        return _("%(parts)s · %(units)s of %(capacity)s units · %(encoding)s") % (words | {"parts": parts})

    def as_json(self) -> dict[str, Any]:
        """Its text, measure and the words about it."""
        about = {"label": self.label, "text": self.text, "capacity": self.size.capacity, "summary": self.summary}
        return about | self.size.as_json()


@dataclass(frozen=True)
class Preview:
    """What is shown beside a text in one language.

    Attributes:
        language: of the text.
        findings: what is wrong with it (``lint``).
        first, later: the first text under a consent, and all others; None while the text cannot be made.
        replacements: GSM-7 equivalents of offending characters of the text as written.
        made_up: the name in it is nobody's.
        readers: how many of the audience get this text, whether they may be reached or not.
        price: of one part.
        currency: of the price.
    """

    language: str
    findings: list[lint.Finding]
    first: Shown | None = None
    later: Shown | None = None
    replacements: dict[str, str] = field(default_factory=dict)
    made_up: bool = True
    readers: int = 0
    price: Decimal = Decimal(0)
    currency: str = ""

    @property
    def per_text(self) -> Decimal:
        """What the dearer of the two texts costs a person."""
        return self.price * max((shown.size.parts for shown in (self.first, self.later) if shown), default=0)

    @property
    def total(self) -> Decimal:
        """What it costs at most, when everybody may be reached."""
        return (self.per_text * self.readers).quantize(Decimal("0.01"), ROUND_UP)

    @property
    def cost(self) -> str:
        """The cost in words; empty where the sender has no price."""
        if not self.per_text:
            return ""
        words = {"each": f"{self.per_text.normalize():f}", "currency": self.currency, "total": f"{self.total:f}"}
        sentence = ngettext(
            "%(each)s %(currency)s a text; %(total)s %(currency)s at most for %(count)s person.",
            "%(each)s %(currency)s a text; %(total)s %(currency)s at most for %(count)s people.",
            self.readers,
        )
        return sentence % (words | {"count": self.readers})

    @property
    def reader(self) -> str:
        """Whose name is shown."""
        return _("With a made-up name.") if self.made_up else _("With the name of somebody of the audience.")

    def as_json(self) -> dict[str, Any]:
        """Numbers of money are strings; None where there is no text."""
        return {
            "language": self.language,
            "name": str(dict(settings.LANGUAGES).get(self.language, self.language)),
            "first": self.first.as_json() if self.first else None,
            "later": self.later.as_json() if self.later else None,
            "replacements": [
                {"found": found, "suggested": good, "label": f"{_visible(found)} → {good or '∅'}"}
                for found, good in self.replacements.items()
            ],
            "reader": self.reader if self.first else "",
            "readers": self.readers,
            "per_text": f"{self.per_text:f}",
            "total": f"{self.total:f}",
            "currency": self.currency,
            "cost": self.cost,
            "findings": [finding.as_json() for finding in self.findings],
            "placeholders": placeholders(),
        }


def placeholders() -> list[dict[str, str]]:
    """What may be put into a text, with what it stands for."""
    return [{"text": f"{{{name}}}", "label": str(label)} for name, label in wording.PLACEHOLDERS.items()]


def incomplete(language: str) -> Preview:
    """The preview while purpose, audience or sender are not chosen yet."""
    sentence = _("Choose purpose, audience and sender to see the text as it arrives.")
    return Preview(language, [lint.Finding(lint.WARN, sentence, "incomplete")])


def preview(
    body: str,
    language: str,
    *,
    purpose: Purpose,
    sender: Sender,
    audience: Audience,
    reveal: bool = False,
    written: Collection[str] = (),
    fallback: str = "",
) -> Preview:
    """A text in one language as its readers get it. Changes nothing.

    Args:
        body: as typed so far.
        language: of the text.
        purpose, sender, audience: of the campaign.
        reveal: whoever looks may see names and numbers (``contacts.see_numbers``); else a made-up name is shown.
        written: the languages that have a text.
        fallback: the language of the text for everybody else.
    """
    body = body.replace("\r\n", "\n")
    readers = _readers(audience, language, written, fallback)
    found = lint.findings(body, language, purpose=purpose, sender=sender)
    if language == fallback:
        found += lint.unread(audience, {language, *written}, fallback)
    count = readers.count()
    money = {"readers": count, "price": sender.price_per_part, "currency": sender.currency}
    if not body.strip() or wording.problems(body):
        return Preview(language, found, **money)
    someone = _somebody(readers, purpose) if reveal and count else None
    contact = someone or Contact(name=wording.example_name(language), language=language)

    def shown(label: str, first: bool) -> Shown:
        text = wording.render(body, contact=contact, sender=sender, purpose=purpose, language=language, first=first)
        return Shown(label, text, segments.measure(text))

    return Preview(
        language,
        found,
        first=shown(_("First text"), True),
        later=shown(_("Later texts"), False),
        replacements=segments.replacements(body),
        made_up=someone is None,
        **money,
    )


def _readers(audience: Audience, language: str, written: Collection[str], fallback: str) -> Any:
    """Those of an audience who get the text in a language."""
    everybody = audience.contacts()
    if language == fallback:
        return everybody.exclude(language__in=set(written) - {language})
    return everybody.filter(language=language)


def _somebody(readers: Any, purpose: Purpose) -> Contact | None:
    """One of the newest readers who has a name and may be texted, now or later."""
    tried = list(readers.exclude(name="").order_by("-pk").values_list("pk", flat=True)[:TRIED])
    context = decision.context_for(purpose, timezone.now(), tolerated=decision.deferring())
    judged = decision.decide(context, Contact.objects.filter(pk__in=tried), few=True)
    found: Contact | None = judged.filter(refusal="").order_by("-pk").first()
    return found


def _visible(character: str) -> str:
    return character if character.isprintable() else " ".join(f"U+{ord(c):04X}" for c in character)
