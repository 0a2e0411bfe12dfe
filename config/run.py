"""``make run``: everything prepared, then web, worker and beat in one terminal until Ctrl-C."""

import io
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Prepare and run.

    Returns:
        The exit status: 0 after Ctrl-C or SIGTERM, 2 when it refuses to start, else that of the process that died.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        port = prepare()
    except ImproperlyConfigured as error:
        return _refuse(str(error))
    if not is_free(port):
        return _refuse(f"Port {port} is taken by another program. Stop that one, or run: make run PORT={port + 1}")
    _say(_welcome(port))
    return supervise(port)


def prepare() -> int:
    """Bring the database up to date and, in development, fill an empty one.

    Returns:
        The port the web server is to listen on.

    Raises:
        ImproperlyConfigured: a setting is missing or makes no sense.
    """
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    if is_free(settings.PORT):
        call_command("migrate", verbosity=0)
        if settings.DEBUG:
            _say("Looking after the database; filling an empty one with demo data takes some seconds …")
            call_command("demo_data", stdout=io.StringIO())
        else:
            call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()
    return settings.PORT


def is_free(port: int) -> bool:
    """Whether nothing listens on the port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def supervise(port: int) -> int:
    """Run what the Procfile lists; when one ends or somebody says stop, all end."""
    scripts = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        manager.add_process(name, command, env=environment, cwd=str(ROOT))

    def hang_up(signum: int, frame: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)  # a closed terminal is a stop like any other

    signal.signal(signal.SIGHUP, hang_up)
    manager.loop()
    return 0 if manager.returncode in (130, 143) else manager.returncode or 0


def _welcome(port: int) -> str:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connections

    from consent.ledger.demo import people

    if not settings.DEBUG:
        return f"\n  Placet listens on port {port}.\n"
    lines = [f"\n  Placet: http://127.0.0.1:{port}/\n"]
    users = {user.username: user for user in get_user_model().objects.filter(username__in=people.USERS)}
    if users and next(iter(users.values())).check_password(people.PASSWORD):
        lines += [
            f"    {name:<10} {role or 'everything'}" for name, (_first, role) in people.USERS.items() if name in users
        ]
        lines.append(f"  Demo log-ins; the password of each is {people.PASSWORD}\n")
    lines.append("  Ctrl-C stops it; the data stays.\n")
    connections.close_all()
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"\n  {sentence}\n\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
