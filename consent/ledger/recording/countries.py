"""Countries as a recruiter chooses them for numbers typed without a prefix."""

import unicodedata

import phonenumbers
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from phonenumbers.geodata.locale import LOCALE_DATA


def name(country: str) -> str:
    """The name of an ISO country in the reader's language, or its code when it has none."""
    known = LOCALE_DATA.get(country, {})
    text = known.get((get_language() or "en").split("-")[0]) or known.get("en", "")
    return known.get(text[1:], country) if text.startswith("*") else text or country


def choices(often: list[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every country with its calling code, the ones used often first.

    Args:
        often: ISO codes for the first group.
    """
    first = list(dict.fromkeys([settings.DEFAULT_COUNTRY, *often]))
    others = sorted(set(phonenumbers.SUPPORTED_REGIONS) - set(first), key=_sortable)
    return [(_("Often used"), [_choice(c) for c in first]), (_("All countries"), [_choice(c) for c in others])]


def _choice(country: str) -> tuple[str, str]:
    return country, f"{name(country)} +{phonenumbers.country_code_for_region(country)}"


def _sortable(country: str) -> str:
    plain = unicodedata.normalize("NFKD", name(country).casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))
