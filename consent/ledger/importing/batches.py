"""The life of an import: uploaded → checked → applied or discarded. Each change is one function here."""

import hashlib
from datetime import datetime, timedelta
from typing import IO, Any

from django.core.files.base import File
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.core import history
from consent.core.errors import IllegalMove
from consent.ledger.importing import engine, reading
from consent.ledger.models import ImportBatch, ImportRow

State = ImportBatch.State
SILENT_FOR = timedelta(minutes=2)  # a worker without a sign of life for so long has died


def digest(file: IO[bytes]) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file does
    file.seek(0)
    return found


def upload(
    file: IO[bytes],
    *,
    filename: str,
    country: str,
    reason: str,
    actor: history.Actor,
    user: Any = None,
    state: str = State.CHECKING,
) -> ImportBatch:
    """Take in a file; a worker checks it next.

    Args:
        file: the open file.
        filename: as the person knows it.
        country: of numbers without a prefix.
        reason: why, for the history of everything it changes.
        actor: who.
        user: the account, where there is one.
        state: ``RUNNING`` to apply it without a check.

    Raises:
        ImportRefused: its beginning shows that it is no list of opt-ins.
    """
    reading.check(file)
    batch = ImportBatch(
        filename=filename[-200:],
        file_sha256=digest(file),
        country=country,
        reason=reason,
        state=state,
        actor=actor.text,
        created_by=user,
        heartbeat_at=timezone.now(),
    )
    batch.file.save("import", File(file))
    return batch


def unfinished(sha256: str, country: str) -> ImportBatch | None:
    """The import of the same file that was interrupted while it was applied."""
    return (
        ImportBatch.objects.filter(
            Q(state=State.RUNNING) | Q(state=State.FAILED, next_row__gt=0), file_sha256=sha256, country=country
        )
        .exclude(file="")
        .first()
    )


@transaction.atomic
def start(batch: ImportBatch) -> ImportBatch:
    """Apply what was checked, or go on where it was interrupted; the caller wakes a worker.

    Raises:
        IllegalMove: there is nothing to start.
    """
    locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if locked.state == State.CHECKED:
        ImportRow.objects.filter(batch=locked).delete()
        locked.next_row = 0
        for name in ImportRow.Outcome.values:
            setattr(locked, name, 0)
        locked.state = State.RUNNING
    elif locked.state == State.FAILED:
        # Where nothing was applied yet there is nothing to go on with: it is checked again.
        locked.state = State.RUNNING if locked.next_row else State.CHECKING
    elif locked.state not in (State.CHECKING, State.RUNNING):
        raise IllegalMove(_("This import is over. Upload the file again."), rule="DESIGN §3")
    locked.error = ""
    locked.finished_at = None
    locked.heartbeat_at = timezone.now()
    locked.save()
    return locked


@transaction.atomic
def discard(batch: ImportBatch) -> None:
    """Throw away a file that was never applied, with the cells kept of it.

    Raises:
        IllegalMove: some of it was applied.
    """
    locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    nothing_applied = locked.state == State.FAILED and not locked.next_row
    if locked.state not in (State.CHECKING, State.CHECKED) and not nothing_applied:
        raise IllegalMove(_("This import has begun to be applied and cannot be discarded."), rule="DESIGN §3")
    ImportRow.objects.filter(batch=locked).delete()
    locked.state = State.DISCARDED
    locked.finished_at = timezone.now()
    _forget_file(locked)
    locked.save()


def silent(at: datetime) -> QuerySet[ImportBatch]:
    """Imports under way whose worker has given no sign of life."""
    return ImportBatch.objects.filter(
        state__in=(State.CHECKING, State.RUNNING), heartbeat_at__lt=at - SILENT_FOR
    ).exclude(file="")


def forget(before: datetime) -> int:
    """Delete files and kept cells of imports uploaded before a moment; counts and reasons stay.

    Returns:
        How many imports were emptied.
    """
    old = ImportBatch.objects.filter(created_at__lt=before).exclude(file="")
    emptied = 0
    for batch in old:
        with transaction.atomic():
            locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
            ImportRow.objects.filter(batch=locked).exclude(cells={}).update(cells={})
            if locked.state in (State.CHECKING, State.CHECKED):
                locked.state = State.DISCARDED
            _forget_file(locked)
            locked.save()
            emptied += 1
    return emptied


def _forget_file(batch: ImportBatch) -> None:
    name, storage = batch.file.name, batch.file.storage
    batch.file = ""
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def run(batch: ImportBatch) -> None:
    """Do what the state of an import asks for, to its end."""
    if batch.state == State.CHECKING:
        engine.check(batch)
    elif batch.state == State.RUNNING:
        engine.apply(batch)


@transaction.atomic
def remove(batch: ImportBatch) -> None:
    """Leave no trace of a file that was only simulated."""
    name, storage = batch.file.name, batch.file.storage
    batch.delete()
    if name:
        transaction.on_commit(lambda: storage.delete(name))
