"""History: set-based rows equal simple-history's own, nothing changes without an actor, one row a change (P3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from campaigns.models import Campaign, CampaignBody, Keyword, Sender, SendingWindow
from consent.contacts.models import Audience, Contact, Suppression
from consent.core import history
from consent.core.errors import MissingActor
from consent.ledger.models import Brand, Consent, Notice, PrivacyPolicy, Purpose, RenewalTask
from tests import factories

pytestmark = pytest.mark.django_db


def _renewal() -> RenewalTask:
    consent = factories.consent()
    with factories.acting():
        return RenewalTask.objects.create(
            consent=consent, expires_at=timezone.now(), stage=30, created_at=timezone.now()
        )


def _suppression() -> Suppression:
    with factories.acting():
        return Suppression.objects.create(digest="d" * 64, key_id="k", reason="stop", since=timezone.now())


def _audience() -> Audience:
    with factories.acting():
        return Audience.objects.create(name="Milano", kind="applicant", language="it")


def _keyword() -> Keyword:
    purpose = factories.purpose()
    with factories.acting():
        return Keyword.objects.create(
            sender=factories.sender(), word="JOBS", purpose=purpose, notice=factories.notice(purpose)
        )


def _window() -> SendingWindow:
    with factories.acting():
        return SendingWindow.objects.create(
            country="XX", monday="09:00-20:00", basis="house", source="RULES §3", valid_from=timezone.localdate()
        )


def _campaign() -> Campaign:
    return factories.campaign(author=get_user_model().objects.create_user("author"))


def _draft(kind: Callable, of: Any) -> Any:
    return kind(of, published=False)


# One row of each tracked model, and values to give it: a new tracked model fails here until it has a line.
SAMPLES: dict[type[models.Model], tuple[Callable[[], Any], dict[str, Any]]] = {
    Contact: (
        lambda: factories.contact("Zoë Prova", max_per_week=3, restricted_since=timezone.now()),
        {"name": "Anna", "max_per_week": None, "held_since": timezone.now()},
    ),
    Suppression: (_suppression, {"lifted_at": timezone.now(), "reason": "objection"}),
    Audience: (_audience, {"kind": "", "country": "IT"}),
    Brand: (factories.brand, {"name": "Nuova", "stop_scope": "brand", "opt_in_rate_low": 4}),
    Purpose: (factories.purpose, {"accepted_methods": ["verbal"], "double_opt_in": True}),
    Notice: (lambda: _draft(factories.notice, factories.purpose()), {"text": "new %s words", "material_change": True}),
    PrivacyPolicy: (lambda: _draft(factories.policy, factories.brand()), {"body": "new words"}),
    Consent: (factories.consent, {"status": "withdrawn", "effective_at": timezone.now(), "expires_at": None}),
    RenewalTask: (_renewal, {"done_at": timezone.now(), "note": "called"}),
    Sender: (factories.sender, {"rate_per_second": 3, "kinds": ["informational"], "active": False}),
    Keyword: (_keyword, {"word": "LAVORO", "active": False}),
    SendingWindow: (_window, {"monday": "", "max_per_day": 3}),
    Campaign: (_campaign, {"name": "Jobs", "ends_at": timezone.now()}),
    CampaignBody: (lambda: _campaign().bodies.get(), {"text": "{brand}: new %s words"}),
}


@pytest.fixture(params=history.tracked_models(), ids=lambda model: model.__name__)
def sample(request: pytest.FixtureRequest, db: None) -> tuple[Any, dict[str, Any]]:
    assert request.param in SAMPLES, f"{request.param.__name__} is tracked: give it a line in SAMPLES"
    make, changes = SAMPLES[request.param]
    return make(), changes


def last(row: Any) -> Any:
    return row.history.order_by("-history_id").first()


def columns(entry: Any) -> dict[str, Any]:
    """Every column of a history row that is not about when it was written."""
    return {
        field.attname: getattr(entry, field.attname)
        for field in entry._meta.concrete_fields
        if field.name not in ("history_id", "history_date")
    }


def compare(ours: Any, theirs: Any) -> None:
    assert columns(ours) == columns(theirs)
    assert abs(ours.history_date - theirs.history_date) < timedelta(seconds=10)
    assert ours.history_id != theirs.history_id


def saved(row: Any, *, created: bool) -> Any:
    """The history row that simple-history itself writes for the row as it stands."""
    fresh = type(row).objects.get(pk=row.pk)
    models.signals.post_save.send(sender=type(row), instance=fresh, created=created, raw=False, using="default")
    return last(row)


def test_created_rows_equal_those_of_simple_history(sample: Any, officer: Any) -> None:
    row, _changes = sample
    with history.acting(history.Actor.of(officer), "bulk %s"):
        assert history.created(type(row).objects.filter(pk=row.pk)) == 1
        ours = last(row)
        compare(ours, saved(row, created=True))
    assert (ours.actor, ours.history_user_id, ours.history_change_reason) == ("officer", officer.pk, "bulk %s")


def test_changed_rows_equal_those_of_simple_history(sample: Any) -> None:
    row, _changes = sample
    with factories.acting():
        assert history.changed(type(row).objects.filter(pk=row.pk)) == 1
        compare(last(row), saved(row, created=False))


def test_updated_rows_equal_those_of_simple_history(sample: Any, officer: Any) -> None:
    row, changes = sample
    before = row.history.count()
    with history.acting(history.Actor.of(officer), "because"):
        assert history.update(type(row).objects.filter(pk=row.pk), **changes) == 1
        assert row.history.count() == before + 1
        ours = last(row)
        compare(ours, saved(row, created=False))
    fresh = type(row).objects.get(pk=row.pk)
    for name, value in changes.items():
        assert getattr(fresh, name) == value, name
        assert getattr(ours, name) == value, name


def test_every_tracked_model_has_a_sample() -> None:
    assert set(history.tracked_models()) == set(SAMPLES)


def test_a_change_outside_acting_is_refused_and_writes_nothing(sample: Any) -> None:
    row, changes = sample
    model = type(row)
    stored, entries = model.objects.filter(pk=row.pk).values().get(), row.history.count()
    attempts: list[Callable[[], Any]] = [
        row.save,
        lambda: history.update(model.objects.filter(pk=row.pk), **changes),
        lambda: history.created(model.objects.filter(pk=row.pk)),
        lambda: history.changed(model.objects.filter(pk=row.pk)),
    ]
    for name, value in changes.items():
        setattr(row, name, value)
    for attempt in attempts:
        with pytest.raises(MissingActor), transaction.atomic():
            attempt()
    assert model.objects.filter(pk=row.pk).values().get() == stored
    assert row.history.count() == entries


def test_the_innermost_block_counts_and_ends_with_itself(db: None) -> None:
    with history.acting(history.Actor.job("outer"), "outer"):
        with history.acting(history.Actor.job("inner"), "inner"):
            contact = factories.contact()
            assert history.current().reason == "inner"
        assert history.current() == history.Change(history.Actor("job:outer"), "outer")
    with pytest.raises(MissingActor):
        history.current()
    assert last(contact).actor == "job:test"  # the factory's own block lies innermost


def test_an_update_takes_expressions_related_filters_and_instances(acting: None) -> None:
    consent = factories.consent()
    other = factories.consent()
    mine = Consent.objects.filter(contact__phone=consent.phone.as_e164, proof__method="web_form")
    assert history.update(mine, effective_at=F("expires_at"), proof=other.proof) == 1
    consent.refresh_from_db()
    assert (consent.effective_at, consent.proof_id) == (consent.expires_at, other.proof_id)
    assert (last(consent).effective_at, last(consent).proof_id) == (consent.expires_at, other.proof_id)
    assert other.history.count() == 1


def test_an_update_may_filter_on_the_column_it_changes(acting: None) -> None:
    factories.consent()
    factories.consent()
    assert history.update(Consent.objects.filter(status="given"), status="revoked") == 2
    assert set(Consent.history.filter(history_type="~").values_list("status", flat=True)) == {"revoked"}
    assert history.update(Consent.objects.filter(status="given"), status="expired") == 0


def test_a_filter_across_many_related_rows_records_each_row_once(acting: None) -> None:
    purposes = [factories.purpose(), factories.purpose("other")]
    contact = factories.contact()
    for purpose in purposes:
        factories.consent(contact, purpose)
    assert history.update(Contact.objects.filter(consents__status="given"), held_since=timezone.now()) == 1
    assert contact.history.count() == 2


def test_nothing_to_write_writes_nothing(acting: None) -> None:
    factories.consent()
    entries = Consent.history.count()
    assert history.update(Consent.objects.none(), status="revoked") == 0
    assert history.created(Consent.objects.none()) == 0
    assert history.changed(Consent.objects.filter(pk__in=[])) == 0
    assert Consent.history.count() == entries


def test_set_based_writes_take_a_constant_number_of_queries(acting: None, django_assert_max_num_queries: Any) -> None:
    for _round in range(2):
        for _person in range(3):
            factories.consent()
        with django_assert_max_num_queries(4):  # savepoint, history, update, release
            assert history.update(Consent.objects.filter(status="given"), last_used_at=timezone.now())


def test_the_actor_outlives_the_account(officer: Any) -> None:
    with history.acting(history.Actor.of(officer), "r"):
        brand = Brand.objects.create(slug="b", name="B")
    officer.delete()
    assert (last(brand).actor, last(brand).history_user_id) == ("officer", None)
