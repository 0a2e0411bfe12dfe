"""Every page, at a desk and on a phone: no serious accessibility violation, nothing wider than the window, a silent
console, nothing from elsewhere.

Lists, forms and histories of every registered model are found by themselves. A page of any other kind needs a line in
``PAGES``, or in ``NO_PAGE`` when its address shows no page; ``test_no_page_is_forgotten`` says which.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from campaigns import conversations, inbound, preflight
from campaigns.gateways import base
from campaigns.models import Campaign, Conversation, InboundMessage, Message, SendingWindow
from consent.contacts.doors import suppress
from consent.contacts.models import Audience, Contact, Export, Tag
from consent.ledger.models import Consent, ImportBatch, ImportRow, Notice, PrivacyPolicy
from consent.retention import runner
from tests import factories
from tests.browser.conftest import SIZES, check_accessible, check_fits
from tests.conftest import make_user


def _of(model: Any, name: str, **chosen: Any) -> Callable[[], str]:
    return lambda: reverse(name, args=[model.objects.filter(**chosen).first().pk])


# name of the address → the address; what the admin gives every model is not listed.
PAGES: dict[str, Callable[[], str]] = {
    "admin:index": lambda: reverse("admin:index"),
    "admin:record": lambda: reverse("admin:record"),
    "admin:explain": lambda: (
        f"{reverse('admin:explain')}?contact={Contact.objects.first().pk}"  # type: ignore[union-attr]
        f"&purpose={Consent.objects.first().purpose_id}"  # type: ignore[union-attr]
    ),
    "admin:password_change": lambda: reverse("admin:password_change"),
    "admin:app_list": lambda: reverse("admin:app_list", args=["ledger"]),
    "admin:contacts_contact_change_number": _of(Contact, "admin:contacts_contact_change_number"),
    "admin:contacts_contact_export": lambda: reverse("admin:contacts_contact_export"),
    "admin:ledger_consent_export": lambda: reverse("admin:ledger_consent_export"),
    "admin:ledger_consent_withdraw": _of(Consent, "admin:ledger_consent_withdraw", status="given"),
    "admin:ledger_consent_revoke": _of(Consent, "admin:ledger_consent_revoke", status="given"),
    "admin:ledger_consent_invalidate": _of(Consent, "admin:ledger_consent_invalidate", status="given"),
    "admin:ledger_notice_publish": _of(Notice, "admin:ledger_notice_publish", published_at=None),
    "admin:ledger_privacypolicy_publish": _of(
        PrivacyPolicy, "admin:ledger_privacypolicy_publish", published_at=None
    ),
    "admin:ledger_importbatch_apply": _of(ImportBatch, "admin:ledger_importbatch_apply", state="checked"),
    "admin:ledger_importbatch_discard": _of(ImportBatch, "admin:ledger_importbatch_discard", state="checked"),
    "admin:ledger_importbatch_continue": _of(ImportBatch, "admin:ledger_importbatch_continue", state="failed"),
    "admin:campaigns_campaign_submit": _of(Campaign, "admin:campaigns_campaign_submit", state="draft"),
    "admin:campaigns_campaign_approve": _of(Campaign, "admin:campaigns_campaign_approve", state="in_review"),
    "admin:campaigns_campaign_schedule": _of(Campaign, "admin:campaigns_campaign_schedule", state="approved"),
    "admin:campaigns_campaign_send_back": _of(Campaign, "admin:campaigns_campaign_send_back", state="approved"),
    "admin:campaigns_campaign_pause": _of(Campaign, "admin:campaigns_campaign_pause", state="sending"),
    "admin:campaigns_campaign_resume": _of(Campaign, "admin:campaigns_campaign_resume", state="paused"),
    "admin:campaigns_campaign_cancel": _of(Campaign, "admin:campaigns_campaign_cancel", state="paused"),
    "admin:campaigns_campaign_people": lambda: reverse(
        "admin:campaigns_campaign_people", args=[Campaign.objects.first().pk, "withdrawn"]  # type: ignore[union-attr]
    ),
    "admin:campaigns_message_was_sent": _of(Message, "admin:campaigns_message_was_sent", state="unknown"),
    "admin:campaigns_message_was_not_sent": _of(Message, "admin:campaigns_message_was_not_sent", state="unknown"),
    "admin:campaigns_message_ask": _of(Message, "admin:campaigns_message_ask", state="unknown"),
    "admin:campaigns_inboundmessage_stop": _of(InboundMessage, "admin:campaigns_inboundmessage_stop", state="review"),
    "admin:campaigns_inboundmessage_not_stop": _of(
        InboundMessage, "admin:campaigns_inboundmessage_not_stop", state="review"
    ),
    "admin:campaigns_inboundmessage_wrong_number": _of(
        InboundMessage, "admin:campaigns_inboundmessage_wrong_number", state="review"
    ),
}  # fmt: skip
# Data, downloads, redirects and buttons; log-in and log-out show their pages to nobody signed in and are tested below.
NO_PAGE = {
    "admin:campaigns_campaign_preflight",
    "admin:campaigns_campaign_preview",
    "admin:campaigns_campaign_progress",
    "admin:campaigns_conversation_count",
    "admin:autocomplete",
    "admin:evidence",
    "admin:jsi18n",
    "admin:ledger_importbatch_progress",
    "admin:ledger_importbatch_rows",
    "admin:ledger_notice_new_version",
    "admin:ledger_privacypolicy_new_version",
    "admin:login",
    "admin:logout",
    "admin:password_change_done",
    "admin:record_lookup",
    "admin:recorded",  # looked at in test_record_opt_in
    "admin:refresh_figures",
    "admin:retention_jobrun_run",
    "admin:view_on_site",
    "admin:auth_user_password_change",
}
STATES = ("draft", "in_review", "approved", "sending", "paused")  # in which a campaign's page looks different
GIVEN = ("changelist", "add", "change", "history", "delete")


@pytest.fixture
def world(officer: Any, db: None, django_user_model: Any) -> None:
    """At least one row of everything staff can open."""
    brand = factories.brand("officina-lavoro", name="Officina Lavoro")
    alerts, reminders = factories.purpose("job-alerts", of=brand), factories.purpose("interview-reminders", of=brand)
    for purpose in (alerts, reminders):
        factories.notice(purpose)
    factories.notice(alerts, "it", published=False)
    factories.policy(brand)
    factories.policy(brand, "it", published=False)
    person = factories.contact("Zoë Prova")
    long_ago = timezone.now() - timezone.timedelta(days=24 * 30)
    factories.consent(person, alerts, captured_at=long_ago)
    factories.consent(person, reminders, status="withdrawn")
    for status in Consent.Status.values:
        factories.consent(factories.contact(f"Ada {status}"), alerts, status=status)
    with factories.acting():
        suppress(factories.number().e164, reason="stop", since=timezone.now())
        Tag.objects.create(name="Job fair Milano")
        Audience.objects.create(name="Applicants", kind="applicant")
        SendingWindow.objects.create(country="IT", monday="09:00-12:00, 14:00-20:00", valid_from="2026-01-01")
        Export.objects.create(what="contacts", rows=3, reason="Audit", by="officer", user=officer)
    for state in ("checked", "failed", "done"):
        batch = ImportBatch.objects.create(
            filename="opt_ins.csv", file_sha256="0" * 64, country="IT", reason="Fair", state=state, total=3, actor="x"
        )
        ImportRow.objects.create(batch=batch, number=2, outcome="rejected", field="phone", reason="A landline.")
    replies(person)  # answered before there are campaigns: the worker would close one of which nothing waits
    campaigns(alerts, person, make_user(django_user_model, "manager"), officer)
    runner.run("remind_expiring")
    runner.run("expire_consents", simulate=True)


def campaigns(purpose: Any, person: Contact, author: Any, approver: Any) -> None:
    """One in each state, and a text whose outcome nobody knows."""
    now = timezone.now()
    allowed = {"approver": approver, "approved_at": now}
    for state in STATES:
        extra = {} if state in ("draft", "in_review") else allowed
        if state in ("sending", "paused"):
            extra = extra | {"launched_at": now - timezone.timedelta(hours=2)}
        if state == "paused":
            extra = extra | {"paused_by": "brake"}
        row = factories.campaign(purpose, author=author, name=f"Fair, {state}", state=state, **extra)
        preflight.run(row, now)
    factories.message(
        person, campaign=row, state="unknown", handed_at=now, decision={"at": now.isoformat(), "codes": []}
    )
    factories.message(campaign=row, state="refused", refusal="withdrawn")


def replies(person: Contact) -> None:
    """A question and an answer to it, and a text that may mean stop."""
    sender, now = factories.sender(), timezone.now()
    for n, body in enumerate(["Is it day shift?", "Please do not write to me any more."]):
        told = base.Inbound(f"in-{n}", str(person.phone.as_e164), sender.address, body, now)
        inbound.receive("console", told)
        if n == 0:
            conversations.reply(Conversation.objects.get(), "Yes, from six to two.", None)


def admin_names(patterns: Any = None) -> Iterator[str]:
    """The names of every address of the staff site."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver) and (patterns is not None or pattern.namespace == "admin"):
            yield from admin_names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and patterns is not None and pattern.name:
            yield f"admin:{pattern.name}"


