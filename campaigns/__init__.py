"""Campaigns: texts that only reach people who may be reached, and what comes back."""
