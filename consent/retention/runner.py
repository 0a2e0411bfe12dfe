"""The one way a scheduled job runs, whoever asks: beat, an officer in the admin, or ``manage.py``."""

import logging
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from consent.core import jobs
from consent.retention.models import JobRun

log = logging.getLogger(__name__)
SILENT_FOR = timedelta(minutes=30)  # a run without a sign of life for so long has died


def run(name: str, *, simulate: bool = False, limit: int | None = None, started_by: Any = None) -> JobRun:
    """Run a job to its end and record it.

    Args:
        name: a registered job.
        simulate: count what would happen, change nothing.
        limit: at most so many rows.
        started_by: the user who asked, if one did.

    Returns:
        The finished run. A job that raised is recorded as failed and does not raise here; its error names the kind of
        error and the place, never its message, which may quote personal data (P10).

    Raises:
        KeyError: no job has that name.
    """
    job = jobs.get(name)
    now = timezone.now()
    JobRun.objects.filter(job=name, state=JobRun.State.RUNNING).filter(Q(heartbeat_at__lt=now - SILENT_FOR)).update(
        state=JobRun.State.INTERRUPTED, finished_at=now
    )
    record = JobRun.objects.create(
        job=name, simulated=simulate, started_at=now, heartbeat_at=now, started_by=started_by
    )
    try:
        for counts in job.run(simulate, limit):
            record.counts = dict(counts)
            record.heartbeat_at = timezone.now()
            record.save(update_fields=["counts", "heartbeat_at"])
    except Exception as error:
        log.exception("job %s failed", name)
        record.state = JobRun.State.FAILED
        record.error = _place(error)
    else:
        record.state = JobRun.State.DONE
    record.finished_at = timezone.now()
    record.save(update_fields=["state", "error", "finished_at"])
    return record


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__qualname__} in {where}"
