"""What beat runs exists, and runs what is registered."""

from typing import Any

from config.celery import app
from consent.core import jobs


def test_beat_knows_every_registered_job_and_only_real_tasks(settings: Any) -> None:
    app.finalize()
    app.loader.import_default_modules()
    entries = app.conf.beat_schedule
    assert {entry["task"] for entry in entries.values()} <= set(app.tasks)
    scheduled = {tuple(e["args"]): e["schedule"] for e in entries.values() if e["task"] == "retention.run_job"}
    assert scheduled == {(job.name,): job.schedule for job in jobs.registered()}
    assert {"expire_consents", "remind_expiring"} <= {job.name for job in jobs.registered()}


def test_beat_keeps_its_memory_in_the_data_directory(settings: Any) -> None:
    assert app.conf.beat_schedule_filename == str(settings.DATA_DIR / "beat-schedule")
