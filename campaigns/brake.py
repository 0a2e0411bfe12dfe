"""The brake: a campaign that makes too many people stop is paused, and the officers are told."""

import math
from datetime import datetime
from decimal import Decimal
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Campaign, InboundMessage, Message
from consent.core import history, roles

ACTOR = history.Actor.job("brake")


def figures(campaign: Campaign) -> tuple[int, int]:
    """How many were handed over, and how many of those texted opted out."""
    return _handed(campaign, None).count(), _opted_out(campaign, None)


def _handed(campaign: Campaign, since: datetime | None) -> QuerySet[Message]:
    handed = Message.objects.filter(campaign=campaign, handed_at__isnull=False)
    return handed if since is None else handed.filter(handed_at__gt=since)


def _opted_out(campaign: Campaign, since: datetime | None) -> int:
    replies = InboundMessage.objects.filter(campaign=campaign, meaning=InboundMessage.Meaning.OPT_OUT)
    if since is not None:
        replies = replies.filter(received_at__gt=since)
    return replies.values("phone").distinct().count()


def _resumed(campaign: Campaign) -> datetime | None:
    """From when on to count: who resumed a campaign knew what had happened until then."""
    paused = Campaign.history.filter(id=campaign.pk, state=Campaign.State.PAUSED)
    return paused.order_by("-history_date").values_list("history_date", flat=True).first()


def check(campaign: Campaign) -> bool:
    """Pause a campaign whose opt-outs are more than its brand bears; call it in the transaction of an opt-out.

    It waits for nobody: when somebody else is changing the campaign the sweep checks again. What workers have claimed
    comes back by itself, for the hand-over asks whether the campaign is sending.

    Returns:
        Whether it was paused now.
    """
    if campaign.state != Campaign.State.SENDING:
        return False
    since = _resumed(campaign)
    stopped = _opted_out(campaign, since)
    if not stopped:
        return False
    most = campaign.purpose.brand.stop_brake_percent
    handed = _handed(campaign, since)
    # With so many texted this many are within the limit; no more rows are counted than it takes to say so.
    enough = math.ceil(Decimal(stopped) * 100 / most) if most else None
    texted = handed.count() if enough is None else handed.order_by()[: max(enough, settings.BRAKE_AFTER)].count()
    if texted < settings.BRAKE_AFTER or (enough is not None and texted >= enough):
        return False
    with transaction.atomic(), history.acting(ACTOR, f"{stopped} opt-outs of {texted} texted (more than {most} %)"):
        free = Campaign.objects.select_for_update(skip_locked=True, no_key=True)
        locked = free.filter(pk=campaign.pk, state=Campaign.State.SENDING).first()
        if locked is None:
            return False
        locked.state, locked.paused_by = Campaign.State.PAUSED, Campaign.PausedBy.BRAKE
        locked.save()
        # Tasks stand above; found by name.
        transaction.on_commit(lambda: import_module("campaigns.tasks").tell_officers.delay(campaign.pk), robust=True)
    return True


def check_all() -> int:
    """``check`` for every campaign that is sending.

    Returns:
        How many were paused.
    """
    sending = Campaign.objects.filter(state=Campaign.State.SENDING).select_related("purpose__brand")
    return sum(check(campaign) for campaign in sending)


def tell(campaign: Campaign) -> int:
    """Write to the officers that the brake paused a campaign; figures only, nothing of a person.

    Returns:
        How many were written to.
    """
    officers = get_user_model().objects.filter(is_active=True, groups__name=roles.OFFICER).exclude(email="")
    handed, stopped = figures(campaign)
    for officer in officers.distinct():
        send_mail(
            _("Campaign %(id)s is paused: too many opt-outs") % {"id": campaign.pk},
            _(
                "The campaign “%(name)s” (%(id)s) was paused by itself: %(stopped)s of %(handed)s people opted out. "
                "Look at its page and resume or cancel it."
            )
            % {"name": campaign.name, "id": campaign.pk, "stopped": stopped, "handed": handed},
            None,
            [officer.email],
        )
    return len(officers)
