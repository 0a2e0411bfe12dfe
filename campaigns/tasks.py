"""Celery's side of sending. A message carries an id and only says that something waits: losing one loses nothing."""

from functools import partial

from celery import shared_task
from django.db import transaction

from campaigns import brake, sweeping
from campaigns import dispatch as dispatching
from campaigns import launch as launching
from campaigns.models import Campaign


@shared_task(name="campaigns.launch")
def launch(campaign_id: int) -> None:
    """Start a campaign whose moment has come."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is not None:
        launching.launch(campaign)


@shared_task(name="campaigns.dispatch")
def dispatch(sender_id: int) -> None:
    """Send what is due for a sender, for a while; then another worker goes on, so that others get a turn."""
    if dispatching.work(sender_id):
        wake(sender_id)


@shared_task(name="campaigns.sweep")
def sweep() -> None:
    """Find what is due or was left behind."""
    sweeping.sweep(start=_start, wake=wake)


@shared_task(name="campaigns.tell_officers")
def tell_officers(campaign_id: int) -> None:
    """Write to the officers that the brake paused a campaign."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is not None:
        brake.tell(campaign)


def wake(sender_id: int) -> None:
    """Have a worker look at a sender after the commit; where the broker cannot be reached the sweep does."""
    transaction.on_commit(partial(dispatch.delay, sender_id), robust=True)


def _start(campaign_id: int) -> None:
    transaction.on_commit(partial(launch.delay, campaign_id), robust=True)