def given(model: Any, what: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}"


def pages_of_models(user: Any) -> Iterator[tuple[str, str]]:
    """What the admin gives every model, as far as ``user`` may open it."""
    request = RequestFactory().get("/")
    request.user = user
    for model, model_admin in admin.site._registry.items():
        if not model_admin.has_view_or_change_permission(request):
            continue
        row = model_admin.get_queryset(request).first()
        yield given(model, "changelist"), reverse(given(model, "changelist"))
        if model_admin.has_add_permission(request):
            yield given(model, "add"), reverse(given(model, "add"))
        if row is not None:
            address = [quote(row.pk)]
            yield given(model, "change"), reverse(given(model, "change"), args=address)
            if hasattr(model, "history"):
                yield given(model, "history"), reverse(given(model, "history"), args=address)
            if model_admin.has_delete_permission(request, row):
                yield given(model, "delete"), reverse(given(model, "delete"), args=address)


def test_no_page_is_forgotten() -> None:
    of_models = {given(model, what) for model in admin.site._registry for what in GIVEN}
    assert set(admin_names()) - of_models - PAGES.keys() - NO_PAGE == set()
    assert (PAGES.keys() | NO_PAGE) - set(admin_names()) == set()


def test_pages_of_our_own(world: None, officer: Any, desktop: Callable) -> None:
    look_at(desktop(officer), [(name, url()) for name, url in PAGES.items()])


