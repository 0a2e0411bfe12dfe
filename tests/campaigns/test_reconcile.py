"""What Kannel's access log holds and we do not: found, added once, and read with care where letters are lost."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import inbound, reconcile
from campaigns.gateways.base import Inbound
from campaigns.models import InboundMessage, Message
from consent.contacts.models import Contact
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.gateways import kannel as boxes
from tests.campaigns.gateways.carrier import Carrier

pytestmark = pytest.mark.django_db
ROME = ZoneInfo("Europe/Rome")
NUMBER = "+393121234567"
# Lines of a real log: the numbers are ours.
REAL = """2026-11-22 06:20:19 Log begins
2026-11-22 06:20:19 Receive SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:+33639980001] [to:36123] [flags:-1:2:-1:0:-1] [msg:10:00410052005200CA0054] [udh:0:]
2026-11-22 06:20:19 Receive SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:+351912000001] [to:36123] [flags:-1:2:-1:0:-1] [msg:12:004F006C00E10020D83DDE00] [udh:0:]
2026-11-22 06:20:19 Receive SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:+393121234567] [to:36123] [flags:-1:0:-1:0:-1] [msg:22:Perch.. no. s.. ..$...] [udh:0:]
2026-11-22 06:20:19 Receive SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:OFFICINA] [to:36123] [flags:-1:0:-1:0:-1] [msg:5:hello] [udh:0:]
2026-11-22 06:20:19 Receive SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:+393121234567] [to:36123] [flags:-1:1:-1:0:-1] [msg:8:E90062696E617279] [udh:0:]
2026-11-22 06:20:19 Receive SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:+393121234567] [to:36123] [flags:-1:0:-1:0:-1] [msg:0:] [udh:0:]
"""  # noqa: E501 - as Kannel writes them


def line(
    text: str, at: str = "2026-11-22 09:58:00", sender: str = NUMBER, coding: int = 0, what: str = "Receive"
) -> str:
    return (
        f"{at} {what} SMS [SMSC:carrier] [SVC:] [ACT:placet] [BINF:] [FID:] [META:?smpp?] [from:{sender}] [to:36123]"
        f" [flags:-1:{coding}:-1:0:-1] [msg:{len(text)}:{text}] [udh:0:]"
    )


def read(tmp_path: Path, *lines: str, **options: Any) -> dict[str, int]:
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    out = StringIO()
    call_command("reconcile_inbound", str(path), json=True, stdout=out, **options)
    return dict(json.loads(out.getvalue()))


def told(text: str, gateway_id: str, at: datetime | None = None) -> InboundMessage:
    return inbound.receive("kannel", Inbound(gateway_id, NUMBER, "36123", text, at))


@pytest.fixture
def person(clock: Any) -> Contact:
    purpose = factories.purpose()
    factories.sender(purpose.brand, gateway="kannel")
    return factories.consent(factories.contact(typed=NUMBER), purpose).contact


def test_real_lines_are_read() -> None:
    found = [reconcile.parse(raw.encode(), ROME) for raw in REAL.splitlines()]
    assert [(f.sender, f.text, f.blurred) for f in found if f] == [
        ("+33639980001", "ARRÊT", False),
        ("+351912000001", "Olá 😀", False),
        (NUMBER, "Perch.. no. s.. ..$...", True),
        ("OFFICINA", "hello", False),
        (NUMBER, "\ufffd\x00binary", True),
        (NUMBER, "", False),
    ]
    assert found[0] is None
    assert found[1] and found[1].at == datetime(2026, 11, 22, 6, 20, 19, tzinfo=ROME)


@pytest.mark.parametrize("text", ["a] [udh:0:]", "[msg:4:STOP] [udh:0:]", "] [from:+1] [to:1]", "[", "]"])
def test_brackets_in_a_text_are_words(text: str) -> None:
    found = reconcile.parse(line(text).encode(), ROME)
    assert found and (found.text, found.sender) == (text, NUMBER)


@pytest.mark.parametrize(
    "broken",
    [
        line("STOP").replace("msg:4:", "msg:5:"), line("STOP").replace("msg:4:", "msg:3:"), line("STOP")[:90],
        line("STOP").replace("msg:4:", "msg:x:"), line("STOP", at="2026-13-41 09:58:00"), line("STOP")[:-20],
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_counted(person: Contact, tmp_path: Path, broken: str) -> None:
    assert read(tmp_path, broken, line("hello")) == {"read": 1, "known": 0, "added": 1, "unreadable": 1}


def test_a_lost_stop_is_added_once_and_holds(person: Contact, tmp_path: Path) -> None:
    log = [line("STOP"), line("STOP", what="Sent"), "2026-11-22 09:58:00 Log begins", ""]
    assert read(tmp_path, *log, simulate=True) == {"read": 1, "known": 0, "added": 1, "unreadable": 0}
    assert not InboundMessage.objects.exists()
    assert read(tmp_path, *log) == {"read": 1, "known": 0, "added": 1, "unreadable": 0}
    row = InboundMessage.objects.get()
    assert (row.received_at, row.meaning) == (timezone.now() - timedelta(minutes=2), "opt_out")
    assert row.gateway_id.startswith("log-") and NUMBER[1:] not in row.gateway_id
    assert Consent.objects.get().status == "withdrawn"
    assert Message.objects.filter(kind="opt_out").count() == 1  # within five minutes
    assert read(tmp_path, *log) == {"read": 1, "known": 1, "added": 0, "unreadable": 0}


def test_what_came_is_known_and_what_came_less_often_is_added(person: Contact, tmp_path: Path) -> None:
    at = timezone.now() - timedelta(minutes=2)
    told("hello", "1", at)
    told("hello", "2", at + timedelta(seconds=5))
    assert read(tmp_path, *[line("hello")] * 3) == {"read": 3, "known": 2, "added": 1, "unreadable": 0}
    assert read(tmp_path, *[line("hello")] * 3) == {"read": 3, "known": 3, "added": 0, "unreadable": 0}


@pytest.mark.parametrize(("apart", "known"), [(120, 1), (121, 0)])
def test_a_text_is_the_same_within_two_minutes(person: Contact, tmp_path: Path, apart: int, known: int) -> None:
    told("hello", "1", timezone.now() - timedelta(hours=1))
    at = (timezone.now() - timedelta(hours=1, seconds=apart)).astimezone(ROME)
    assert read(tmp_path, line("hello", f"{at:%Y-%m-%d %H:%M:%S}"))["known"] == known


@pytest.mark.parametrize(
    ("came", "logged", "coding", "known"),
    [
        ("Perché no?\nsì", "Perch.. no?.s..", 0, 1),
        ("Perche no? si", "Perch.. no?.s..", 0, 0),
        ("ARRÊT", "00410052005200CA0054", 2, 1),
        ("ARRËT", "00410052005200CA0054", 2, 0),
        ("see  you", "see you", 0, 1),
        ("see you", "see you!", 0, 0),
    ],
)
def test_words_are_compared_as_far_as_the_log_shows_them(
    person: Contact, tmp_path: Path, came: str, logged: str, coding: int, known: int
) -> None:
    told(came, "1", timezone.now() - timedelta(minutes=2))
    entry = line(logged, coding=coding)
    if coding == 2:
        entry = entry.replace(f"[msg:{len(logged)}:", f"[msg:{len(logged) // 2}:")
    assert read(tmp_path, entry)["known"] == known


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("ARR..T", "review"), ("ne m'..crivez plus", "review"), ("STOP.", "opt_out"), ("YES.", "conversation"),
        ("LAVORO..", "conversation"), ("Va bene..", "conversation"),
    ],
)  # fmt: skip
def test_lost_letters_may_hold_but_never_say_yes(person: Contact, tmp_path: Path, text: str, meaning: str) -> None:
    read(tmp_path, line(text))
    assert InboundMessage.objects.get().meaning == meaning
    person.refresh_from_db()
    assert (person.held_since is not None) is (meaning == "review")


def test_times_are_those_of_the_zone_given(person: Contact, tmp_path: Path) -> None:
    read(tmp_path, line("hello", "2026-11-22 06:58:00"), zone="UTC")
    assert InboundMessage.objects.get().received_at.hour == 6


@pytest.mark.parametrize("hour", [0, 1])  # 02:40 summer time, and 02:40 once more
def test_in_the_hour_that_comes_twice_a_text_is_known_at_both(
    person: Contact, tmp_path: Path, clock: Any, hour: int
) -> None:
    clock.move_to(datetime(2026, 10, 25, 8, tzinfo=UTC))
    told("hello", "1", datetime(2026, 10, 25, hour, 40, tzinfo=UTC))
    again = line("hello", "2026-10-25 02:40:00")
    assert read(tmp_path, again) == {"read": 1, "known": 1, "added": 0, "unreadable": 0}


def test_a_stop_lost_in_the_hour_that_comes_twice_came_the_second_time(tmp_path: Path, clock: Any) -> None:
    clock.move_to(datetime(2026, 10, 25, 1, 20, tzinfo=UTC))  # 02:20, the second one
    purpose = factories.purpose()
    factories.sender(purpose.brand, gateway="kannel")
    factories.consent(factories.contact(typed=NUMBER), purpose, captured_at=timezone.now())
    clock.move_to(datetime(2026, 10, 25, 8, tzinfo=UTC))
    assert read(tmp_path, line("STOP", "2026-10-25 02:40:00"))["added"] == 1
    assert InboundMessage.objects.get().received_at == datetime(2026, 10, 25, 1, 40, tzinfo=UTC)
    assert Consent.objects.get().status == "withdrawn"


def test_a_wrong_call_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="time zone"):
        read(tmp_path, line("x"), zone="Rome")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("reconcile_inbound", str(tmp_path / "none.log"))
    out = StringIO()
    (tmp_path / "empty.log").touch()
    call_command("reconcile_inbound", str(tmp_path / "empty.log"), stdout=out)
    assert out.getvalue() == "read 0, known 0, added 0, unreadable 0.\n"


@boxes.needed
def test_what_the_real_kannel_could_not_tell_is_in_its_log(tmp_path: Path, monkeypatch: Any) -> None:
    """Nobody answers Kannel here, so that every text is lost."""
    monkeypatch.setenv("TZ", "UTC")  # for Kannel, which writes the local time
    purpose = factories.purpose()
    factories.sender(purpose.brand, gateway="kannel")
    factories.consent(factories.contact(typed=NUMBER), purpose, captured_at=timezone.now() - timedelta(days=1))
    carrier_port, nobody = boxes.free_ports(2)
    with (
        Carrier(carrier_port) as carrier,
        boxes.Boxes(tmp_path, carrier_port, boxes.service("get-url", f"http://127.0.0.1:{nobody}/")) as running,
    ):
        boxes.wait_until(carrier.bound.is_set, "Kannel is bound")
        for text in ("Arrêt", "Is the job still open?"):
            carrier.type(text, of=NUMBER, to="36123")
        boxes.wait_until(lambda: running.log("access.log").count("Receive SMS") == 2, "both are in the log")
        out = StringIO()
        log = str(tmp_path / "access.log")
        call_command("reconcile_inbound", log, json=True, zone="UTC", stdout=out)
    assert json.loads(out.getvalue()) == {"read": 2, "known": 0, "added": 2, "unreadable": 0}
    assert set(InboundMessage.objects.values_list("meaning", flat=True)) == {"opt_out", "conversation"}
    assert Consent.objects.get().status == "withdrawn"
