"""Whatever dies, and however often: nobody is texted twice, and nobody who stopped (P2, P5).

Real workers, a real broker and a real web server are killed in the middle of a campaign; the carrier's own log is the
judge.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from kombu import Connection
from kombu.exceptions import OperationalError

from campaigns.gateways.webhook import sign
from campaigns.models import Campaign, InboundMessage, Message, SendingWindow
from campaigns.models.windows import WEEKDAYS
from tests import factories
from tests.campaigns import world
from tests.campaigns.stub_gateway import Carrier, carrier

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROOT = Path(settings.BASE_DIR)
PEOPLE = 5000
SECRET = "a-secret-for-this-test-alone-0123456789"
LANES = 2
WORKER = ["celery", "--quiet", "--app", "config", "worker", "--pool", "threads", "--concurrency", "2"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """Processes that can be killed and started again, all on this test's database."""

    def __init__(self, folder: Path, carrier_url: str) -> None:
        self.folder, self.redis_port, self.web_port = folder, free_port(), free_port()
        found = connection.settings_dict
        host = f"{found['HOST'] or 'localhost'}:{found['PORT'] or 5432}"
        user = f"{found['USER']}:{found['PASSWORD']}" if found["PASSWORD"] else found["USER"]
        self.environment = {
            **os.environ,
            "DEBUG": "on",
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"postgres://{user}@{host}/{found['NAME']}",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "PORT": str(self.web_port),
            "WEBHOOK_URL": carrier_url,
            "WEBHOOK_SECRET": SECRET,
            "DISPATCH_LANES": str(LANES),
            "LEASE_SECONDS": "1",
            "LOG_LEVEL": "ERROR",
            "SUPPRESSION_KEYS": settings.SUPPRESSION_KEYS,
        }
        self.beat = Celery(set_as_current=False)  # the tests after this one have the project's own
        self.running: dict[str, subprocess.Popen] = {}
        self.output = (folder / "output").open("wb")

    def start(self, name: str) -> None:
        commands = {
            "broker": ("redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir",
                       str(self.folder)),
            "web": (sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.web_port}", "config.wsgi"),
        }  # fmt: skip
        command = commands.get(name, (sys.executable, "-m", *WORKER, "--hostname", f"{name}@test"))
        self.running[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill -9, with all it started."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def sweep(self) -> None:
        """What beat does every ten seconds."""
        # To this test's broker by name: Celery would rather believe the environment the tests run in. When it is away
        # beat would try again too.
        with contextlib.suppress(OSError, OperationalError), Connection(self.environment["CELERY_BROKER_URL"]) as link:
            link.ensure_connection(max_retries=1, timeout=1)
            self.beat.send_task("campaigns.sweep", connection=link, retry=False)

    def close(self) -> None:
        for name in list(self.running):
            self.kill(name)
        self.beat.close()
        self.output.close()

    def text(self, number: str, words: str, to: str, gateway_id: str) -> int:
        """A person texts us, through the web server; what it answered."""
        body = json.dumps({"id": gateway_id, "from": number, "to": to, "text": words}).encode()
        moment = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Placet-Timestamp": moment,
            "X-Placet-Signature": sign(SECRET, moment, body),
        }
        address = f"http://127.0.0.1:{self.web_port}/hooks/webhook/inbound/"
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=20) as answer:
            return int(answer.status)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Carrier]]:
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery believes it more than what it is told
    with connection.cursor() as cursor:  # processes are killed here, not machines
        cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit = off')
    with carrier(tmp_path) as stub:
        placet = Site(tmp_path, stub.url)
        try:
            yield placet, stub
        finally:
            placet.close()


