"""What a text answers: HELP, a published keyword, a STOP the person undoes, a request that waits (RULES §6, 4–6)."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from campaigns import keywords, outbox
from campaigns.models import InboundMessage, Keyword, Message
from consent.contacts import doors
from consent.contacts.models import Suppression
from consent.core import digests, numbers
from consent.core.errors import InvalidNumber
from consent.ledger import proofs, transitions
from consent.ledger.models import Consent, Method, Notice, PrivacyPolicy, Proof, Purpose
from consent.ledger.models.notices import current
from consent.ledger.models.proofs import Answer

M = InboundMessage.Meaning
K = Message.Kind
HELP_EVERY = timedelta(hours=1)  # RULES O9
ASKING = (K.DOUBLE_OPT_IN, K.RECONFIRMATION, K.RENEWAL)
_LANGUAGE_OF_COUNTRY = {
    **{"IT": "it", "SM": "it", "DE": "de", "AT": "de", "PT": "pt", "BR": "pt", "FR": "fr", "MC": "fr"},
    **dict.fromkeys(("ES", "MX", "AR", "CO", "CL", "PE"), "es"),
}


def language_of(row: InboundMessage) -> str:
    """The language to answer in: the person's, else that of the sender's country."""
    if row.contact is not None:
        return str(row.contact.language)
    return _LANGUAGE_OF_COUNTRY.get(row.sender.country, "en") if row.sender else "en"


def help_wanted(row: InboundMessage) -> None:
    """Answer HELP, at most once an hour for a number and sender; changes no consent (RULES O9)."""
    now = timezone.now()
    if row.sender is None or not row.phone or row.received_at <= now - HELP_EVERY:
        return
    answers = Message.objects.filter(kind=K.HELP, inbound__phone=row.phone, inbound__sender=row.sender)
    last = answers.order_by("-pk").values_list("pk", "created_at").first()
    if last and last[1] > now - HELP_EVERY:
        return
    outbox.queue(
        K.HELP,
        sender=row.sender,
        contact=row.contact,
        phone=row.phone,
        language=language_of(row),
        # After which answer this one comes: two HELPs at once ask for the same.
        once=f"help:{row.sender.pk}:{digests.digest(row.phone)[:16]}:{last[0] if last else 0}",
        inbound=row,
        expires_at=row.received_at + HELP_EVERY,
    )


def published_keyword(row: InboundMessage) -> bool:
    """Record the yes of a keyword that is published on the sender, with the text as proof.

    Returns:
        Whether it was one.

    Raises:
        DomainError: it cannot be recorded.
    """
    whole = keywords.normalise(row.body)
    if row.sender is None or not row.phone or not whole or " " in whole:
        return False
    published = Keyword.objects.filter(sender=row.sender, active=True, purpose__active=True)
    found = next(
        (k for k in published.select_related("purpose__brand", "notice") if keywords.normalise(k.word) == whole), None
    )
    if found is None:
        return False
    contact = row.contact
    if contact is None:
        try:
            number = numbers.parse(row.phone)
        except InvalidNumber:
            return False
        contact, _new = doors.register(number, source="text message", language=found.notice.language)
        row.contact = contact
    transitions.record_answer(contact, found.purpose, _act(row, Answer.YES, found.purpose, found.notice))
    row.meaning, row.rule = M.OPT_IN, "5 published keyword"
    return True


def _act(row: InboundMessage, answer: str, purpose: Purpose, notice: Notice | None) -> proofs.Act:
    return proofs.Act(
        method=Method.KEYWORD,
        answer=answer,
        captured_at=row.received_at,
        notice=notice,
        policy=_policy(purpose, notice) if answer == Answer.YES else None,
        reference=f"inbound:{row.pk}",
    )


def _policy(purpose: Purpose, notice: Notice | None) -> PrivacyPolicy | None:
    policies = PrivacyPolicy.objects.filter(brand=purpose.brand_id)
    return (current(policies, language=notice.language) if notice else None) or current(policies)


# --- START -----------------------------------------------------------------------------------------------------------


def start_again(row: InboundMessage) -> bool:
    """Undo the newest STOP to the sender's brand: a new yes to what it withdrew there, with the words of before.

    Returns:
        Whether there was one to undo.

    Raises:
        DomainError: the yes cannot be recorded.
    """
    if row.contact is None or row.sender is None:
        return False
    restored = 0
    for stop in _newest_stops(row):
        withdrawn = Consent.objects.filter(
            contact=row.contact,
            status=Consent.Status.WITHDRAWN,
            purpose__brand=row.sender.brand_id,
            purpose__active=True,
            effective_at__gte=_first_said(stop),
            effective_at__lte=stop.since,
        )
        if stop.purpose_id:
            withdrawn = withdrawn.filter(purpose=stop.purpose_id)
        for consent in withdrawn.select_related("purpose__brand").order_by("pk"):
            if notice := _words_of_before(consent):
                act = _act(row, Answer.YES, consent.purpose, notice)
                restored += transitions.record_answer(row.contact, consent.purpose, act).move == "give"
    row.rule = "5 undoes a stop" if restored else row.rule
    return restored > 0


def _newest_stops(row: InboundMessage) -> list[Suppression]:
    """What the newest STOP suppresses; one that came late does so purpose by purpose."""
    assert row.sender is not None  # noqa: S101 - for the type checker; asked by the caller
    brand = row.sender.brand_id
    mine = [
        stop
        for stop in doors.suppressions(row.phone).select_related("purpose")
        if brand == stop.brand_id or (stop.purpose and stop.purpose.brand_id == brand)
        or (stop.brand_id is None and stop.purpose_id is None)
    ]  # fmt: skip
    newest = max((s.since for s in mine if s.since <= row.received_at), default=None)
    return sorted((s for s in mine if s.since == newest), key=lambda s: s.pk)


def _first_said(stop: Suppression) -> object:
    """When the person first said this STOP; one said again carries the later time."""
    history = Suppression.history.filter(id=stop.pk)
    return history.aggregate(first=Min("since"))["first"] or stop.since


def _words_of_before(consent: Consent) -> Notice | None:
    said = Proof.objects.filter(contact=consent.contact_id, purpose=consent.purpose_id, answer=Answer.YES)
    last = said.filter(notice__isnull=False).select_related("notice").order_by("-captured_at", "-pk").first()
    return last.notice if last else None


# --- YES and NO ------------------------------------------------------------------------------------------------------


def pending_request(row: InboundMessage) -> bool:
    """Record YES or NO as the answer to the newest request to this number that waits, if it is young enough.

    Returns:
        Whether there was one.

    Raises:
        DomainError: the answer cannot be recorded.
    """
    if row.contact is None:
        return False
    asked = Message.objects.filter(
        contact=row.contact,
        phone=row.phone,
        kind__in=ASKING,
        state__in=Message.GONE,
        handed_at__gt=row.received_at - timedelta(days=settings.REQUEST_DAYS),
        handed_at__lte=row.received_at,
    ).select_related("purpose__brand")
    if row.sender is not None:
        asked = asked.filter(purpose__brand=row.sender.brand_id)
    for message in asked.order_by("-handed_at", "-pk"):
        if (consent := _waiting(message)) is None or message.purpose is None:
            continue
        notice = consent.proof.notice if consent.proof else None
        answer = Answer.YES if row.meaning == M.YES else Answer.NO
        transitions.record_answer(row.contact, message.purpose, _act(row, answer, message.purpose, notice))
        row.rule = f"6 {answer} to {message.kind}"
        return True
    return False


def _waiting(message: Message) -> Consent | None:
    """The consent a request asks about, while it waits for an answer."""
    consent = Consent.objects.filter(contact=message.contact_id, purpose=message.purpose_id)
    found = consent.select_related("proof__notice").first()
    if found is None:
        return None
    if message.kind == K.DOUBLE_OPT_IN:
        return found if found.status == Consent.Status.REQUESTED else None
    answered = message.handed_at is None or found.effective_at > message.handed_at
    return found if found.status in Consent.PERMITTING and not answered else None
