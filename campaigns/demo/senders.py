"""Who texts in the demo world, and the words on its posters; all there before anybody says yes."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from campaigns.models import Keyword, Sender
from consent.contacts.models import Audience, Contact
from consent.ledger.demo.build import World
from consent.ledger.models import Notice, Purpose


@cache
def data() -> dict[str, Any]:
    """The world file."""
    return tomllib.loads((Path(__file__).parent / "world.toml").read_text(encoding="utf-8"))


def make(world: World) -> None:
    """Make the senders and their keywords, inside ``history.acting``."""
    brands = {purpose.brand.slug: purpose.brand for purpose in world.purposes.values()}
    kinds = [kind for kind in Purpose.Kind.values if kind != Purpose.Kind.CONVERSATIONAL]
    made: dict[str, Sender] = {}
    for row in data()["senders"]:
        fields = {"kinds": kinds, **row}
        fields["brand"] = brands[row["brand"]]
        if "stop_sender" in row:
            fields["stop_sender"] = made[row["stop_sender"]]
        made[row["address"]] = Sender.objects.create(**fields)
    for row in data()["keywords"]:
        purpose = world.purposes[row["purpose"]]
        Keyword.objects.create(
            sender=made[row["sender"]],
            word=row["word"],
            purpose=purpose,
            notice=Notice.objects.get(purpose=purpose, language=row["language"], version=1),
        )
    asking = world.purposes["officina-lavoro/job-alerts"]
    asking.ask_renewal = True
    asking.save()
    Audience.objects.create(name="All applicants", kind=Contact.Kind.APPLICANT)
    Audience.objects.create(name="All customers", kind=Contact.Kind.CUSTOMER)
