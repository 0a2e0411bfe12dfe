"""What people of the demo world text back, through the door every inbound text takes."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from unittest import mock

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from campaigns import conversations, dispatch, inbound, outcomes
from campaigns.demo.senders import data
from campaigns.gateways import base
from campaigns.models import Campaign, Conversation, InboundMessage, Lane, Message, Sender
from consent.contacts.models import Contact
from consent.core import numbers
from consent.ledger.demo.build import World, clock
from consent.ledger.models import Consent

_serial = count(1)
NEWCOMER = "+39 312 0008001"  # texts the keyword of a poster without being on record


def hear(number: str, sender: Sender, text: str, at: datetime) -> InboundMessage:
    """Let a text come in at a moment."""
    with clock(at):
        told = base.Inbound(f"demo-{next(_serial)}", number, sender.address, text, at)
        heard = inbound.receive(sender.gateway, told)
    send(sender, at + timedelta(seconds=2))  # what answers it
    return heard


def stops(campaign: Campaign, language_order: Sequence[str], first: datetime, how_many: int) -> None:
    """Some of those who got a campaign's text say stop, each in the own language."""
    words = {row["language"]: row["text"] for row in data()["said"]["stop"]}
    got = campaign.messages.filter(handed_at__isnull=False, handed_at__lt=first)
    for number in range(how_many):
        language = language_order[number % len(language_order)]
        message = got.filter(language=language).order_by("-pk")[number // len(language_order)]
        hear(message.phone, campaign.sender, words[language], first + timedelta(minutes=2 * number))


def everything_else(world: World) -> None:
    """Help, doubtful replies, keywords, a confirmation, and conversations of today."""
    sender = Sender.objects.get(address="48123")
    market = Sender.objects.get(address="25123")
    people = _reachable(sender)
    for row in data()["said"]["help"]:
        hear(_one(people, row["language"]), sender, row["text"], world.now - timedelta(days=2, hours=1))
    hear(numbers.parse(NEWCOMER).e164, sender, "Lavoro", world.now - timedelta(days=1, hours=3))
    _confirmations(world, market)
    for row in data()["said"]["review"]:
        hear(_one(people, row["language"]), sender, row["text"], world.now - timedelta(hours=row["hours"]))
    own = people.filter(created_by=world.users["recruiter"])
    for talk in data()["talks"]:
        _talk(world, talk, sender, (own if talk["language"] == "it" else people).filter(country=talk["country"]))


def _reachable(sender: Sender) -> QuerySet[Contact]:
    """People whom the sender's brand may text and who said nothing yet."""
    live = Consent.objects.filter(
        contact=OuterRef("pk"),
        purpose__brand=sender.brand_id,
        status__in=Consent.PERMITTING,
        last_used_at__isnull=False,
    )
    heard = InboundMessage.objects.filter(contact=OuterRef("pk"))
    named = Contact.objects.exclude(name="").filter(held_since__isnull=True)
    return named.filter(Exists(live), ~Exists(heard)).order_by("pk")


def _one(people: QuerySet[Contact], language: str) -> str:
    found = people.filter(language=language).first()
    assert found is not None, language  # noqa: S101 - the world file and the people go together
    return str(found.phone.as_e164)


def _confirmations(world: World, sender: Sender) -> None:
    """Two of those who were asked to confirm say yes, one says no."""
    asked = Message.objects.filter(
        kind=Message.Kind.DOUBLE_OPT_IN,
        handed_at__isnull=False,
        consent__status=Consent.Status.REQUESTED,
        sender__in=Sender.objects.filter(brand=sender.brand),
    )
    yes = {"es": "Sí", "gl": "Si", "pt": "Sim", "it": "Sì", "en": "Yes", "de": "Ja", "fr": "Oui"}
    for number, message in enumerate(asked.order_by("pk")[:3]):
        said = "No" if number == 2 else yes[message.language]
        asked_at = max(message.handed_at or world.now, world.now - timedelta(hours=20))
        hear(message.phone, sender, said, asked_at + timedelta(minutes=4))


def _talk(world: World, talk: dict, sender: Sender, people: QuerySet[Contact]) -> None:
    number = _one(people, talk["language"])
    for line in talk["lines"]:
        at = world.now - timedelta(hours=line["hours"])
        if "they" in line:
            hear(number, sender, line["they"], at)
            continue
        conversation = Conversation.objects.filter(contact__phone=number, sender=sender).latest("opened_at")
        with clock(at):
            conversations.reply(conversation, line["we"], world.users["recruiter"])
            send(sender, at)


class _Time:
    """A worker's time in the demo world: it passes when the worker waits, and a little with each look at the clock."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=3)
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def send(sender: Sender, at: datetime) -> None:
    """Let a worker send what waits at a sender at a moment."""
    passing = _Time(at)
    Lane.objects.filter(sender=sender).delete()  # the pace of a later moment does not count at an earlier one
    with mock.patch.object(timezone, "now", passing.now), mock.patch.object(dispatch, "time", passing):
        dispatch.work(sender.pk, budget=timedelta(hours=1))


def arrive(world: World, messages: Iterable[Message]) -> None:
    """Let receipts come for texts that the console took: nearly all arrive, some do not, some stay silent."""
    for number, message in enumerate(messages, start=1):
        at = (message.handed_at or world.now) + timedelta(seconds=world.chance.randint(3, 90))
        if number % 20 == 0 or at >= world.now:
            continue
        with clock(at):
            state = "undelivered" if number % 15 == 0 else "delivered"
            outcomes.receive(message.sender.gateway, base.Receipt(state, reference=message.pk))
