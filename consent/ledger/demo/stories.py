"""What happens to the people of the demo world: each story ends in one state of a consent, through the doors."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import history
from consent.ledger import proofs, transitions
from consent.ledger.models import Consent, Method, Notice, Purpose

from .people import Person

# How often each story happens among 300 people.
SHARES = {
    "given": 112, "ends_in_7": 5, "ends_in_30": 9, "ends_in_60": 9, "ends_in_90": 10, "requested": 14, "lapsed": 5,
    "refused": 47, "withdrawn": 38, "expired": 17, "renewed": 12, "unknown": 9, "old_list": 7, "new_number": 4,
    "invalidated": 2,
}  # fmt: skip
_STAFF = {Method.VERBAL, Method.PAPER}
_REFERENCES = {
    Method.WEB_FORM: "https://{brand}.example/sms",
    Method.APPLICATION: "Application {n}",
    Method.KEYWORD: "Message {n}",
    Method.PAPER: "Form {n}, folder {year}",
    Method.EMAIL_REPLY: "E-mail {n}",
    Method.RELATIONSHIP: "Order {n}",
}


@dataclass
class Event:
    """Something that happens at a moment: ``do(contact)``, by somebody, for a reason."""

    at: datetime
    actor: history.Actor
    reason: str
    do: Callable[[Contact], Any]


class Teller:
    """Tells stories about people: knows the purposes, the notices, the staff, and has the dice."""

    def __init__(self, purposes: dict[str, Purpose], users: dict[str, Any], now: datetime, chance: random.Random):
        self.purposes, self.users, self.now, self.chance = purposes, users, now, chance
        self.notices = {(n.purpose_id, n.language): n for n in Notice.objects.filter(version=1)}
        self.count = 0

    def tell(self, story: str, person: Person) -> None:
        """Give a person the events of a story, and often a yes to the sister purpose along with it."""
        if person.number.country == "US" and story in ("requested", "lapsed"):
            story = "given"  # a spoken yes to marketing does not count there (RULES C14)
        brand = self.chance.choice(["officina-lavoro", "mercado-vivo"])
        if story in ("requested", "lapsed"):
            brand = "mercado-vivo"
        elif story == "old_list" or person.number.country in ("DE", "FR", "GB", "US"):
            brand = "officina-lavoro"
        own = [p for p in self.purposes.values() if p.brand.slug == brand]
        main = own[0] if story in ("requested", "lapsed", "old_list") else self.chance.choice(own)
        person.kind = "customer" if brand == "mercado-vivo" else self.chance.choice(["applicant"] * 4 + ["employee"])
        person.events = sorted(getattr(self, f"_{story}")(person, main), key=lambda event: event.at)
        if story in ("given", "renewed", "refused", "requested") and self.chance.random() < 0.5:
            other = next(p for p in own if p != main)
            person.events.append(self._answer(person, other, person.events[0].at + timedelta(minutes=1)))
            person.events.sort(key=lambda event: event.at)

    # --- the stories -----------------------------------------------------------------------------------------

    def _given(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(2, 600))

    def _ends(self, person: Person, to: Purpose, first: int, last: int) -> Iterator[Event]:
        day = self.now + timedelta(days=self.chance.randint(first, last))
        yield self._answer(person, to, self._at(day - relativedelta(months=to.validity_months)))

    def _ends_in_7(self, person: Person, to: Purpose) -> Iterator[Event]:
        return self._ends(person, to, 2, 6)

    def _ends_in_30(self, person: Person, to: Purpose) -> Iterator[Event]:
        return self._ends(person, to, 9, 28)

    def _ends_in_60(self, person: Person, to: Purpose) -> Iterator[Event]:
        return self._ends(person, to, 33, 58)

    def _ends_in_90(self, person: Person, to: Purpose) -> Iterator[Event]:
        return self._ends(person, to, 63, 88)

    def _requested(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(1, 5), method=Method.VERBAL)

    def _lapsed(self, person: Person, to: Purpose) -> Iterator[Event]:
        asked = self._answer(person, to, self._ago(20, 80), method=Method.VERBAL)
        yield asked
        yield self._expiry(to, asked.at + timedelta(days=8))

    def _refused(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(1, 83), answer="no")

    def _withdrawn(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(90, 500))
        method = self.chance.choice([Method.KEYWORD] * 3 + [Method.VERBAL, Method.EMAIL_REPLY])
        when = self._ago(1, 83)
        stop = self._act(person, to, when, method=method, answer="no")
        yield Event(
            when + timedelta(minutes=1),
            self._actor(method),
            "The person said stop",
            lambda contact: transitions.withdraw(contact, to, stop, scope=to.brand.stop_scope),
        )

    def _expired(self, person: Person, to: Purpose) -> Iterator[Event]:
        over = self._ago(3, 100)
        yield self._answer(person, to, over - relativedelta(months=to.validity_months))
        yield self._expiry(to, over + timedelta(hours=1))

    def _renewed(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(500, 700))
        yield self._answer(person, to, self._ago(5, 200), method=Method.WEB_FORM)

    def _unknown(self, person: Person, to: Purpose) -> Iterator[Event]:
        when = self._ago(10, 200)
        claim = proofs.Act(method=Method.IMPORT, answer="none", captured_at=when, source="ats", recorded_by="officer")
        yield Event(
            when + timedelta(hours=2),
            history.Actor.of(self.users["officer"]),
            "Import of a list without proof",
            lambda contact: transitions.record_answers([transitions.Entry(contact, to, claim)], by_import=True),
        )

    def _old_list(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(300, 600), method=Method.IMPORT)

    def _new_number(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(100, 400))
        yield Event(
            self._ago(5, 80),
            history.Actor.of(self.users["officer"]),
            "The person wrote that the number changed",
            lambda contact: doors.change_number(contact, person.spare),
        )

    def _invalidated(self, person: Person, to: Purpose) -> Iterator[Event]:
        yield self._answer(person, to, self._ago(100, 400), method=Method.PAPER)
        yield Event(
            self._ago(5, 60),
            history.Actor.of(self.users["officer"]),
            "Audit: the signature on the form is not the person's",
            lambda contact: transitions.end(
                Consent.objects.get(contact=contact, purpose=to), "invalidate", effective_at=timezone.now()
            ),
        )

    # --- the pieces --------------------------------------------------------------------------------------------

    def _answer(self, person: Person, to: Purpose, when: datetime, *, method: str = "", answer: str = "yes") -> Event:
        act = self._act(person, to, when, method=method, answer=answer)
        delay = timedelta(minutes=self.chance.randint(0, 3) if act.method in _STAFF else 0, seconds=30)
        said = "Opt-in recorded" if answer == "yes" else "The person said no"
        return Event(
            when + delay,
            self._actor(act.method),
            said,
            lambda contact: transitions.record_answer(contact, to, act),
        )

    def _act(self, person: Person, to: Purpose, when: datetime, *, method: str, answer: str) -> proofs.Act:
        method = method or self._method(to, answer)
        self.count += 1
        reference = _REFERENCES.get(Method(method), "").format(
            brand=to.brand.slug, n=20_000 + self.count, year=when.year
        )
        staff = method in _STAFF
        return proofs.Act(
            method=method,
            answer=answer,
            captured_at=when,
            notice=None if method == Method.IMPORT else self.notices[to.pk, person.language],
            recorded_by="recruiter" if staff else "",
            recorded_by_user=self.users["recruiter"] if staff else None,
            place=person.place if staff else "",
            read_verbatim=True if method == Method.VERBAL else None,
            reference=reference,
            source={Method.IMPORT: "old database"}.get(Method(method), "event" if staff else "website"),
            details="Ordered in the shop" if method == Method.RELATIONSHIP else "",
        )

    def _method(self, to: Purpose, answer: str) -> str:
        choices = [Method.WEB_FORM] * 4 + [Method.PAPER] * 3 + [Method.KEYWORD] * 2 + [Method.EMAIL_REPLY]
        if answer == "no":
            return self.chance.choice([Method.VERBAL] * 6 + [Method.PAPER] * 3 + [Method.WEB_FORM])
        if to.brand.slug == "officina-lavoro":
            choices += [Method.APPLICATION] * 4
        if to.kind != Purpose.Kind.MARKETING:
            choices += [Method.VERBAL] * 2
        if Method.RELATIONSHIP in to.accepted_methods and to.brand.slug == "mercado-vivo":
            choices += [Method.RELATIONSHIP] * 2
        return self.chance.choice(choices)

    def _expiry(self, to: Purpose, at: datetime) -> Event:
        return Event(
            at,
            history.Actor.job("expire_consents"),
            "The consent's time is over.",
            lambda contact: transitions.expire(
                transitions.due_for_expiry(timezone.now()).filter(contact=contact, purpose=to)
            ),
        )

    def _actor(self, method: str) -> history.Actor:
        return history.Actor.of(self.users["recruiter"]) if method in _STAFF else history.Actor.job(method)

    def _ago(self, least: int, most: int) -> datetime:
        return self._at(self.now - timedelta(days=self.chance.randint(least, most)))

    def _at(self, day: datetime) -> datetime:
        """A moment of that day between nine and six, local time."""
        return timezone.localtime(day).replace(
            hour=self.chance.randint(9, 17), minute=self.chance.randint(0, 59), second=0, microsecond=0
        )
