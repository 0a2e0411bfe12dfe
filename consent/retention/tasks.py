"""Celery's side of the runner. A message carries a name and ids, never data (P10)."""

from celery import shared_task
from django.contrib.auth import get_user_model

from consent.retention import runner


@shared_task(name="retention.run_job")
def run_job(name: str, simulate: bool = False, user_id: int | None = None) -> None:
    """Run a registered job."""
    user = get_user_model().objects.filter(pk=user_id).first() if user_id else None
    runner.run(name, simulate=simulate, started_by=user)
