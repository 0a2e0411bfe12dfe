"""A gateway that accepts everything, and a worker that sends to it: each in a process of its own."""

import hashlib
import multiprocessing
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks import worlds

SECRET = "a secret of the benchmark"


class _Stub(BaseHTTPRequestHandler):
    """A gateway that accepts everything, after ``delay`` seconds."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    delay = 0.0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.delay:
            time.sleep(self.delay)
        said = b'{"id": "%s"}' % hashlib.md5(body).hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: Any) -> None: ...


def _serve(pipe: Any, delay: float) -> None:
    _Stub.delay = delay
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    pipe.send(server.server_port)
    server.serve_forever()


class Stub:
    """The stub in a process of its own."""

    def __init__(self, delay: float = 0) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, delay), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}/"

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


def work(env: dict[str, str], url: str, sender: int, lanes: int) -> None:
    """Send what waits at a sender."""
    worlds.enter(env)
    from django.conf import settings

    from campaigns import dispatch

    settings.WEBHOOK_URL, settings.WEBHOOK_SECRET, settings.DISPATCH_LANES = url, SECRET, lanes
    while dispatch.work(sender):
        pass
