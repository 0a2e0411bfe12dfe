"""The Celery application. Work lives in our tables; a message only carries an id (DEPENDENCIES: the file broker loses
messages when a worker is killed, so beat sweeps what is stale)."""

import os
from typing import Any

from celery import Celery, signals
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"

app = Celery("placet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _keep_our_logging(**kwargs: Any) -> None:
    """Being connected keeps Celery from adding handlers of its own, which print messages of exceptions (P10)."""


@app.on_after_finalize.connect
def _schedule(sender: Celery, **kwargs: Any) -> None:
    import django

    django.setup()
    from config.schedule import beat_schedule

    sender.conf.beat_schedule = beat_schedule()
