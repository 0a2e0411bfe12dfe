"""``manage.py demo_data``: the whole demo world, made once."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from consent.contacts.models import Contact, Suppression
from consent.core import history, roles
from consent.ledger import decision, publishing, selections
from consent.ledger.demo import people, words
from consent.ledger.models import (
    Brand,
    Consent,
    ImportBatch,
    Method,
    Notice,
    PrivacyPolicy,
    Proof,
    Purpose,
    RenewalTask,
)

LANGUAGES = [code for code, _label in django_settings.LANGUAGES]


def run() -> str:
    out = StringIO()
    call_command("demo_data", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_demo_world_shows_everything_and_is_made_once(settings: Any) -> None:
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

    # somebody may be texted for every purpose
    for purpose in Purpose.objects.all():
        assert decision.counts(decision.context_for(purpose, now))["allowed"] > 10

    before = Contact.objects.count()
    assert "no demo data was added" in run()
    assert Contact.objects.count() == before


@pytest.mark.django_db
def test_the_words_of_the_demo_are_those_of_the_shared_files_and_could_be_published() -> None:
    with history.acting(history.Actor.job("test"), "test"):
        made = words.make(timezone.now() - timedelta(days=1))
    for row in [*Notice.objects.select_related("purpose__brand"), *PrivacyPolicy.objects.select_related("brand")]:
        assert row.is_published
        assert [f"{row}: {check.requirement}" for check in publishing.missing(row)] == []
    assert Notice.objects.count() == 4 * len(LANGUAGES)
    assert PrivacyPolicy.objects.count() == 2 * len(LANGUAGES)
    assert {path: purpose.kind for path, purpose in made.items()} == {
        "officina-lavoro/job-alerts": "recruitment",
        "officina-lavoro/interview-reminders": "informational",
        "mercado-vivo/offers": "marketing",
        "mercado-vivo/order-updates": "informational",
    }
    ordinary = {"web_form", "application", "keyword", "verbal", "paper", "email_reply"}
    for purpose in made.values():
        purpose.full_clean()
        assert ordinary <= set(purpose.accepted_methods)
    for brand in Brand.objects.all():
        brand.full_clean()


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


def test_every_language_has_its_file() -> None:
    assert sorted(path.stem for path in (words.HERE / "texts").iterdir()) == sorted(LANGUAGES)
    assert json.dumps(words.world())
