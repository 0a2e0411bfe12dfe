"""One row of cells → an answer that can be recorded, or the reason why not, in a recruiter's words."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.errors import DomainError, InvalidNumber, ProofIncomplete
from consent.ledger import proofs
from consent.ledger.importing.reading import EXTRA, Cells
from consent.ledger.models import Method, Notice, Purpose
from consent.ledger.models.proofs import Answer

# Yes and no in the languages of the staff, accents off.
_YES = {"yes", "si", "ja", "sim", "oui"}
_NO = {"no", "nein", "nao", "non"}
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?", re.IGNORECASE
)
_EARLIEST = datetime(1992, 12, 3, tzinfo=UTC)  # the day of the first text message
_LENGTHS = {
    "name": 200,
    "email": 254,
    "external_id": 100,
    "source": 60,
    "place": 120,
    "recorded_by": 200,
    "reference": 200,
}
_FORMULA = ("=", "+", "-", "@")


class Refused(Exception):
    """A cell that cannot be used: the column and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(frozen=True)
class World:
    """What rows refer to: purposes and published notices as they stand at the start of a run."""

    country: str
    purposes: dict[tuple[str, str], Purpose]
    zones: dict[str, ZoneInfo]
    notices: dict[tuple[int, str, int], Notice]

    @classmethod
    def load(cls, country: str) -> "World":
        """The world as it is, for a file whose numbers without prefix belong to ``country``."""
        purposes = {(p.brand.slug, p.slug): p for p in Purpose.objects.select_related("brand")}
        notices = Notice.objects.filter(published_at__isnull=False).defer("text")
        return cls(
            country=country,
            purposes=purposes,
            zones={p.brand.slug: ZoneInfo(p.brand.zone) for p in purposes.values()},
            notices={(n.purpose_id, n.language, n.version): n for n in notices},
        )


@dataclass(frozen=True)
class Glance:
    """What identifies a row among the others of its file; None where it cannot be read.

    Attributes:
        number: the parsed number, or why it is none.
        topic: brand and purpose as written.
        answer: one of ``Answer``.
        at: when the person answered, UTC; None also when the cell is empty.
        person: the external id.
        readable: number, purpose, answer and time can all be read.
    """

    number: numbers.Number | None
    refusal: str = ""
    topic: tuple[str, str] = ("", "")
    answer: str | None = None
    at: datetime | None = None
    person: str = ""
    readable: bool = False


@dataclass
class Parsed:
    """A row that can be recorded.

    Attributes:
        act: its answer; ``Answer.NONE`` when nothing proves a yes.
        doubt: why nothing proves it, with the column; empty for a proved answer.
        note: what the reader of the outcome should know all the same.
    """

    number: numbers.Number
    details: dict[str, str]
    purpose: Purpose
    act: proofs.Act
    doubt: str = ""
    column: str = ""
    note: str = ""
    glance: Glance = field(default_factory=lambda: Glance(None))


def glance(cells: Cells, world: World) -> Glance:
    """Read as much of a row as is needed to put it beside the others of its file."""
    try:
        number = _number(cells, world)
    except Refused as refused:
        return Glance(None, refusal=refused.reason)
    brand, slug = _clean(cells, "brand").lower(), _clean(cells, "purpose").lower()
    answer = at = None
    readable = (brand, slug) in world.purposes
    try:
        answer = _answer(cells)
        at = _moment(cells, world.zones.get(brand))
    except Refused:
        readable = False
    return Glance(number, "", (brand, slug), answer, at, _clean(cells, "external_id"), readable)


