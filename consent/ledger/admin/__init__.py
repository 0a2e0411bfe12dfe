"""The admin of the ledger, a module per group of models."""

from consent.ledger.admin import consents, contacts, notices, proofs, purposes, renewals

__all__ = ["consents", "contacts", "notices", "proofs", "purposes", "renewals"]
