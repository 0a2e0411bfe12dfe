"""The admin of campaigns, a module per group of pages."""

from campaigns.admin import campaigns, conversations, inbound, messages, senders, windows

__all__ = ["campaigns", "conversations", "inbound", "messages", "senders", "windows"]
