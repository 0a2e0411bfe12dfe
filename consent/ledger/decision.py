"""The decision: may these people be texted for this purpose at this moment, and why not (P1).

One queryset. A contact is that queryset with ``pk=``; a campaign is the same queryset over a million. Each rule below
is a condition in the database; the first that applies, in the order of ``RULES``, is a contact's ``refusal``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    F,
    FilteredRelation,
    Max,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.contacts.models import Contact, Suppression
from consent.ledger import proofs
from consent.ledger.models import Consent, Method, Notice, Purpose
from consent.ledger.models.proofs import Answer

S = Consent.Status


@dataclass(frozen=True)
class Context:
    """What the question is about.

    Attributes:
        purpose: what the text is for.
        at: the moment judged; the records count as they stand now.
        campaign: the campaign that asks, if one does.
        material_version: the newest published version of the purpose's notice that was a material change (RULES C17).
        among: the contacts judged, when they are a handful (set by ``decide``).
    """

    purpose: Purpose
    at: datetime
    campaign: Any = None
    material_version: int = 0
    among: QuerySet[Contact] | None = None


@dataclass(frozen=True)
class Rule:
    """A reason to refuse.

    Attributes:
        code: the refusal code.
        source: the rule it implements, as cited in RULES.md or DESIGN.md.
        sentence: what it means, for the person reading the explanation.
        applies: the condition, given the context.
        defers: the text may go later without anybody acting.
    """

    code: str
    source: str
    sentence: str | Promise
    applies: Callable[[Context], Q]
    defers: bool = False


def stops(purpose: Purpose) -> QuerySet[Suppression]:
    """The suppressions in force that cover a purpose: everything, its brand, or itself (RULES O6)."""
    everything = Q(purpose__isnull=True, brand__isnull=True)
    scope = everything | Q(brand=purpose.brand_id) | Q(purpose=purpose)
    return Suppression.objects.filter(scope, lifted_at__isnull=True)


def _suppressed(context: Context) -> Q:
    found = stops(context.purpose).order_by()
    if context.among is not None:  # by the index, instead of reading every suppression to judge a few people
        found = found.filter(digest__in=context.among.order_by().values("phone_digest"))
    return Q(phone_digest__in=found.values("digest"))


# What the rules look at in the consent. Named once as ``kept__…``, so that Django finds the way there once and not for
# each of some forty conditions: explaining one person is mostly that.
_LOOKED_AT = (
    *("status", "phone", "effective_at", "expires_at", "proof_id"),
    *("proof__answer", "proof__method", "proof__read_verbatim", "proof__notice_id", "proof__notice__version"),
)


def _none(context: Context) -> Q:
    # A consent that the person gives after the moment judged does not exist yet at that moment.
    return Q(kept__status__isnull=True) | Q(kept__status__in=Consent.PERMITTING, kept__effective_at__gt=context.at)


def _status(status: str) -> Callable[[Context], Q]:
    return lambda context: Q(kept__status=status)


def _expired(context: Context) -> Q:
    over = Q(kept__status__in=Consent.PERMITTING, kept__expires_at__lte=context.at)
    return Q(kept__status=S.EXPIRED) | over


def _permitting(condition: Q) -> Q:
    return Q(kept__status__in=Consent.PERMITTING) & condition


def _number_changed(context: Context) -> Q:
    return _permitting(~Q(kept__phone=F("phone")))


def _renewal_needed(context: Context) -> Q:
    return _permitting(Q(kept__proof__notice__version__lt=context.material_version))


def _weak(context: Context) -> Q:
    return weak_proof(context.purpose, held="kept__")


def weak_proof(purpose: Purpose, *, held: str = "held__", person: str = "") -> Q:
    """The condition of ``proof_too_weak``, for any queryset that reaches consent and contact.

    Args:
        purpose: what the consent is for.
        held, person: the paths to the consent and to its contact; a list of consents passes "" and "contact__".
    """

    def at(path: str, value: Any) -> Q:
        return Q(**{f"{held}{path}": value})

    incomplete = (
        at("proof_id__isnull", True)
        | ~at("proof__answer", Answer.YES)
        | ~at("proof__method__in", purpose.accepted_methods)
        | (at("proof__method", Method.VERBAL) & at("proof__read_verbatim__isnull", True))
        | (at("proof__method", Method.VERBAL) & at("proof__read_verbatim", False))
        | (at("proof__notice_id__isnull", True) & ~at("proof__method", Method.RELATIONSHIP))
    )
    if purpose.kind == Purpose.Kind.MARKETING:
        incomplete |= Q(**{f"{person}country": "US"}) & ~at("proof__method__in", proofs.WRITTEN)
    return at("status__in", Consent.PERMITTING) & incomplete


# The order is the order of precedence (DESIGN §4).
RULES: tuple[Rule, ...] = (
    Rule(
        "restricted", "GDPR 18", _("Processing is restricted: the data is only stored."),
        lambda context: Q(restricted_since__isnull=False),
    ),
    Rule(
        "held", "RULES O4", _("A reply that may mean stop is being looked at."),
        lambda context: Q(held_since__isnull=False),
    ),
    Rule("suppressed", "RULES O8", _("The person opted out."), _suppressed),
    Rule("no_consent", "RULES C1", _("The person never said yes to this purpose."), _none),
    Rule("unknown", "RULES C1", _("Somebody claims a yes, but nothing proves it."), _status(S.UNKNOWN)),
    Rule("requested", "RULES C13", _("The person still has to confirm."), _status(S.REQUESTED)),
    Rule("refused", "RULES C3", _("The person said no."), _status(S.REFUSED)),
    Rule("withdrawn", "RULES C6", _("The person withdrew the consent."), _status(S.WITHDRAWN)),
    Rule("revoked", "RULES C15", _("The consent was ended, such as for a number that changed."), _status(S.REVOKED)),
    Rule("expired", "RULES C7", _("The consent is over and was not renewed."), _expired),
    Rule("invalidated", "DESIGN §3", _("An audit found the consent worthless."), _status(S.INVALIDATED)),
    Rule("number_changed", "RULES C15", _("The consent was given for another number."), _number_changed),
    Rule("renewal_needed", "RULES C17", _("The purpose changed: the person must be asked again."), _renewal_needed),
    Rule("proof_too_weak", "RULES C2, C13, C14", _("The proof does not suffice for this purpose."), _weak),
)  # fmt: skip
BY_CODE = {rule.code: rule for rule in RULES}


def contexts_for(purposes: Iterable[Purpose], at: datetime, campaign: Any = None) -> list[Context]:
    """The same question about several purposes, with what the rules need to know about each, in one query."""
    purposes = list(purposes)
    material = Notice.objects.filter(purpose__in=purposes, material_change=True, published_at__lte=at)
    versions = dict(material.order_by().values_list("purpose").annotate(newest=Max("version")))
    return [
        Context(purpose=purpose, at=at, campaign=campaign, material_version=versions.get(purpose.pk, 0))
        for purpose in purposes
    ]


def context_for(purpose: Purpose, at: datetime, campaign: Any = None) -> Context:
    """The context of a question, with what the rules need to know about the purpose."""
    return contexts_for([purpose], at, campaign)[0]


def decide(
    context: Context, contacts: QuerySet[Contact] | None = None, *, every_code: bool = False, few: bool = False
) -> QuerySet[Any]:
    """Judge contacts.

    Args:
        context: purpose, moment and campaign (``context_for``).
        contacts: whom to judge; everybody when not given.
        every_code: also annotate ``applies_<code>`` for each rule, for the explanation.
        few: the contacts are a handful, such as one person or a page of a list; the answer is the same.

    Returns:
        The contacts with ``refusal`` (empty: may be texted), ``consent_id`` and ``proof_id``.
    """
    contacts = Contact.objects.all() if contacts is None else contacts
    if few:
        context = replace(context, among=contacts)
    judged = contacts.annotate(
        held=FilteredRelation("consents", condition=Q(consents__purpose=context.purpose.pk)),
    ).alias(**{f"kept__{path}": F(f"held__{path}") for path in _LOOKED_AT})
    conditions = {rule.code: rule.applies(context) for rule in RULES}
    if every_code:
        judged = judged.annotate(
            **{
                f"applies_{code}": Case(
                    When(condition, then=Value(True)), default=Value(False), output_field=BooleanField()
                )
                for code, condition in conditions.items()
            }
        )
        conditions = {code: Q(**{f"applies_{code}": True}) for code in conditions}  # Django resolves each rule once
    return judged.annotate(
        consent_id=F("held__pk"),
        proof_id=F("held__proof_id"),
        refusal=Case(
            *(When(condition, then=Value(code)) for code, condition in conditions.items()),
            # Only these two states permit; anything the rules above do not know is refused (P9).
            When(kept__status__in=Consent.PERMITTING, then=Value("")),
            default=Value("no_consent"),
            output_field=CharField(),
        ),
    )


def counts(context: Context, contacts: QuerySet[Contact] | None = None) -> dict[str, int]:
    """How many contacts have each refusal, by code in order of precedence; ``allowed`` comes first."""
    rows = decide(context, contacts).order_by().values("refusal").annotate(n=Count("pk"))
    found = {row["refusal"]: row["n"] for row in rows}
    return {"allowed": found.get("", 0)} | {rule.code: found[rule.code] for rule in RULES if rule.code in found}
