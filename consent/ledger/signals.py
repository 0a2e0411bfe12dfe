"""What the layers above hear of the ledger, after commit."""

from django.dispatch import Signal

consent_changed = Signal()  # sender=Consent, pks=list of primary keys
