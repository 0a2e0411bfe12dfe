"""The admin of contacts. The contact's own page shows consents, so the ledger registers it, from ``ContactAdmin``."""

from consent.contacts.admin import records

__all__ = ["records"]
