"""Numbers as people and spreadsheets write them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number, parse

from consent.core import numbers
from consent.core.errors import InvalidNumber

COUNTRIES = ["IT", "DE", "FR", "ES", "PT", "GB", "US", "CH", "AT", "BR", "RO"]


@pytest.mark.parametrize(
    ("typed", "country", "e164"),
    [
        ("312 345 6789", "IT", "+393123456789"),
        ("+39 312 345 6789", "DE", "+393123456789"),
        ("0039 312 3456789", "IT", "+393123456789"),
        ("00 39 312 3456789", "IT", "+393123456789"),
        ("  (312) 345-67.89  ", "IT", "+393123456789"),
        ("'+39 312 345 6789", "IT", "+393123456789"),
        ("\ufeff312 345 6789", "IT", "+393123456789"),
        ("3123456789.0", "IT", "+393123456789"),
        ("01512 3456789", "DE", "+4915123456789"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("912 345 678", "PT", "+351912345678"),
        ("07400 123456", "GB", "+447400123456"),
        ("(212) 555-2368", "US", "+12125552368"),
    ],
)
def test_reads(typed: str, country: str, e164: str) -> None:
    assert numbers.parse(typed, country).e164 == e164


def test_default_country_is_a_setting(settings: Any) -> None:
    settings.DEFAULT_COUNTRY = "DE"
    assert numbers.parse("01512 3456789").country == "DE"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("3.9333E+11", "digits are lost"),
        ("3,9333e+11", "digits are lost"),
        ("abc", "letters"),
        ("=1+2", "formula"),
        ("@SUM(A1)", "formula"),
        ("12", "too short"),
        ("+39 06 6988 1234", "landline"),
        ("+49 30 901820", "landline"),
        ("+39 899 123456", "not a mobile number|not in service"),
        ("+39 000 000 000", "too short|not in service"),
        ("+999 123 456 789", "not a phone number|not in service"),
        ("3" * 60, "too long"),
    ],
)
def test_refuses_with_a_sentence(typed: str, says: str) -> None:
    with pytest.raises(InvalidNumber, match=says):
        numbers.parse(typed, "IT")


@pytest.mark.parametrize("typed", ["+44 7700 900123", "+33 6 39 98 12 34"])
def test_numbers_of_films_only_where_they_are_accepted(typed: str, settings: Any) -> None:
    settings.ACCEPT_FICTIONAL_NUMBERS = True
    assert numbers.parse(typed).country in ("GB", "FR")
    settings.ACCEPT_FICTIONAL_NUMBERS = False
    with pytest.raises(InvalidNumber):
        numbers.parse(typed)


def test_knows_where_a_number_can_be() -> None:
    assert numbers.parse("305 555 2368", "US").region == "FL"
    assert numbers.parse("312 345 6789", "IT").zones == "Europe/Rome Europe/Vatican"
    assert numbers.parse("312 345 6789", "IT").country == "IT"


def mobiles() -> st.SearchStrategy[str]:
    """Mobile numbers that could be in service: an example of a country with its last digits drawn anew."""

    def build(country: str, digits: str) -> str:
        example = format_number(example_number_for_type(country, PhoneNumberType.MOBILE), PhoneNumberFormat.E164)
        return example[: -len(digits)] + digits

    return st.builds(build, st.sampled_from(COUNTRIES), st.text("0123456789", min_size=3, max_size=3))


@given(mobiles())
def test_what_is_shown_reads_back_the_same(e164: str) -> None:
    try:
        number = numbers.parse(e164)
    except InvalidNumber:
        return
    assert number.e164 == e164
    assert numbers.parse(number.international) == number
    assert numbers.parse(number.national, number.country) == number


@given(mobiles())
def test_masked_shows_the_country_and_two_digits_at_most(e164: str) -> None:
    shown = numbers.masked(e164)
    prefix = f"+{parse(e164).country_code}"
    assert shown.startswith(prefix)
    assert re.sub(r"\D", "", shown.removeprefix(prefix)) == e164[-2:]
