"""Builds the demo world: everything goes through the doors, each event at its own time."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from unittest import mock

from django.db import transaction
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Audience, Contact, Tag
from consent.core import history, numbers
from consent.ledger import jobs
from consent.ledger.importing import batches
from consent.ledger.models import ImportBatch, Method, Purpose

from . import people, stories, words

SEED = 2026
STOPPED = ("+39 312 0009001", "+34 612 009002", "+351 912 009003")  # said stop without being on record


@contextmanager
def clock(moment: datetime) -> Iterator[None]:
    """Let it be ``moment``, so that records of the past carry the times they would have had."""
    with mock.patch.object(timezone, "now", lambda: moment):
        yield


@dataclass
class World:
    """What the layers above build upon: purposes by path, users by name, the moment it is built at, the dice."""

    purposes: dict[str, Purpose]
    users: dict[str, Any]
    now: datetime
    chance: random.Random


@transaction.atomic
def build(prepare: Callable[[World], None] | None = None) -> World:
    """Make the ledger's world in an empty database.

    Args:
        prepare: adds what must be there before anybody says yes; called at the beginning of the world.
    """
    now = timezone.now()
    chance = random.Random(SEED)  # noqa: S311 (the same world every time)
    users = people.users()
    officer = history.Actor.of(users["officer"])
    start = now - timedelta(days=900)
    with clock(start), history.acting(officer, "Set up"):
        purposes = words.make(start)
        tags = {p: Tag.objects.create(name=p) for row in words.world()["people"] for p in row["places"]}
        world = World(purposes, users, now, chance)
        if prepare:
            prepare(world)
    teller = stories.Teller(purposes, users, now, chance)
    population = list(people.people(words.world()["people"], chance))
    chance.shuffle(population)
    told = [story for story, share in stories.SHARES.items() for _n in range(share)]
    for person, story in zip(population, told, strict=True):
        teller.tell(story, person)
    for person in sorted(population, key=lambda p: p.events[0].at):
        _live(person, tags, users)
    _officer_work(purposes, users["officer"], now)
    return world


def _live(person: people.Person, tags: dict[str, Tag], users: dict) -> None:
    contact: Contact | None = None
    for event in person.events:
        with clock(event.at), history.acting(event.actor, event.reason):
            if contact is None:
                by_staff = event.actor.user_id == users["recruiter"].pk
                contact, _new = doors.register(
                    person.number,
                    created_by=users["recruiter"] if by_staff else None,
                    name=person.name,
                    email=person.email,
                    kind=person.kind,
                    language=person.language,
                    source="event" if by_staff else "website",
                    external_id=person.external_id,
                )
                if by_staff:
                    contact.tags.add(tags[person.place])
            event.do(contact)


def _officer_work(purposes: dict[str, Purpose], user: Any, now: datetime) -> None:
    officer = history.Actor.of(user)
    with clock(now - timedelta(days=30)):
        for purpose in purposes.values():
            with history.acting(officer, "The old database's claims no longer count as proof"):
                purpose.accepted_methods = [m for m in purpose.accepted_methods if m != Method.IMPORT]
                purpose.save()
        with history.acting(officer, "Stopped before being on record"):
            for typed in STOPPED:
                doors.suppress(numbers.parse(typed).e164, reason="stop", since=timezone.now())
    with clock(now - timedelta(days=2)), history.acting(officer, "Fewer messages"):
        words.draft(purposes["officina-lavoro/job-alerts"], "it")
    with history.acting(officer, "For the first campaigns"):
        Audience.objects.create(name="Applicants in Italy", kind="applicant", country="IT")
        Audience.objects.create(name="Customers in Galician", kind="customer", language="gl")
    with clock(now - timedelta(days=3)):
        _import_a_list(user)
    for _counts in jobs.remind_expiring(simulate=False, limit=None):
        pass


def _import_a_list(user: Any) -> None:
    """The import of a small list with the usual mistakes."""
    day = (timezone.localdate() - timedelta(days=1)).isoformat()
    rows = (words.HERE / "fair.csv").read_text(encoding="utf-8").replace("{day}", day)
    batch = batches.upload(
        BytesIO(rows.encode()),
        filename="job-fair-milano.csv",
        country="IT",
        reason="Forms of the job fair, typed in by the agency",
        actor=history.Actor.of(user),
        user=user,
        state=ImportBatch.State.RUNNING,
    )
    batches.run(batch)
