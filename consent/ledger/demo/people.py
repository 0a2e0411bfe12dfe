"""Who lives in the demo world: users of every role, and people with numbers that reach nobody."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from consent.core import numbers, roles

PASSWORD = "demo-placet-2026"  # noqa: S105 (printed for everybody who tries the demo; refused when DEBUG is off)
USERS = {
    "admin": ("Ana", ""),
    "officer": ("Olivia", roles.OFFICER),
    "recruiter": ("Renzo", roles.RECRUITER),
    "manager": ("Marta", roles.CAMPAIGN_MANAGER),
    "auditor": ("Artur", roles.AUDITOR),
}


@dataclass
class Person:
    """Somebody before being on record.

    Attributes:
        number: as parsed.
        place: where people of this country are met.
        events: what happens to the person (``stories``), in order of time.
    """

    number: numbers.Number
    spare: numbers.Number
    name: str
    email: str
    language: str
    place: str
    external_id: str
    kind: str = "customer"
    events: list[Any] = field(default_factory=list)


def users() -> dict[str, Any]:
    """Make the demo users, one of each role and an administrator."""
    model = get_user_model()
    password = make_password(PASSWORD)  # hashed once: it is slow on purpose, and no secret here
    made = {}
    for name, (first, role) in USERS.items():
        user = model.objects.create(
            username=name,
            email=f"{name}@example.org",
            password=password,
            first_name=first,
            is_staff=True,
            is_superuser=not role,
        )
        if role:
            user.groups.add(Group.objects.get(name=role))
        made[name] = user
    return made


def people(rows: list[dict[str, Any]], chance: random.Random) -> Iterator[Person]:
    """The people of the world file, some of them without name or e-mail, as it happens."""
    for row in rows:
        start = row.get("from", 1)
        for index in range(row["weight"]):
            first, last = chance.choice(row["first"]), chance.choice(row["last"])
            yield Person(
                number=numbers.parse(row["number"].format(n=start + index), row["country"]),
                # a number nobody else has, for those who change theirs
                spare=numbers.parse(row["number"].format(n=start + row["weight"] + index % 5), row["country"]),
                name=f"{first} {last}" if chance.random() < 0.95 else "",
                email=_email(first, last, index) if chance.random() < 0.6 else "",
                language=chance.choice(row["languages"]),
                place=chance.choice(row["places"]),
                external_id=f"{row['country']}-{1000 + index}" if chance.random() < 0.5 else "",
            )


def _email(first: str, last: str, index: int) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}".casefold().replace("ß", "ss").replace("ø", "o"))
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c == ".")) + f"{index}@example.org"
