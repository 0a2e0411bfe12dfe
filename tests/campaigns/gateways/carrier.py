"""A carrier for tests: an SMPP 3.4 server on loopback whose phones do what the last digit of their number says."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import smpp34

UNDELIVERABLE, EXPIRED, REJECTED, THROTTLED, SILENT = "5", "6", "7", "8", "9"  # all other digits: delivered
_RECEIPT = 0x04
_SPLIT = 0x40
_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))


@dataclass(frozen=True)
class Submit:
    """A part of a text as the carrier got it."""

    to: str
    sender: str
    content: bytes
    coding: int
    part: tuple[int, int, int]  # reference, how many, which
    status: int


class Carrier:
    """Runs in its own thread from ``with`` to its end.

    Attributes:
        submits: everything that was handed over, refused or not, in order. This log is the judge.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.submits: list[Submit] = []
        self.bound = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="carrier", daemon=True)
        self._session: Any = None
        self._throttled: set[str] = set()
        # Number, reference and count of parts: for each part answered its id if a receipt of it is due.
        self._answered: dict[tuple[str, int, int], list[str]] = {}

    def __enter__(self) -> "Carrier":
        self._server = smpp34.Server(host="127.0.0.1", port=self.port, system_id="carrier")
        self._thread.start()
        self._wait(self._call("start"))
        self._serving = asyncio.run_coroutine_threadsafe(self._serve(), self._loop)
        return self

    def __exit__(self, *_error: object) -> None:
        self._serving.cancel()
        with contextlib.suppress(Exception):
            self._wait(self._call("stop"))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def type(self, text: str, *, of: str, to: str, raw: bytes | None = None, coding: int = 0, esm: int = 0) -> None:
        """A phone sends a text to ``to``; returns when Kannel has it."""
        if raw is None:
            coding, raw = (0, text.encode("ascii")) if text.isascii() else (8, text.encode("utf-16-be"))
        self._wait(self._deliver(of.removeprefix("+"), to, raw, coding, esm))

    def texts(self, to: str) -> list[str]:
        """The texts a phone shows, parts joined; refused ones are not among them."""
        whole: dict[tuple[int, int], dict[int, Submit]] = {}
        for n, part in enumerate(s for s in self.submits if s.to == to.removeprefix("+") and not s.status):
            reference, count, which = part.part
            whole.setdefault((reference, 0) if count > 1 else (-1, n), {})[which] = part
        return [_shown([parts[i] for i in sorted(parts)]) for parts in whole.values()]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _wait(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(timeout=10)

    async def _call(self, name: str) -> None:
        await getattr(self._server, name)()  # the library wants to be called inside the loop already

    async def _serve(self) -> None:
        later: set[asyncio.Task] = set()
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self._session = event
                self.bound.set()
            elif isinstance(event, smpp34.SubmitSmEvent):
                later.add(task := asyncio.create_task(self._take(event)))
                task.add_done_callback(later.discard)

    async def _take(self, event: Any) -> None:
        fate, status = event.destination_addr[-1], 0
        if fate == REJECTED:
            status = smpp34.ESME_RINVDSTADR
        elif fate == THROTTLED and event.destination_addr not in self._throttled:
            self._throttled.add(event.destination_addr)  # once; Kannel tries again by itself
            status = smpp34.ESME_RTHROTTLED
        self.submits.append(_submit(event, status))
        name = f"{len(self.submits):08d}"
        if status:
            event.reject(status)
            return
        event.accept(name)
        reference, count, _which = self.submits[-1].part
        answered = self._answered.setdefault((event.destination_addr, reference, count), [])
        answered.append(name if event.registered_delivery & 1 and fate != SILENT else "")
        if len(answered) < count:
            return  # Kannel asks for the receipt of the first part, and drops it before all are answered
        del self._answered[event.destination_addr, reference, count]
        if not any(answered):
            return
        name = max(answered)
        await asyncio.sleep(0.05)  # the answer goes first
        word = {UNDELIVERABLE: "UNDELIV", EXPIRED: "EXPIRED"}.get(fate, "DELIVRD")
        error = "001" if fate == UNDELIVERABLE else "000"
        receipt = (
            f"id:{name} sub:001 dlvrd:001 submit date:2611221000 done date:2611221000 "
            f"stat:{word} err:{error} text:a private text"
        )
        await self._deliver(event.destination_addr, event.source_addr, receipt.encode(), 0, _RECEIPT)

    async def _deliver(self, source: str, to: str, text: bytes, coding: int, esm: int) -> None:
        ton = 1 if len(source) > 8 else 0
        await self._session.deliver_sm(
            source_addr=source, source_addr_ton=ton, source_addr_npi=1, destination_addr=to, dest_addr_npi=1,
            dest_addr_ton=1 if len(to) > 8 else 0, short_message=text, data_coding=coding, esm_class=esm,
        )  # fmt: skip


def _submit(event: Any, status: int) -> Submit:
    content, part = bytes(event.short_message), (0, 1, 1)
    if event.esm_class & _SPLIT:
        header, content = content[: content[0] + 1], content[content[0] + 1 :]
        part = (header[-3], header[-2], header[-1])
    return Submit(
        to=event.destination_addr,
        sender=event.source_addr,
        content=content,
        coding=event.data_coding,
        part=part,
        status=status,
    )


def _shown(parts: list[Submit]) -> str:
    content = b"".join(part.content for part in parts)  # Kannel splits a surrogate pair between two parts
    return content.decode("utf-16-be") if parts[0].coding == 8 else _gsm(content)


def _gsm(octets: bytes) -> str:
    shown, escaped = "", False
    for octet in octets:
        if escaped:
            shown += _ESCAPED.get(octet, "?")
        elif octet != 0x1B:
            shown += _GSM[octet]
        escaped = octet == 0x1B and not escaped
    return shown