def parse(cells: Cells, seen: Glance, world: World, known: Contact | None) -> Parsed:
    """Read a whole row.

    Args:
        cells: the row.
        seen: what ``glance`` made of it.
        world: purposes and notices.
        known: the contact on record with this number.

    Raises:
        Refused: the row must not be applied.
    """
    if EXTRA in cells:
        raise Refused("", _("This row has more cells than the file has columns. Check the delimiters."))
    for column, text in cells.items():
        if any(unicodedata.category(c) == "Cc" and c not in "\t\r\n" for c in text):
            raise Refused(column, _("This cell contains characters that are no text. Type it again."))
    if known and known.restricted_since:
        raise Refused("phone", _("Processing of this person's data is restricted: no list may change it (GDPR 18)."))
    if seen.number is None:
        # The country may be at fault rather than the number.
        _country(cells, world)
        raise Refused("phone", seen.refusal)
    purpose = _purpose(cells, world)
    answer = _answer(cells)
    details = _details(cells)
    # A "no" that does not say when or how is a "no" all the same: losing it would go on texting the person (P9).
    read = _or_nothing if answer == Answer.NO else _as_it_is
    method = read(lambda: _choice(cells, "method", Method.values)) or ""
    at = read(lambda: _moment(cells, world.zones.get(purpose.brand.slug)))
    now = timezone.now()
    note = ""
    if answer == Answer.NO:
        if at is None or at > now:
            at, note = now, _("It is not said when the person said no: it counts from this import.")
        method = method or Method.IMPORT
    language = details.get("language") or (known.language if known else "")
    act = proofs.Act(
        method=method,
        answer=answer,
        captured_at=at or now,
        notice=_notice(cells, purpose, language, world),
        recorded_by=_line(cells, "recorded_by"),
        place=_line(cells, "place"),
        read_verbatim=_verbatim(cells),
        reference=_line(cells, "reference"),
        source=_line(cells, "source"),
    )
    parsed = Parsed(seen.number, details, purpose, act, note=note, glance=seen)
    _judge(parsed, at)
    return parsed


def _judge(parsed: Parsed, at: datetime | None) -> None:
    """Refuse what no answer may be; turn a yes that nothing proves into no answer (RULES C1, C2)."""
    act, purpose, country = parsed.act, parsed.purpose, parsed.number.country
    try:
        proofs.check(replace(act, answer=Answer.NONE), purpose, country)
    except ProofIncomplete as error:
        raise Refused("captured_at", str(error)) from None
    except DomainError as error:
        raise Refused("source", str(error)) from None
    if act.answer == Answer.NONE:
        parsed.column, parsed.doubt = "answer", _("There is no answer, so this is not consent.")
    elif act.answer == Answer.YES and not act.method:
        parsed.column, parsed.doubt = "method", _("It is not said how the person answered, so nothing proves the yes.")
    elif act.answer == Answer.YES and at is None:
        parsed.column, parsed.doubt = "captured_at", _("It is not said when the person answered, so nothing proves it.")
    elif act.answer == Answer.YES and act.method == Method.IMPORT:
        parsed.column, parsed.doubt = "method", _("A list that says so is a claim, not a proof.")
    elif act.answer == Answer.YES and act.method == Method.VERBAL and act.read_verbatim is False:
        parsed.column = "read_verbatim"
        parsed.doubt = _("The script was not read word for word, so nothing proves what the person agreed to.")
    else:
        try:
            proofs.check(act, purpose, country)
        except ProofIncomplete as error:
            column = act.missing()[0]
            parsed.column = {"notice": "notice_version", "evidence": "reference"}.get(column, column)
            parsed.doubt = str(error)
        except DomainError as error:
            raise Refused("method", str(error)) from None
    if parsed.doubt:
        parsed.act = replace(act, answer=Answer.NONE)


def _as_it_is(read: Callable[[], Any]) -> Any:
    return read()


