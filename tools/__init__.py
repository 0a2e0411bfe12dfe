"""Helpers for the people who write Placet; nothing here runs in production."""
