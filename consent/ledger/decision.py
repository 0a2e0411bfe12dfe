"""The decision: may these people be texted for this purpose at this moment, and why not (P1).

One queryset. A contact is that queryset with ``pk=``; a campaign is the same queryset over a million. Each rule below
is a condition in the database; the first that applies, in the order of ``RULES``, is a contact's ``refusal``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Max,
    OuterRef,
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
        tolerated: codes that do not refuse here; a text that asks for a confirmation tolerates ``requested``.
        judged: the contacts, where they are a handful (set by ``decide``).
        memo: what rules looked up, shared by the questions asked together, so that each is looked up once.
    """

    purpose: Purpose
    at: datetime
    campaign: Any = None
    material_version: int = 0
    tolerated: frozenset[str] = frozenset()
    judged: QuerySet[Contact] | None = None
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def few(self) -> bool:
        """Whether the contacts judged are a handful."""
        return self.judged is not None


# A condition in the database, or its answer where it is the same for everybody.
Condition = Callable[[Context], Q | Exists | bool]


@dataclass(frozen=True)
class Rule:
    """A reason to refuse: a condition on the person, a state of the consent, or a fault of a consent that permits.

    Attributes:
        code: the refusal code; the state, where a state of the consent is the reason.
        source: the rule it implements, as cited in RULES.md or DESIGN.md.
        sentence: what it means, for the person reading the explanation.
        person: the condition on the person, whatever the consent.
        fault: the condition on a consent in a state that permits; asked of no other.
        defers: the text may go later; such rules stand behind all that refuse.
    """

    code: str
    source: str
    sentence: str | Promise
    person: Condition | None = None
    fault: Condition | None = None
    defers: bool = False


def stops(purpose: Purpose) -> QuerySet[Suppression]:
    """The suppressions in force that cover a purpose: everything, its brand, or itself (RULES O6)."""
    everything = Q(purpose__isnull=True, brand__isnull=True)
    scope = everything | Q(brand=purpose.brand_id) | Q(purpose=purpose)
    return Suppression.objects.filter(scope, lifted_at__isnull=True)


def _suppressed(context: Context) -> Q | Exists:
    found = stops(context.purpose).order_by()
    if context.few:  # by the index, instead of reading every suppression to judge a few people
        return Exists(found.filter(digest=OuterRef("phone_digest")))
    return Q(phone_digest__in=found.values("digest"))


# What the rules look at in the consent. Named once as ``kept__…``, so that Django finds the way there once and not for
# each condition: explaining one person is mostly that.
_LOOKED_AT = (
    *("status", "phone", "effective_at", "expires_at", "last_used_at", "proof_id"),
    *("proof__answer", "proof__method", "proof__read_verbatim", "proof__notice_id", "proof__notice__version"),
)


def _insufficient(purpose: Purpose, held: str, person: str) -> Q:
    def at(path: str, value: Any) -> Q:
        return Q(**{f"{held}{path}": value})

    found = (
        at("proof_id__isnull", True)
        | ~at("proof__answer", Answer.YES)
        | ~at("proof__method__in", purpose.accepted_methods)
        | (
            at("proof__method", Method.VERBAL)
            & (at("proof__read_verbatim__isnull", True) | at("proof__read_verbatim", False))
        )
        | (at("proof__notice_id__isnull", True) & ~at("proof__method", Method.RELATIONSHIP))
    )
    if purpose.kind == Purpose.Kind.MARKETING:
        found |= Q(**{f"{person}country": "US"}) & ~at("proof__method__in", proofs.WRITTEN)
    return found


def weak_proof(purpose: Purpose, *, held: str, person: str) -> Q:
    """The condition of ``proof_too_weak``, for any queryset that reaches consent and contact.

    Args:
        purpose: what the consent is for.
        held, person: the paths to the consent and to its contact; a list of consents passes "" and "contact__".
    """
    return Q(**{f"{held}status__in": Consent.PERMITTING}) & _insufficient(purpose, held, person)


