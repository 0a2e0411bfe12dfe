"""Formats of our own where Django's would mislead: an American short date is another day to a European reader."""
