"""Builds the demo world: the ledger's, and on it senders, campaigns and what came back; through the doors, each at its
own time."""

from unittest import mock

from django.db import transaction

from campaigns import waking
from campaigns.demo import past, replies, senders, stories
from consent.ledger.demo import build as ledger


@transaction.atomic
def build() -> None:
    """Make the whole world in an empty database."""
    with mock.patch.object(waking, "wake", lambda senders: None):  # its workers are called by hand, at their times
        world = ledger.build(prepare=senders.make)
        past.settle(world)
        stories.tell(world)
        replies.everything_else(world)
