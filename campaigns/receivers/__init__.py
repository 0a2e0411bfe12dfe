"""What campaigns do when the ledger changes: each module connects itself when it is imported, in ``apps.ready``."""
