"""Where Celery looks for the tasks of the ledger."""

from consent.ledger.importing.tasks import check_import, run_import, sweep_imports

__all__ = ["check_import", "run_import", "sweep_imports"]
