"""Which gateways there are, and what the settings lack."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.checks import run_checks

from campaigns import gateways
from campaigns.gateways import values
from campaigns.gateways.base import Accepted, Callback, Outgoing, Receipt
from campaigns.models import Sender


def test_every_gateway_a_sender_can_have_is_one() -> None:
    assert set(gateways.NEEDED) == set(Sender.Gateway.values)


def test_without_settings_only_the_console_can_be_used(settings: Any) -> None:
    for needed in gateways.NEEDED.values():
        for variable in needed:
            setattr(settings, variable, "")
    assert gateways.configured() == ["console"]
    assert gateways.get("console").name == "console"


def test_with_settings_all_can(all_configured: Any) -> None:
    assert gateways.configured() == ["console", "kannel", "twilio", "webhook"]
    assert [gateways.get(name).name for name in gateways.configured()] == gateways.configured()


@pytest.mark.parametrize(
    ("name", "variable"), [(name, variable) for name, needed in gateways.NEEDED.items() for variable in needed]
)
def test_what_is_missing_is_named(all_configured: Any, name: str, variable: str) -> None:
    all_configured.KANNEL_CALLBACK_URL = ""
    setattr(all_configured, variable, "")
    with pytest.raises(gateways.NotConfigured, match=variable):
        gateways.get(name)
    assert name not in gateways.configured()


def test_kannel_may_have_a_nearer_way_than_the_public_one(all_configured: Any) -> None:
    all_configured.PUBLIC_URL = ""
    assert gateways.configured() == ["console", "kannel", "webhook"]


def test_an_unknown_one_is_a_sentence() -> None:
    with pytest.raises(gateways.NotConfigured, match="no gateway"):
        gateways.get("pigeon")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("KANNEL_PASSWORD", "", "campaigns.E001"),
        ("TWILIO_AUTH_TOKEN", "", "campaigns.E001"),
        ("WEBHOOK_URL", "", "campaigns.E001"),
        ("PUBLIC_URL", "https://placet.example.org/placet", "campaigns.E002"),
        ("PUBLIC_URL", "placet.example.org", "campaigns.E002"),
        ("KANNEL_SECRET", "fifteen-letters", "campaigns.E003"),
        ("KANNEL_SECRET", "sixteen%letters%", "campaigns.E003"),
        ("KANNEL_ADDRESSES", ["kannel.example.org"], "campaigns.E004"),
        ("WEBHOOK_SECRET", "x" * 31, "campaigns.W005"),
    ],
)
def test_check_tells_what_cannot_work(all_configured: Any, variable: str, value: Any, problem: str) -> None:
    assert [found.id for found in run_checks() if found.id.startswith("campaigns.")] == []
    setattr(all_configured, variable, value)
    assert [found.id for found in run_checks() if found.id.startswith("campaigns.")] == [problem]


def test_the_console_takes_all_and_says_it_arrived(text: Outgoing) -> None:
    console = gateways.get("console")
    assert console.send(text) == Accepted("console-17")
    assert console.ask(17, "console-17") == Receipt("delivered", reference=17)
    assert not console.verify(Callback("POST", "/hooks/console/"))
    assert console.parse_status(Callback("POST", "/")) is None
    assert console.parse_inbound(Callback("POST", "/")) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [("21610", "21610"), (30005, "30005"), ("E-1.b_c", "E-1.b_c"), ("no such number", ""), ("393120000001", ""),
     (True, ""), (None, ""), ("x" * 33, ""), ("é", ""), ({"a": 1}, "")],
)  # fmt: skip
def test_only_what_is_a_code_is_kept_as_one(given: Any, kept: str) -> None:
    assert values.code(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("17", 17), (17, 17), ("0", None), (-1, None), (2**63 - 1, 2**63 - 1), (2**63, None), ("9" * 19, None),
     ("9" * 5000, None), ("١٧", None), (True, None), (1.5, None), (None, None)],
)  # fmt: skip
def test_only_what_can_be_an_id_is_one(given: Any, kept: int | None) -> None:
    assert values.reference(given) == kept


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1795337940", datetime(2026, 11, 22, 8, 59, tzinfo=UTC)),
        (1795337940, datetime(2026, 11, 22, 8, 59, tzinfo=UTC)),
        ("2026-11-22T09:59:00+01:00", datetime(2026, 11, 22, 8, 59, tzinfo=UTC)),
        ("2026-11-22T08:59:00Z", datetime(2026, 11, 22, 8, 59, tzinfo=UTC)),
        ("2026-11-22T10:01:00+01:00", datetime(2026, 11, 22, 9, 0, tzinfo=UTC)),  # its clock is ahead: now
        ("2026-11-22T10:01:01+01:00", None),
        ("2026-11-22T08:59:00", None),
        ("1999-12-31T23:59:59+00:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("9" * 400, None),
        ("yesterday", None),
        (1e400, None),
        (float("nan"), None),
        (None, None),
        ([], None),
    ],
)
def test_only_what_can_be_a_moment_is_one(given: Any, kept: datetime | None) -> None:
    assert values.moment(given) == kept


def test_texts_and_ids_fit_the_tables() -> None:
    assert values.text("a\0b\ud800") == "ab?"
    assert values.name(" " + "9" * 50) == "9" * 40
    assert values.identity("x" * 80) == "x" * 80
    assert len(values.identity("x" * 81)) == 64
    assert values.identity("x" * 81) != values.identity("x" * 82)
