"""A web server on loopback that answers as the test says: an answer, a delay, a broken connection."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG, BREAK = "hang", "break"


@dataclass
class Stub:
    """What it is asked, and what it says: a status with a body, ``HANG`` (takes the call, never answers) or ``BREAK``
    (takes it and closes)."""

    url: str
    answer: Any = (200, b"")
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving() -> Iterator[Stub]:
    """A stub while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stub.calls.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if stub.answer == HANG:
                stub.over.wait(20)
            if stub.answer in (HANG, BREAK):
                self.close_connection = True
                return
            status, content = stub.answer
            self.send_response(status)
            for name, value in {**stub.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield stub
    stub.over.set()
    server.shutdown()
    server.server_close()
