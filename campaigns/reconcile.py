"""Texts that Kannel got and could not tell us, found in its access log and added (GATEWAYS.md).

The log carries no id, its times are local, and it shows what is not ASCII as dots; so a text counts as known when one
with the same numbers and the same words, as far as the log shows them, came within two minutes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.utils.crypto import salted_hmac

from campaigns import inbound
from campaigns.gateways.base import Inbound
from campaigns.inbound import origins
from campaigns.models import InboundMessage

GATEWAY = "kannel"
TOLERANCE = timedelta(minutes=2)
BATCH = 500
_HEAD = re.compile(
    rb"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) Receive SMS \[SMSC:.*?\[from:(?P<sender>[^\]]*)\] \[to:(?P<to>[^\]]*)\]"
    rb" \[flags:(?P<flags>[^\]]*)\] \[msg:(?P<length>\d{1,6}):"
)
_RECEIVED = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Receive SMS \[")
_HEX = {"1": "utf-8", "2": "utf-16-be"}  # codings whose texts stand there in hexadecimal: bytes, UCS-2


class Unreadable(Exception):
    """A line about a received text that does not say what it was."""


@dataclass(frozen=True)
class Line:
    """A received text, as the log has it.

    Attributes:
        at: when; in the hour that comes twice in autumn, the later of the two moments.
        earlier: the earlier one; else the same.
        sender, to: as they came.
        text: the words; where ``blurred`` holds, dots may stand for other characters.
        identity: the same for the same line of the same file, told apart from equal ones.
    """

    at: datetime
    earlier: datetime
    sender: str
    to: str
    text: str
    blurred: bool
    identity: str


def parse(line: bytes, zone: ZoneInfo) -> Line | None:
    """A line of the access log; None when it is not about a received text.

    Args:
        line: without its end.
        zone: of the machine that wrote the log.

    Raises:
        Unreadable: it is about one, but cannot be read.
    """
    if not _RECEIVED.match(line):
        return None
    head = _HEAD.match(line)
    if head is None:
        raise Unreadable
    flags = head["flags"].decode("ascii", "replace").split(":")
    coding = flags[1] if len(flags) > 1 else ""
    text, blurred = _words(line[head.end() :], int(head["length"]), _HEX.get(coding, ""))
    try:
        local = datetime.strptime(head["at"].decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise Unreadable from None
    moments = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return Line(
        at=max(moments),
        earlier=min(moments),
        sender=head["sender"].decode("ascii", "replace"),
        to=head["to"].decode("ascii", "replace"),
        text=text,
        blurred=blurred,
        identity=salted_hmac("campaigns.reconcile", line, algorithm="sha256").hexdigest()[:60],
    )


def _words(rest: bytes, length: int, hexadecimal: str) -> tuple[str, bool]:
    """The text at the start of ``rest``, by its length since brackets are not escaped; and whether it is blurred."""
    if hexadecimal and _ends(rest, 2 * length) and re.fullmatch(rb"[0-9A-Fa-f]*", rest[: 2 * length]):
        found = bytes.fromhex(rest[: 2 * length].decode()).decode(hexadecimal, "replace")
        return found, "\ufffd" in found
    if not _ends(rest, length):
        raise Unreadable
    found = rest[:length].decode("utf-8", "replace")
    return found, "." in found or not found.isascii()


def _ends(rest: bytes, length: int) -> bool:
    return len(rest) > length and (rest[length:] == b"]" or rest[length:].startswith(b"] [udh:"))


def run(lines: Iterable[bytes], zone: ZoneInfo, *, simulate: bool = False) -> Iterator[Counter[str]]:
    """Add what is missing, as if it had come in at the time the log says.

    Args:
        lines: the access log.
        zone: of the machine that wrote it.
        simulate: count only.

    Yields:
        The counts after each batch: ``read`` received texts, of them ``known`` and ``added``; ``unreadable`` lines.
    """
    counts: Counter[str] = Counter(read=0, known=0, added=0, unreadable=0)
    matched: set[int] = set()
    seen: Counter[str] = Counter()
    stream = iter(lines)
    while batch := list(islice(stream, BATCH)):
        found = []
        for raw in batch:
            try:
                if line := parse(raw.rstrip(b"\r\n"), zone):
                    found.append(line)
            except Unreadable:
                counts["unreadable"] += 1
        counts["read"] += len(found)
        lost = _lost(found, matched)
        counts["known"] += len(found) - len(lost)
        counts["added"] += len(lost)
        for line in lost:
            seen[line.identity] += 1
            if not simulate:
                told = Inbound(f"log-{line.identity}-{seen[line.identity]}", line.sender, line.to, line.text, line.at)
                matched.add(inbound.receive(GATEWAY, told, blurred=line.blurred).pk)
        yield counts


def _lost(found: list[Line], matched: set[int]) -> list[Line]:
    """The texts of a batch that no stored one accounts for; each stored one accounts for one only."""
    if not found:
        return []
    first, last = min(line.earlier for line in found), max(line.at for line in found)
    countries: dict[str, str] = {}
    for to in {line.to for line in found}:
        sender = origins.sender_of(to, GATEWAY)
        countries[to] = sender.country if sender else ""
    phones = {line: origins.phone_of(line.sender, countries[line.to]) for line in found}
    stored = InboundMessage.objects.filter(
        gateway=GATEWAY,
        phone__in=set(phones.values()),
        received_at__gte=first - TOLERANCE,
        received_at__lte=last + TOLERANCE,
    )
    known: dict[tuple[str, str, str], list[InboundMessage]] = {}
    for row in stored.order_by("received_at", "pk"):
        known.setdefault(_key(row.phone or row.raw_from, row.raw_to, row.body), []).append(row)
    lost = []
    for line in sorted(found, key=lambda line: line.at):
        near = [
            row
            for row in known.get(_key(phones[line] or line.sender, line.to, line.text), [])
            if row.pk not in matched
            and _apart(row, line) <= TOLERANCE
            and (line.blurred or row.body.split() == line.text.split())
        ]
        if not near:
            lost.append(line)
            continue
        matched.add(min(near, key=lambda row: (_apart(row, line), row.pk)).pk)
    return lost


def _apart(row: InboundMessage, line: Line) -> timedelta:
    return min(abs(row.received_at - at) for at in (line.at, line.earlier))


def _key(phone: str, to: str, text: str) -> tuple[str, str, str]:
    """What two records of one text have in common: the numbers, and the words as far as the log shows them."""
    digits = re.sub(r"\D", "", to).removeprefix("00") or to
    shown = re.sub(r"[^\x21-\x7e]|\.", ".", text)
    return phone, digits, re.sub(r"\.+", ".", shown).strip(".")
