"""How the tests of inbound texts let one come in."""

import itertools
from typing import Any

from django.utils import timezone

from campaigns import inbound
from campaigns.gateways.base import Inbound
from campaigns.models import InboundMessage, Message
from consent.contacts.models import Contact
from consent.ledger import decision

_ids = itertools.count(1)


def hear(text: str, sender: Any = "", to: str = "36123", **fields: Any) -> InboundMessage:
    """A text comes in; from a contact or a number as it came."""
    came = str(sender.phone.as_e164) if isinstance(sender, Contact) else sender
    told = Inbound(**{"gateway_id": f"id-{next(_ids)}", "sender": came, "to": to, "text": text} | fields)
    return inbound.receive("console", told)


def refusal(person: Contact, purpose: Any) -> str:
    found = decision.decide(decision.context_for(purpose, timezone.now()), Contact.objects.filter(pk=person.pk))
    return str(found.values_list("refusal", flat=True).get())


def texts(kind: str) -> Any:
    return Message.objects.filter(kind=kind)
