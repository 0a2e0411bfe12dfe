"""What the core tells the layers above."""

from django.dispatch import Signal

# Sent before the first row of a list leaves: sender=model, user, what, filters, reason, rows.
exported = Signal()
