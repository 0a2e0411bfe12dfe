"""The registry of scheduled jobs. An app registers name, schedule and function; beat, the admin and ``manage.py`` run
them through the one runner in ``consent.retention``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from celery.schedules import crontab
from django.utils.functional import Promise

Counts = dict[str, int]


@dataclass(frozen=True)
class Job:
    """A scheduled job.

    Attributes:
        name: as in ``manage.py NAME``.
        title: for the admin.
        schedule: when beat runs it.
        run: ``run(simulate, limit)`` yields its counts after each committed batch, so that progress shows and an
            interruption loses at most one batch. With ``simulate`` it counts and changes nothing; ``limit`` bounds the
            rows it touches (None: no bound).
    """

    name: str
    title: str | Promise
    schedule: crontab
    run: Callable[[bool, int | None], Iterator[Counts]]


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """Add a job; a second one of the same name replaces it, so that reloading is harmless."""
    _jobs[job.name] = job


def get(name: str) -> Job:
    """The job of that name.

    Raises:
        KeyError: there is none.
    """
    return _jobs[name]


def registered() -> list[Job]:
    """All jobs by name."""
    return [_jobs[name] for name in sorted(_jobs)]
