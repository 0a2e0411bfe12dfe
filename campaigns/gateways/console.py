"""A gateway that takes every text and sends none: for trying Placet."""

from campaigns.gateways.base import Accepted, Callback, Inbound, Outgoing, Receipt, Result


class Console:
    """Says that it has every text, and that each arrived when it is asked; nothing leaves this machine."""

    name = "console"

    def send(self, text: Outgoing) -> Result:
        return Accepted(f"console-{text.reference}")

    def verify(self, call: Callback) -> bool:
        return False  # nobody calls for it

    def parse_status(self, call: Callback) -> Receipt | None:
        return None

    def parse_inbound(self, call: Callback) -> Inbound | None:
        return None

    def ask(self, reference: int, gateway_id: str) -> Receipt | None:
        return Receipt("delivered", reference=reference)
