"""The admin of the ledger, a module per group of models."""

from consent.ledger.admin import consents, contacts, imports, notices, proofs, purposes, renewals

__all__ = ["consents", "contacts", "imports", "notices", "proofs", "purposes", "renewals"]
