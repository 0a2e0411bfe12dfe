"""Builds the demo world: the ledger's, and on it senders, campaigns and what came back; through the doors, each at its
own time."""

from collections.abc import Iterable
from unittest import mock

from django.db import transaction

from campaigns import waking
from campaigns.demo import past, replies, senders, stories
from consent.ledger.demo import build as ledger


@transaction.atomic
def build() -> None:
    """Make the whole world in an empty database."""
    worlds: list[ledger.World] = []

    def prepare(world: ledger.World) -> None:
        senders.make(world)
        worlds.append(world)

    def settle(woken: Iterable[int]) -> None:
        if list(woken):
            past.settle(worlds[0])

    with mock.patch.object(waking, "wake", settle):
        world = ledger.build(prepare)
    with mock.patch.object(waking, "wake", lambda woken: None):  # workers are called by hand, at their times
        stories.tell(world)
        replies.everything_else(world)
