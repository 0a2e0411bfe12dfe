"""What the page of a contact tells of texts: what went, what was refused, what came back."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import Conversation, InboundMessage, Message
from consent.contacts.models import Contact
from consent.ledger import access, contact_page, decision
from consent.ledger.contact_page import Event

S = Message.State
TONES: dict[str, str] = {
    S.REFUSED: "muted",
    S.QUEUED: "muted",
    S.CLAIMED: "muted",
    S.HANDED: "muted",
    S.SENT: "ok",
    S.DELIVERED: "ok",
    S.UNDELIVERED: "warn",
    S.SILENT: "warn",
    S.FAILED: "stop",
    S.UNKNOWN: "stop",
    S.BLOCKED: "warn",
    S.CANCELLED: "muted",
    S.LATE: "warn",
}
SHOWN = 20  # texts that went out after a stop


def register() -> None:
    """Add texts to the page of a contact and to that of a consent that ended."""
    for known, ours in (
        (contact_page.sources, texts),
        (contact_page.links, conversation_links),
        (contact_page.sent, sent_since),
    ):
        if ours not in known:  # apps may be set up twice
            known.append(ours)  # type: ignore[arg-type]


def may_read(user: Any, contact: Contact) -> bool:
    """Whether somebody may know what was said: those who see all texts, and whoever may answer this person."""
    if user.has_perm("campaigns.view_message") and user.has_perm("contacts.see_numbers"):
        return True
    return user.has_perm("campaigns.view_conversation") and access.sees(user, contact)


def texts(contact: Contact, want: int, request: Any) -> list[Event]:
    """The newest texts to and from a contact, as far as the reader may know what they say."""
    readable = may_read(request.user, contact)
    return [*_sent(contact, want, request, readable), *_received(contact, want, request, readable)]


def _messages(contact: Contact) -> QuerySet[Message]:
    told = Message.objects.filter(contact=contact).select_related("campaign", "purpose__brand", "sender")
    return told.annotate(at=Coalesce("handed_at", "finished_at", "created_at")).order_by("-at", "-pk")


def _sent(contact: Contact, want: int, request: Any, readable: bool) -> list[Event]:
    linked = request.user.has_perm("campaigns.view_message")
    return [_event(message, linked, readable) for message in _messages(contact)[:want]]


def _event(message: Any, linked: bool, readable: bool) -> Event:
    rule = decision.BY_CODE.get(message.refusal)
    about = message.campaign or message.purpose
    what = _("Text: %(kind)s") % {"kind": message.get_kind_display()}
    return Event(
        at=message.at,
        title=f"{what} · {about}" if about else what,
        actor=message.sender.address,
        reason=f"{message.get_state_display()}. {rule.sentence}" if rule else str(message.get_state_display()),
        state=TONES[message.state],
        text=message.body if readable and message.state != S.REFUSED else "",
        url=reverse("admin:campaigns_message_change", args=[message.pk]) if linked else "",
    )


def _received(contact: Contact, want: int, request: Any, readable: bool) -> list[Event]:
    linked = request.user.has_perm("campaigns.view_inboundmessage")
    rows = InboundMessage.objects.filter(contact=contact).order_by("-received_at", "-pk")
    return [
        Event(
            at=row.received_at,
            title=_("Text received: %(meaning)s") % {"meaning": row.get_meaning_display() or row.get_state_display()},
            actor=row.raw_to,
            text=row.body if readable else "",
            url=reverse("admin:campaigns_inboundmessage_change", args=[row.pk]) if linked else "",
            state="warn" if row.state == InboundMessage.State.REVIEW else "",
        )
        for row in rows[:want]
    ]


def sent_since(contact: Contact, moment: datetime, request: Any) -> list[Event]:
    """The texts handed over to a contact after a moment, without those that only answer."""
    linked = request.user.has_perm("campaigns.view_message")
    answers = (Message.Kind.OPT_OUT, Message.Kind.HELP, Message.Kind.REPLY)
    rows = _messages(contact).filter(handed_at__gt=moment).exclude(kind__in=answers)
    return [_event(message, linked, readable=False) for message in rows[:SHOWN]]


def conversation_links(contact: Contact, request: Any) -> list[tuple[str, str]]:
    """The live conversation with a contact, for whoever may read it."""
    if not request.user.has_perm("campaigns.view_conversation") or not access.sees(request.user, contact):
        return []
    live = Conversation.objects.filter(contact=contact, closes_at__gt=timezone.now()).order_by("-closes_at").first()
    return [(reverse("admin:campaigns_conversation_change", args=[live.pk]), _("Conversation"))] if live else []
