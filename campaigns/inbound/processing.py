"""What a text means and does, in the order of RULES §6."""

from datetime import timedelta

from django.utils import timezone

from campaigns import conversations, keywords
from campaigns.inbound import answering, origins, reviewing, stopping
from campaigns.models import InboundMessage, Message
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.errors import DomainError, InvalidNumber

M = InboundMessage.Meaning
ANSWERS_WITHIN = timedelta(days=7)  # a reply belongs to the newest campaign text of these days
BLURRED = "not readable in full"  # the rule of a text not processed yet that comes from a log with dots
SOURCE = "text message"


def handle(row: InboundMessage) -> None:
    """Do what a stored text says, with its person locked; inside the caller's transaction and ``history.acting``.

    Args:
        row: in state new.
    """
    contact = _person(row)
    row.contact = contact
    row.campaign_id = _answered_campaign(row, contact)
    blurred = row.rule == BLURRED
    country = contact.country if contact else origins.country_of(row.phone)
    reading = keywords.classify(row.body, country)
    if blurred:
        reading = _cautious(row.body, country, reading)
    row.meaning, row.rule = reading.meaning, reading.rule
    row.state = InboundMessage.State.HANDLED
    row.handled_at = timezone.now()
    if row.meaning == M.OPT_OUT:
        stopping.stop(row)
        return
    if row.meaning == M.REVIEW:
        reviewing.ask(row, contact or _register(row))
    elif row.meaning == M.HELP:
        answering.help_wanted(row)
    elif blurred or not _answer(row):
        _converse(row, contact)
    row.save()


def _cautious(body: str, country: str, reading: keywords.Reading) -> keywords.Reading:
    """A text with lost characters may be an opt-out, and never says yes."""
    if reading.meaning in (M.OPT_OUT, M.REVIEW):
        return reading
    if keywords.may_mean_stop(body, country):
        return keywords.Reading(M.REVIEW, "3 not readable in full")
    return reading


def _answer(row: InboundMessage) -> bool:
    """Whether the text is an answer to something: a published keyword, a STOP to undo, a pending request."""
    try:
        if answering.published_keyword(row):
            return True
        if row.meaning == M.OPT_IN and answering.start_again(row):
            return True
        if row.meaning in (M.YES, M.NO) and answering.pending_request(row):
            return True
    except DomainError as error:  # the person's answer cannot be recorded: somebody should see it
        row.rule = f"{row.rule}, not recorded ({error.rule})"[:40]
        return False
    if row.meaning != M.CONVERSATION:
        row.rule = f"{row.rule}, nothing to answer"
    return False


def _converse(row: InboundMessage, contact: Contact | None) -> None:
    row.meaning = M.CONVERSATION
    if row.sender is not None and (contact := contact or row.contact or _register(row)) is not None:
        row.contact = contact
        conversations.note(row)


def _person(row: InboundMessage) -> Contact | None:
    return Contact.objects.select_for_update().filter(phone=row.phone).first() if row.phone else None


def _register(row: InboundMessage) -> Contact | None:
    """A contact for a number that had none; None where texts cannot be answered anyway."""
    if not row.phone:
        return None
    try:
        number = numbers.parse(row.phone)
    except InvalidNumber:
        return None
    contact, _new = doors.register(number, source=SOURCE, language=answering.language_of(row))
    return contact


def _answered_campaign(row: InboundMessage, contact: Contact | None) -> int | None:
    if contact is None:
        return None
    texts = Message.objects.filter(
        contact=contact,
        campaign__isnull=False,
        handed_at__lte=row.received_at,
        handed_at__gte=row.received_at - ANSWERS_WITHIN,
    )
    if row.sender is not None:
        texts = texts.filter(purpose__brand=row.sender.brand_id)
    return texts.order_by("-handed_at").values_list("campaign_id", flat=True).first()
