"""Who wrote and to whom: numbers as gateways tell them (GATEWAYS.md) → E.164 and one of our senders."""

import re

import phonenumbers

from campaigns.models import Sender
from consent.core import numbers
from consent.core.errors import InvalidNumber

_PUNCTUATION = re.compile(r"[\s().\-/]+")
LONGEST = 16  # a plus and fifteen digits
_SHORT_CODE = re.compile(r"\d{1,8}")
# Mobile numbers as some networks still tell them: Mexico's with its old 1, Argentina's without their 9.
_MOBILE = ((re.compile(r"\+521(\d{10})"), r"+52\1"), (re.compile(r"\+54([1-8]\d{9})"), r"+549\1"))


def phone_of(raw: str, country: str = "") -> str:
    """The E.164 form of where a text came from: ``+44…``, ``44…``, ``0044…`` or national.

    A number that no plan knows keeps its form all the same: its STOP must hold too (P9).

    Args:
        raw: as it came.
        country: of the sender it was sent to, for numbers in national form.

    Returns:
        Empty for short codes, names and what is no number.
    """
    typed = _PUNCTUATION.sub("", raw)
    if not re.fullmatch(r"\+?\d+", typed, re.ASCII) or _SHORT_CODE.fullmatch(typed):
        return ""
    if typed.startswith("00"):
        typed = "+" + typed[2:]
    whole = typed if typed.startswith("+") else f"+{typed}"
    for form in dict.fromkeys([whole, _mobile(whole), typed]):
        try:
            return numbers.parse(form, country or None).e164
        except InvalidNumber:
            continue
    return _possible(whole)


def _mobile(whole: str) -> str:
    return next((found.expand(form) for plan, form in _MOBILE if (found := plan.fullmatch(whole))), whole)


def _possible(typed: str) -> str:
    try:
        parsed = phonenumbers.parse(typed)
    except phonenumbers.NumberParseException:
        return ""
    found = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return found if len(found) <= LONGEST and phonenumbers.is_possible_number(parsed) else ""


def country_of(phone: str) -> str:
    """The country of an E.164 number, as ISO 3166-1 alpha-2; empty when it tells none."""
    try:
        parsed = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ""
    found = phonenumbers.region_code_for_number(parsed)
    return found or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


def sender_of(raw: str, gateway: str) -> Sender | None:
    """The sender a text was sent to.

    Args:
        raw: our address, as it came: with or without ``+`` or ``00``.
        gateway: who told us; senders of other gateways count only when it has none of that address.
    """
    typed = raw.strip()
    digits = _PUNCTUATION.sub("", typed).lstrip("+").removeprefix("00")
    forms = {typed, digits, f"+{digits}"}
    found = list(Sender.objects.filter(address__in=forms).select_related("brand").order_by("pk"))
    return min(found, key=lambda sender: (sender.gateway != gateway, not sender.active, sender.pk), default=None)
