"""What every admin page promises: who and why, a history nobody touches, nothing in bulk."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import NoReverseMatch, reverse

from consent.contacts.models import Audience, Contact, Tag
from consent.core import history
from consent.core.admin import BoundedPaginator, PlacetAdmin, TrackedAdmin
from consent.core.distinct import distinct_values
from tests import factories

pytestmark = pytest.mark.django_db

OURS = {"contacts", "ledger", "retention"}


def ours() -> list[Any]:
    return [model_admin for model, model_admin in admin.site._registry.items() if model._meta.app_label in OURS]


def test_every_page_stands_on_the_base_classes_and_offers_no_bulk_action(superuser: Any, rf: Any) -> None:
    request = rf.get("/")
    request.user = superuser
    for model_admin in ours():
        assert isinstance(model_admin, PlacetAdmin), model_admin
        assert model_admin.get_actions(request) == {}
        assert model_admin.list_editable == ()
        if model_admin.model in history.tracked_models():
            assert isinstance(model_admin, TrackedAdmin), model_admin


def test_no_history_table_is_registered_and_no_history_row_has_an_address(superuser: Any, sign_in: Any) -> None:
    tables = {history.history_of(model) for model in history.tracked_models()}
    assert tables and not tables & set(admin.site._registry)
    contact = factories.contact()
    row = contact.history.get()
    client = sign_in(superuser)
    for name in ("simple_history", "history_form"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:contacts_contact_{name}", args=[contact.pk, row.pk])
    url = reverse("admin:contacts_contact_history", args=[contact.pk])
    assert client.get(f"{url}{row.pk}/").status_code in (302, 404)
    client.post(url, {"action": "delete_selected", "name": "Forged"})
    assert list(contact.history.values_list("history_id", "name")) == [(row.pk, "Ada Prova")]


def test_history_page_tells_old_and_new_newest_first(officer: Any, sign_in: Any) -> None:
    with factories.acting("planned"):
        audience = Audience.objects.create(name="Milano", kind="customer")
    client = sign_in(officer)
    change = reverse("admin:contacts_audience_change", args=[audience.pk])
    client.post(change, {"name": "Milano", "kind": "applicant", "_reason": "only applicants"})
    url = reverse("admin:contacts_audience_history", args=[audience.pk])
    response = client.get(url)
    newest, oldest = response.context["events"]
    assert (newest["actor"], newest["reason"]) == ("officer", "only applicants")
    assert [(c["field"], c["old"], c["new"]) for c in newest["changes"]] == [("kind", "Customer", "Applicant")]
    assert (oldest["actor"], oldest["reason"], str(oldest["kind"])) == ("job:test", "planned", "Added")
    assert b"<style" not in response.content and b"style=" not in response.content


def test_history_page_is_paginated_and_compares_across_pages(officer: Any, sign_in: Any) -> None:
    with factories.acting():
        audience = Audience.objects.create(name="0")
        for n in range(1, 51):
            audience.name = str(n)
            audience.save()
    client = sign_in(officer)
    url = reverse("admin:contacts_audience_history", args=[audience.pk])
    first, second = client.get(url), client.get(url, {"p": "2"})
    assert len(first.context["events"]) == 50
    assert [(c["old"], c["new"]) for c in first.context["events"][-1]["changes"]] == [("0", "1")]
    assert [str(e["kind"]) for e in second.context["events"]] == ["Added"]


def test_history_needs_the_permission_to_view(recruiter: Any, sign_in: Any) -> None:
    with factories.acting():
        audience = Audience.objects.create(name="Milano")
    assert sign_in(recruiter).get(reverse("admin:contacts_audience_history", args=[audience.pk])).status_code == 403
    assert sign_in(recruiter).get(reverse("admin:contacts_audience_history", args=[999])).status_code in (403, 404)


def test_a_reason_is_never_missing(officer: Any, sign_in: Any) -> None:
    client = sign_in(officer)
    tag = Tag.objects.create(name="Fair")
    client.post(reverse("admin:contacts_audience_add"), {"name": "Milano", "tags": [tag.pk]})
    audience = Audience.objects.get()
    assert (audience.history.get().actor, audience.history.get().history_change_reason) == (
        "officer",
        "Added in the admin · Any of these tags: – → Fair",
    )
    client.post(reverse("admin:contacts_audience_change", args=[audience.pk]), {"name": "Roma", "tags": [tag.pk]})
    assert audience.history.first().history_change_reason == "Changed in the admin"
    client.post(reverse("admin:contacts_audience_delete", args=[audience.pk]), {"post": "yes"})
    gone = Audience.history.first()
    assert (gone.history_type, gone.history_change_reason) == ("-", "Deleted in the admin")


def test_what_changes_nothing_writes_nothing_and_tags_are_told_in_the_reason(officer: Any, sign_in: Any) -> None:
    with factories.acting():
        audience = Audience.objects.create(name="Milano")
    tag = Tag.objects.create(name="Fair")
    client = sign_in(officer)
    url = reverse("admin:contacts_audience_change", args=[audience.pk])
    assert client.post(url, {"name": "Milano "}).status_code == 302
    assert audience.history.count() == 1
    for _twice in range(2):
        assert client.post(url, {"name": "Milano", "tags": [tag.pk], "_reason": "fair\0"}).status_code == 302
    assert list(audience.tags.all()) == [tag]
    newest, _added = audience.history.all()
    assert newest.history_change_reason == "fair · Any of these tags: – → Fair"


def test_a_form_that_is_older_than_the_row_asks_once(officer: Any, sign_in: Any) -> None:
    with factories.acting():
        audience = Audience.objects.create(name="Milano")
    client = sign_in(officer)
    url = reverse("admin:contacts_audience_change", args=[audience.pk])
    stale = {"name": "Milano", "kind": "customer", "_seen": client.get(url).context["seen"]}
    assert client.post(url, {**stale, "name": "Roma", "kind": ""}).status_code == 302
    warned = client.post(url, stale)
    assert "Somebody changed this" in warned.content.decode()
    assert f'name="_seen" value="{warned.context["seen"]}"' in warned.content.decode()
    audience.refresh_from_db()
    assert (audience.name, audience.kind) == ("Roma", "")
    assert client.post(url, {**stale, "_seen": warned.context["seen"]}).status_code == 302
    assert audience.history.count() == 3


def test_the_stock_log_keeps_no_names(officer: Any, sign_in: Any) -> None:
    contact = factories.contact()
    client = sign_in(officer)
    client.post(reverse("admin:contacts_tag_add"), {"name": "Fair"})
    client.post(reverse("admin:contacts_contact_change", args=[contact.pk]), {"name": "New", "kind": "customer"})
    assert Tag.objects.filter(name="Fair").exists()
    assert not LogEntry.objects.exists()


def test_untracked_models_have_no_history_page(officer: Any, sign_in: Any) -> None:
    tag = Tag.objects.create(name="Fair")
    client = sign_in(officer)
    assert client.get(reverse("admin:contacts_tag_history", args=[tag.pk])).status_code == 404
    page = client.get(reverse("admin:contacts_tag_change", args=[tag.pk])).content.decode()
    assert "historylink" not in page


def test_long_lists_say_more_than(officer: Any, sign_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedPaginator, "limit", 2)
    for name in ("A", "B"):
        Tag.objects.create(name=name)
    client = sign_in(officer)
    assert "more than" not in client.get(reverse("admin:contacts_tag_changelist")).content.decode()
    Tag.objects.create(name="C")
    assert "more than 2 tags" in client.get(reverse("admin:contacts_tag_changelist")).content.decode()


def test_distinct_values_hop_along_the_index() -> None:
    for country in ("IT", "FR", "IT"):
        factories.contact(country=country)
    assert distinct_values(Contact, "country") == ["FR", "IT"]
    assert distinct_values(Contact, "country", limit=1) == ["FR"]


@pytest.mark.parametrize("asked", [{"kind": "\0"}, {"created_at__year": "9" * 20}, {"created_at__day": "²"}])
def test_an_address_no_database_understands_is_the_list_without_filters(
    officer: Any, sign_in: Any, asked: dict[str, str]
) -> None:
    url = reverse("admin:contacts_contact_changelist")
    response = sign_in(officer).get(url, asked)
    assert (response.status_code, response["Location"]) == (302, f"{url}?e=1")
