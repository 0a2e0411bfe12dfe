"""The models of the ledger, by what they describe: who asks for what, in which words, what was proved, what holds."""

from consent.ledger.models.consents import Consent, RenewalTask
from consent.ledger.models.figures import Figures
from consent.ledger.models.imports import ImportBatch, ImportRow
from consent.ledger.models.notices import Notice, PrivacyPolicy
from consent.ledger.models.proofs import Method, Proof
from consent.ledger.models.purposes import Brand, Purpose

__all__ = [
    "Brand",
    "Consent",
    "Figures",
    "ImportBatch",
    "ImportRow",
    "Method",
    "Notice",
    "PrivacyPolicy",
    "Proof",
    "Purpose",
    "RenewalTask",
]
