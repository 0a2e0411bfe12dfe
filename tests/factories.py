"""Rows for tests, made through the same doors the product uses. Numbers reach nobody."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from campaigns.models import Campaign, CampaignBody, Message, Sender
from consent.contacts import doors
from consent.contacts.models import Audience, Contact
from consent.core import history, numbers
from consent.ledger import proofs, transitions
from consent.ledger.models import Brand, Consent, Notice, PrivacyPolicy, Purpose

_serial = itertools.count(1)

CALL_TO_ACTION = (
    "{brand} will send you text messages (SMS) about {purpose}, up to 2 a week. Reply STOP to end, HELP for help. "
    "Privacy: https://example.org/privacy. Saying yes is not a condition of anything. Msg & data rates may apply."
)


def acting(reason: str = "test") -> Any:
    return history.acting(history.Actor.job("test"), reason)


def brand(slug: str = "officina", **fields: Any) -> Brand:
    with acting():
        return Brand.objects.create(
            slug=slug,
            **{
                "name": slug.title(),
                "controller": f"{slug.title()} S.p.A.",
                "controller_address": "Via Roma 1, Milano",
                "contact": "privacy@example.org",
                "seat_country": "IT",
                "zone": "Europe/Rome",
            }
            | fields,
        )


def purpose(slug: str = "job-alerts", *, of: Brand | None = None, **fields: Any) -> Purpose:
    owner = of or Brand.objects.first() or brand()
    with acting():
        return Purpose.objects.create(
            brand=owner, slug=slug, **{"name": slug.replace("-", " ").title(), "kind": "recruitment"} | fields
        )


def notice(to: Purpose, language: str = "en", *, published: bool = True, **fields: Any) -> Notice:
    with acting():
        row = Notice(
            purpose=to,
            language=language,
            **{
                "text": CALL_TO_ACTION.format(brand=to.brand.name, purpose=to.name),
                "frequency": "up to 2 a week",
            }
            | fields,
        )
        if published and "published_at" not in fields:
            row.published_at = timezone.now() - relativedelta(years=5)
            row.published_by = "test"
        row.save()
        return row


def policy(of: Brand, language: str = "en", *, published: bool = True, **fields: Any) -> PrivacyPolicy:
    with acting():
        row = PrivacyPolicy(
            brand=of,
            language=language,
            **{"url": "https://example.org/privacy", "body": "How we use your data."} | fields,
        )
        if published:
            row.published_at = timezone.now() - relativedelta(years=5)
            row.published_by = "test"
        row.save()
        return row


def number(country: str = "IT", index: int | None = None) -> numbers.Number:
    """A fresh number that can receive texts."""
    n = next(_serial) if index is None else index
    typed = {
        "IT": f"+39 312 {n:07d}",
        "GB": f"+44 7700 900{n % 1000:03d}",
        "US": f"+1 {('212', '305', '915')[n % 3]} 555 {1000 + n:04d}",
        "DE": f"+49 1512 {3000000 + n:07d}",
        "FR": f"+33 6 39 98 {n // 100 % 100:02d} {n % 100:02d}",
        "ES": f"+34 612 {n:06d}",
        "PT": f"+351 912 {n:06d}",
    }[country]
    return numbers.parse(typed, country)


def contact(name: str = "Ada Prova", *, country: str = "IT", typed: str | None = None, **fields: Any) -> Contact:
    parsed = numbers.parse(typed, country) if typed else number(country)
    direct = {k: fields.pop(k) for k in ("restricted_since", "held_since", "max_per_week") if k in fields}
    with acting():
        row, _new = doors.register(parsed, name=name, **fields)
        if direct:
            for key, value in direct.items():
                setattr(row, key, value)
            row.save()
    return row


def act(to: Purpose, answer: str = "yes", method: str = "web_form", **fields: Any) -> proofs.Act:
    """A complete act; the notice is the purpose's first published one, made if there is none."""
    shown = Notice.objects.filter(purpose=to, published_at__isnull=False).order_by("version").first() or notice(to)
    return proofs.Act(
        method=method,
        answer=answer,
        **{
            "captured_at": timezone.now() - timedelta(days=1),
            "notice": shown,
            "recorded_by": "test",
            "place": "Job fair Milano",
            "read_verbatim": True,
            "reference": "https://example.org/optin/1",
            "source": "website",
            "details": "appointment 12",
        }
        | fields,
    )


