"""States of campaigns and texts as people see them, and where their figures lead."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from campaigns.models import Campaign, Message
from consent.ledger import decision
from consent.ledger.admin.words import badge

C, M = Campaign.State, Message.State
CAMPAIGN_TONES: dict[str, str] = {
    C.DRAFT: "muted",
    C.IN_REVIEW: "warn",
    C.APPROVED: "ok",
    C.SCHEDULED: "ok",
    C.SENDING: "ok",
    C.PAUSED: "stop",
    C.COMPLETED: "muted",
    C.CANCELLED: "muted",
}
MESSAGE_TONES: dict[str, str] = {
    M.REFUSED: "muted",
    M.QUEUED: "muted",
    M.CLAIMED: "muted",
    M.HANDED: "muted",
    M.SENT: "ok",
    M.DELIVERED: "ok",
    M.UNDELIVERED: "warn",
    M.SILENT: "warn",
    M.FAILED: "stop",
    M.UNKNOWN: "stop",
    M.BLOCKED: "warn",
    M.CANCELLED: "muted",
    M.LATE: "warn",
}


def campaign_badge(campaign: Campaign) -> SafeString:
    """The state of a campaign."""
    return badge(campaign.get_state_display(), CAMPAIGN_TONES[campaign.state])


def message_badge(message: Message) -> SafeString:
    """The state of a text."""
    return badge(message.get_state_display(), MESSAGE_TONES[message.state])


def messages_url(**filters: Any) -> str:
    """The list of texts, filtered."""
    return f"{reverse('admin:campaigns_message_changelist')}?{urlencode(filters)}"


def sentence(code: str) -> str:
    """A refusal code in words, as it stands when no rule of the decision knows it."""
    return str(decision.BY_CODE[code].sentence) if code in decision.BY_CODE else code
