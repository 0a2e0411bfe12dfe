"""``make run``, for real: web, worker and beat start, work together, and leave nothing behind."""

import contextlib
import http.cookiejar
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import run

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-password-for-this-test-alone"
USED_BEFORE = f"""
import django
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("migrate", verbosity=0)
get_user_model().objects.create_superuser("root", password="{PASSWORD}")
"""


def wait_until(happens: Callable[[], Any], seconds: float = 60) -> Any:
    """What ``happens`` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, sqlite3.Error):
            if found := happens():
                return found
        time.sleep(0.05)
    raise AssertionError("It did not happen in time.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(data_dir: Path) -> list[str]:
    """The command lines of all living processes that were started for this data directory, at whatever depth."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"DATA_DIR={data_dir}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return [command for command in found if command]  # one that ended and waits for its parent has no command line


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, int, Path]]:
    """A site that somebody has used before: migrated, with one user, so no demo data."""
    port = free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "on",
        "DATA_DIR": str(tmp_path),
        "PORT": str(port),
        "DATABASE_URL": "",
        "CELERY_BROKER_URL": "",
    }
    subprocess.run([sys.executable, "-c", USED_BEFORE], cwd=ROOT, env=environment, check=True)
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield process, port, tmp_path
    if process.poll() is None:
        process.terminate()
        process.wait(timeout=60)


class Browser:
    """As much of one as logging in takes."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> str:
        return self.opener.open(self.base + path, timeout=10).read().decode()

    def post(self, path: str, page: str, **fields: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": found.group(1), **fields}).encode()
        request = urllib.request.Request(self.base + path, body, {"Referer": self.base + path})
        return self.opener.open(request, timeout=10).read().decode()


def test_one_command_runs_web_worker_and_beat_and_ctrl_c_ends_them_all(site: Any) -> None:
    process, port, data_dir = site
    browser = Browser(port)
    page = wait_until(lambda: browser.get("/admin/login/?next=/admin/&secret=in-the-address"))
    browser.post("/admin/login/?next=/admin/", page, username="root", password=PASSWORD, next="/admin/")
    runs = browser.get("/admin/retention/jobrun/")
    browser.post("/admin/retention/jobrun/run/expire_consents/", runs)

    database = sqlite3.connect(f"file:{data_dir / 'placet.sqlite3'}?mode=ro", uri=True)
    done = "SELECT job FROM retention_jobrun WHERE state = 'done' AND started_by_id IS NOT NULL"
    assert wait_until(lambda: database.execute(done).fetchall()) == [("expire_consents",)]
    database.close()
    started = " ".join(processes_of(data_dir))
    assert all(part in started for part in ("gunicorn", "worker", "beat"))
    wait_until(lambda: list(data_dir.glob("beat-schedule*")))

    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert processes_of(data_dir) == []
    output = (data_dir / "output").read_text()
    assert f"http://127.0.0.1:{port}/" in output
    assert "in-the-address" not in output
    assert "Traceback" not in output


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not run.is_free(port)
        done = subprocess.run(
            [sys.executable, "-m", "config.run"],
            cwd=ROOT,
            env={**os.environ, "DEBUG": "on", "DATA_DIR": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr
