"""Phone numbers: what was typed → E.164, country, region and every time zone the number can be in."""

import re
from dataclasses import dataclass
from zoneinfo import available_timezones

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType, geocoder, timezone

from consent.core.errors import InvalidNumber
from consent.core.regions import US_STATES

# Ranges that regulators keep out of service for films and examples; they reach nobody.
ZONES = available_timezones()
_FICTIONAL = re.compile(
    r"\+447700900\d{3}"  # Ofcom, numbers for drama use
    r"|\+3363998\d{4}"  # ARCEP, numbering plan: audiovisual works
)
_TEXTABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_MAX_TYPED = 40


@dataclass(frozen=True)
class Number:
    """A number that can receive texts.

    Attributes:
        e164: as stored, ``+393331234567``.
        country: ISO 3166-1 alpha-2.
        region: ISO 3166-2 part without the country where the number tells (``FL``), else empty.
        zones: every IANA time zone it can be in, sorted, joined by blanks; empty when unknown.
    """

    e164: str
    country: str
    region: str
    zones: str

    @property
    def international(self) -> str:
        """As people read it: ``+39 333 123 4567``."""
        return international(self.e164)

    @property
    def national(self) -> str:
        return phonenumbers.format_number(phonenumbers.parse(self.e164), phonenumbers.PhoneNumberFormat.NATIONAL)


def international(e164: str) -> str:
    """An E.164 number as people read it."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def masked(e164: str) -> str:
    """A number for eyes that may not see it whole: country code and the last two digits."""
    try:
        prefix = f"+{phonenumbers.parse(e164).country_code}"
    except phonenumbers.NumberParseException:
        prefix = "+"
    return f"{prefix} ••• •• {e164[-2:]}"


def parse(typed: str, country: str | None = None) -> Number:
    """Parse a number as a person types it.

    Args:
        typed: national or international form, with any blanks and punctuation; ``00`` counts as ``+``.
        country: ISO country of numbers without a prefix; the DEFAULT_COUNTRY setting when not given.

    Raises:
        InvalidNumber: empty, mangled by a spreadsheet, not a number, not in service, or a landline.
    """
    text = typed.strip().lstrip("\ufeff'’").strip()
    country = (country or settings.DEFAULT_COUNTRY).upper()
    if not text:
        raise InvalidNumber(_("The number is missing."))
    if len(text) > _MAX_TYPED:
        raise InvalidNumber(_("This is too long to be a phone number."))
    if re.fullmatch(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+", text):
        raise InvalidNumber(
            _("A spreadsheet has shortened this number and its digits are lost. Type it again as text.")
        )
    if text[0] in "=@" or re.search(r"[A-Za-z]", text):
        raise InvalidNumber(_("This is not a phone number: it contains letters or a formula."))
    if re.match(r"00\s*[1-9]", text):
        text = "+" + text[2:].lstrip()
    elif re.fullmatch(r"[1-9]\d{6,14}\.0", text):
        text = text[:-2]  # a spreadsheet's "3331234567.0": all digits are still there
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise InvalidNumber(
            _("This is not a phone number. Write it with its country code, such as +39 333 123 4567.")
        ) from None
    e164 = _e164(parsed)
    fictional = bool(_FICTIONAL.fullmatch(e164))
    if fictional and not settings.ACCEPT_FICTIONAL_NUMBERS:
        raise InvalidNumber(_("This number is reserved for films and examples and reaches nobody."))
    if not fictional:
        kind = phonenumbers.number_type(parsed)
        if kind == PhoneNumberType.UNKNOWN:  # just what is_valid_number asks, at half the price
            if len(str(parsed.national_number)) < 5:
                raise InvalidNumber(_("This is too short to be a phone number. Digits are missing."))
            raise InvalidNumber(
                _("%(number)s is not in service in any country. Check the digits and the country.")
                % {"number": international(e164)}
            )
        if kind == PhoneNumberType.FIXED_LINE:
            raise InvalidNumber(
                _("%(number)s is a landline and cannot receive texts. Ask for a mobile number.")
                % {"number": international(e164)}
            )
        if kind not in _TEXTABLE:
            raise InvalidNumber(
                _("%(number)s is not a mobile number and cannot receive texts. Ask for a mobile number.")
                % {"number": international(e164)}
            )
    return Number(e164=e164, country=_country(parsed), region=_region(parsed), zones=_zones(parsed))


def candidates(typed: str, countries: list[str]) -> list[str]:
    """The E.164 forms that a search for ``typed`` can mean, one per country it may be national in; empty when none."""
    found: dict[str, None] = {}
    for country in countries:
        try:
            found[parse(typed, country).e164] = None
        except InvalidNumber:
            continue
    return list(found)


def _e164(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _country(parsed: phonenumbers.PhoneNumber) -> str:
    # The fictional ranges have no region of their own: the calling code's main country stands in.
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )


def _region(parsed: phonenumbers.PhoneNumber) -> str:
    if _country(parsed) != "US":
        return ""
    place = geocoder.description_for_valid_number(parsed, "en")
    return US_STATES.get(place) or (place[-2:] if re.search(r", [A-Z]{2}$", place) else "")


def _zones(parsed: phonenumbers.PhoneNumber) -> str:
    # A number of a film has no zone of its own either: it can be wherever its kind of number can.
    zones = timezone.time_zones_for_number(parsed)
    if timezone.UNKNOWN_TIMEZONE in zones and _FICTIONAL.fullmatch(_e164(parsed)):
        zones = timezone.time_zones_for_geographical_number(parsed)
    return "" if timezone.UNKNOWN_TIMEZONE in zones else " ".join(sorted(zones))
