"""The campaigns of the demo world, each left in another state."""

from datetime import datetime, timedelta

from django.utils import timezone

from campaigns import launch, openings, workflow
from campaigns.demo import replies
from campaigns.demo.senders import data
from campaigns.models import Campaign, CampaignBody, Message, Sender
from consent.contacts.models import Audience
from consent.core import history
from consent.ledger.demo.build import World, clock

S = Message.State


def tell(world: World) -> None:
    """Write, approve, send and stop campaigns, each at its time."""
    _completed(world)
    _braked(world)
    _waiting(world)


def morning(world: World, days: int, clock_time: tuple[int, int] = (10, 30)) -> datetime:
    """That time on a day on which Italy and Spain are open: so many days away, or the next one in that direction."""
    hours = openings.Hours.load("")
    places = [openings.Place("IT", "", "Europe/Rome"), openings.Place("ES", "", "Europe/Madrid")]
    hour, minute = clock_time
    step = 1 if days > 0 else -1
    for further in range(openings.HORIZON.days):
        day = timezone.localtime(world.now) + timedelta(days=days + step * further)
        at = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if all(hours.is_open(place, at) for place in places):
            return at
    raise LookupError("no day on which Italy and Spain are open")


def _write(world: World, name: str, at: datetime) -> Campaign:
    row, author = data()["campaigns"][name], world.users["manager"]
    with clock(at), history.acting(history.Actor.of(author), "Written"):
        campaign = Campaign.objects.create(
            name=row["name"],
            purpose=world.purposes[row["purpose"]],
            audience=Audience.objects.get(name=row["audience"]),
            sender=Sender.objects.get(address=row["sender"]),
            language=row["language"],
            author=author,
            editor=author,
        )
        for language, text in row["texts"].items():
            CampaignBody.objects.create(campaign=campaign, language=language, text=text)
    return campaign


def _approve(world: World, campaign: Campaign, at: datetime, start: datetime) -> None:
    with clock(at):
        workflow.submit(campaign, world.users["manager"])
    with clock(at + timedelta(hours=2)):
        workflow.approve(campaign, world.users["officer"], "Read in every language; the counts are as expected")
        workflow.schedule(campaign, world.users["officer"], start)


def _start(campaign: Campaign, at: datetime) -> None:
    with clock(at), history.acting(history.Actor.job("launch"), "Its time came"):
        launch.launch(campaign)
    campaign.refresh_from_db()
    replies.send(campaign.sender, at + timedelta(seconds=5))


def _completed(world: World) -> None:
    start = morning(world, -12)
    campaign = _write(world, "warehouse", start - timedelta(days=2))
    _approve(world, campaign, start - timedelta(days=1, hours=4), start)
    _start(campaign, start)
    replies.send(campaign.sender, start + timedelta(hours=6))  # where it was night before
    gone = campaign.messages.filter(state=S.SENT)
    replies.arrive(world, gone.select_related("sender"))
    replies.stops(campaign, ("it", "de"), start + timedelta(minutes=25), 1)
    lost = gone.order_by("pk").values_list("pk", flat=True)[:2]
    campaign.messages.filter(pk__in=list(lost)).update(state=S.UNKNOWN, error="timeout")
    gone.exclude(state=S.UNKNOWN).update(state=S.SILENT, finished_at=start + timedelta(days=3))
    campaign.messages.filter(state__in=Message.OPEN).update(state=S.LATE, finished_at=start + timedelta(days=7))
    campaign.refresh_from_db()
    if campaign.state == Campaign.State.SENDING:  # dispatch closes what nothing of waits
        with clock(start + timedelta(days=7)), history.acting(history.Actor.job("sweep"), "Nothing waits any more"):
            workflow.complete(campaign)


def _braked(world: World) -> None:
    """Too many opt-outs in the first half hour: the rest waits, and an officer has to look."""
    start = morning(world, -1, (10, 20))  # the Canaries are open, the Azores are not yet
    campaign = _write(world, "autumn", start - timedelta(days=2))
    _approve(world, campaign, start - timedelta(days=1), start)
    _start(campaign, start)
    replies.arrive(world, campaign.messages.filter(state=S.SENT).select_related("sender"))
    replies.stops(campaign, ("es", "gl", "it"), start + timedelta(minutes=12), 4)
    campaign.refresh_from_db()
    if campaign.state == Campaign.State.SENDING:
        with clock(start + timedelta(minutes=21)), history.acting(history.Actor.job("brake"), "Too many opt-outs"):
            workflow.pause(campaign, by=Campaign.PausedBy.BRAKE)


def _waiting(world: World) -> None:
    """A draft, one to be reviewed, one that starts by itself."""
    _write(world, "interviews", world.now - timedelta(hours=3))
    winter = _write(world, "winter", world.now - timedelta(days=1, hours=2))
    with clock(world.now - timedelta(hours=20)):
        workflow.submit(winter, world.users["manager"])
    christmas = _write(world, "christmas", world.now - timedelta(days=3))
    _approve(world, christmas, world.now - timedelta(days=1), morning(world, 2, (10, 0)))