def overdue(purpose: Purpose, at: datetime, *, held: str) -> Q:
    """The condition of ``reconfirmation_due``: the yes is older than the purpose allows for a first text, and no text
    went out under it. What rests on a relationship needs no opt-in and so no reconfirmation.

    Args:
        purpose: what the consent is for.
        at: the moment judged.
        held: the path to the consent; a list of consents passes "".
    """
    last_day = at - timedelta(days=purpose.first_message_within_days)
    unused = Q(**{f"{held}last_used_at__isnull": True, f"{held}effective_at__lt": last_day})
    return unused & ~Q(**{f"{held}proof__method": Method.RELATIONSHIP})


# The order is the order of precedence (DESIGN §4). What concerns the person stands before what concerns the consent; a
# consent is in one state, so that states and faults never compete.
RULES: list[Rule] = [
    Rule(
        "restricted", "GDPR 18", _("Processing is restricted: the data is only stored."),
        person=lambda context: Q(restricted_since__isnull=False),
    ),
    Rule(
        "held", "RULES O4", _("A reply that may mean stop is being looked at."),
        person=lambda context: Q(held_since__isnull=False),
    ),
    Rule("suppressed", "RULES O8", _("The person opted out."), person=_suppressed),
    # A consent that the person gives after the moment judged does not exist yet at that moment.
    Rule(
        "no_consent", "RULES C1", _("The person never said yes to this purpose."),
        fault=lambda context: Q(kept__effective_at__gt=context.at),
    ),
    Rule(S.UNKNOWN, "RULES C1", _("Somebody claims a yes, but nothing proves it.")),
    Rule(S.REQUESTED, "RULES C13", _("The person still has to confirm.")),
    Rule(S.REFUSED, "RULES C3", _("The person said no.")),
    Rule(S.WITHDRAWN, "RULES C6", _("The person withdrew the consent.")),
    Rule(S.REVOKED, "RULES C15", _("The consent was ended, such as for a number that changed.")),
    Rule(
        S.EXPIRED, "RULES C7", _("The consent is over and was not renewed."),
        fault=lambda context: Q(kept__expires_at__lte=context.at),
    ),
    Rule(S.INVALIDATED, "DESIGN §3", _("An audit found the consent worthless.")),
    Rule(
        "number_changed", "RULES C15", _("The consent was given for another number."),
        fault=lambda context: ~Q(kept__phone=F("phone")),
    ),
    Rule(
        "renewal_needed", "RULES C17", _("The purpose changed: the person must be asked again."),
        fault=lambda context: (
            context.material_version > 0 and Q(kept__proof__notice__version__lt=context.material_version)
        ),
    ),
    Rule(
        "reconfirmation_due", "RULES C9", _("The first text comes too late: the person must confirm first."),
        fault=lambda context: overdue(context.purpose, context.at, held="kept__"),
    ),
    Rule(
        "proof_too_weak", "RULES C2, C13, C14", _("The proof does not suffice for this purpose."),
        fault=lambda context: _insufficient(context.purpose, held="kept__", person=""),
    ),
    Rule(
        "not_in_use", "RULES C4", _("The purpose is no longer in use."),
        fault=lambda context: not context.purpose.active,
    ),
]  # fmt: skip
BY_CODE = {rule.code: rule for rule in RULES}
_EVERYBODY = Q(pk__isnull=False)
_STATES = [rule.code for rule in RULES if rule.code in Consent.Status.values]


def extend(rule: Rule, *, after: str) -> None:
    """Add a rule that an app above knows, such as the hours of sending; the decision stays one query.

    Args:
        rule: its ``fault`` is asked of those a consent permits to text.
        after: the code it follows in precedence.
    """
    if rule.code in BY_CODE:  # apps may be set up twice
        return
    RULES.insert(RULES.index(BY_CODE[after]) + 1, rule)
    BY_CODE[rule.code] = rule


def deferring() -> list[str]:
    """The codes of rules that only make a text wait."""
    return [rule.code for rule in RULES if rule.defers]


def contexts_for(
    purposes: Iterable[Purpose], at: datetime, campaign: Any = None, tolerated: Iterable[str] = ()
) -> list[Context]:
    """The same question about several purposes, with what the rules need to know about each, in one query."""
    purposes = list(purposes)
    material = Notice.objects.filter(purpose__in=purposes, material_change=True, published_at__lte=at)
    versions = dict(material.order_by().values_list("purpose").annotate(newest=Max("version")))
    memo: dict[Any, Any] = {}
    return [
        Context(
            purpose=purpose,
            at=at,
            campaign=campaign,
            material_version=versions.get(purpose.pk, 0),
            tolerated=frozenset(tolerated),
            memo=memo,
        )
        for purpose in purposes
    ]