def prepare(manager: Any, officer: Any) -> Campaign:
    with factories.acting():
        SendingWindow.objects.all().delete()
        always = dict.fromkeys(WEEKDAYS, "00:00-24:00")
        SendingWindow.objects.create(
            **always, open_on_holidays=True, basis="house", source="test", valid_from="2000-01-01"
        )
        purpose = factories.purpose()
        world.people(PEOPLE, purpose)
        sender = factories.sender(gateway="webhook", rate_per_second=30_000)
        return world.scheduled(manager, officer, purpose, sender=sender)


def terminate_connections() -> int:
    """Cut every connection to this database but our own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def sweep_until(site: Site, stub: Carrier, happens: Callable[[], bool] | int, seconds: float = 240) -> None:
    """Be the beat, twenty times as fast, until something happens or so many texts came."""
    end = time.monotonic() + seconds
    enough = happens if isinstance(happens, int) else PEOPLE * 2
    while not (len(stub.texts) >= enough if isinstance(happens, int) else happens()):
        assert time.monotonic() < end, Counter(Message.objects.values_list("state", flat=True))
        site.sweep()
        with stub.took:
            stub.took.wait_for(lambda: len(stub.texts) >= enough, 0.5)


def test_whatever_is_killed_nobody_is_texted_twice_and_nobody_who_stopped(
    site: tuple[Site, Carrier], manager: Any, officer: Any
) -> None:
    placet, stub = site
    campaign = prepare(manager, officer)
    for name in ("broker", "web", "first", "second"):
        placet.start(name)

    sweep_until(placet, stub, 200)
    last = list(Message.objects.order_by("-pk").select_related("contact")[:30])
    stopped = {m.phone for m in last[:20]}
    sender = campaign.sender

    def stop(texts: list[Message]) -> None:
        for message in texts:
            assert placet.text(message.phone, "STOP", sender.address, f"in{message.pk}") == 200

    sweep_until(placet, stub, lambda: _answers(placet, sender.address))
    stop(last[:10])
    kills = 0
    for n, victims in enumerate((["first"], ["first", "second"], ["second"]), start=1):
        sweep_until(placet, stub, n * 600)
        for name in victims:
            placet.kill(name)
            placet.start(name)
            kills += 1
    sweep_until(placet, stub, 2200)
    placet.kill("broker")  # with every message it held
    placet.start("broker")
    sweep_until(placet, stub, 2800)
    assert terminate_connections() > 0
    kills += 1  # may cut both workers off
    sweep_until(placet, stub, 3200)
    placet.kill("web")
    placet.start("web")
    sweep_until(placet, stub, lambda: _answers(placet, sender.address))
    stop(last[10:20])
    sweep_until(placet, stub, lambda: Campaign.objects.filter(pk=campaign.pk, state="completed").exists())

    texts = [json.loads(line) for line in stub.log.read_text().splitlines()]
    of_campaign = set(Message.objects.filter(campaign=campaign).values_list("pk", flat=True))
    per_person = Counter(t["to"] for t in texts if t["reference"] in of_campaign)
    assert max(per_person.values()) == 1, "somebody was texted twice"
    assert max(Counter(t["reference"] for t in texts).values()) == 1
    assert stopped.isdisjoint(per_person), "somebody who stopped was texted"
    states = Counter(Message.objects.filter(campaign=campaign).values_list("state", flat=True))
    assert states["blocked"] + states["refused"] == len(stopped)
    assert states["sent"] + states["unknown"] == PEOPLE - len(stopped), states
    assert states["unknown"] <= kills * LANES
    sent = set(Message.objects.filter(campaign=campaign, state="sent").values_list("phone", flat=True))
    assert sent <= set(per_person)
    assert len(per_person) <= len(sent) + states["unknown"]
    confirmed = Message.objects.filter(kind="opt_out")
    assert confirmed.count() == len(stopped)
    assert InboundMessage.objects.filter(meaning="opt_out").count() == len(stopped)


def _answers(placet: Site, address: str) -> bool:
    try:
        return placet.text("+393500000000", "hello", address, f"probe{time.monotonic_ns()}") == 200
    except OSError:
        return False
