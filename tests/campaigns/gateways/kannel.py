"""The real Kannel of this machine, on loopback, between a carrier of ours and a web server of ours."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "placet", "a-password-of-Kannel"
# Debian puts the boxes where root's path leads.
_PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
BEARERBOX, SMSBOX = (shutil.which(box, path=_PATH) for box in ("bearerbox", "smsbox"))

# Where Kannel is expected, its absence is a failure instead of a skip.
needed = pytest.mark.skipif(
    not (BEARERBOX and SMSBOX) and not os.environ.get("CI_KANNEL"), reason="needs Kannel: install the package kannel"
)

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = none
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0
access-log = {folder}/access.log
sms-combine-concatenated-mo = true
sms-resend-freq = 1

group = smsc
smsc = smpp
smsc-id = carrier
host = 127.0.0.1
port = {carrier}
transceiver-mode = true
smsc-username = placet
smsc-password = secret
system-type = none

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
mo-recode = true
log-file = {folder}/smsbox.log
log-level = 0
access-log = {folder}/smsbox-access.log
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
{service}
"""


def free_ports(count: int) -> list[int]:
    """Ports nothing listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_until(happens: Callable[[], Any], what: str, seconds: float = 15) -> Any:
    """What ``happens`` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := happens():
            return found
        time.sleep(0.02)
    raise AssertionError(f"It did not happen in time: {what}.")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def service(way: str, address: str) -> str:
    """The lines of an sms-service that bring inbound texts to an address, as docs/gateways.md gives them."""
    if way == "post-url":
        return f'post-url = "{address}?id=%I&at=%T"\nsend-sender = true'
    return f'get-url = "{address}?id=%I&at=%T&from=%p&to=%P&text=%b"'


class Boxes:
    """bearerbox and smsbox, from ``with`` to its end.

    Args:
        folder: where configuration and logs go.
        carrier: the port Kannel binds to.
        service: lines that say where inbound texts go.
    """

    def __init__(self, folder: Path, carrier: int, service: str) -> None:
        self.folder = folder
        admin, boxes, self.port = free_ports(3)
        self._boxes = boxes
        self.config = folder / "kannel.conf"
        self.config.write_text(
            CONFIG.format(
                admin=admin,
                boxes=boxes,
                carrier=carrier,
                sendsms=self.port,
                folder=folder,
                user=USER,
                password=PASSWORD,
                service=service,
            )
        )
        self.url = f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"
        self._running: list[subprocess.Popen] = []

    def __enter__(self) -> "Boxes":
        try:
            self._start(BEARERBOX, self._boxes)
            self._start(SMSBOX, self.port)
            wait_until(lambda: "Connected to bearerbox" in self.log("smsbox.log"), "smsbox has its bearerbox")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for process in reversed(self._running):
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=10)

    def _start(self, program: str | None, port: int) -> None:
        assert program
        output = (self.folder / f"{Path(program).name}.out").open("wb")
        with output:
            process = subprocess.Popen([program, str(self.config)], cwd=self.folder, stdout=output, stderr=output)
        self._running.append(process)
        wait_until(lambda: process.poll() is not None or listens(port), f"{program} listens")
        assert process.poll() is None, f"{program} ended; see its log"

    def log(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""