def context_for(purpose: Purpose, at: datetime, campaign: Any = None, tolerated: Iterable[str] = ()) -> Context:
    """The context of a question, with what the rules need to know about the purpose."""
    return contexts_for([purpose], at, campaign, tolerated)[0]


def decide(
    context: Context, contacts: QuerySet[Contact] | None = None, *, every_code: bool = False, few: bool = False
) -> QuerySet[Any]:
    """Judge contacts.

    Args:
        context: purpose, moment and campaign (``context_for``).
        contacts: whom to judge; everybody when not given.
        every_code: not the refusal but what ``applying`` needs to tell every code, for the explanation.
        few: the contacts are a handful, such as one person or a page of a list; the answer is the same.

    Returns:
        The contacts with ``refusal`` (empty: may be texted), ``consent_id`` and ``proof_id``.
    """
    contacts = Contact.objects.all() if contacts is None else contacts
    context = replace(context, judged=contacts if few else None)
    judged = contacts.annotate(
        held=FilteredRelation("consents", condition=Q(consents__purpose=context.purpose.pk)),
    ).alias(**{f"kept__{path}": F(f"held__{path}") for path in _LOOKED_AT})
    rules = [rule for rule in RULES if rule.code not in context.tolerated]
    persons = {rule.code: rule.person(context) for rule in rules if rule.person}
    faults = {rule.code: rule.fault(context) for rule in rules if rule.fault}
    found = {"consent_id": F("held__pk"), "proof_id": F("held__proof_id")}
    if every_code:
        every = {f"asked_{code}": _boolean(condition) for code, condition in (persons | faults).items()}
        return judged.annotate(**found, state=F("kept__status"), **every)
    return judged.annotate(
        **found,
        # Only two states permit; a state the rules do not know is refused (P9).
        refusal=Case(
            *_first(persons),
            When(
                kept__status__in=[*Consent.PERMITTING, *(s for s in _STATES if s in context.tolerated)],
                then=Case(*_first(faults), default=Value(""), output_field=CharField()),
            ),
            When(kept__status__in=_STATES, then=F("kept__status")),
            default=Value("no_consent"),
            output_field=CharField(),
        ),
    )


def _first(conditions: Mapping[str, Q | Exists | bool]) -> list[When]:
    return [
        When(_EVERYBODY if condition is True else condition, then=Value(code))
        for code, condition in conditions.items()
        if condition is not False
    ]


def _boolean(condition: Q | Exists | bool) -> ExpressionWrapper | Value:
    if isinstance(condition, bool):
        return Value(condition, BooleanField())
    return ExpressionWrapper(condition, BooleanField())


def asked() -> list[str]:
    """The values to take from ``decide(…, every_code=True)`` for ``applying``."""
    return ["state", *(f"asked_{rule.code}" for rule in RULES if rule.person or rule.fault)]


def applying(row: Mapping[str, Any]) -> list[Rule]:
    """Every rule that applies to somebody, in order of precedence: the first is the refusal, none is a yes.

    Args:
        row: the values ``asked()`` of ``decide(…, every_code=True)``.
    """

    def applies(rule: Rule) -> bool:
        if rule.person:
            return bool(row[f"asked_{rule.code}"])
        if row["state"] in Consent.PERMITTING:
            return bool(rule.fault and row[f"asked_{rule.code}"])
        return rule.code == (row["state"] if row["state"] in _STATES else "no_consent")

    return [rule for rule in RULES if applies(rule)]


def counts(context: Context, contacts: QuerySet[Contact] | None = None) -> dict[str, int]:
    """How many contacts have each refusal, by code in order of precedence; ``allowed`` comes first."""
    rows = decide(context, contacts).order_by().values("refusal").annotate(n=Count("*"))
    found = {row["refusal"]: row["n"] for row in rows}
    return {"allowed": found.get("", 0)} | {rule.code: found[rule.code] for rule in RULES if rule.code in found}