def consent(of: Contact | None = None, to: Purpose | None = None, *, status: str = "given", **fields: Any) -> Consent:
    """A consent in any state, reached through the doors."""
    person = of or contact()
    to = to or Purpose.objects.first() or purpose()
    when: datetime = fields.pop("captured_at", timezone.now() - timedelta(days=1))
    with acting():
        if status == "unknown":
            entry = transitions.Entry(person, to, act(to, answer="none", captured_at=when))
            transitions.record_answers([entry], by_import=True)
        elif status == "requested":
            asked = Purpose.objects.get(pk=to.pk)
            asked.double_opt_in = True
            transitions.record_answer(person, asked, act(to, captured_at=when, **fields))
        elif status == "refused":
            transitions.record_answer(person, to, act(to, answer="no", captured_at=when, **fields))
        else:
            transitions.record_answer(person, to, act(to, captured_at=when, **fields))
            row = Consent.objects.get(contact=person, purpose=to)
            later = when + timedelta(seconds=1)
            if status == "renewed":
                transitions.record_answer(person, to, act(to, captured_at=later, **fields))
            elif status == "withdrawn":
                transitions.withdraw(person, to, act(to, answer="no", captured_at=later), scope="purpose")
            elif status in ("revoked", "invalidated"):
                transitions.end(row, status.removesuffix("d").removesuffix("e") + "e", effective_at=later)
            elif status == "expired":
                transitions.expire(Consent.objects.filter(pk=row.pk))
    return Consent.objects.get(contact=person, purpose=to)


def sender(of: Brand | None = None, *, address: str = "36123", **fields: Any) -> Sender:
    """A two-way short code on the console gateway that may be used for every kind of purpose."""
    owner = of or Brand.objects.first() or brand()
    with acting():
        return Sender.objects.create(
            brand=owner,
            address=address,
            **{
                "type": "short_code",
                "country": "IT",
                "kinds": list(Purpose.Kind.values),
                "gateway": "console",
                "rate_per_second": 1000,
            }
            | fields,
        )


def campaign(to: Purpose | None = None, *, author: Any, approver: Any = None, **fields: Any) -> Campaign:
    """A campaign in English to everybody; approved when an approver is given. ``text`` is its English body."""
    topic = to or Purpose.objects.first() or purpose()
    text = fields.pop("text", "{brand}: new jobs this week, {first_name}.")
    with acting():
        everybody, _new = Audience.objects.get_or_create(name="Everybody")
    approved = {"state": "approved", "approver": approver, "approved_at": timezone.now()} if approver else {}
    with acting():
        row = Campaign.objects.create(
            purpose=topic,
            author=author,
            editor=author,
            **{
                "name": "Jobs this week",
                "audience": everybody,
                "sender": fields.pop("sender", None)
                or Sender.objects.filter(brand=topic.brand).first()
                or sender(topic.brand),
                "language": "en",
            }
            | approved
            | fields,
        )
        CampaignBody.objects.create(campaign=row, language="en", text=text)
    return row


def message(of: Contact | None = None, **fields: Any) -> Message:
    """A text as a row, past the doors: queued now, unless the fields say something else."""
    person = of or contact()
    at = timezone.now()
    return Message.objects.create(
        contact=person,
        phone=person.phone.as_e164,
        language=person.language,
        **{
            "kind": "campaign" if fields.get("campaign") else "welcome",
            "state": "queued",
            "sender": fields["campaign"].sender if fields.get("campaign") else Sender.objects.first() or sender(),
            "purpose": fields["campaign"].purpose if fields.get("campaign") else Purpose.objects.first() or purpose(),
            "body": "Officina: thank you.",
            "created_at": at,
            "not_before": at,
        }
        | fields,
    )
