"""The rules of the decision once more, as plain Python over plain values: what the one queryset is held to (P1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CODES = (
    "restricted", "held", "suppressed", "no_consent", "unknown", "requested", "refused", "withdrawn", "revoked",
    "expired", "invalidated", "number_changed", "renewal_needed", "reconfirmation_due", "proof_too_weak",
)  # fmt: skip
WRITTEN = {"web_form", "application", "keyword", "paper", "email_reply"}


@dataclass(frozen=True)
class Proof:
    id: int
    answer: str
    method: str
    read_verbatim: bool | None
    notice_version: int | None  # None: no notice


@dataclass(frozen=True)
class Consent:
    id: int
    status: str
    phone: str
    effective_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    proof: Proof | None


@dataclass(frozen=True)
class Stop:
    number: str
    brand: int | None
    purpose: int | None
    lifted: bool


@dataclass(frozen=True)
class Person:
    id: int
    phone: str
    country: str
    restricted: bool
    held: bool
    consent: Consent | None  # to the purpose in question


@dataclass(frozen=True)
class Purpose:
    id: int
    brand: int
    kind: str
    accepted_methods: frozenset[str]
    first_message_within_days: int
    material_versions: tuple[tuple[int, datetime | None], ...]  # (version, published)


def codes(person: Person, purpose: Purpose, stops: list[Stop], at: datetime) -> list[str]:
    """Every code that applies, in order of precedence; empty: may be texted."""
    consent = person.consent
    found = set()
    if person.restricted:
        found.add("restricted")
    if person.held:
        found.add("held")
    if any(stop.number == person.phone and not stop.lifted and _covers(stop, purpose) for stop in stops):
        found.add("suppressed")
    if consent is None:
        found.add("no_consent")
    elif consent.status in ("given", "renewed"):
        found |= _shortcomings(consent, person, purpose, at)
    else:
        found.add(consent.status)
    return [code for code in CODES if code in found]


def _covers(stop: Stop, purpose: Purpose) -> bool:
    if stop.purpose is not None:
        return stop.purpose == purpose.id
    if stop.brand is not None:
        return stop.brand == purpose.brand
    return True


def _shortcomings(consent: Consent, person: Person, purpose: Purpose, at: datetime) -> set[str]:
    found = set()
    if consent.effective_at > at:
        found.add("no_consent")
    if consent.expires_at is not None and consent.expires_at <= at:
        found.add("expired")
    if consent.phone != person.phone:
        found.add("number_changed")
    proof = consent.proof
    material = [version for version, published in purpose.material_versions if published and published <= at]
    if material and proof and proof.notice_version is not None and proof.notice_version < max(material):
        found.add("renewal_needed")
    late = consent.effective_at + timedelta(days=purpose.first_message_within_days) < at
    if late and consent.last_used_at is None and not (proof and proof.method == "relationship"):
        found.add("reconfirmation_due")
    if proof is None or _weak(proof, person, purpose):
        found.add("proof_too_weak")
    return found


def _weak(proof: Proof, person: Person, purpose: Purpose) -> bool:
    if proof.answer != "yes" or proof.method not in purpose.accepted_methods:
        return True
    if proof.method == "verbal" and proof.read_verbatim is not True:
        return True
    if proof.notice_version is None and proof.method != "relationship":
        return True
    return person.country == "US" and purpose.kind == "marketing" and proof.method not in WRITTEN


LIVE = {"unknown", "requested", "given", "renewed"}

# The states each move may start from, written out once more; None: never asked.
LEGAL: dict[str, set[str | None]] = {
    "note": {None},
    "request": {None, "unknown", "refused", "withdrawn", "expired", "revoked", "invalidated"},
    "give": {None, "unknown", "requested", "refused", "withdrawn", "expired", "revoked", "invalidated"},
    "renew": {"given", "renewed"},
    "refuse": {None, "unknown", "requested"},
    "withdraw": LIVE,  # type: ignore[dict-item]
    "expire": {"requested", "given", "renewed"},
    "revoke": LIVE,  # type: ignore[dict-item]
    "invalidate": LIVE,  # type: ignore[dict-item]
}
TARGET = {
    "note": "unknown", "request": "requested", "give": "given", "renew": "renewed", "refuse": "refused",
    "withdraw": "withdrawn", "expire": "expired", "revoke": "revoked", "invalidate": "invalidated",
}  # fmt: skip
