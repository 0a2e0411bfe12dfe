"""What campaigns add to the one decision: preference, caps and hours (RULES C12, §3)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import openings
from campaigns.models import Message
from campaigns.openings import Hours, Place
from consent.contacts.models import Contact
from consent.ledger import decision
from consent.ledger.decision import Context, Rule

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
SOON = timedelta(minutes=1)  # by then a text that is about to be sent went or did not
CLAIMED = Q(state=Message.State.CLAIMED)


def hours_of(context: Context) -> Hours:
    """The sending windows for the purpose in question, read once for the questions asked together."""
    key = "campaigns.hours", context.purpose.kind
    if key not in context.memo:
        context.memo[key] = Hours.load(context.purpose.kind)
    return context.memo[key]


def places_of(context: Context) -> set[Place]:
    """Where the people in question can be, read once for the questions asked together."""
    if context.judged is not None:
        return {Place.of(person) for person in _people(context)}
    key = "campaigns.places"
    if key not in context.memo:
        context.memo[key] = openings.places(Contact.objects.all())
    return context.memo[key]


def _people(context: Context) -> list[Contact]:
    """A handful of people, with what places and caps need to know of them, read once."""
    assert context.judged is not None  # noqa: S101 - for the type checker; the callers asked
    key = "campaigns.people", context.judged
    if key not in context.memo:
        wanted = ("country", "region", "zones", "known_zone", "max_per_week")
        context.memo[key] = list(context.judged.order_by().only(*wanted))
    return context.memo[key]


def counted(context: Context, span: timedelta) -> QuerySet[Message]:
    """The texts that count towards how many a person gets: handed over within a span before the moment judged (exactly
    a week ago no longer counts), or claimed by a worker, which hands them over any moment."""
    return _texts(context).filter(_went(context, span) | CLAIMED)


def _texts(context: Context) -> QuerySet[Message]:
    texts = Message.objects.filter(kind__in=Message.COUNTED, contact__isnull=False).order_by()
    return texts.filter(contact__in=context.judged.order_by().values("pk")) if context.judged is not None else texts


def _went(context: Context, span: timedelta) -> Q:
    return Q(state__in=Message.GONE, handed_at__gt=context.at - span)


def _often(context: Context, span: timedelta, enough: Q) -> Q:
    """The condition to have got as many texts within a span as allowed.

    Args:
        context: what is judged.
        span: before the moment judged.
        enough: of the counts ``every`` and ``own`` (of this purpose), and of the ``contact``.
    """
    # Of a million people, what went is found by its time, and the few with a text about to go are looked at again.
    went = _reached(context, _texts(context).filter(_went(context, span)), enough)
    busy = Message.objects.filter(CLAIMED, contact__isnull=False).order_by().values("contact")
    return went | _reached(context, counted(context, span).filter(contact__in=busy), enough)


def _reached(context: Context, texts: QuerySet[Message], enough: Q) -> Q:
    # "+ 0": else SQLite walks every text there ever was along the index of contacts, to spare itself the grouping.
    people = texts.annotate(person=F("contact_id") + 0).values("person")
    people = people.annotate(every=Count("pk"), own=Count("pk", filter=Q(purpose=context.purpose)))
    return Q(pk__in=people.filter(enough).values("person"))


def frequency_cap(context: Context) -> Q | bool:
    """As many texts as the person, the purpose or a rule of the place allows went already; the strictest counts.

    A person's own limit counts the texts of all purposes, a purpose's its own, a place's all within 24 hours. Of none
    allowed, everybody has got as many.
    """
    if context.judged is not None:  # the same, told from what they got: a fraction of the time for one person
        capped = list(frees_at((person.pk for person in _people(context)), context))
        return Q(pk__in=capped) if capped else False
    most = context.purpose.max_per_week
    if most == 0:
        return True
    found = Q(max_per_week=0) | _often(context, WEEK, Q(own__gte=most) | Q(every__gte=F("contact__max_per_week")))
    hours, limited = hours_of(context), defaultdict(set)
    known = places_of(context)
    for place in known:
        limited[hours.max_per_day(place, context.at)].add(place)
    for limit, there in limited.items():
        if limit is not None:
            often = _often(context, DAY, Q(every__gte=limit)) if limit else Q()
            found |= openings.inside(known, there) & often
    return found


def outside_window(context: Context) -> Q | bool:
    """No rule lets a text go to this place at this moment."""
    known = places_of(context)
    is_open = openings.open_places(hours_of(context), known, context.at)
    if context.few and len(is_open) == len(known):
        return False
    return ~openings.inside(known, is_open)


def frees_at(contact_ids: Iterable[int], context: Context) -> dict[int, datetime]:
    """When the caps let the next text go, for those of some contacts whom a cap holds back.

    Where a text that is about to be sent is in the way, that is soon: what became of it shows then. A limit of no
    texts at all never lets go; it is to be asked again after its span.

    Args:
        contact_ids: a handful of contacts, such as a batch.
        context: purpose and moment.

    Returns:
        Contact id → the first moment; who is not held back is missing.
    """
    ids = set(contact_ids)
    if context.judged is None:
        context = replace(context, judged=Contact.objects.filter(pk__in=ids))
    hours, at, texts = hours_of(context), context.at, _lately(context)
    found = {}
    for person in _people(context):
        if person.pk not in ids:
            continue
        every = [handed_at for _purpose, handed_at in texts[person.pk]]
        own = [handed_at for purpose, handed_at in texts[person.pk] if purpose == context.purpose.pk]
        caps = (
            (every, person.max_per_week, WEEK),
            (own, context.purpose.max_per_week, WEEK),
            (every, hours.max_per_day(Place.of(person), at), DAY),
        )
        freed = [_freed(went, most, span, at) for went, most, span in caps if most is not None]
        if waits := [moment for moment in freed if moment is not None]:
            found[person.pk] = max(waits)
    return found


def _lately(context: Context) -> dict[int, list[tuple[int | None, datetime | None]]]:
    """Purpose and time of the texts that count of a handful of people, read once; no time: about to be sent."""
    key = "campaigns.lately", context.judged
    if key not in context.memo:
        found = context.memo[key] = defaultdict(list)
        texts = Message.objects.filter(_went(context, WEEK) | CLAIMED, kind__in=Message.COUNTED).order_by()
        theirs = texts.filter(contact__in=[person.pk for person in _people(context)])
        rows = theirs.values_list("contact", "purpose", "handed_at", "state")
        for contact, purpose, handed_at, state in rows:
            found[contact].append((purpose, None if state == Message.State.CLAIMED else handed_at))
    return context.memo[key]


def _freed(went: list[datetime | None], most: int, span: timedelta, at: datetime) -> datetime | None:
    """When fewer than ``most`` texts count; None: now. ``went`` has None for a text that is about to be sent."""
    if most == 0:
        return at + span
    ends = sorted(at + SOON if moment is None else moment + span for moment in went)
    ends = [moment for moment in ends if moment > at]
    return ends[len(ends) - most] if len(ends) >= most else None


def row_ids(place: Place, at: datetime, hours: Hours) -> list[int]:
    """The ids of the sending windows that were applied to a place at a moment, for ``Message.decision``."""
    return [row.pk for row in hours.applying_now(place, at)]


RULES = (
    Rule(
        "channel_preference", "RULES C12", _("The person prefers another channel."),
        fault=lambda context: ~Q(preferred_channel=Contact.Channel.SMS),
    ),
    Rule(
        "frequency_cap", "RULES C12", _("The person got as many texts as agreed; it waits."),
        fault=frequency_cap, defers=True,
    ),
    Rule(
        "outside_window", "RULES §3", _("It is not the hour for texts where the person is; it waits."),
        fault=outside_window, defers=True,
    ),
)  # fmt: skip


def register() -> None:
    """Make the decision know these rules, behind all that refuse."""
    after = "not_in_use"
    for rule in RULES:
        decision.extend(rule, after=after)
        after = rule.code
