"""Contacts: the people and their numbers, tags, audiences, and who must never be texted again."""
