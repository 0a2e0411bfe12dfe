"""A gateway that takes everything and writes down what it took: in memory, or as a carrier on loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from campaigns.gateways.base import Accepted, Callback, Inbound, Outgoing, Receipt, Result


class Memory:
    """Keeps the texts; ``answer`` may say something else than yes, or do something first."""

    name = "console"

    def __init__(self, answer: Callable[[Outgoing], Result] | None = None) -> None:
        self.texts: list[Outgoing] = []
        self.answer = answer
        self.asked: Receipt | None = None

    def send(self, text: Outgoing) -> Result:
        self.texts.append(text)
        return self.answer(text) if self.answer else Accepted(f"g{text.reference}")

    def verify(self, call: Callback) -> bool:
        return False

    def parse_status(self, call: Callback) -> Receipt | None:
        return None

    def parse_inbound(self, call: Callback) -> Inbound | None:
        return None

    def ask(self, reference: int, gateway_id: str) -> Receipt | None:
        return self.asked


class Carrier:
    """What stands behind the signed-webhook gateway: takes texts by HTTP and logs each before it answers."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.took = threading.Condition()
        self.texts: list[dict] = []
        carrier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                carrier.take(text)
                answer = json.dumps({"id": f"c{text['reference']}"}).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                self.wfile.write(head.encode() + answer)

            def log_message(self, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/texts"

    def take(self, text: dict) -> None:
        with self.took:
            self.texts.append(text)
            with self.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(text) + "\n")
            self.took.notify_all()

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Until so many texts came."""
        with self.took:
            assert self.took.wait_for(lambda: len(self.texts) >= count, seconds), f"{len(self.texts)} of {count}"


@contextmanager
def carrier(folder: Path) -> Iterator[Carrier]:
    """A carrier that listens on loopback for the time of the block."""
    running = Carrier(folder / "carrier.log")
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        running.server.server_close()
        thread.join()
