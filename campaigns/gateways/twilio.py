"""Twilio, by its HTTP interface; its own validator checks who calls us."""

import re
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, get_signature_algorithm

from campaigns.gateways import values, wire
from campaigns.gateways.base import Accepted, Callback, Inbound, OutcomeUnknown, Outgoing, Receipt, Refused, Result

_LONGEST_VALIDITY = 36_000  # seconds, as its interface says
_ID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_STATES = {  # all others: under way, no news
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}
_EFFECTS = {
    "21610": "opt_out",  # the person is on Twilio's own list (RULES O10)
    "30005": "no_subscriber",  # the number does not exist any more (RULES C15)
}
# The account, its credentials, its funds, or the number texts come from: every text would be refused.
_OURS = {"20003", "20005", "20006", "20404", "21212", "21603", "21606", "21659", "21660", "30002"}
_LATER = {"14107", "20429", "21611", "63038"}  # too many at once, today, or in its queue


@dataclass(frozen=True)
class Twilio:
    """An account at Twilio.

    Attributes:
        url: of its interface.
        public_url: our address as Twilio calls it; its signatures cover it.
    """

    url: str
    account_sid: str
    auth_token: str
    public_url: str

    name = "twilio"

    def send(self, text: Outgoing) -> Result:
        if not text.text:
            return Refused("empty")
        form = {
            "To": text.to,
            "From": text.sender,
            "Body": text.text,
            "StatusCallback": self.public_url + reverse("hooks:twilio_receipt", args=[text.reference]),
        }
        if text.validity is not None:
            form["ValidityPeriod"] = str(min(max(1, int(text.validity.total_seconds())), _LONGEST_VALIDITY))
        response = self._call("POST", "Messages.json", data=form)
        if isinstance(response, Refused):
            return response
        said = wire.answer(response)
        if response.ok and response.status_code < 300:
            if _ID.fullmatch(str(said.get("sid"))):
                return Accepted(said["sid"])
            raise OutcomeUnknown("Twilio accepted something without naming it.")
        return self._refusal(response.status_code, said)

    def verify(self, call: Callback) -> bool:
        signature = call.headers.get("x-twilio-signature", "")
        settings = call.headers.get("x-twilio-webhooks-signature-settings", "")
        algorithm = get_signature_algorithm(settings).upper()
        if call.method != "POST" or not signature or not self.auth_token or algorithm not in (HMAC_SHA1, HMAC_SHA256):
            return False
        if call.headers.get("content-type", "").partition(";")[0].strip() == "application/x-www-form-urlencoded":
            signed: Any = call.form
        elif "bodySHA256" in call.query:  # the address carries the digest of what is not a form
            signed = call.body.decode("utf-8", "replace")
        else:
            return False
        try:
            url = self.public_url + call.path
            return bool(RequestValidator(self.auth_token).validate(url, signed, signature, algorithm))
        except ValueError:  # an address or characters that cannot be signed
            return False

    def parse_status(self, call: Callback) -> Receipt | None:
        state = _STATES.get(call.form.get("MessageStatus", ""))
        reference = values.reference(call.reference)
        sid = values.identity(call.form.get("MessageSid"))
        if state is None or (reference is None and not sid):
            return None
        return _receipt(state, reference, sid, call.form.get("ErrorCode"))

    def parse_inbound(self, call: Callback) -> Inbound | None:
        if "From" not in call.form:
            return None
        return Inbound(
            gateway_id=values.identity(call.form.get("MessageSid")),
            sender=values.name(call.form["From"]),
            to=values.name(call.form.get("To")),
            text=values.text(call.form.get("Body")),
        )

    def ask(self, reference: int, gateway_id: str) -> Receipt | None:
        if not _ID.fullmatch(gateway_id):
            return None  # looking for it by its number would put the number into an address (P10)
        try:
            response = self._call("GET", f"Messages/{gateway_id}.json")
        except OutcomeUnknown:
            return None
        if isinstance(response, Refused) or response.status_code != 200:
            return None
        said = wire.answer(response)
        state = _STATES.get(str(said.get("status")))
        return _receipt(state, reference, gateway_id, said.get("error_code")) if state else None

    def _call(self, method: str, what: str, **how: Any) -> Any:
        url = f"{self.url}/2010-04-01/Accounts/{self.account_sid}/{what}"
        return wire.call(method, url, auth=(self.account_sid, self.auth_token), **how)

    def _refusal(self, status: int, said: dict[str, Any]) -> Refused:
        code = values.code(said.get("code"))
        if status >= 500 and status != 503 and not code:
            # Not Twilio's words but those of something on the way: it may have the text.
            raise OutcomeUnknown("A server error that says nothing.")
        refused = values.refusal(status, {"code": code}, ours=frozenset({401, 403, 404}))
        return Refused(
            refused.code,
            temporary=refused.temporary or code in _LATER,
            effect=_EFFECTS.get(code, ""),
            ours=code in _OURS or (refused.ours and code not in _EFFECTS),
        )


def _receipt(state: str, reference: int | None, sid: str, error: Any) -> Receipt:
    bad = state in ("undelivered", "failed")
    code = values.code(error) if bad else ""
    return Receipt(state, reference=reference, gateway_id=sid, code=code, effect=_EFFECTS.get(code, ""))
