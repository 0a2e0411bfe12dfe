"""What a gateway is to us: it takes a text, and it calls us back with receipts and replies.

The protocol is thin on purpose. A result is a value (sent, refused for good, try later); only not knowing is an
exception. Gateways know no models and no HTTP framework: a call back is a plain ``Callback``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True)
class Outgoing:
    """A text to be handed over.

    Attributes:
        reference: the id of our message; comes back with receipts.
        sender: the address it comes from.
        to: E.164 number.
        text: the final text.
        encoding: GSM-7 or UCS-2, as ``segments.measure`` found.
        parts: how many parts it has.
        validity: how long the carrier may still try; None: its default.
    """

    reference: int
    sender: str
    to: str
    text: str
    encoding: str
    parts: int
    validity: timedelta | None = None


@dataclass(frozen=True)
class Accepted:
    """The gateway has the text. ``gateway_id`` is its id for it, empty where it gives none."""

    gateway_id: str = ""


@dataclass(frozen=True)
class Refused:
    """The gateway did not take the text; sending it again cannot make two of it.

    Attributes:
        code: its error code, never its message (P10).
        temporary: trying later may help.
        effect: what a permanent refusal says about the person: ``opt_out`` (the provider holds one, RULES O10),
            ``no_subscriber`` (the number is out of service, RULES C15), or nothing.
        ours: it refused us, not this text (credentials, funds): everything else would be refused too.
    """

    code: str
    temporary: bool = False
    effect: str = ""
    ours: bool = False


Result = Accepted | Refused


class OutcomeUnknown(Exception):
    """The text may or may not have reached the gateway: the connection broke after it may have been sent."""


@dataclass(frozen=True)
class Receipt:
    """The carrier's word about a text.

    Attributes:
        reference: the id of our message, where the gateway returns it.
        gateway_id: the gateway's id, where it does not.
        state: ``sent`` (accepted by the carrier), ``delivered``, ``undelivered``, ``failed``.
        code: an error code.
        effect: as in ``Refused``.
    """

    state: str
    reference: int | None = None
    gateway_id: str = ""
    code: str = ""
    effect: str = ""


@dataclass(frozen=True)
class Inbound:
    """A text that came in, as the gateway tells it.

    Attributes:
        gateway_id: the gateway's id of it; the same text told twice has the same id. Empty where it gives none.
        sender: who sent it, as it came (``+44…``, ``44…``, ``0044…``, a short code or letters).
        to: our address, as it came.
        text: as it was typed.
        at: when the gateway got it, where it says so.
    """

    gateway_id: str
    sender: str
    to: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True)
class Callback:
    """A call of the gateway to us.

    Attributes:
        method, path: as called; the path with its query.
        headers: names in lower case.
        query, form: parameters, the last value of each name counts.
        body: as it came.
        address: the caller's.
        secret, reference: what the path carries, where this gateway's addresses carry it.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""
    secret: str = ""
    reference: int | None = None


class Gateway(Protocol):
    """A way to send texts."""

    name: str

    def send(self, text: Outgoing) -> Result:
        """Hand a text over.

        Raises:
            OutcomeUnknown: nobody knows whether it got it.
        """
        ...

    def verify(self, call: Callback) -> bool:
        """Whether a call really comes from the gateway; anything doubtful is not (P9)."""
        ...

    def parse_status(self, call: Callback) -> Receipt | None:
        """The receipt in a verified call; None when it holds nothing we know."""
        ...

    def parse_inbound(self, call: Callback) -> Inbound | None:
        """The text in a verified call; None when it holds none."""
        ...

    def ask(self, reference: int, gateway_id: str) -> Receipt | None:
        """What became of a text; None when the gateway cannot say."""
        ...
