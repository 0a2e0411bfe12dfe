"""What the layers above hear of contacts. Sent inside the transaction of the change."""

from django.dispatch import Signal

number_changed = Signal()  # sender=Contact, contact=Contact, old=E.164 of before
