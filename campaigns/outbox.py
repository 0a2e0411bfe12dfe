"""The door through which a text that is not a campaign's comes to be sent: a row, written in the transaction of its
cause. Whether it goes is decided when it goes (P1)."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import waking
from campaigns.models import InboundMessage, Message, Sender
from consent.contacts.models import Contact
from consent.ledger.models import Brand, Consent, Purpose

BATCH = 2000
_log = logging.getLogger(__name__)


def sender_for(what: Purpose | Brand, country: str) -> Sender | None:
    """The sender to use for somebody: one of the same country, else one that receives replies, else the oldest.

    Args:
        what: the purpose the text is for; a brand for what only answers, such as HELP, which any of its senders may.
        country: ISO 3166-1 alpha-2, the person's.

    Returns:
        None: nothing can be sent for it.
    """
    return _choose(_senders([_brand(what)]), what, country)


def mute() -> list[Purpose]:
    """The purposes in use that no sender may text for: nothing goes out for them, not even a confirmation."""
    purposes = list(Purpose.objects.filter(active=True).select_related("brand"))
    senders = _senders({p.brand_id for p in purposes})
    return [p for p in purposes if _choose(senders, p, "") is None]


def _brand(what: Purpose | Brand) -> int:
    return what.brand_id if isinstance(what, Purpose) else what.pk


def _senders(brands: Iterable[int]) -> list[Sender]:
    found = Sender.objects.filter(active=True, brand__in=brands)
    return list(found.select_related("brand", "stop_sender").order_by("pk"))


def _choose(senders: Sequence[Sender], what: Purpose | Brand, country: str) -> Sender | None:
    usable = [s for s in senders if s.brand_id == _brand(what)]
    if isinstance(what, Purpose):
        usable = [s for s in usable if not s.barred(what)]
    return min(usable, key=lambda s: (s.country != country, not s.two_way, s.pk), default=None)


def _body(kind: str, language: str, sender: Sender, purpose: Purpose | None, consent: Consent | None) -> str:
    from campaigns import wording

    return wording.system_text(kind, language, sender=sender, purpose=purpose, consent=consent)


def queue(
    kind: str,
    *,
    sender: Sender,
    phone: str,
    language: str,
    contact: Contact | None = None,
    purpose: Purpose | None = None,
    consent: Consent | None = None,
    once: str | None = None,
    body: str = "",
    inbound: InboundMessage | None = None,
    written_by: Any = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> Message | None:
    """Write one text down to be sent, and wake the workers of its sender after commit.

    Args:
        kind: one of ``Message.Kind``, not a campaign's.
        sender: from whom (``sender_for``).
        phone: E.164.
        language: of the text.
        contact, purpose, consent: whom and what it concerns, as far as there are such; the consent brings its proof.
        once: what may happen only once, such as ``welcome:17``.
        body: the text; empty: what ``wording.system_text`` has for this kind.
        inbound: the text it answers.
        written_by: the user who wrote it.
        not_before, expires_at: when it may go; from now on and without an end, when not given.

    Returns:
        The message; None when ``once`` happened already.
    """
    if once and Message.objects.filter(once=once).exists():
        return None
    now = timezone.now()
    message = Message(
        kind=kind,
        state=Message.State.QUEUED,
        sender=sender,
        contact=contact,
        phone=phone,
        language=language,
        purpose=purpose,
        consent=consent,
        proof_id=consent.proof_id if consent else None,
        body=body or _body(kind, language, sender, purpose, consent),
        once=once,
        inbound=inbound,
        written_by=written_by,
        created_at=now,
        not_before=not_before or now,
        expires_at=expires_at,
    )
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        if once and Message.objects.filter(once=once).exists():  # somebody was faster
            return None
        raise
    waking.wake([sender.pk])
    return message


def queue_many(
    kind: str,
    consents: Sequence[int],
    *,
    once: Callable[[Consent], str],
    expires_at: Callable[[Consent], datetime | None],
    only: Q | None = None,
) -> int:
    """Write one text for each of many consents, in a constant number of statements for every ``BATCH`` of them.

    A consent whose purpose no sender may text for gets none: the log says how many, and the front page which purposes
    (``mute``).

    Args:
        kind: one of ``Message.Kind``.
        consents: the ids of what the texts concern.
        once: what each text may happen only once for.
        expires_at: not later than this.
        only: a condition on the consents.

    Returns:
        How many were written.
    """
    written = 0
    for start in range(0, len(consents), BATCH):
        batch = Consent.objects.filter(only or Q(), pk__in=consents[start : start + BATCH]).order_by("pk")
        rows = list(batch.select_related("contact", "purpose__brand", "proof__notice", "proof__policy"))
        written += _queue_batch(kind, rows, once, expires_at) if rows else 0
    return written


def _queue_batch(
    kind: str,
    consents: list[Consent],
    once: Callable[[Consent], str],
    expires_at: Callable[[Consent], datetime | None],
) -> int:
    keys = {once(consent): consent for consent in consents}
    for key in Message.objects.filter(once__in=keys).values_list("once", flat=True):
        del keys[str(key)]
    if not keys:
        return 0
    senders = _senders({c.purpose.brand_id for c in keys.values()})
    chosen: dict[tuple[int, str], Sender | None] = {}
    unsent: Counter[str] = Counter()
    messages, now = [], timezone.now()
    for key, consent in keys.items():
        contact, purpose = consent.contact, consent.purpose
        place = (purpose.pk, contact.country)
        if place not in chosen:
            chosen[place] = _choose(senders, purpose, contact.country)
        if (sender := chosen[place]) is None:
            unsent[purpose.path] += 1
            continue
        language = contact.language
        messages.append(
            Message(
                kind=kind,
                state=Message.State.QUEUED,
                sender=sender,
                contact=contact,
                phone=contact.phone.as_e164,
                language=language,
                purpose=purpose,
                consent=consent,
                proof_id=consent.proof_id,
                body=_body(kind, language, sender, purpose, consent),
                once=key,
                created_at=now,
                not_before=now,
                expires_at=expires_at(consent),
            )
        )
    for path, count in unsent.items():
        _log.warning("No sender may text for %s: %d texts (%s) were not written.", path, count, kind)
    with transaction.atomic():
        Message.objects.bulk_create(messages, ignore_conflicts=True, batch_size=500)
    waking.wake(message.sender_id for message in messages)
    return len(messages)
