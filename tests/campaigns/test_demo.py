"""``manage.py demo_data``: the whole demo world, made once."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import lint
from campaigns.demo import senders
from campaigns.models import Campaign, Conversation, InboundMessage, Keyword, Message, Sender
from consent.contacts.models import Contact, Suppression
from consent.core import history, roles
from consent.ledger import decision, selections
from consent.ledger.demo import people
from consent.ledger.models import Consent, ImportBatch, Method, Notice, Proof, Purpose, RenewalTask


def run() -> str:
    out = StringIO()
    call_command("demo_data", stdout=out)
    return out.getvalue()


@pytest.mark.hours
@pytest.mark.django_db
def test_the_demo_world_shows_everything_and_is_made_once(settings: Any, clock: Any) -> None:
    settings.DEBUG = True
    said = run()

    # who can log in
    users = {user.username: user for user in get_user_model().objects.all()}
    assert set(users) == {"admin", "officer", "recruiter", "manager", "auditor"}
    assert users["admin"].is_superuser
    assert users["recruiter"].groups.get().name == roles.RECRUITER
    assert users["officer"].check_password(people.PASSWORD)
    assert people.PASSWORD in said

    # every state, every method, weak and missing proof, what ends soon, what waits
    now = timezone.now()
    assert set(Consent.objects.values_list("status", flat=True)) == set(Consent.Status.values)
    assert set(Proof.objects.values_list("method", flat=True)) == set(Method.values)
    assert Consent.objects.filter(selections.weak()).exists()
    assert Consent.objects.filter(selections.missing()).exists()
    ends = [Consent.objects.filter(selections.expiring(days, now)).count() for days in (7, *selections.EXPIRING)]
    assert ends[0] > 0
    assert ends == sorted(set(ends))
    ended = Consent.objects.filter(status__in=["refused", "withdrawn"], effective_at__gt=now - timedelta(weeks=12))
    assert len({row.isocalendar()[:2] for row in ended.values_list("effective_at", flat=True)}) >= 10
    assert RenewalTask.objects.filter(done_at__isnull=True).exists()
    assert Notice.objects.filter(published_at__isnull=True).get().version == 2
    with_contact = Contact.objects.values("phone_digest")
    assert Suppression.objects.exclude(digest__in=with_contact).count() == 3

    # a list was imported, with mistakes that were told
    batch = ImportBatch.objects.get()
    assert batch.state == ImportBatch.State.DONE
    assert (batch.total, batch.applied, batch.rejected) == (9, 5, 3)
    assert batch.unknown == 1

    # nobody said anything in the future, and the past was recorded in the past
    assert not Proof.objects.filter(captured_at__gt=now).exists()
    assert not Proof.objects.filter(recorded_at__gt=timezone.now()).exists()
    assert Proof.objects.filter(recorded_at__lt=now - timedelta(days=300)).exists()
    told = history.history_of(Consent).objects
    assert told.filter(history_date__lt=now - timedelta(days=300)).exists()
    assert not told.filter(actor="").exists()

    # somebody may be texted for every purpose, once it is their hour
    for purpose in Purpose.objects.all():
        assert _reachable(purpose, now) > 10

    _texting(now)

    before = Contact.objects.count()
    assert "no demo data was added" in run()
    assert Contact.objects.count() == before


def _reachable(purpose: Purpose, now: Any) -> int:
    found = decision.counts(decision.context_for(purpose, now))
    return sum(found.get(code, 0) for code in ("allowed", *decision.deferring()))


def _texting(now: Any) -> None:
    """Senders for both brands, campaigns in every state staff look at, and everything that can come back."""
    for sender in Sender.objects.all():
        sender.full_clean()
        assert sender.gateway == "console"
    assert {brand for brand, _n in Sender.objects.values_list("brand__slug", "pk")} == {
        "officina-lavoro",
        "mercado-vivo",
    }
    assert Keyword.objects.count() == 2

    states = set(Campaign.objects.values_list("state", "paused_by"))
    assert states == {("draft", ""), ("in_review", ""), ("scheduled", ""), ("paused", "brake"), ("completed", "")}
    assert not Campaign.objects.filter(state="scheduled", scheduled_at__lte=now).exists()
    completed = Campaign.objects.get(state="completed").messages
    assert {"refused", "delivered", "undelivered", "unknown"} <= set(completed.values_list("state", flat=True))
    assert completed.filter(state="refused").values("refusal").distinct().count() >= 4
    assert not completed.filter(state="delivered", body="").exists()

    kinds = set(Message.objects.values_list("kind", flat=True))
    assert kinds == set(Message.Kind.values) - {"reconfirmation"}
    assert not Message.objects.exclude(state__in=Message.OPEN).filter(handed_at__gt=now).exists()
    assert not Message.objects.filter(refusal="error").exists()

    assert set(InboundMessage.objects.values_list("meaning", flat=True)) == set(InboundMessage.Meaning.values)
    assert InboundMessage.objects.filter(state="review", review_by__gt=now).count() == 2
    assert not InboundMessage.objects.filter(state="new").exists()
    live = Conversation.objects.filter(closes_at__gt=now)
    assert live.filter(answered_at__isnull=False).exists() and live.filter(answered_at__isnull=True).exists()
    assert live.filter(contact__created_by__username="recruiter").exists()

    # A first text that would come too late is the exception, as it should be.
    jobs = Purpose.objects.get(slug="job-alerts")
    late = decision.counts(decision.context_for(jobs, now)).get("reconfirmation_due", 0)
    assert _reachable(jobs, now) > 5 * late


@pytest.mark.django_db
def test_what_the_demos_campaigns_say_could_be_approved(settings: Any, acting: None) -> None:
    from consent.ledger.demo import words

    made = words.make(timezone.now() - timedelta(days=1))
    found = []
    for name, row in senders.data()["campaigns"].items():
        purpose = made[row["purpose"]]
        sender = Sender(brand=purpose.brand, address=row["sender"], type="short_code", kinds=[purpose.kind])
        for language, text in row["texts"].items():
            found += [
                f"{name} {language}: {finding.sentence}"
                for finding in lint.findings(text, language, purpose=purpose, sender=sender)
                if finding.level == "stop"
            ]
    assert found == []


@pytest.mark.django_db
def test_demo_data_needs_debug(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        run()
    assert not get_user_model().objects.exists()


@pytest.mark.django_db
def test_demo_data_leaves_a_database_with_users_alone(settings: Any, officer: Any) -> None:
    settings.DEBUG = True
    assert "no demo data was added" in run()
    assert not Contact.objects.exists()
