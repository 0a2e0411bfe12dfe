"""Celery's side of imports. A message carries the id of an import, nothing else (P10)."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from consent.ledger.importing import batches, engine
from consent.ledger.models import ImportBatch


@shared_task(name="ledger.check_import")
def check_import(batch_id: int) -> None:
    """Find out what applying a file would do."""
    if batch := ImportBatch.objects.filter(pk=batch_id, state=ImportBatch.State.CHECKING).first():
        engine.check(batch)


@shared_task(name="ledger.run_import")
def run_import(batch_id: int) -> None:
    """Apply a file from where it stands."""
    if batch := ImportBatch.objects.filter(pk=batch_id, state=ImportBatch.State.RUNNING).first():
        engine.apply(batch)


@shared_task(name="ledger.sweep_imports")
def sweep_imports() -> None:
    """Wake a worker for imports whose worker died; forget files past their time."""
    for batch in batches.silent(timezone.now()):
        enqueue(batch)
    batches.forget(timezone.now() - timedelta(days=settings.IMPORT_FILE_DAYS))


def enqueue(batch: ImportBatch) -> None:
    """Wake a worker after commit. A broker that is away does no harm: the sweep asks again."""
    task = check_import if batch.state == ImportBatch.State.CHECKING else run_import
    pk = batch.pk
    transaction.on_commit(lambda: task.delay(pk), robust=True)
