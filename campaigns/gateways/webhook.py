"""A gateway of one's own that speaks JSON: whatever goes either way is signed with one secret.

The signature is the hexadecimal HMAC-SHA256 of the timestamp, a full stop and the body as it stands.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from campaigns.gateways import values, wire
from campaigns.gateways.base import Accepted, Callback, Inbound, OutcomeUnknown, Outgoing, Receipt, Refused, Result

TOLERANCE = 300  # seconds between its clock and ours
_STATES = ("sent", "delivered", "undelivered", "failed")
_OURS = frozenset({401, 402, 403, 404, 405, 407})


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a body sent at a moment (seconds since 1970)."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Webhook:
    """The other side's address and the secret both share."""

    url: str
    secret: str

    name = "webhook"

    def send(self, text: Outgoing) -> Result:
        if not text.text:
            return Refused("empty")
        body = json.dumps(
            {
                "reference": text.reference,
                "from": text.sender,
                "to": text.to,
                "text": text.text,
                "encoding": text.encoding,
                "parts": text.parts,
                "validity_seconds": None if text.validity is None else max(1, int(text.validity.total_seconds())),
            }
        ).encode()
        timestamp = str(int(timezone.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Placet-Timestamp": timestamp,
            "X-Placet-Signature": sign(self.secret, timestamp, body),
        }
        response = wire.call("POST", self.url, data=body, headers=headers)
        if isinstance(response, Refused):
            return response
        said = wire.answer(response)
        if 200 <= response.status_code < 300:
            given = said.get("id")
            return Accepted(values.identity(str(given) if isinstance(given, int) else given))
        if response.status_code in (502, 504) or response.status_code < 200:
            raise OutcomeUnknown("A server between us did not get the answer.")
        return values.refusal(response.status_code, said, ours=_OURS)

    def verify(self, call: Callback) -> bool:
        timestamp = call.headers.get("x-placet-timestamp", "")
        if call.method != "POST" or not self.secret or not re.fullmatch(r"[0-9]{1,12}", timestamp):
            return False
        if abs(timezone.now().timestamp() - int(timestamp)) > TOLERANCE:
            return False
        given = call.headers.get("x-placet-signature", "").encode("utf-8", "replace")
        return hmac.compare_digest(given, sign(self.secret, timestamp, call.body).encode())

    def parse_status(self, call: Callback) -> Receipt | None:
        said = _object(call.body)
        reference = values.reference(said.get("reference"))
        gateway_id = values.identity(said.get("id"))
        state = said.get("state")
        if state not in _STATES or (reference is None and not gateway_id):
            return None
        return Receipt(
            state,
            reference=reference,
            gateway_id=gateway_id,
            code=values.code(said.get("code")),
            effect=values.effect(said.get("effect")),
        )

    def parse_inbound(self, call: Callback) -> Inbound | None:
        said = _object(call.body)
        if "reference" in said or not isinstance(said.get("from"), str):
            return None  # with a reference it is one of our own, sent back to us
        return Inbound(
            gateway_id=values.identity(said.get("id")),
            sender=values.name(said["from"]),
            to=values.name(said.get("to")),
            text=values.text(said.get("text")),
            # Where it does not say when, when it signed: a call that is repeated stays the same text.
            at=values.moment(said.get("at")) or datetime.fromtimestamp(int(call.headers["x-placet-timestamp"]), UTC),
        )

    def ask(self, reference: int, gateway_id: str) -> Receipt | None:
        return None


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
