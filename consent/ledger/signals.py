"""What the layers above hear of consents. Sent inside the transaction of the change, so that what they write for it
(such as a text to be sent) stands or falls with it."""

from django.dispatch import Signal

# sender=Consent, moved=[(consent id, move of ``moves.MOVES``)]: answers were recorded, by a person or an import.
answered = Signal()
# sender=Consent, contact=Contact, ended=[Consent]: the person said stop, or a consent was ended for another reason.
stopped = Signal()
# sender=Consent, consents=[id]: their first text would come too late, so the person is to be asked (RULES C9).
reconfirmation_asked = Signal()
# sender=RenewalTask, consents=[id], stage=days before the end: they end soon and the person is to be asked (RULES C7).
renewal_asked = Signal()
