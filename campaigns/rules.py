"""What campaigns add to the one decision: preference, caps and hours (RULES C12, §3)."""

from datetime import timedelta

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import openings
from campaigns.models import Message
from consent.contacts.models import Contact
from consent.ledger import decision
from consent.ledger.decision import Context, Rule

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def counted(context: Context, span: timedelta) -> QuerySet[Message]:
    """The texts of a span before the moment judged that count towards how many a person gets."""
    went = Message.objects.filter(
        handed_at__gt=context.at - span, kind__in=Message.COUNTED, contact__isnull=False
    ).order_by()
    return went.filter(contact__in=context.judged.order_by().values("pk")) if context.judged is not None else went


def _often(messages: QuerySet[Message], most: object) -> QuerySet:
    return messages.values("contact").annotate(n=Count("pk")).filter(n__gte=most).values("contact")


def frequency_cap(context: Context) -> Q:
    """As many texts as the person, the purpose or a law of the place allows went already (the strictest counts)."""
    week = counted(context, WEEK)
    own = week.filter(contact__max_per_week__isnull=False).values("contact").annotate(n=Count("pk"))
    found = Q(pk__in=_often(week.filter(purpose=context.purpose), context.purpose.max_per_week))
    found |= Q(pk__in=own.filter(n__gte=F("contact__max_per_week")).values("contact"))
    hours = openings.Hours.load(context.purpose.kind)
    for row in hours.rows:
        if row.max_per_day is not None and row.valid_from <= context.at.date():
            found |= Q(pk__in=_often(counted(context, DAY), row.max_per_day), **_of(row))
    return found


def _of(row: object) -> dict[str, str]:
    return {name: getattr(row, name) for name in ("country", "region") if getattr(row, name)}


def outside_window(context: Context) -> Q:
    """No rule lets a text go to this place at this moment."""
    contacts = context.judged if context.judged is not None else Contact.objects.all()
    known = openings.places(contacts)
    hours = openings.Hours.load(context.purpose.kind)
    return ~openings.inside(known, openings.open_places(hours, known, context.at))


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