def test_lists_forms_and_histories_of_every_model(world: None, officer: Any, desktop: Callable) -> None:
    look_at(desktop(officer), list(pages_of_models(officer)), everywhere=False)


def test_a_campaign_in_every_state(world: None, officer: Any, desktop: Callable) -> None:
    look_at(
        desktop(officer), [(state, _of(Campaign, "admin:campaigns_campaign_change", state=state)()) for state in STATES]
    )


def test_the_log_in_page(desktop: Callable, db: None) -> None:
    look_at(desktop(), [("admin:login", reverse("admin:login"))])


def look_at(page: Any, pages: list[tuple[str, str]], *, everywhere: bool = True) -> None:
    """Open each page, at the desk's size and then at the phone's, and gather everything wrong with any of them.

    Args:
        page: a signed-in page.
        pages: name and address of each.
        everywhere: axe on the phone too; on pages that share their markup with others it would say the same again.
    """
    wrong = []
    for name, url in pages:
        page.set_viewport_size(SIZES["desktop"]["viewport"])
        response = page.goto(url)
        if response.status != 200:
            wrong.append(f"{name}: status {response.status}")
            continue
        for size in ("desktop", "phone"):
            page.set_viewport_size(SIZES[size]["viewport"])
            checks = [check_fits]
            if size == "desktop" or everywhere:
                checks.append(partial(check_accessible, colours=size == "desktop"))
            for check in checks:
                try:
                    check(page)
                except AssertionError as error:
                    wrong.append(f"{name}, {size}: {error}".split("\nassert ")[0])
    assert not wrong, "\n\n".join(wrong)
