"""What each kind of proof needs and what it is worth: one table (RULES C2, C13, C14, C18, O11)."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.core.errors import ProofIncomplete, ProofTooWeak
from consent.ledger.models import Method, Notice, PrivacyPolicy, Proof, Purpose
from consent.ledger.models.proofs import Answer

# Sources nobody may give consent through (RULES C4).
TRADED_SOURCES = frozenset({"purchased", "rented", "exchanged", "bought", "sold"})


@dataclass(frozen=True)
class MethodRule:
    """What a yes by this method must carry.

    Attributes:
        required: fields of ``Act`` that must be filled.
        written: the person wrote, clicked or signed; only such an act lifts an opt-out (RULES O11) and suffices for
            marketing in the United States (RULES C14).
    """

    required: tuple[str, ...]
    written: bool


METHOD_RULES: dict[str, MethodRule] = {
    Method.WEB_FORM: MethodRule(("notice", "reference"), written=True),
    Method.APPLICATION: MethodRule(("notice", "reference"), written=True),
    Method.KEYWORD: MethodRule(("notice", "reference"), written=True),
    Method.VERBAL: MethodRule(("notice", "place", "recorded_by", "read_verbatim"), written=False),
    Method.PAPER: MethodRule(("notice", "recorded_by", "evidence"), written=True),
    Method.EMAIL_REPLY: MethodRule(("notice", "reference"), written=True),
    Method.IMPORT: MethodRule(("source",), written=False),
    Method.RELATIONSHIP: MethodRule(("reference", "details"), written=False),
}
WRITTEN = frozenset(method for method, rule in METHOD_RULES.items() if rule.written)

_MISSING = {
    "notice": gettext_lazy("the version of the notice the person saw or heard"),
    "reference": gettext_lazy("the reference (form address, application, message or scan)"),
    "place": gettext_lazy("the place or event"),
    "recorded_by": gettext_lazy("who recorded it"),
    "read_verbatim": gettext_lazy("that the script was read word for word"),
    "evidence": gettext_lazy("a scan, photo or reference of the signed form"),
    "source": gettext_lazy("the source"),
    "details": gettext_lazy("what triggered the messages"),
}


@dataclass
class Act:
    """What a person did, as somebody wants to record it.

    Attributes:
        method: one of ``Method``.
        answer: one of ``Answer``.
        captured_at: when the person did it (aware).
        file: an evidence file already checked by ``evidence.check``.
        uid: the record id of its proof, when the caller must not record the same act twice; random when not given.
    """

    method: str
    answer: str
    captured_at: datetime
    notice: Notice | None = None
    policy: PrivacyPolicy | None = None
    recorded_by: str = ""
    recorded_by_user: Any = None
    place: str = ""
    read_verbatim: bool | None = None
    reference: str = ""
    source: str = ""
    details: str = ""
    file: Any = None
    file_sha256: str = ""
    file_type: str = ""
    uid: UUID | None = None

    @property
    def evidence(self) -> bool:
        """Whether a signed form can be found again: a file, or where it is filed."""
        return bool(self.file or self.reference)

    def missing(self) -> list[str]:
        """The fields a yes by this method still needs."""
        return [name for name in METHOD_RULES[self.method].required if not getattr(self, name)]

    def proof(self, contact: Any, purpose: Purpose) -> Proof:
        """The unsaved proof of this act."""
        return Proof(
            uid=self.uid or uuid4(),
            contact=contact,
            purpose=purpose,
            phone=contact.phone,
            method=self.method,
            answer=self.answer,
            captured_at=self.captured_at,
            recorded_by=self.recorded_by,
            recorded_by_user=self.recorded_by_user,
            notice=self.notice,
            policy=self.policy,
            place=self.place,
            read_verbatim=self.read_verbatim,
            reference=self.reference,
            source=self.source,
            details=self.details,
            file=self.file or "",
            file_sha256=self.file_sha256,
            file_type=self.file_type,
        )


def check(act: Act, purpose: Purpose, country: str) -> None:
    """Refuse an act that proves nothing.

    Args:
        act: what is to be recorded.
        purpose: what it answers.
        country: country of the person's number.

    Raises:
        ProofIncomplete: a field the method requires is empty, or the time or notice cannot be (RULES C2, C18).
        ProofTooWeak: the method does not suffice for this purpose or country (RULES C13, C14).
    """
    if act.captured_at > timezone.now():
        raise ProofIncomplete(_("The date is in the future. Write when the person answered."), rule="C2")
    if TRADED_SOURCES.intersection(re.findall(r"\w+", act.source.lower())):
        raise ProofTooWeak(
            _("“%(source)s”: consent cannot be passed on, so such a list is worth nothing. Ask the person yourself.")
            % {"source": act.source.strip()},
            rule="C4",
        )
    if act.answer != Answer.YES:
        return
    if act.notice is not None and (act.notice.purpose_id != purpose.pk or not act.notice.is_published):
        raise ProofIncomplete(_("The notice is not a published version for this purpose."), rule="C2")
    if missing := act.missing():
        raise ProofIncomplete(
            _("The proof is incomplete. Missing: %(fields)s.")
            % {"fields": ", ".join(str(_MISSING[name]) for name in missing)},
            rule="C18",
        )
    if act.method not in purpose.accepted_methods:
        raise ProofTooWeak(
            _("“%(method)s” is not accepted as proof for %(purpose)s.")
            % {"method": Method(act.method).label, "purpose": purpose.name},
            rule="C13",
        )
    if country == "US" and purpose.kind == Purpose.Kind.MARKETING and act.method not in WRITTEN:
        raise ProofTooWeak(
            _("Marketing texts to US numbers need written consent. A spoken yes is not enough: use a form."),
            rule="C14",
        )
