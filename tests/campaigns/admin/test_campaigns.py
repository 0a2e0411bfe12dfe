"""The pages of campaigns: writing, the four eyes, starting and stopping, and who sees what."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import wording, workflow
from campaigns.models import Campaign, CampaignBody, Message
from consent.contacts.models import Audience
from tests import factories

pytestmark = pytest.mark.django_db
S = Campaign.State
LIST = reverse("admin:campaigns_campaign_changelist")
ADD = reverse("admin:campaigns_campaign_add")
TEXT = "Officina: new jobs this week, {first_name}."


def page(campaign: Campaign, name: str = "change", *args: Any) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk, *args])


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def put(campaign: Campaign, state: str, by: Any, **fields: Any) -> Campaign:
    """Into a state past the doors."""
    with factories.acting():
        values = {"approver": by, "approved_at": timezone.now(), "launched_at": timezone.now(), "state": state}
        for name, value in (values | fields).items():
            setattr(campaign, name, value)
        campaign.save()
    return campaign


def written(campaign: Campaign | None = None, **fields: Any) -> dict[str, Any]:
    """What a browser sends from the composer."""
    if campaign is None:
        purpose = factories.purpose()
        with factories.acting():
            audience = Audience.objects.create(name="Everybody")
        data: dict[str, Any] = {"name": "Fair", "purpose": purpose.pk, "audience": audience.pk}
        data |= {"sender": factories.sender().pk, "language": "en", "text_en": TEXT}
    else:
        data = {name: getattr(campaign, f"{name}_id") for name in ("purpose", "audience", "sender")}
        data |= {"name": campaign.name, "language": campaign.language}
        data |= {f"text_{body.language}": body.text for body in campaign.bodies.all()}
    return data | fields


# --- writing -----------------------------------------------------------------------------------------------


def test_a_manager_writes_a_campaign_in_two_languages(manager: Any, sign_in: Any) -> None:
    client = sign_in(manager)
    assert client.get(ADD).status_code == 200
    answer = client.post(ADD, written(text_it="Officina: nuovi lavori, {first_name}.\r\nA presto"))
    campaign = Campaign.objects.get()
    assert answer.url == page(campaign)
    assert (campaign.state, campaign.author, campaign.editor) == (S.DRAFT, manager, manager)
    assert dict(campaign.bodies.values_list("language", "text")) == {
        "en": TEXT,
        "it": "Officina: nuovi lavori, {first_name}.\nA presto",
    }
    assert Campaign.history.get().actor == "manager"


def test_an_edit_changes_only_the_texts_that_changed(draft: Campaign, manager: Any, sign_in: Any) -> None:
    with factories.acting():
        CampaignBody.objects.create(campaign=draft, language="it", text="Officina: lavoro.")
        CampaignBody.objects.create(campaign=draft, language="de", text="Officina: Arbeit.")
    before = CampaignBody.history.count()
    data = written(draft, text_it="Officina: altro lavoro.", text_de="", _reason="Shorter")
    assert sign_in(manager).post(page(draft), data).status_code == 302
    assert set(draft.bodies.values_list("language", "text")) == {("en", TEXT), ("it", "Officina: altro lavoro.")}
    rows = CampaignBody.history.order_by("-history_id")[: CampaignBody.history.count() - before]
    assert {(row.language, row.history_type, row.actor) for row in rows} == {
        ("it", "~", "manager"),
        ("de", "-", "manager"),
    }
    assert {row.history_change_reason for row in rows} == {"Shorter · Texts: Italian, German"}
    shown = text_of(sign_in(manager).get(page(draft, "history")))
    assert "Text in Italian" in shown
    assert "Officina: altro lavoro." in shown


def test_saving_without_a_change_writes_nothing(draft: Campaign, officer: Any, sign_in: Any) -> None:
    before = Campaign.history.count(), CampaignBody.history.count()
    assert sign_in(officer).post(page(draft), written(draft)).status_code == 302
    assert (Campaign.history.count(), CampaignBody.history.count()) == before
    assert Campaign.objects.get().editor == draft.author


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text_en": ""}, "Write this text"),
        ({"language": "fr"}, "Write this text"),
        ({"text_en": "x" * 1601}, "at most 1600"),
        ({"name": ""}, "required"),
    ],
)
def test_what_is_missing_is_said_at_its_field(
    fields: dict[str, Any], sentence: str, draft: Campaign, manager: Any, sign_in: Any
) -> None:
    answer = sign_in(manager).post(page(draft), written(draft, **fields))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert draft.bodies.get().text == TEXT


def test_the_sender_must_be_of_the_brand(draft: Campaign, manager: Any, sign_in: Any) -> None:
    other = factories.sender(factories.brand("elsewhere"), address="36000")
    answer = sign_in(manager).post(page(draft), written(draft, sender=other.pk))
    assert "belongs to another brand" in answer.content.decode()


def test_only_what_can_be_used_is_offered(manager: Any, sign_in: Any) -> None:
    factories.purpose("alerts")
    factories.purpose("old", active=False)
    factories.purpose("chats", kind="conversational")
    factories.sender(active=False)
    form = sign_in(manager).get(ADD).context["adminform"].form
    assert [p.slug for p in form.fields["purpose"].queryset] == ["alerts"]
    assert list(form.fields["sender"].queryset) == []


def test_an_edit_of_what_is_approved_takes_the_approval_back(approved: Campaign, manager: Any, sign_in: Any) -> None:
    client = sign_in(manager)
    assert "textarea" not in text_of(client.get(page(approved)))
    composer = text_of(client.get(page(approved) + "?edit"))
    assert "Saving a change takes the approval back" in composer
    client.post(page(approved), written(approved, text_en="Officina: other words."))
    stored = Campaign.objects.get()
    assert (stored.state, stored.approver, stored.editor) == (S.DRAFT, None, manager)
    assert "void" in " ".join(Campaign.history.values_list("history_change_reason", flat=True))


def test_two_people_editing_do_not_overwrite_each_other(
    draft: Campaign, manager: Any, officer: Any, sign_in: Any
) -> None:
    seen = sign_in(manager).get(page(draft)).context["seen"]
    sign_in(officer).post(page(draft), written(draft, text_en="Officina: the officer's words."))
    answer = sign_in(manager).post(page(draft), written(draft, text_en="Officina: mine.", _seen=seen))
    assert "Somebody changed this" in answer.content.decode()
    assert draft.bodies.get().text == "Officina: the officer's words."


@pytest.mark.parametrize("state", ["sending", "paused", "completed", "cancelled"])
def test_nothing_can_be_edited_or_deleted_after_the_launch(
    state: str, draft: Campaign, manager: Any, officer: Any, sign_in: Any
) -> None:
    put(draft, state, officer)
    client = sign_in(manager)
    assert client.post(page(draft), written(draft, text_en="Officina: too late.")).status_code == 403
    assert "textarea" not in client.get(page(draft) + "?edit").content.decode()
    assert client.post(page(draft, "delete"), {"post": "yes"}).status_code == 403
    assert draft.bodies.get().text == TEXT


PREVIEW = reverse("admin:campaigns_campaign_preview")


def test_the_preview_of_a_text_as_it_is_typed(draft: Campaign, manager: Any, officer: Any, sign_in: Any) -> None:
    factories.consent(factories.contact("Wilhelmina Wirklich", language="en"), draft.purpose)
    data = written(draft, text="{brand}: hello {first_name}", fallback="en", written=["en"])
    data["language"] = "en"
    shown = sign_in(manager).post(PREVIEW, data).json()
    assert shown["first"]["text"].startswith("Officina: hello ")
    assert "Wilhelmina" not in str(shown)  # a manager sees no person
    assert shown["readers"] == 1
    assert "Wilhelmina" in sign_in(officer).post(PREVIEW, data).json()["first"]["text"]
    assert Campaign.objects.get().bodies.get().text == TEXT


def test_a_preview_of_what_is_not_chosen_yet(draft: Campaign, manager: Any, sign_in: Any) -> None:
    client = sign_in(manager)
    for sender in ("", "999", "x", "1" * 30):
        shown = client.post(PREVIEW, written(draft, text="Hello", sender=sender)).json()
        assert (shown["first"], [f["code"] for f in shown["findings"]]) == (None, ["incomplete"])
    assert client.post(PREVIEW, {"language": "xx"}).status_code == 400


# --- from draft to the launch ------------------------------------------------------------------------------


def test_from_draft_to_scheduled_by_two_people(draft: Campaign, manager: Any, officer: Any, sign_in: Any) -> None:
    factories.consent(to=draft.purpose)
    writer, approver = sign_in(manager), sign_in(officer)
    asked = writer.get(page(draft, "submit"))
    assert f"new jobs this week, {wording.example_name('en').split()[0]}." in text_of(asked)
    assert Campaign.objects.get().state == S.DRAFT
    assert writer.post(page(draft, "submit"), {"reason": ""}).url == page(draft)
    assert Campaign.objects.get().state == S.IN_REVIEW

    assert "Approve this campaign" in text_of(approver.get(page(draft, "approve")))
    assert page(draft, "approve") in text_of(approver.get(page(draft)))
    read = approver.get(page(draft, "approve")).context["read"]
    approver.post(page(draft, "approve"), {"reason": "", "read": read})
    assert Campaign.objects.get().approver == officer

    writer.post(page(draft, "schedule"), {"when": "later", "at": "2027-01-07T10:30", "reason": ""})
    stored = Campaign.objects.get()
    assert stored.state == S.SCHEDULED
    assert stored.scheduled_at == datetime(2027, 1, 7, 10, 30, tzinfo=ZoneInfo("Europe/Rome"))
    assert "It starts by itself: 7 Jan 2027, 10:30" in text_of(writer.get(page(draft)))


def test_the_start_is_typed_in_the_zone_of_the_brand(approved: Campaign, manager: Any, sign_in: Any) -> None:
    with factories.acting():
        approved.purpose.brand.zone = "America/New_York"
        approved.purpose.brand.save()
    sign_in(manager).post(page(approved, "schedule"), {"when": "later", "at": "2027-01-07T10:30"})
    assert Campaign.objects.get().scheduled_at == datetime(2027, 1, 7, 10, 30, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"when": "later", "at": ""}, "Say when."),
        ({"when": "later", "at": "2020-01-01T10:00"}, "This moment is past."),
        ({"when": "later", "at": "soon"}, "valid date"),
        ({}, "required"),
    ],
)
def test_a_start_that_cannot_be(
    data: dict[str, str], sentence: str, approved: Campaign, manager: Any, sign_in: Any
) -> None:
    answer = sign_in(manager).post(page(approved, "schedule"), data)
    assert sentence in answer.content.decode()
    assert Campaign.objects.get().state == S.APPROVED


def test_an_author_finds_no_way_to_approve(officer: Any, sign_in: Any) -> None:
    campaign = factories.campaign(author=officer, text=TEXT)
    workflow.submit(campaign, officer)
    client = sign_in(officer)
    shown = text_of(client.get(page(campaign)))
    assert page(campaign, "approve") not in shown
    assert "somebody else must approve it" in shown
    answer = client.post(page(campaign, "approve"), {"reason": ""}, follow=True)
    assert "Somebody else must approve it" in text_of(answer)
    assert Campaign.objects.get().state == S.IN_REVIEW


def test_what_changed_after_the_page_was_read_is_not_approved(
    draft: Campaign, manager: Any, officer: Any, sign_in: Any
) -> None:
    workflow.submit(draft, manager)
    client = sign_in(officer)
    read = client.get(page(draft, "approve")).context["read"]
    with factories.acting():
        draft.audience.country = "IT"
        draft.audience.save()
    answer = client.post(page(draft, "approve"), {"reason": "", "read": read})
    assert answer.status_code == 409
    assert "changed since you opened it" in text_of(answer)
    assert Campaign.objects.get().state == S.IN_REVIEW


def test_what_is_missing_stands_instead_of_the_button(draft: Campaign, manager: Any, sign_in: Any) -> None:
    with factories.acting():
        draft.sender.active = False
        draft.sender.save()
    client = sign_in(manager)
    shown = text_of(client.get(page(draft, "submit")))
    assert "It is not ready yet." in shown
    assert "The sender is not in use." in shown
    client.post(page(draft, "submit"), {"reason": ""})
    assert Campaign.objects.get().state == S.DRAFT


@pytest.mark.parametrize("move", ["send_back", "cancel"])
def test_taking_something_back_asks_why(move: str, approved: Campaign, manager: Any, sign_in: Any) -> None:
    client = sign_in(manager)
    assert "required" in client.post(page(approved, move), {"reason": " "}).content.decode()
    assert Campaign.objects.get().state == S.APPROVED
    client.post(page(approved, move), {"reason": "Wrong week"})
    newest = Campaign.history.first()
    assert (newest.state, newest.history_change_reason) == (workflow.MOVES[move].target, "Wrong week")


def test_pausing_and_resuming(approved: Campaign, manager: Any, officer: Any, sign_in: Any) -> None:
    put(approved, S.SENDING, officer)
    claimed = factories.message(campaign=approved, state="claimed")
    client = sign_in(manager)
    client.post(page(approved, "pause"), {"reason": "Wrong place"})
    assert Message.objects.get(pk=claimed.pk).state == "queued"
    assert "Nothing is sent until somebody resumes it." in text_of(client.get(page(approved)))
    client.post(page(approved, "resume"), {"reason": "All well"})
    assert Campaign.objects.get().state == S.SENDING
    answer = client.post(page(approved, "resume"), {"reason": "Twice"}, follow=True)  # a second click
    assert "is “Sending” now" in text_of(answer)


# --- the list and who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_the_same_few_questions(
    rows: int, manager: Any, officer: Any, sign_in: Any, django_assert_num_queries: Any
) -> None:
    for n in range(rows):
        put(factories.campaign(author=manager, text=TEXT, name=f"Week {n}"), S.SENDING, officer)
    campaign = Campaign.objects.first()
    factories.message(campaign=campaign, state="sent")
    factories.message(campaign=campaign, state="queued")
    client = sign_in(officer)
    client.get(LIST)
    with django_assert_num_queries(8):
        answer = client.get(LIST)
    assert "1 of 2" in text_of(answer)


def test_what_each_may_do(draft: Campaign, manager: Any, officer: Any, auditor: Any, sign_in: Any) -> None:
    def names(user: Any) -> list[str]:
        answer = sign_in(user).get(page(draft) + "?overview")
        return [move["name"] for move in answer.context["moves"]]

    assert names(manager) == ["submit", "cancel"]
    assert names(auditor) == []
    workflow.submit(draft, manager)
    assert names(manager) == ["send_back", "cancel"]
    assert names(officer) == ["approve", "send_back", "cancel"]
    workflow.approve(draft, officer)
    assert names(manager) == ["schedule", "send_back", "cancel"]
    put(draft, S.SENDING, officer)
    assert names(manager) == ["pause", "cancel"]
    assert names(auditor) == []


def test_a_manager_cannot_approve_by_hand(draft: Campaign, manager: Any, officer: Any, sign_in: Any) -> None:
    campaign = factories.campaign(author=officer, text=TEXT)
    workflow.submit(campaign, officer)
    assert sign_in(manager).post(page(campaign, "approve"), {"reason": ""}).status_code == 403


def test_an_auditor_reads_a_draft_and_changes_nothing(draft: Campaign, auditor: Any, sign_in: Any) -> None:
    client = sign_in(auditor)
    shown = client.get(page(draft)).content.decode()
    assert "new jobs this week" in shown
    assert "textarea" not in shown
    assert client.post(page(draft), written(draft, text_en="Officina: no.")).status_code == 403


def test_recruiters_have_no_campaigns(draft: Campaign, recruiter: Any, sign_in: Any) -> None:
    client: Client = sign_in(recruiter)
    for url in (LIST, ADD, page(draft), page(draft, "progress"), page(draft, "people", "allowed")):
        assert client.get(url).status_code == 403, url
