"""The Celery application. Work lives in our tables; a message only carries an id (DEPENDENCIES: the file broker loses
messages when a worker is killed, so beat sweeps what is stale)."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("placet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def _schedule(sender: Celery, **kwargs: Any) -> None:
    import django

    django.setup()
    from config.schedule import beat_schedule

    sender.conf.beat_schedule = beat_schedule()
