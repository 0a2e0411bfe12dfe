"""Notices and policies in the admin: draft, checklist, publish, read only, new version."""

from typing import Any

import pytest
from django.urls import reverse

from consent.ledger.models import Notice, PrivacyPolicy
from tests import factories

pytestmark = pytest.mark.django_db

MODELS = ["notice", "privacypolicy"]
BODY = "Officina S.p.A. answers for your data. Write to privacy@example.org."


def draft(model: str) -> Any:
    purpose = factories.purpose()
    if model == "privacypolicy":
        return factories.policy(purpose.brand, published=False, body=BODY)
    factories.policy(purpose.brand)
    return factories.notice(purpose, published=False)


def url(row: Any, name: str) -> str:
    return reverse(f"admin:ledger_{row._meta.model_name}_{name}", args=[row.pk])


@pytest.mark.parametrize("model", MODELS)
def test_an_officer_publishes_a_complete_draft_once(model: str, officer: Any, sign_in: Any) -> None:
    row, client = draft(model), sign_in(officer)
    assert url(row, "publish") in client.get(url(row, "change")).content.decode()
    page = client.get(url(row, "publish")).content.decode()
    assert "Publish now" in page
    row.refresh_from_db()
    assert not row.is_published
    for _submit in range(2):
        assert client.post(url(row, "publish")).status_code == 302
    row = type(row)._default_manager.get(pk=row.pk)
    assert row.published_by == "officer"
    assert row.history.filter(published_at__isnull=False).count() == 1


def test_what_is_missing_is_shown_and_stops_publishing(officer: Any, sign_in: Any) -> None:
    notice = factories.notice(factories.purpose(), published=False, text="Officina: jobs by SMS", frequency="weekly")
    client = sign_in(officer)
    for page in (client.get(url(notice, "change")), client.get(url(notice, "publish"))):
        text = page.content.decode()
        assert "It says how to stop (STOP)" in text
        assert text.count("badge--stop") == 6
        assert "Publish now" not in text
    refused = client.post(url(notice, "publish"))
    assert refused.status_code == 409
    assert "This cannot be published yet. Missing:" in refused.content.decode()
    assert not Notice.objects.get().is_published


@pytest.mark.parametrize("model", MODELS)
def test_a_published_version_only_reads_even_for_a_superuser(model: str, superuser: Any, sign_in: Any) -> None:
    row = draft(model)
    client = sign_in(superuser)
    client.post(url(row, "publish"))
    text = client.get(url(row, "change")).content.decode()
    assert "this version never changes" in text
    assert 'name="_save"' not in text
    assert "deletelink" not in text
    assert client.post(url(row, "change"), {"text": "other", "body": "other"}).status_code == 403
    assert client.post(url(row, "delete"), {"post": "yes"}).status_code == 403
    assert "other" not in str(type(row)._default_manager.filter(pk=row.pk).values())


@pytest.mark.parametrize("model", MODELS)
def test_a_new_version_is_made_by_post_and_only_once(model: str, officer: Any, sign_in: Any) -> None:
    row, client = draft(model), sign_in(officer)
    client.post(url(row, "publish"))
    rows = type(row)._default_manager
    assert client.get(url(row, "new_version")).status_code == 405
    count = rows.count()
    for _submit in range(2):
        client.post(url(row, "new_version"))
    assert rows.count() == count + 1
    copy = rows.get(version=2)
    assert not copy.is_published
    assert copy.history.get().actor == "officer"


def test_an_officer_edits_and_deletes_a_draft(officer: Any, sign_in: Any) -> None:
    notice, client = draft("notice"), sign_in(officer)
    answer = client.post(
        url(notice, "change"),
        {"text": "New words", "frequency": "weekly", "material_change": "on", "_reason": "clearer", "purpose": 99},
    )
    assert answer.status_code == 302
    notice.refresh_from_db()
    assert (notice.text, notice.material_change) == ("New words", True)
    assert notice.history.first().history_change_reason == "clearer"
    client.post(url(notice, "delete"), {"post": "yes"})
    assert not Notice.objects.exists()


def test_an_officer_adds_a_draft(officer: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    page = reverse("admin:ledger_notice_add")
    sign_in(officer).post(page, {"purpose": purpose.pk, "language": "it", "text": "Testo", "frequency": "ogni giorno"})
    notice = Notice.objects.get()
    assert (notice.version, notice.is_published) == (1, False)


def test_nobody_publishes_words_they_did_not_read(officer: Any, sign_in: Any) -> None:
    notice, client = draft("notice"), sign_in(officer)
    read = client.get(url(notice, "publish")).context["read"]
    with factories.acting():
        notice.frequency = "up to 2 a week (SMS)"
        notice.save()
    answer = client.post(url(notice, "publish"), {"read": read})
    assert answer.status_code == 409
    assert "Read it again" in answer.content.decode()
    notice.refresh_from_db()
    assert not notice.is_published


@pytest.mark.parametrize("who", ["recruiter", "manager", "auditor", "stranger"])
@pytest.mark.parametrize("page", ["publish", "new_version"])
@pytest.mark.parametrize("model", MODELS)
def test_only_officers_publish(model: str, page: str, who: str, request: Any, sign_in: Any) -> None:
    row = draft(model)
    response = sign_in(request.getfixturevalue(who)).post(url(row, page))
    assert response.status_code == (302 if who == "stranger" else 403)
    assert not Notice.objects.filter(published_at__isnull=False).exists()
    assert PrivacyPolicy.objects.count() + Notice.objects.count() == (1 if model == "privacypolicy" else 2)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_and_finds_drafts(
    rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any
) -> None:
    purpose = factories.purpose()
    for language in ("en", "it", "de")[:rows]:
        factories.notice(purpose, language, published=False)
    factories.notice(purpose, "fr")
    client = sign_in(officer)
    with django_assert_num_queries(7):
        response = client.get(reverse("admin:ledger_notice_changelist") + "?state=draft")
    assert len(response.context["cl"].result_list) == rows
