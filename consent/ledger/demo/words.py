"""Brands, purposes, notices and privacy policies of the demo world, out of its data files."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from consent.ledger.models import Brand, Method, Notice, PrivacyPolicy, Purpose
from consent.ledger.models.purposes import accepted_by_default

HERE = Path(__file__).parent
PUBLISHER = "officer"


def world() -> dict[str, Any]:
    """The world file."""
    return tomllib.loads((HERE / "world.toml").read_text(encoding="utf-8"))


def texts(language: str) -> dict[str, Any]:
    """The notices and the policy in one language."""
    return tomllib.loads((HERE / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def make(published_at: datetime) -> dict[str, Purpose]:
    """Make all of it, inside ``history.acting``.

    Args:
        published_at: since when the first versions are in force.

    Returns:
        The purposes by path.
    """
    data = world()
    brands = {slug: Brand.objects.create(slug=slug, **fields) for slug, fields in data["brands"].items()}
    purposes = {}
    for row in data["purposes"]:
        accepted = [*accepted_by_default(), Method.IMPORT.value]
        if row.pop("relationship", False):
            accepted.append(Method.RELATIONSHIP.value)
        brand = brands[row.pop("brand")]
        purpose = Purpose.objects.create(brand=brand, accepted_methods=accepted, **row)
        purposes[purpose.path] = purpose
    for language, _label in settings.LANGUAGES:
        written = texts(language)
        for brand in brands.values():
            PrivacyPolicy.objects.create(
                brand=brand,
                language=language,
                url=f"https://{brand.slug}.example/privacy/{language}",
                body=_policy(written["policy"]["body"], brand),
                published_at=published_at,
                published_by=PUBLISHER,
            )
        for purpose in purposes.values():
            Notice.objects.create(
                purpose=purpose,
                language=language,
                published_at=published_at,
                published_by=PUBLISHER,
                **written[purpose.brand.slug][purpose.slug],
            )
    return purposes


def _policy(body: str, brand: Brand) -> str:
    return body.strip().format(
        controller=brand.controller, address=brand.controller_address, brand=brand.name, contact=brand.contact
    )


def draft(purpose: Purpose, language: str) -> Notice:
    """An unpublished second version of a notice, inside ``history.acting``."""
    first = Notice.objects.get(purpose=purpose, language=language, version=1)
    shorter = first.frequency.replace("2", "1")
    return Notice.objects.create(
        purpose=purpose, language=language, frequency=shorter, text=first.text.replace(first.frequency, shorter)
    )
