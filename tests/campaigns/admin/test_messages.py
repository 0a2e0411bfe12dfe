"""The pages of texts: what went to whom and why (not), and settling what nobody knows the outcome of."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.gateways import base
from campaigns.models import Campaign, Message, SendingWindow
from tests import factories

pytestmark = pytest.mark.django_db
LIST = reverse("admin:campaigns_message_changelist")


def page(message: Message, name: str = "change") -> str:
    return reverse(f"admin:campaigns_message_{name}", args=[message.pk])


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def sent(officer: Any) -> Message:
    """A delivered text of a campaign, with all that stood behind it."""
    consent = factories.consent(factories.contact("Gina Gave"))
    campaign = factories.campaign(author=officer)
    window = SendingWindow.objects.filter(country="IT").first()
    now = timezone.now()
    return factories.message(
        consent.contact,
        campaign=campaign,
        consent=consent,
        proof=consent.proof,
        state="delivered",
        body="Officina: new jobs this week, Gina.\nReply STOP to end",
        encoding="GSM-7",
        parts=1,
        handed_at=now,
        finished_at=now,
        gateway_id="SM123",
        decision={"at": now.isoformat(), "codes": [], "windows": [window.pk] if window else []},
    )


def unknown(**fields: Any) -> Message:
    handed = timezone.now() - timedelta(hours=1)
    return factories.message(state="unknown", handed_at=handed, error="timeout", **fields)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_the_same_few_questions(
    rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any
) -> None:
    campaign = factories.campaign(author=officer)
    for _n in range(rows):
        factories.message(campaign=campaign, state="refused", refusal="withdrawn")
    client = sign_in(officer)
    client.get(LIST)
    with django_assert_num_queries(8):
        shown = text_of(client.get(LIST))
    assert shown.count("<code title=") == rows
    assert "The person withdrew the consent." in shown


def test_the_filters(sent: Message, officer: Any, sign_in: Any) -> None:
    refused = factories.message(campaign=sent.campaign, state="refused", refusal="suppressed")
    lost = unknown(kind="renewal")
    client = sign_in(officer)

    def found(query: str) -> set[int]:
        return {row.pk for row in client.get(f"{LIST}?{query}").context["cl"].result_list} - welcomes

    welcomes = set(Message.objects.filter(kind="welcome").values_list("pk", flat=True))
    assert found("state__exact=delivered") == {sent.pk}
    assert found("kind__exact=campaign") == {sent.pk, refused.pk}
    assert found("refusal=suppressed") == {refused.pk}
    assert found(f"campaign={sent.campaign_id}") == {sent.pk, refused.pk}
    assert found(f"campaign={sent.campaign_id}&state__in=refused,queued") == {refused.pk}
    assert found(f"purpose__id__exact={sent.purpose_id}") == {sent.pk, refused.pk, lost.pk}
    assert found("unknown=1") == {lost.pk}
    assert found("campaign=nonsense") == set()


def test_a_large_campaign_is_read_in_order(sent: Message, officer: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("campaigns.admin.messages.MANY", 1)
    other = unknown()
    shown = sign_in(officer).get(f"{LIST}?campaign={sent.campaign_id}").context["cl"].result_list
    assert sent.pk in {row.pk for row in shown}
    assert other.pk not in {row.pk for row in shown}


def test_a_text_is_found_by_the_person(sent: Message, officer: Any, sign_in: Any) -> None:
    unknown()
    client = sign_in(officer)
    answer = client.post(LIST, {"q": "gina"}, follow=True)
    assert {row.contact_id for row in answer.context["cl"].result_list} == {sent.contact_id}
    assert "gina" not in answer.redirect_chain[-1][0].lower()


def test_a_text_and_everything_one_click_away(sent: Message, officer: Any, auditor: Any, sign_in: Any) -> None:
    for person in (officer, auditor):
        shown = text_of(sign_in(person).get(page(sent)))
        assert "Officina: new jobs this week, Gina.<br>Reply STOP to end" in shown
        for url in (
            reverse("admin:ledger_consent_change", args=[sent.consent_id]),
            reverse("admin:ledger_proof_change", args=[sent.proof_id]),
            reverse("admin:campaigns_campaign_change", args=[sent.campaign_id]),
            f"{reverse('admin:explain')}?contact={sent.contact_id}&amp;purpose={sent.purpose_id}",
            *(reverse("admin:campaigns_sendingwindow_change", args=[pk]) for pk in sent.decision["windows"]),
        ):
            assert f'href="{url}"' in shown, url
        assert "SM123" in shown
        assert "it was allowed" in shown


def test_a_refused_text_says_why_in_words(officer: Any, sign_in: Any) -> None:
    row = factories.message(
        state="refused", refusal="held", body="", decision={"at": timezone.now().isoformat(), "codes": ["held"]}
    )
    shown = text_of(sign_in(officer).get(page(row)))
    assert "A reply that may mean stop is being looked at." in shown
    assert "Nothing was sent, so there is no text." in shown


def test_a_text_in_markup_is_shown_not_run(officer: Any, sign_in: Any) -> None:
    row = factories.message(state="sent", body="<script>alert(1)</script>", decision={"codes": ["<b>x</b>"]})
    shown = sign_in(officer).get(page(row)).content.decode()
    assert "<script>alert" not in shown
    assert "<b>x</b>" not in shown


def test_nothing_can_be_edited_and_managers_see_no_texts(
    sent: Message, officer: Any, manager: Any, recruiter: Any, sign_in: Any
) -> None:
    assert sign_in(officer).post(page(sent), {"state": "queued"}).status_code == 403
    for person in (manager, recruiter):
        assert sign_in(person).get(LIST).status_code == 403
        assert sign_in(person).get(page(sent)).status_code == 403


# --- what nobody knows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "state"), [("was_sent", "sent"), ("was_not_sent", "failed")])
def test_an_officer_settles_with_a_reason(how: str, state: str, officer: Any, sign_in: Any) -> None:
    row = unknown()
    client = sign_in(officer)
    assert "Nobody knows whether this text went." in text_of(client.get(page(row)))
    client.get(page(row, how))
    assert "required" in text_of(client.post(page(row, how), {"reason": ""}))
    assert Message.objects.get(pk=row.pk).state == "unknown"
    client.post(page(row, how), {"reason": "The provider's log"})
    assert Message.objects.get(pk=row.pk).state == state
    shown = text_of(client.get(page(row)))
    assert "officer · The provider&#x27;s log" in shown
    again = client.post(page(row, how), {"reason": "Twice"}, follow=True)
    assert "is known by now" in text_of(again)


class Asked:
    """A gateway that knows, or does not."""

    def __init__(self, receipt: base.Receipt | None) -> None:
        self.receipt = receipt

    def ask(self, reference: int, gateway_id: str) -> base.Receipt | None:
        return self.receipt


@pytest.mark.parametrize(
    ("receipt", "state", "told"),
    [
        (base.Receipt(state="delivered"), "delivered", "The gateway knew: Delivered."),
        (None, "unknown", "The gateway cannot say."),
    ],
)
def test_asking_the_gateway(receipt: Any, state: str, told: str, officer: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("campaigns.gateways.get", lambda name: Asked(receipt))
    row = unknown()
    client = sign_in(officer)
    client.get(page(row, "ask"))
    assert Message.objects.get(pk=row.pk).state == "unknown"
    assert told in text_of(client.post(page(row, "ask"), follow=True))
    assert Message.objects.get(pk=row.pk).state == state


def test_an_auditor_settles_nothing(auditor: Any, sign_in: Any) -> None:
    row = unknown()
    client = sign_in(auditor)
    assert page(row, "was_sent") not in client.get(page(row)).content.decode()
    for name in ("was_sent", "was_not_sent", "ask"):
        assert client.post(page(row, name), {"reason": "x"}).status_code == 403
    assert Campaign.objects.count() == 0
