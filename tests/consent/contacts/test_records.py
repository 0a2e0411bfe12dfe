"""Tags, audiences, suppressions and the log of exports, through the admin."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Audience, Export, Suppression, Tag
from tests import factories

pytestmark = pytest.mark.django_db


def test_suppressions_are_found_by_number_and_never_touched(officer: Any, superuser: Any, sign_in: Any) -> None:
    contact = factories.contact(typed="+39 312 345 6789")
    with factories.acting():
        for number in (contact.phone.as_e164, factories.number().e164):
            doors.suppress(number, reason="stop", since=timezone.now())
    client = sign_in(officer)
    url = reverse("admin:contacts_suppression_changelist")
    assert client.get(url).context["cl"].result_count == 2
    found = client.get(client.post(url, {"q": "312 345 6789"})["Location"])
    assert [s.digest for s in found.context["cl"].result_list] == [contact.phone_digest]
    assert "everything" in found.content.decode() and contact.phone.as_e164 not in found.content.decode()
    nothing = client.get(client.post(url, {"q": "312 345"})["Location"])
    assert nothing.context["cl"].result_count == 0
    row = Suppression.objects.first()
    assert row is not None
    for person in (officer, superuser):
        them = sign_in(person)
        change = reverse("admin:contacts_suppression_change", args=[row.pk])
        assert them.get(change).status_code == 200
        assert them.post(change, {"reason": "objection"}).status_code == 403
        assert (
            them.post(reverse("admin:contacts_suppression_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        )
        assert them.get(reverse("admin:contacts_suppression_add")).status_code == 403
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_suppression_list_has_a_fixed_number_of_queries(
    officer: Any, sign_in: Any, django_assert_num_queries: Any, rows: int
) -> None:
    purpose = factories.purpose()
    with factories.acting():
        for _n in range(rows):
            doors.suppress(factories.number().e164, reason="stop", since=timezone.now(), purpose=purpose)
    client = sign_in(officer)
    url = reverse("admin:contacts_suppression_changelist")
    client.get(url)
    with django_assert_num_queries(8):
        client.get(url)


def test_audience_counts_its_contacts(officer: Any, sign_in: Any) -> None:
    tag = Tag.objects.create(name="Fair")
    inside = factories.contact(kind="applicant")
    inside.tags.add(tag)
    factories.contact(kind="applicant")
    with factories.acting():
        audience = Audience.objects.create(name="Applicants at the fair", kind="applicant")
    audience.tags.add(tag)
    page = sign_in(officer).get(reverse("admin:contacts_audience_change", args=[audience.pk])).content.decode()
    assert "<strong>1</strong>" in page


def test_a_tag_that_an_audience_asks_for_stays(officer: Any, sign_in: Any) -> None:
    tag = Tag.objects.create(name="Fair")
    with factories.acting():
        audience = Audience.objects.create(name="At the fair")
    audience.tags.add(tag)
    client, url = sign_in(officer), reverse("admin:contacts_tag_delete", args=[tag.pk])
    assert "At the fair" in client.post(url, {"post": "yes"}).content.decode()
    assert Tag.objects.exists()
    audience.tags.clear()
    client.post(url, {"post": "yes"})
    assert not Tag.objects.exists()


def test_the_log_of_exports_is_read_only(officer: Any, superuser: Any, sign_in: Any) -> None:
    row = Export.objects.create(what="contacts", rows=3, reason="audit", by="officer", user=officer)
    for person in (officer, superuser):
        client = sign_in(person)
        assert "audit" in client.get(reverse("admin:contacts_export_changelist")).content.decode()
        change = reverse("admin:contacts_export_change", args=[row.pk])
        assert client.get(change).status_code == 200
        assert client.post(change, {"reason": "other"}).status_code == 403
        assert client.post(reverse("admin:contacts_export_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.reason == "audit"


def test_recruiters_see_none_of_them(recruiter: Any, sign_in: Any) -> None:
    client = sign_in(recruiter)
    for model in ("suppression", "export", "audience", "tag"):
        assert client.get(reverse(f"admin:contacts_{model}_changelist")).status_code == 403
