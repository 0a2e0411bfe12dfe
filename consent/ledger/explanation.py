"""Why somebody may or may not be texted, in words: the one decision with everything behind it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import digests, numbers
from consent.core.errors import DomainError
from consent.ledger import decision
from consent.ledger.models import Consent, Proof, Purpose


@dataclass(frozen=True)
class Reason:
    """A code that applies: its rule as cited in RULES.md, what it means, and whether it decided."""

    code: str
    rule: str
    sentence: str
    decisive: bool = False


@dataclass(frozen=True)
class ConsentFacts:
    """The consent on record."""

    uid: str
    status: str
    label: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class ProofFacts:
    """The act behind the consent; ``recorded_by`` is a member of staff or a system."""

    uid: str
    method: str
    label: str
    answer: str
    when: datetime
    notice_version: int | None
    notice_language: str
    recorded_by: str
    place: str
    file: bool


@dataclass(frozen=True)
class Explanation:
    """The answer to "may we text this person for this purpose, and why".

    Attributes:
        known: whether the number belongs to a contact.
        refusal: the code that decided, empty when allowed.
        codes: every code that applies, in order of precedence.
        deferred: nothing refuses; a text only has to wait. It is not allowed now all the same.
    """

    purpose: str
    at: datetime
    known: bool
    allowed: bool
    refusal: str
    codes: tuple[Reason, ...]
    consent: ConsentFacts | None = None
    proof: ProofFacts | None = None
    deferred: bool = False

    def as_json(self) -> dict[str, Any]:
        """For ``json.dumps``: times as ISO 8601, no translated labels."""
        return {
            "allowed": self.allowed,
            "deferred": self.deferred,
            "refusal": self.refusal,
            "known": self.known,
            "codes": [{"code": c.code, "rule": c.rule, "sentence": c.sentence} for c in self.codes],
            "purpose": self.purpose,
            "at": self.at.isoformat(),
            "consent": _plain(self.consent),
            "proof": _plain(self.proof),
        }


def _plain(facts: ConsentFacts | ProofFacts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in asdict(facts).items()
        if key != "label"
    }


def explain(contact: Contact, purpose: Purpose, at: datetime, campaign: Any = None) -> Explanation:
    """Explain the decision about a contact.

    Args:
        contact: who.
        purpose: for what.
        at: the moment judged (aware).
        campaign: the campaign that asks, if one does.
    """
    context = decision.context_for(purpose, at, campaign)
    judged = decision.decide(context, Contact.objects.filter(pk=contact.pk), every_code=True, few=True)
    row = judged.values("consent_id", *decision.asked()).get()
    rules = decision.applying(row)
    held = Consent.objects.select_related("proof__notice")
    consent = held.get(pk=row["consent_id"]) if row["consent_id"] else None
    return Explanation(
        purpose=purpose.path,
        at=at,
        known=True,
        allowed=not rules,
        refusal=rules[0].code if rules else "",
        codes=_reasons(rules),
        consent=_consent(consent) if consent else None,
        proof=_proof(consent.proof) if consent and consent.proof else None,
        deferred=bool(rules) and all(rule.defers for rule in rules),
    )


def explain_number(number: numbers.Number, purpose: Purpose, at: datetime) -> Explanation:
    """Explain the decision about a number, also one that belongs to no contact: such a number has no consent, and a
    suppression holds for it all the same (RULES C1, O8)."""
    if contact := doors.locate(number):
        return explain(contact, purpose, at)
    stopped = decision.stops(purpose).filter(digest__in=digests.digests(number.e164).values()).exists()
    codes = ["suppressed", "no_consent"] if stopped else ["no_consent"]
    return Explanation(
        purpose=purpose.path,
        at=at,
        known=False,
        allowed=False,
        refusal=codes[0],
        codes=_reasons([decision.BY_CODE[code] for code in codes]),
    )


def moment(typed: str, purpose: Purpose) -> datetime:
    """A moment as people type it; without a zone it is in the zone of the purpose's brand, empty is now.

    Raises:
        DomainError: it is not a date and time.
    """
    if not typed.strip():
        return timezone.now()
    sentence = _("“%(typed)s” is not a date and time. Write it like 2026-11-22T10:00 or 2026-11-22T10:00+01:00.")
    try:
        at = parse_datetime(typed.strip()) or parse_datetime(f"{typed.strip()}T00:00")
    except (ValueError, ValidationError):
        at = None
    if at is None:
        raise DomainError(sentence % {"typed": typed.strip()})
    return at if timezone.is_aware(at) else at.replace(tzinfo=ZoneInfo(purpose.brand.zone))


def _reasons(rules: list[decision.Rule]) -> tuple[Reason, ...]:
    return tuple(Reason(rule.code, rule.source, str(rule.sentence), rule is rules[0]) for rule in rules)


def _consent(consent: Consent) -> ConsentFacts:
    return ConsentFacts(
        uid=str(consent.uid),
        status=consent.status,
        label=str(consent.get_status_display()),
        since=consent.effective_at,
        until=consent.expires_at,
    )


def _proof(proof: Proof) -> ProofFacts:
    return ProofFacts(
        uid=str(proof.uid),
        method=proof.method,
        label=str(proof.get_method_display()),
        answer=proof.answer,
        when=proof.captured_at,
        notice_version=proof.notice.version if proof.notice else None,
        notice_language=proof.notice.language if proof.notice else "",
        recorded_by=proof.recorded_by,
        place=proof.place,
        file=bool(proof.file),
    )
