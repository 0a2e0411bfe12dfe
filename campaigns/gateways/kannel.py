"""Kannel, an SMS gateway of one's own: texts go to its smsbox, receipts and replies come back from it.

Texts go as POST with X-Kannel headers, so that neither a number nor a text is in an address (P10).
"""

import hmac
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from django.urls import reverse

from campaigns.gateways import values, wire
from campaigns.gateways.base import Accepted, Callback, Inbound, OutcomeUnknown, Outgoing, Receipt, Refused, Result

_ALL_RECEIPTS = 31
_STATES = {"1": "delivered", "2": "undelivered", "8": "sent", "16": "failed"}  # 4: it waits at the carrier, no news
_TAKEN = (b"0:", b"3:")  # accepted; queued until a carrier is on line
_CARRIER_ERROR = re.compile(r"dlr_err=([^&]*)&")
_CHARSET = re.compile(r"""charset="?(utf-8|utf-16be|iso-8859-1|us-ascii|windows-1252)\b""", re.IGNORECASE)


@dataclass(frozen=True)
class Kannel:
    """Kannel's smsbox.

    Attributes:
        url: of its sendsms service.
        secret: part of the addresses it calls; its calls carry no other authentication.
        addresses: where its calls may come from: addresses or networks.
        callback_url: how it reaches us.
        dead_numbers: the carrier's error codes that mean: this number is out of service.
    """

    url: str
    username: str
    password: str
    secret: str
    addresses: tuple[str, ...]
    callback_url: str
    dead_numbers: frozenset[str] = frozenset()

    name = "kannel"

    def send(self, text: Outgoing) -> Result:
        if not text.text:
            return Refused("empty")  # Kannel would send it
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": self.username,
            "X-Kannel-Password": self.password,
            "X-Kannel-From": text.sender,
            "X-Kannel-To": text.to,
            # Without it, everything that is not GSM silently becomes a question mark.
            "X-Kannel-Coding": "0" if text.encoding == "GSM-7" else "2",
            "X-Kannel-DLR-Mask": str(_ALL_RECEIPTS),
            "X-Kannel-DLR-URL": self.receipt_url(text.reference),
        }
        if text.validity is not None:
            headers["X-Kannel-Validity"] = str(max(1, int(text.validity.total_seconds() // 60)))
        answer = wire.call(
            "POST",
            self.url,
            data=text.text.encode("utf-8", "replace"),
            headers={name: value.encode("utf-8", "replace") for name, value in headers.items()},
        )
        if isinstance(answer, Refused):
            return answer
        if answer.status_code == 202 and answer.content.startswith(_TAKEN):
            return Accepted()  # it gives no id: ours is in the address of the receipt
        if answer.status_code == 403:  # also when a list of its own bars this one number
            return Refused("http-403", ours=b"Authorization failed" in answer.content)
        if answer.status_code == 503 or 300 <= answer.status_code < 500:
            return values.refusal(answer.status_code, {}, ours=frozenset({401, 404, 405, 407}))
        raise OutcomeUnknown("Kannel answered what it never answers.")

    def receipt_url(self, reference: int) -> str:
        """Where Kannel reports what became of a text; %d and %D are filled in by it.

        Not %A, the carrier's own words: they may quote the text (P10).
        """
        # The secret may only hold what needs no quoting (system check): a percent sign would be Kannel's.
        path = reverse("hooks:kannel_receipt", args=[quote(self.secret, safe=""), reference])
        return f"{self.callback_url}{path}?state=%d&meta=%D"

    def verify(self, call: Callback) -> bool:
        if call.method not in ("GET", "POST") or not self.secret:
            return False
        if not hmac.compare_digest(call.secret.encode("utf-8", "replace"), self.secret.encode("utf-8", "replace")):
            return False
        # What a proxy passes on has the caller's address at the end of this header, put there by the proxy itself.
        passed_on = call.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return self._knows(call.address) and (not passed_on or self._knows(passed_on))

    def parse_status(self, call: Callback) -> Receipt | None:
        state = _STATES.get(call.query.get("state", ""))
        reference = values.reference(call.reference)
        if state is None or reference is None:
            return None
        error = _carrier_error(call.query.get("meta", ""))
        bad = state in ("undelivered", "failed")
        return Receipt(
            state,
            reference=reference,
            code=(error or ("rejected" if state == "failed" else "")) if bad else "",
            effect="no_subscriber" if bad and error in self.dead_numbers else "",
        )

    def parse_inbound(self, call: Callback) -> Inbound | None:
        if "x-kannel-from" in call.headers:  # post-url
            sender, to = call.headers["x-kannel-from"], call.headers.get("x-kannel-to", "")
            charset = _CHARSET.search(call.headers.get("content-type", ""))
            text = call.body.decode(charset[1] if charset else "utf-8", "replace")
        elif "from" in call.query:  # get-url
            sender, to, text = call.query["from"], call.query.get("to", ""), call.query.get("text", "")
        else:
            return None
        return Inbound(
            gateway_id=values.identity(call.query.get("id")),
            sender=values.name(sender),
            to=values.name(to),
            text=values.text(text),
            at=values.moment(call.query.get("at")),
        )

    def ask(self, reference: int, gateway_id: str) -> Receipt | None:
        return None  # Kannel keeps no texts

    def _knows(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
            found = getattr(found, "ipv4_mapped", None) or found
            return any(found in ipaddress.ip_network(network.strip(), strict=False) for network in self.addresses)
        except ValueError:
            return False


def _carrier_error(meta: str) -> str:
    """The network's error code in Kannel's meta data: three octets, the type of network and the code."""
    found = _CARRIER_ERROR.search(meta)
    octets = unquote_to_bytes(found[1].replace("+", " ")) if found else b""
    number = int.from_bytes(octets[1:], "big") if len(octets) == 3 else 0
    return str(number) if number else ""
