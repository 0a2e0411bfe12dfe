"""The models of campaigns: who texts, when texts may go, what is to be said, what went out, what came back."""

from campaigns.models.campaigns import Campaign, CampaignBody
from campaigns.models.inbound import Conversation, InboundMessage
from campaigns.models.messages import Message
from campaigns.models.senders import Keyword, Lane, Sender
from campaigns.models.windows import SendingWindow

__all__ = [
    "Campaign",
    "CampaignBody",
    "Conversation",
    "InboundMessage",
    "Keyword",
    "Lane",
    "Message",
    "Sender",
    "SendingWindow",
]
