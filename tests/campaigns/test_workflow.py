"""The doors of campaigns: every move from every state, four eyes, what an approval covers, what follows a move."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns import preflight, workflow
from campaigns.models import Campaign, CampaignBody, Message
from consent.contacts.models import Tag
from consent.core import history
from consent.core.errors import IllegalMove, MissingActor
from tests import factories
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
S = Campaign.State
TEXT = "Officina: new jobs this week, {first_name}."


@pytest.fixture
def colleague(db: None, django_user_model: Any) -> Any:
    return make_user(django_user_model, "colleague")


@pytest.fixture
def draft(manager: Any) -> Campaign:
    return factories.campaign(author=manager, text=TEXT)


@pytest.fixture
def approved(draft: Campaign, manager: Any, officer: Any) -> Campaign:
    workflow.submit(draft, manager)
    return workflow.approve(draft, officer)


def put(campaign: Campaign, state: str, by: Any) -> Campaign:
    """Into a state past the doors."""
    with factories.acting():
        campaign.state = state
        campaign.approver, campaign.approved_at = by, timezone.now()
        campaign.approved_content = workflow.content(campaign)
        campaign.save()
    return campaign


def do(campaign: Campaign, move: str, user: Any) -> None:
    with factories.acting():
        if move in ("pause", "complete"):
            getattr(workflow, move)(campaign)
        elif move == "start":
            workflow.check_move("start", campaign.state)
        else:
            getattr(workflow, move)(campaign, user)


DOORS = [name for name in workflow.MOVES if name != "start"]


@pytest.mark.parametrize("move", workflow.MOVES)
@pytest.mark.parametrize("state", S.values)
def test_a_move_starts_only_where_the_table_says(
    state: str, move: str, manager: Any, officer: Any, colleague: Any
) -> None:
    campaign = put(factories.campaign(author=manager, text=TEXT), state, officer)
    if state in workflow.MOVES[move].sources:
        do(campaign, move, colleague)
        if move != "start":
            assert Campaign.objects.get().state == workflow.MOVES[move].target == campaign.state
    else:
        before = Campaign.history.count()
        with pytest.raises(IllegalMove):
            do(campaign, move, colleague)
        assert Campaign.objects.get().state == state
        assert Campaign.history.count() == before


def test_from_draft_to_sending_and_back_each_step_names_actor_and_reason(
    draft: Campaign, manager: Any, officer: Any
) -> None:
    workflow.submit(draft, manager, "Fair on Friday")
    workflow.send_back(draft, officer, "Name the place")
    workflow.submit(draft, manager)
    workflow.approve(draft, officer)
    workflow.schedule(draft, manager, timezone.now() + timedelta(hours=2))
    rows = [(r.state, r.actor, r.history_change_reason) for r in Campaign.history.order_by("history_id")][1:]
    assert rows == [
        ("in_review", "manager", "Fair on Friday"),
        ("draft", "officer", "Name the place"),
        ("in_review", "manager", "Submitted for review"),
        ("approved", "officer", "Approved"),
        ("scheduled", "manager", "Scheduled"),
    ]
    assert draft.approver == officer
    assert draft.approved_at is not None


# --- four eyes ---------------------------------------------------------------------------------------------


def test_nobody_approves_what_they_wrote_not_even_a_superuser(superuser: Any) -> None:
    campaign = factories.campaign(author=superuser, text=TEXT)
    workflow.submit(campaign, superuser)
    with pytest.raises(IllegalMove, match="Somebody else must approve it"):
        workflow.approve(campaign, superuser)
    assert Campaign.objects.get().state == S.IN_REVIEW


def test_nobody_approves_what_they_once_edited(draft: Campaign, manager: Any, officer: Any, colleague: Any) -> None:
    workflow.edited(draft, officer)
    workflow.edited(draft, manager)  # the last editor is somebody else by now
    workflow.submit(draft, manager)
    with pytest.raises(IllegalMove, match="Somebody else must approve it"):
        workflow.approve(draft, officer)
    assert workflow.approve(draft, colleague).state == S.APPROVED


def test_nobody_approves_a_text_they_changed(draft: Campaign, manager: Any, officer: Any) -> None:
    body = draft.bodies.get()
    body.text = f"{TEXT} Come!"
    with history.acting(history.Actor.of(officer), "past the door"):
        body.save()
    workflow.submit(draft, manager)
    with pytest.raises(IllegalMove):
        workflow.approve(draft, officer)


def test_sending_back_makes_nobody_an_editor(draft: Campaign, manager: Any, officer: Any) -> None:
    workflow.submit(draft, manager)
    workflow.send_back(draft, officer, "Too long")
    workflow.submit(draft, manager)
    assert workflow.approve(draft, officer).approver == officer


def test_the_database_holds_it_too(draft: Campaign, manager: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        put(draft, S.APPROVED, manager)


# --- what an approval covers -------------------------------------------------------------------------------


def test_an_edit_takes_an_approval_back(approved: Campaign, manager: Any) -> None:
    workflow.edited(approved, manager)
    assert (approved.state, approved.approver, approved.approved_at) == (S.DRAFT, None, None)
    assert (approved.approved_content, approved.approved_counts) == ("", None)
    newest = Campaign.history.first()
    assert (newest.state, newest.actor) == ("draft", "manager")
    assert "void" in newest.history_change_reason


def test_going_on_with_ones_own_draft_writes_no_history(draft: Campaign, manager: Any) -> None:
    before = Campaign.history.count()
    workflow.edited(draft, manager)
    assert Campaign.history.count() == before


def _text(campaign: Campaign) -> None:
    CampaignBody.objects.filter(campaign=campaign).update(text="Officina: other words.")


def _second_language(campaign: Campaign) -> None:
    CampaignBody.objects.create(campaign=campaign, language="it", text="Officina: lavoro.")


def _audience(campaign: Campaign) -> None:
    campaign.audience.country = "IT"
    campaign.audience.save()


def _tags(campaign: Campaign) -> None:
    campaign.audience.tags.add(Tag.objects.create(name="Fair"))


def _address(campaign: Campaign) -> None:
    campaign.sender.address = "36999"
    campaign.sender.save()


def _brand(campaign: Campaign) -> None:
    campaign.purpose.brand.name = "Somebody Else"
    campaign.purpose.brand.save()


@pytest.mark.parametrize("change", [_text, _second_language, _audience, _tags, _address, _brand])
def test_what_changed_since_the_approval_makes_it_void(change: Any, approved: Campaign, manager: Any) -> None:
    with factories.acting():
        change(approved)
    assert workflow.outdated(Campaign.objects.get())
    with pytest.raises(IllegalMove, match="draft again"):
        workflow.schedule(approved, manager)
    stored = Campaign.objects.get()
    assert (stored.state, stored.approver) == (S.DRAFT, None)


def test_what_changed_after_the_scheduling_is_found_at_the_launch(approved: Campaign, manager: Any) -> None:
    workflow.schedule(approved, manager, timezone.now() + timedelta(hours=1))
    with factories.acting("launch"):
        assert not workflow.void_if_outdated(approved)
        _audience(approved)
        assert workflow.void_if_outdated(approved)
    assert Campaign.objects.get().state == S.DRAFT


def test_the_audience_may_grow_after_the_approval(approved: Campaign, manager: Any) -> None:
    factories.consent(to=approved.purpose)
    assert workflow.schedule(approved, manager).state == S.SCHEDULED


def test_the_approver_approves_what_they_read(draft: Campaign, manager: Any, officer: Any) -> None:
    workflow.submit(draft, manager)
    read = workflow.content(draft)
    with factories.acting():
        _address(draft)
    with pytest.raises(IllegalMove, match="changed since you opened it"):
        workflow.approve(draft, officer, read=read)
    assert Campaign.objects.get().state == S.IN_REVIEW


def test_the_figures_the_approver_saw_are_kept(draft: Campaign, manager: Any, officer: Any) -> None:
    factories.consent(to=draft.purpose)
    factories.contact()
    workflow.submit(draft, manager)
    preflight.run(draft, timezone.now())
    workflow.approve(draft, officer)
    assert Campaign.objects.get().approved_counts["counts"] == {"allowed": 1, "no_consent": 1}


# --- what a campaign needs ---------------------------------------------------------------------------------


def needs(campaign: Campaign, user: Any) -> str:
    with pytest.raises(workflow.NotReady) as caught:
        workflow.submit(campaign, user)
    assert Campaign.objects.get().state == S.DRAFT
    return str(caught.value)


def test_a_text_in_the_language_for_everybody_else(draft: Campaign, manager: Any) -> None:
    with factories.acting():
        draft.language = "it"
        draft.save()
    assert "no text in Italian" in needs(draft, manager)


def test_no_fault_the_lint_stops_at(draft: Campaign, manager: Any) -> None:
    with factories.acting():
        CampaignBody.objects.create(campaign=draft, language="de", text="Neue Jobs für {unheard_of}.")
    assert needs(draft, manager).startswith("German: ")


def test_a_sender_that_may(draft: Campaign, manager: Any) -> None:
    with factories.acting():
        draft.sender.active = False
        draft.sender.save()
    said = needs(draft, manager)
    assert said.startswith("The sender is not in use.")
    assert said.count("in use") == 1  # not once for each language


def test_a_gateway_that_is_set_up(draft: Campaign, manager: Any) -> None:
    with factories.acting():
        draft.sender.gateway = "kannel"
        draft.sender.save()
    assert "Kannel is not set up" in needs(draft, manager)


def test_no_conversation_is_answered_by_a_campaign(manager: Any) -> None:
    purpose = factories.purpose("chats", kind="conversational")
    assert "one by one" in needs(factories.campaign(purpose, author=manager, text=TEXT), manager)


def test_what_was_lost_meanwhile_stops_the_start(approved: Campaign, manager: Any) -> None:
    with factories.acting():
        approved.sender.active = False
        approved.sender.save()
    with pytest.raises(workflow.NotReady, match="not in use"):
        workflow.schedule(approved, manager)
    assert Campaign.objects.get().state == S.APPROVED


# --- what follows ------------------------------------------------------------------------------------------


def test_starting_now_wakes_the_launch_after_the_commit(
    approved: Campaign, manager: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    from campaigns import tasks

    launched: list[int] = []
    monkeypatch.setattr(tasks.launch, "delay", launched.append)
    with django_capture_on_commit_callbacks(execute=True):
        workflow.schedule(approved, manager)
        assert launched == []
    assert launched == [approved.pk]
    with django_capture_on_commit_callbacks(execute=True):  # later is the sweep's business
        workflow.schedule(approved, manager, timezone.now() + timedelta(hours=1))
    assert launched == [approved.pk]


@pytest.mark.usefixtures("clock")
def test_a_start_lies_not_in_the_past(approved: Campaign, manager: Any) -> None:
    now = timezone.now()
    with pytest.raises(IllegalMove, match="past"):
        workflow.schedule(approved, manager, now - timedelta(seconds=1))
    assert workflow.schedule(approved, manager, now).scheduled_at == now


def sending(approved: Campaign, by: Any) -> dict[str, Message]:
    put(approved, S.SENDING, by)
    return {
        state: factories.message(campaign=approved, state=state) for state in ("queued", "claimed", "handed", "sent")
    }


def states(messages: dict[str, Message]) -> list[str]:
    return [Message.objects.get(pk=message.pk).state for message in messages.values()]


def test_a_pause_takes_back_what_was_claimed(approved: Campaign, officer: Any, manager: Any) -> None:
    messages = sending(approved, officer)
    workflow.pause(approved, manager, reason="Wrong place")
    assert states(messages) == ["queued", "queued", "handed", "sent"]
    assert (approved.state, approved.paused_by) == (S.PAUSED, "person")


def test_the_brake_pauses_in_the_name_of_its_job(approved: Campaign, officer: Any) -> None:
    sending(approved, officer)
    with pytest.raises(MissingActor):
        workflow.pause(approved, by="brake")
    with history.acting(history.Actor.job("brake"), "3 of 60 opted out"):
        workflow.pause(approved, by="brake")
    newest = Campaign.history.first()
    assert (newest.paused_by, newest.actor, newest.history_change_reason) == ("brake", "job:brake", "3 of 60 opted out")


def test_resuming_wakes_the_workers(approved: Campaign, officer: Any, manager: Any, monkeypatch: Any) -> None:
    woken: list[int] = []
    monkeypatch.setattr("campaigns.waking.wake", woken.extend)
    put(approved, S.PAUSED, officer)
    workflow.resume(approved, manager)
    assert (approved.paused_by, woken) == ("", [approved.sender_id])


def test_a_cancelled_campaign_cancels_what_waits(approved: Campaign, officer: Any, manager: Any) -> None:
    messages = sending(approved, officer)
    workflow.cancel(approved, manager)
    assert states(messages) == ["cancelled", "cancelled", "handed", "sent"]
    assert approved.finished_at is not None


def test_nothing_is_edited_after_the_launch(approved: Campaign, officer: Any, manager: Any) -> None:
    sending(approved, officer)
    with pytest.raises(IllegalMove):
        workflow.edited(approved, manager)


def test_a_move_that_fails_at_the_end_leaves_nothing(
    approved: Campaign, officer: Any, manager: Any, monkeypatch: Any
) -> None:
    messages = sending(approved, officer)

    def fall(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Campaign, "save", fall)
    with pytest.raises(RuntimeError):
        workflow.cancel(approved, manager)
    assert states(messages) == ["queued", "claimed", "handed", "sent"]
    assert Campaign.objects.get().state == S.SENDING
