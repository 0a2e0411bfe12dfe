"""What people text us: kept as it came, understood in the same transaction, and decided by a person where in doubt."""

from campaigns.inbound.receiving import receive, retry_new
from campaigns.inbound.reviewing import DECISIONS, resolve

__all__ = ["DECISIONS", "receive", "resolve", "retry_new"]
