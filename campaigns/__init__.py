"""Campaigns: the app's place in the layers; senders, windows and messages come with the texting issue."""
