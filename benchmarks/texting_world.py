"""The texting part of a world: a sender, what went out lately, a campaign that waits to be launched."""

from typing import Any

from benchmarks import worlds

RECENT = (
    "kind, state, refusal, campaign_id, purpose_id, sender_id, contact_id, phone, language, body, encoding, parts,"
    " decision, created_at, not_before, claim, attempts, handed_at, gateway_id, error"
)


def fill(cursor: Any, officer: Any, purposes: list[Any]) -> None:
    """Half of the contacts got a text of an earlier campaign within ten days, a twentieth three more; the next
    campaign is approved and due. Every hour is open, so that a run says the same on a Sunday."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from campaigns import workflow
    from campaigns.models import Campaign, CampaignBody, Sender, SendingWindow
    from campaigns.models.windows import WEEKDAYS
    from consent.contacts.models import Audience
    from consent.ledger.models import Purpose

    author = get_user_model().objects.create_user("author", password=None, is_staff=True)
    now = timezone.now()
    SendingWindow.objects.update(open_on_holidays=True, **dict.fromkeys(WEEKDAYS, "00:00-24:00"))
    senders = [
        Sender.objects.create(
            brand=purpose.brand, type="short_code", address=f"3612{number}", country="IT",
            kinds=Purpose.Kind.values, rate_per_second=30_000,
        )
        for number, purpose in enumerate(purposes)
    ]  # fmt: skip
    everybody = Audience.objects.create(name="Everybody")
    earlier, due = (
        Campaign.objects.create(
            name=name, purpose=purposes[1], audience=everybody, sender=senders[1], language="en", state=state,
            author=author, editor=author, approver=officer, approved_at=now, scheduled_at=now,
        )
        for name, state in (("Earlier", "completed"), ("Next", "scheduled"))
    )  # fmt: skip
    for campaign in (earlier, due):
        CampaignBody.objects.create(campaign=campaign, language="en", text="{brand}: offers this week, {first_name}.")
        Campaign.objects.filter(pk=campaign.pk).update(approved_content=workflow.content(campaign))
    recent = (
        f"INSERT INTO campaigns_message ({RECENT}) SELECT %s, 'delivered', '', %s, %s, %s, c.id, c.phone, c.language,"
        f" 'text', 'GSM-7', 1, '{{}}', {worlds._ago('c.id %% 10')}, {worlds._ago('c.id %% 10')}, '', 1,"
        f" {worlds._ago('c.id %% 10')}, '', '' FROM contacts_contact c WHERE c.id %% %s = 0"
    )
    cursor.execute(recent, ["campaign", earlier.pk, purposes[1].pk, senders[1].pk, 2])
    for _time in range(3):
        cursor.execute(recent, ["renewal", None, purposes[1].pk, senders[1].pk, 20])
