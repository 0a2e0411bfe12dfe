"""The page of a campaign that is not being written: figures, charts, the brake, the preflight and who is behind it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Campaign, InboundMessage
from tests import factories
from tests.campaigns.admin.test_campaigns import S, page, put, text_of

pytestmark = pytest.mark.django_db


def a_launched(campaign: Campaign, by: Any) -> Campaign:
    put(campaign, S.SENDING, by, launched_at=timezone.now() - timedelta(hours=2))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    for state in ("delivered", "delivered", "sent", "unknown", "queued", "failed"):
        gone = {} if state == "queued" else {"handed_at": an_hour_ago}
        done = {"finished_at": an_hour_ago} if state in ("delivered", "failed") else {}
        factories.message(campaign=campaign, state=state, **gone, **done)
    for code in ("withdrawn", "withdrawn", "no_consent"):
        factories.message(campaign=campaign, state="refused", refusal=code)
    for n, meaning in enumerate(("conversation", "opt_out")):
        InboundMessage.objects.create(
            gateway="console",
            gateway_id=str(n),
            raw_from="x",
            raw_to="36123",
            received_at=an_hour_ago,
            phone=f"+3931200000{n}",
            campaign=campaign,
            meaning=meaning,
            state="handled",
        )
    return campaign


def test_the_figures_of_a_launched_campaign(approved: Campaign, officer: Any, sign_in: Any) -> None:
    client = sign_in(officer)
    answer = client.get(page(a_launched(approved, officer)))
    cards = {card["name"]: card for card in answer.context["figures"]}
    assert {name: card["count"] for name, card in cards.items()} == {
        "sent": 4,
        "delivered": 2,
        "waiting": 1,
        "failed": 1,
        "unknown": 1,
        "stopped": 0,
        "refused": 3,
        "replies": 2,
        "opt_outs": 1,
    }
    for name, card in cards.items():  # each number leads to exactly its list
        if card["url"]:
            assert client.get(card["url"]).context["cl"].result_count == card["count"], name
    assert [(row["code"], row["count"]) for row in answer.context["refused"]] == [("withdrawn", 2), ("no_consent", 1)]
    for row in answer.context["refused"]:
        assert client.get(row["url"]).context["cl"].result_count == row["count"]
    assert {chart["name"]: sum(r["value"] for r in chart["rows"]) for chart in answer.context["charts"]} == {
        "sent": 4,
        "delivered": 2,
        "replies": 2,
        "opt_outs": 1,
    }


def test_the_progress_for_the_script(approved: Campaign, manager: Any, sign_in: Any) -> None:
    now = sign_in(manager).get(page(a_launched(approved, approved.approver), "progress")).json()
    assert (now["state"], now["done"], now["total"], now["text"]) == ("sending", 5, 6, "5 of 6 done")
    assert now["figures"]["delivered"] == "2"


def test_a_campaign_that_writes_its_texts_says_so(approved: Campaign, manager: Any, sign_in: Any) -> None:
    put(approved, S.SENDING, approved.approver)
    assert "being written down" in text_of(sign_in(manager).get(page(approved)))


def test_the_brake_is_loud_and_names_its_figures(approved: Campaign, officer: Any, sign_in: Any) -> None:
    a_launched(approved, officer)
    put(approved, S.PAUSED, officer, paused_by="brake")
    shown = text_of(sign_in(officer).get(page(approved)))
    assert "Stopped by the brake" in shown
    assert "1 of 5 who got it opted out: 20.0 %. This brand stops at 2.0 %." in shown


def test_the_page_costs_the_same_however_many(
    approved: Campaign, officer: Any, sign_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(officer)
    a_launched(approved, officer)
    with django_assert_max_num_queries(40):
        client.get(page(approved))


# --- preflight and the people behind it ----------------------------------------------------------------------


def test_the_preflight_and_what_changed_since(approved: Campaign, manager: Any, officer: Any, sign_in: Any) -> None:
    factories.consent(to=approved.purpose)
    client = sign_in(officer)
    assert client.post(page(approved, "preflight")).url.startswith(page(approved))
    shown = text_of(client.get(page(approved)))
    assert "Changed since the approval" in shown
    assert page(approved, "people", "allowed") in shown
    assert page(approved, "people", "allowed") not in text_of(sign_in(manager).get(page(approved)))


def test_the_people_behind_a_code(draft: Campaign, officer: Any, auditor: Any, sign_in: Any) -> None:
    factories.consent(factories.contact("Wilma Withdrew"), draft.purpose, status="withdrawn")
    factories.consent(factories.contact("Gina Gave"), draft.purpose)
    for person in (officer, auditor):
        client = sign_in(person)
        shown = text_of(client.get(page(draft, "people", "suppressed")))
        assert "Wilma Withdrew" in shown
        assert "Gina Gave" not in shown
        assert "Gina Gave" in text_of(client.get(page(draft, "people", "allowed")))
    assert client.get(page(draft, "people", "nonsense")).status_code == 404


def test_a_manager_sees_no_person(approved: Campaign, manager: Any, sign_in: Any) -> None:
    person = factories.contact("Nina Nobody")
    factories.consent(person, approved.purpose)
    a_launched(approved, approved.approver)
    client = sign_in(manager)
    assert client.get(page(approved, "people", "allowed")).status_code == 403
    shown = client.get(page(approved)).content.decode()
    assert "Nina" not in shown
    assert "/message/" not in shown
    assert "/contact/" not in shown


def test_people_come_in_pages(draft: Campaign, officer: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("campaigns.admin.campaigns.CampaignAdmin.people_per_page", 2)
    names = [factories.contact(f"Person {n}").name for n in range(3)]
    client = sign_in(officer)
    first, second = (client.get(page(draft, "people", "no_consent") + f"?p={n}") for n in (1, 2))
    assert [row["contact"].name for row in first.context["rows"]] == names[:0:-1]
    assert [row["contact"].name for row in second.context["rows"]] == names[:1]