def _or_nothing(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Refused:
        return None


# --- cells --------------------------------------------------------------------------------------------------------


def _clean(cells: Cells, column: str) -> str:
    return " ".join(cells.get(column, "").split())


def _line(cells: Cells, column: str) -> str:
    """A text cell without what spreadsheets put around it."""
    text = unicodedata.normalize("NFC", _clean(cells, column))
    if re.match(r"['’](?![a-z]\s)", text):  # a spreadsheet's mark for text; "'t Hooft" is a name
        text = text[1:].lstrip()
    if text.startswith(_FORMULA):
        raise Refused(
            column, _("This cell begins with %(sign)s like a formula. Type what it should say.") % {"sign": text[0]}
        )
    if len(text) > _LENGTHS[column]:
        raise Refused(column, _("This is too long: at most %(n)s characters.") % {"n": _LENGTHS[column]})
    return text


def _word(cells: Cells, column: str) -> str:
    return _clean(cells, column).lower()


def _choice(cells: Cells, column: str, values: list[str]) -> str:
    chosen = _word(cells, column).replace(" ", "_").replace("-", "_")
    if chosen and chosen not in values:
        raise Refused(column, _("This is not known. Write one of: %(values)s.") % {"values": ", ".join(values)})
    return chosen


def _country(cells: Cells, world: World) -> str:
    country = _clean(cells, "country").upper() or world.country
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused("country", _("This is not a country. Write its two letters, such as IT."))
    return country


def _number(cells: Cells, world: World) -> numbers.Number:
    country = _country(cells, world)
    try:
        return numbers.parse(cells.get("phone", ""), country)
    except InvalidNumber as error:
        raise Refused("phone", _without_number(str(error), cells.get("phone", ""))) from None


def _without_number(reason: str, typed: str) -> str:
    """A reason that may be kept longer than the cells: what it repeats of the number is taken out."""
    digits = re.sub(r"\D", "", typed)

    def said(found: re.Match[str]) -> str:
        return _("This number") if re.sub(r"\D", "", found[0])[-5:] in digits else found[0]

    return re.sub(r"\+\d[\d ()./-]*\d", said, reason)


def _purpose(cells: Cells, world: World) -> Purpose:
    brand, slug = _word(cells, "brand"), _word(cells, "purpose")
    if brand not in world.zones:
        raise Refused(
            "brand", _("There is no such brand. Write one of: %(known)s.") % {"known": ", ".join(sorted(world.zones))}
        )
    purpose = world.purposes.get((brand, slug))
    if purpose is None:
        known = ", ".join(sorted(s for b, s in world.purposes if b == brand))
        raise Refused("purpose", _("This brand has no such purpose. Write one of: %(known)s.") % {"known": known})
    if not purpose.active:
        raise Refused("purpose", _("This purpose is no longer in use."))
    return purpose


@lru_cache(maxsize=1000)
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()


def _answer(cells: Cells) -> str:
    said = _plain(cells.get("answer", "")[:20])
    if not said:
        return Answer.NONE
    if said in _YES:
        return Answer.YES
    if said in _NO:
        return Answer.NO
    raise Refused("answer", _("The answer is neither yes nor no. Write what the person said, or leave it empty."))


def _verbatim(cells: Cells) -> bool | None:
    said = _plain(cells.get("read_verbatim", "")[:20])
    if not said:
        return None
    if said in _YES or said in _NO:
        return said in _YES
    raise Refused("read_verbatim", _("Write yes when the script was read word for word, no when it was not."))


def _moment(cells: Cells, zone: ZoneInfo | None) -> datetime | None:
    """The time of the act; without an offset it is the brand's local time."""
    text = _clean(cells, "captured_at")
    if not text:
        return None
    if not _DATE.fullmatch(text):
        raise Refused("captured_at", _("The date cannot be read. Write it like 2026-02-28 or 2026-02-28T10:30."))
    try:
        at = datetime.fromisoformat(text.replace(",", ".").replace(" +", "+").replace(" Z", "Z"))
    except ValueError:
        raise Refused("captured_at", _("There is no such date or time. Check day, month and hour.")) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone or timezone.get_current_timezone())
        if 1900 < at.year < 9000 and at.astimezone(UTC).astimezone(at.tzinfo).replace(tzinfo=None) != at.replace(
            tzinfo=None
        ):
            raise Refused("captured_at", _("This hour did not exist: the clocks were put forward. Check the time."))
    if not 1992 <= at.year < 9000 or at < _EARLIEST:
        raise Refused("captured_at", _("The date lies before there were text messages. Check the year."))
    return at.astimezone(UTC)


def _details(cells: Cells) -> dict[str, str]:
    name = _line(cells, "name")
    if "<" in name or ">" in name:
        raise Refused("name", _("The name contains < or >, as web pages do. Type the person's name."))
    email = _line(cells, "email")
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Refused("email", _("This is not an e-mail address. Correct it or leave it empty.")) from None
    details = {
        "name": name,
        "email": email,
        "kind": _choice(cells, "kind", Contact.Kind.values),
        "language": _choice(cells, "language", [code for code, _name in settings.LANGUAGES]),
        "source": _line(cells, "source"),
        "external_id": _line(cells, "external_id"),
    }
    return {column: value for column, value in details.items() if value}


def _notice(cells: Cells, purpose: Purpose, language: str, world: World) -> Notice | None:
    """The published words the row points at; the language is the row's, else the contact's."""
    text = _clean(cells, "notice_version").lower().removeprefix("v")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise Refused("notice_version", _("This is not the version of a notice. Write its number, such as 1."))
    found = world.notices.get((purpose.pk, language, int(text)))
    if found is None and any(p == purpose.pk and v == int(text) for p, _l, v in world.notices):
        if language:
            raise Refused("notice_version", _("This version of the notice was not published in the person's language."))
        return None
    if found is None:
        raise Refused(
            "notice_version", _("There is no published notice with this version. Check which words were shown.")
        )
    return found
