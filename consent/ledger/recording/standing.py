"""What is on record for a number, in a recruiter's words; shown before asking and after saving."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import numbers
from consent.ledger import access, decision
from consent.ledger.models import Consent, Purpose
from consent.ledger.recording import countries

S = Consent.Status


@dataclass(frozen=True)
class Standing:
    """One purpose of one person.

    Attributes:
        purpose: which.
        label: the state in a word or two.
        tone: ``ok``, ``warn``, ``stop`` or ``muted``.
        sentence: what it means and what to do.
        new_act: the person opted out; only a signed form leads back (RULES O11).
    """

    purpose: Purpose
    label: str
    tone: str
    sentence: str
    new_act: bool = False


@dataclass
class Person:
    """Who has a number, as far as the reader may know.

    Attributes:
        number: as people read it.
        country: the country's name.
        known: whether there is a contact.
        name: empty unless the reader may see it.
        stops: what the number opted out of, each in words; holds without a contact too.
        standings: what is on record, by purpose id.
    """

    number: str
    country: str
    known: bool
    name: str
    stops: list[str]
    standings: dict[int, Standing]


def of_number(number: numbers.Number, purposes: Iterable[Purpose], user: Any) -> Person:
    """What ``user`` may know about a number before asking.

    Args:
        number: parsed.
        purposes: which may be asked about.
        user: who looks.
    """
    contact = doors.locate(number)
    stops = doors.suppressions(number.e164).select_related("brand", "purpose__brand")
    return Person(
        number=number.international,
        country=countries.name(number.country),
        known=contact is not None,
        name=contact.name if contact and access.sees(user, contact) else "",
        stops=list(dict.fromkeys(str(s.purpose or s.brand or _("everything")) for s in stops)),
        standings=of_contact(contact, purposes) if contact else {},
    )


def of_contact(contact: Contact, purposes: Iterable[Purpose]) -> dict[int, Standing]:
    """What the decision says now about each purpose that has something on record."""
    held = {c.purpose_id: c for c in Consent.objects.filter(contact=contact)}
    now = timezone.now()
    found = {}
    for purpose in purposes:
        judged = decision.decide(decision.context_for(purpose, now), Contact.objects.filter(pk=contact.pk)).get()
        if standing := _in_words(purpose, judged.refusal, held.get(purpose.pk)):
            found[purpose.pk] = standing
    return found


def _in_words(purpose: Purpose, refusal: str, consent: Consent | None) -> Standing | None:
    since = _day(consent.effective_at) if consent else ""
    until = _day(consent.expires_at) if consent and consent.expires_at else ""
    if consent and consent.status == S.REQUESTED and refusal in ("requested", "suppressed"):
        waits = _("Nothing is sent until the person confirms by text, by %(until)s.") % {"until": until}
        return Standing(purpose, consent.get_status_display(), "warn", waits)
    if refusal in ("suppressed", "withdrawn"):
        return Standing(
            purpose,
            _("Opted out"),
            "stop",
            _("A spoken yes does not lift an opt-out. Have a form signed and take a photo of it."),
            new_act=True,
        )
    if consent is None:
        return None
    label = consent.get_status_display()
    if refusal == "":
        return Standing(
            purpose,
            label,
            "ok",
            _("May be texted. Since %(since)s, until %(until)s.") % {"since": since, "until": until},
        )
    if decision.BY_CODE[refusal].defers:
        may = _("May be texted. Since %(since)s, until %(until)s.") % {"since": since, "until": until}
        return Standing(purpose, label, "ok", f"{may} {decision.BY_CODE[refusal].sentence}")
    if refusal == "refused":
        return Standing(
            purpose, label, "muted", _("The person said no on %(since)s. Nothing is sent.") % {"since": since}
        )
    if refusal == "expired":
        label = str(S.EXPIRED.label)
    why = _("%(why)s Since %(since)s.") % {"why": decision.BY_CODE[refusal].sentence, "since": since}
    return Standing(purpose, label, "warn", why)


def _day(moment: Any) -> str:
    return formats.date_format(timezone.localtime(moment), "DATE_FORMAT")
