"""The front page: what each person sees, that every number leads to exactly its list, and that it stays cheap."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.ledger import figures
from consent.ledger.models import ImportBatch, Method
from consent.retention.models import JobRun
from tests import factories

PAGE = reverse("admin:index")


def a_ledger() -> None:
    """One or more consents behind every figure, and others that must not be counted."""
    to = factories.purpose(validity_months=24)
    now = timezone.now()
    for days in (20, 50, 80, 200):
        factories.consent(to=to, captured_at=now + timedelta(days=days) - relativedelta(months=24))
    for status in ("unknown", "requested", "refused", "refused", "expired", "revoked", "renewed"):
        factories.consent(to=to, status=status)
    for status in ("refused", "withdrawn"):
        factories.consent(to=to, status=status, captured_at=now - timedelta(weeks=5))
        factories.consent(to=to, status=status, captured_at=now - timedelta(weeks=30))
    factories.consent(to=to, method="paper")
    factories.consent(to=to, method="email_reply")
    with factories.acting():
        to.accepted_methods = [m for m in to.accepted_methods if m != Method.EMAIL_REPLY]
        to.save()
    factories.notice(to, "it", published=False)
    call_command("remind_expiring")


def links(page: str) -> list[tuple[int, str]]:
    """Every number of the page with the address it links to."""
    found = re.findall(r'<a[^>]* href="([^"]+)"[^>]*>\s*(?:<(?:span|strong)[^>]*>)?(\d+)<', page)
    return [(int(number), unescape(url)) for url, number in found]


@pytest.mark.usefixtures("clock")
def test_every_number_leads_to_exactly_its_list(officer: Any, sign_in: Any) -> None:
    a_ledger()
    client = sign_in(officer)
    found = links(client.get(PAGE).content.decode())
    # eight figures, two charts of twelve weeks, two numbers for each method and the notice, the draft
    assert len(found) == 8 + 24 + 2 * 3 + 2 + 1
    assert sum(1 for number, _url in found if number) > 15
    for number, url in found:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert answer.context["cl"].result_count == number, url


@pytest.mark.usefixtures("clock")
def test_the_figures_count_what_they_say(officer: Any, sign_in: Any) -> None:
    a_ledger()
    page = sign_in(officer).get(PAGE)
    shown = {str(figure.label): figure.value for figure in page.context["figures"]}
    assert shown == {
        "Live consents": 7,
        "Waiting for confirmation": 1,
        "End within 30 days": 1,
        "End within 60 days": 2,
        "End within 90 days": 3,
        "Weak proof": 1,
        "Missing proof": 1,
        "Renewals open": 2,
    }
    assert [chart["svg"].count("<rect") for chart in page.context["charts"]] == [12, 12]
    refused = page.context["charts"][0]["rows"]
    assert [row["value"] for row in refused if row["value"]] == [1, 2]
    rates = {row["label"]: (row["yes"].value, row["no"].value) for row in page.context["methods"]}
    assert rates["Web form"] == (8, 4)
    assert "Figures as of 10:00" in page.content.decode()


@pytest.mark.usefixtures("clock")
def test_a_large_ledger_shows_kept_figures_in_the_same_few_queries(
    officer: Any,
    sign_in: Any,
    monkeypatch: Any,
    clock: Any,
    django_assert_num_queries: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(figures, "SMALL", 0)
    client = sign_in(officer)
    to = factories.purpose()
    factories.consent(to=to)
    page = client.get(PAGE)
    assert "figures" not in page.context
    assert "have not been counted yet" in page.content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:refresh_figures"))
    queries = 18
    with django_assert_num_queries(queries):
        page = client.get(PAGE)
    assert page.context["figures"][0].value == 1

    factories.consent(to=to)
    factories.consent(to=to)
    clock.shift(timedelta(minutes=4))
    with django_assert_num_queries(queries):
        page = client.get(PAGE)
    assert page.context["figures"][0].value == 1  # as of then, and it says so
    assert "as of 10:00" in page.content.decode()
    call_command("refresh_figures")
    assert client.get(PAGE).context["figures"][0].value == 3


def test_a_simulated_refresh_keeps_nothing(db: None) -> None:
    call_command("refresh_figures", "--simulate")
    assert figures.Figures.objects.count() == 0


def test_an_empty_database_has_a_front_page(officer: Any, sign_in: Any) -> None:
    page = sign_in(officer).get(PAGE)
    assert {figure.value for figure in page.context["figures"]} == {0}
    assert "Nobody has answered yet." in page.content.decode()


def test_a_recruiter_sees_the_button_and_the_own_records(recruiter: Any, sign_in: Any) -> None:
    to = factories.purpose()
    factories.consent(factories.contact("Somebody Else"), to)
    factories.consent(factories.contact("Mine Own"), to, recorded_by_user=recruiter)
    page = sign_in(recruiter).get(PAGE)
    text = page.content.decode()
    assert reverse("admin:record") in text
    assert "Mine Own" in text
    assert "Somebody Else" not in text
    assert "figures" not in page.context
    assert "refresh" not in text


def test_a_campaign_manager_sees_how_many_and_nobody(manager: Any, sign_in: Any) -> None:
    to = factories.purpose()
    factories.consent(factories.contact("Nina Nobody"), to)
    factories.notice(to, "it", published=False)
    page = sign_in(manager).get(PAGE)
    text = page.content.decode()
    assert [(figure.value, figure.label) for figure in page.context["reach"]] == [(1, str(to))]
    assert "notice in draft" in text
    assert "Nina" not in text
    assert "/consent/" not in text
    assert "/contact/" not in text


def test_an_auditor_sees_the_figures_and_cannot_refresh_them(auditor: Any, sign_in: Any) -> None:
    client = sign_in(auditor)
    page = client.get(PAGE)
    assert page.context["figures"]
    assert reverse("admin:refresh_figures") not in page.content.decode()
    assert client.post(reverse("admin:refresh_figures")).status_code == 403


def test_figures_are_refreshed_by_post_only(officer: Any, sign_in: Any) -> None:
    assert sign_in(officer).get(reverse("admin:refresh_figures")).status_code == 405


@pytest.mark.usefixtures("acting")
def test_what_waits_for_somebody(officer: Any, sign_in: Any) -> None:
    common = {"file_sha256": "0" * 64, "country": "IT", "reason": "test", "actor": "test"}
    ImportBatch.objects.create(filename="fair.csv", rejected=3, state="done", **common)
    ImportBatch.objects.create(filename="clean.csv", rejected=0, state="done", **common)
    now = timezone.now()
    for job, state in (("expire_consents", "failed"), ("remind_expiring", "failed"), ("remind_expiring", "done")):
        JobRun.objects.create(job=job, state=state, started_at=now, heartbeat_at=now)
    text = sign_in(officer).get(PAGE).content.decode()
    assert "rejected rows in fair.csv" in text
    assert "clean.csv" not in text
    assert "Expire consents whose time is over: last run Failed" in text
    assert "List consents that end soon: last run" not in text  # its last run went well


@pytest.mark.usefixtures("acting")
def test_what_texting_waits_for(officer: Any, manager: Any, sign_in: Any) -> None:
    paused = {"state": "paused", "approver": officer, "approved_at": timezone.now()}
    factories.campaign(author=manager, name="To be read", state="in_review")
    factories.campaign(author=manager, name="Stopped", paused_by="brake", **paused)
    factories.campaign(author=manager, name="Refused", paused_by="gateway", **paused)
    factories.campaign(author=manager, name="By hand", paused_by="person", **paused)
    factories.campaign(author=officer, name="Somebody else's")
    factories.message(state="unknown")
    client = sign_in(officer)
    page = client.get(PAGE)
    waiting = {figure.label: figure for figure in page.context["work"]}
    assert {label: figure.value for label, figure in waiting.items()} == {
        "campaign to approve": 1,
        "campaign stopped by the brake": 1,
        "campaign the gateway refuses": 1,
        "text with unknown outcome": 1,
    }
    for label in ("campaign to approve", "text with unknown outcome"):
        assert client.get(waiting[label].url).context["cl"].result_count == 1
    assert "campaigns" not in page.context

    page = sign_in(manager).get(PAGE)
    assert [figure.label for figure in page.context["work"]] == [
        "campaign stopped by the brake",
        "campaign the gateway refuses",
    ]
    assert [row["campaign"].name for row in page.context["campaigns"]] == [
        "By hand",
        "Refused",
        "Stopped",
        "To be read",
    ]


def test_the_navigation_shows_what_the_role_may_open(
    officer: Any, recruiter: Any, manager: Any, superuser: Any, sign_in: Any
) -> None:
    def titles(user: Any) -> list[str]:
        page = sign_in(user).get(PAGE)
        return [str(p.title) for group in page.context["navigation"] for p in group.pages]

    assert titles(recruiter) == ["Today", "Record an opt-in", "Contacts", "Consents", "Conversations"]
    assert "Explain" in titles(officer)
    assert "Users" not in titles(officer)
    assert "Contacts" not in titles(manager)
    assert "Messages" not in titles(manager)
    assert {"Campaigns", "Senders"} <= set(titles(manager))
    assert titles(superuser)[-2:] == ["Users", "Groups"]


def test_every_page_of_the_navigation_opens_and_is_marked(superuser: Any, sign_in: Any) -> None:
    client = sign_in(superuser)
    pages = [page for group in client.get(PAGE).context["navigation"] for page in group.pages]
    assert len(pages) == 25
    for page in pages:
        answer = client.get(page.url)
        assert answer.status_code == 200, page.url
        marked = [p.url for group in answer.context["navigation"] for p in group.pages if p.current]
        assert marked == [page.url]


def test_the_fifth_wrong_password_locks_and_says_what_to_do(officer: Any) -> None:
    client = Client()
    answers = [
        client.post(reverse("admin:login"), {"username": officer.username, "password": "wrong"}) for _n in range(5)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    text = answers[-1].content.decode()
    assert "locked for 15 minutes" in text
    assert "ask an administrator" in text


def test_the_language_can_be_changed(officer: Any, sign_in: Any) -> None:
    client = sign_in(officer)
    assert client.get(PAGE).content.decode().count("<option value=") == 7
    answer = client.post(reverse("set_language"), {"language": "it"}, headers={"referer": "http://testserver/admin/"})
    assert answer.status_code == 302
    assert '<html lang="it"' in client.get(PAGE).content.decode()


def test_errors_are_said_in_peoples_words(stranger: Any, recruiter: Any, sign_in: Any) -> None:
    missing = sign_in(recruiter).get("/nowhere/")
    assert missing.status_code == 404
    assert "This page does not exist" in missing.content.decode()
    forbidden = sign_in(recruiter).get(reverse("admin:ledger_notice_changelist"))
    assert forbidden.status_code == 403
    assert "Your role does not include this page" in forbidden.content.decode()
