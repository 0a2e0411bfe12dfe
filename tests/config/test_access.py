"""Who may open what: every address of the staff site, every role, one table (``access.txt``).

A new address without a row fails, and so does a row without its address.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from campaigns.models import Conversation, InboundMessage, SendingWindow
from consent.contacts import doors
from consent.contacts.models import Audience, Export, Tag
from consent.ledger.models import ImportBatch, RenewalTask
from consent.retention.models import JobRun
from tests import factories, files
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
ROLES = ("anonymous", "stranger", "recruiter", "manager", "auditor", "officer", "superuser")
_HOOKS_OF_ONE_TEXT = ("hooks:kannel_receipt", "hooks:twilio_receipt")
SIGNS = {200: ".", 302: ">", 400: "!", 403: "x", 404: "0", 405: "m", 409: "^", 422: "?"}


def table() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, address name, and what each role gets."""
    for line in (Path(__file__).parent / "access.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            method, name, *expected = line.split()
            assert len(expected) == len(ROLES), line
            yield method, name, dict(zip(ROLES, expected, strict=True))


def addresses(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    """The names of all addresses below the root; Django's own unnamed redirects are left out."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from addresses(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        elif isinstance(entry, URLPattern) and entry.name:
            yield prefix + entry.name
        else:
            assert entry.callback.__module__.startswith("django."), f"{entry.pattern} has no name"


@pytest.fixture
def rows(db: None, django_user_model: Any) -> dict[str, Any]:
    """One of everything that has a page, none of it the recruiter's own; by the name its addresses begin with."""
    author = make_user(django_user_model, "author")
    purpose = factories.purpose()
    consent = factories.consent(to=purpose, file=ContentFile(files.png(), "form.png"), file_type="image/png")
    draft = factories.notice(purpose, "it", published=False)
    policy = factories.policy(purpose.brand, published=False)
    with factories.acting():
        tag, audience = Tag.objects.create(name="Fair"), Audience.objects.create(name="All")
        stop = doors.suppress("+393120000999", reason="stop", since=timezone.now())
    batch = ImportBatch.objects.create(
        file=ContentFile(b"phone\n", "list.csv"),
        filename="list.csv",
        file_sha256="0" * 64,
        country="IT",
        reason="test",
        state=ImportBatch.State.CHECKED,
        actor="author",
        created_by=author,
    )
    now = timezone.now()
    with factories.acting():
        renewal = RenewalTask.objects.create(consent=consent, expires_at=now, stage=30, created_at=now)
    sender = factories.sender(purpose.brand)
    conversation = Conversation.objects.create(
        contact=consent.contact, sender=sender, opened_at=now, last_inbound_at=now, closes_at=now + timedelta(hours=1)
    )
    doubtful = InboundMessage.objects.create(
        gateway="console",
        gateway_id="1",
        raw_from="x",
        raw_to="36123",
        received_at=now,
        state="review",
        meaning="review",
    )
    campaign = factories.campaign(purpose, author=author, text="Officina: new jobs, {first_name}.", sender=sender)
    return {
        "campaigns_campaign": campaign,
        "campaigns_message": factories.message(consent.contact, state="unknown", sender=sender, purpose=purpose),
        "campaigns_sender": sender,
        "auth_group": Group.objects.first(),
        "auth_user": author,
        "axes_accessattempt": AccessAttempt.objects.create(username="a", ip_address="::1", failures_since_start=1),
        "axes_accesslog": AccessLog.objects.create(username="a", ip_address="::1"),
        "axes_accessfailurelog": AccessFailureLog.objects.create(username="a", ip_address="::1"),
        "contacts_tag": tag,
        "contacts_audience": audience,
        "contacts_suppression": stop,
        "contacts_contact": consent.contact,
        "ledger_proof": consent.proof,
        "ledger_consent": consent,
        "ledger_importbatch": batch,
        "ledger_notice": draft,
        "ledger_privacypolicy": policy,
        "ledger_brand": purpose.brand,
        "ledger_purpose": purpose,
        "ledger_renewaltask": renewal,
        "campaigns_conversation": conversation,
        "campaigns_inboundmessage": doubtful,
        "campaigns_sendingwindow": SendingWindow.objects.first(),
        "contacts_export": Export.objects.create(what="Contacts", rows=1, reason="test", by="author"),
        "retention_jobrun": JobRun.objects.create(job="expire_consents", started_at=now, heartbeat_at=now),
    }


def address(name: str, rows: dict[str, Any]) -> str:
    """The address of a page, for the row of its kind where it needs one."""
    if name == "admin:evidence":
        return reverse(name, args=[rows["ledger_proof"].uid])
    if name == "admin:retention_jobrun_run":
        return reverse(name, args=["expire_consents"])
    if name == "admin:app_list":
        return reverse(name, args=["ledger"])
    if name == "admin:view_on_site":
        return reverse(name, args=[1, 1])
    if name.startswith("hooks:"):  # gateways call them, nobody's role opens them
        return reverse(name, args=["secret"] * ("kannel" in name) + [1] * (name in _HOOKS_OF_ONE_TEXT))
    if name == "admin:campaigns_campaign_people":
        return reverse(name, args=[rows["campaigns_campaign"].pk, "allowed"])
    kind = "_".join(name.removeprefix("admin:").split("_")[:2])
    one = kind in rows and not name.endswith(("_changelist", "_add", "_export", "_preview"))
    return reverse(name, args=[rows[kind].pk] if one else [])


def client_of(role: str, django_user_model: Any) -> Client:
    client = Client()
    if role != "anonymous":
        client.force_login(make_user(django_user_model, role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def answer(client: Client, method: str, url: str) -> str:
    """What the site answers, as the table writes it; what it changes meanwhile is undone."""
    with transaction.atomic():
        response = client.get(url) if method == "GET" else client.post(url, {})
        if response.streaming:
            list(response.streaming_content)  # reading to the end closes the file behind it
        transaction.set_rollback(True)
    to_login = response.status_code == 302 and response["Location"].startswith(reverse("admin:login"))
    return "login" if to_login else SIGNS.get(response.status_code, str(response.status_code))


def test_every_address_has_its_row_and_every_row_its_address() -> None:
    rows = list(table())
    assert len({(method, name) for method, name, _e in rows}) == len(rows)
    assert {name for method, name, _e in rows if method == "GET"} == set(addresses())


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_the_table_says(role: str, rows: dict[str, Any], django_user_model: Any) -> None:
    client = client_of(role, django_user_model)
    wrong = []
    for method, name, expected in table():
        got = answer(client, method, address(name, rows))
        if got != expected[role]:
            wrong.append(f"{method} {name}: {got}, not {expected[role]}")
    assert wrong == []
