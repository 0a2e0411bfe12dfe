"""Consents: who said yes to what, to which words, how it is proved, and when it ends."""
