"""Errors of the domain. Each is a sentence for the person who must act; admin pages and commands show it as it is."""

from django.utils.functional import Promise


class DomainError(Exception):
    """Something the rules do not allow.

    Args:
        sentence: what is wrong and what to do, translated when shown; must not contain personal data that the reader
            did not type.
        rule: the rule behind it, as cited in RULES.md (``C14``), or an empty string.
    """

    def __init__(self, sentence: str | Promise, *, rule: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.rule = rule

    def __str__(self) -> str:
        return str(self.sentence)


class InvalidNumber(DomainError):
    """A number that cannot receive texts or is not a number."""


class IllegalMove(DomainError):
    """A transition the table of legal moves does not contain."""


class ProofIncomplete(DomainError):
    """An act without the evidence its method requires (RULES C2, C18)."""


class ProofTooWeak(DomainError):
    """An act whose method does not suffice for this purpose or country (RULES C13, C14)."""


class NewActNeeded(DomainError):
    """The person opted out or the consent ended: only a new act of the person leads back (RULES O11)."""


class NotPublishable(DomainError):
    """A notice or policy that lacks what RULES §7 asks for."""


class Immutable(DomainError):
    """A published or evidential record somebody tried to change (P8)."""


class MissingActor(DomainError):
    """A change of a tracked record without saying who and why (P3)."""


class FileRefused(DomainError):
    """An upload that is not what it says, too large, or of a kind not accepted."""


class ImportRefused(DomainError):
    """A file that cannot be read as an import."""
