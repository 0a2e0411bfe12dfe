"""What a text says: placeholders filled, the way out and the privacy link added, and what the software says by itself.

The words are in ``texts/``, a file for each language; a language without one gets the English ones (RULES §7, O1, O2).
"""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Message, Sender
from consent.contacts.models import Contact
from consent.core.errors import DomainError
from consent.ledger.models import Brand, Consent, PrivacyPolicy, Purpose

_FOLDER = Path(__file__).parent / "texts"
_DEFAULT = "en"

# Everything a text may have in braces. There is nothing else to it: no formats, no conditions, no attributes.
PLACEHOLDERS: dict[str, str | Promise] = {
    "first_name": gettext_lazy("first name"),
    "name": gettext_lazy("whole name"),
    "brand": gettext_lazy("name of the brand"),
    "privacy": gettext_lazy("address of the privacy policy"),
}
_BRACED = re.compile(r"\{([^{}]*)\}")
_GAP = "\x00"  # where a placeholder had nothing to say

_ADDRESS = re.compile(r"://|@|/|\w\.\w{2,}", re.ASCII)
_NUMBER = re.compile(r"\d{4}|\w[\u2024\u3002\uff0e\uff61]\w")  # or what browsers take for the dot of an address
_LONGEST = {"first_name": 30, "name": 60}


class UnfitText(DomainError):
    """A text that cannot be made: unknown placeholders, or something it must say is not known."""


# --- placeholders ----------------------------------------------------------------------------------------------


def problems(body: str) -> list[str]:
    """What is wrong with the braces of a text, as sentences; none when it can be filled."""
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    found = []
    for name in dict.fromkeys(_BRACED.findall(body)):
        if name in PLACEHOLDERS:
            continue
        meant = re.sub(r"[\s-]+", "_", name.strip().lower())
        if meant in PLACEHOLDERS:
            words = {"name": _shortened(name), "meant": meant}
            found.append(_("Write {%(meant)s} instead of {%(name)s}: small letters, no blanks.") % words)
        else:
            words = {"name": _shortened(name), "known": known}
            found.append(_("There is no placeholder {%(name)s}. Known are %(known)s.") % words)
    if re.search(r"[{}]", _BRACED.sub("", body)):
        words = {"known": known}
        found.append(_("A brace stands alone. Braces only serve for placeholders: %(known)s.") % words)
    return found


def fill(template: str, values: dict[str, str]) -> str:
    """Put values in place of the placeholders, once: what a value contains is never read as a placeholder.

    Where a value is empty, the blanks and commas around it go too: “Hi {first_name}, …” becomes “Hi, …”.
    """
    filled = _BRACED.sub(lambda found: values[found[1]] or _GAP, template.replace(_GAP, ""))
    if _GAP not in filled:
        return filled
    filled = re.sub(rf",[ \t]*{_GAP}[ \t]*(?=,)", "", filled)
    filled = re.sub(
        rf"(^|\n|[.!?][ \t]+){_GAP}[ \t]*[,;:!.]?[ \t]*(\w?)", lambda found: found[1] + found[2].upper(), filled
    )
    filled = re.sub(rf",?[ \t]*{_GAP}(?=[ \t]*(?:[.!?:;…)\n]|$))", "", filled)
    filled = re.sub(rf"[ \t]*{_GAP}(?=[ \t]*,)", "", filled)
    return re.sub(rf"[ \t]*{_GAP}[ \t]*", " ", filled)


def one_line(value: str) -> str:
    """A value as it may stand inside a text: no line breaks, no control or invisible characters."""
    visible = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in value)
    return " ".join(visible.split())


def names(contact: Contact | None) -> dict[str, str]:
    """``name`` and ``first_name`` of somebody; empty where there is none or it is a number, an address or a text.

    People type their names into public forms: a name that links somewhere would make us send it.
    """
    whole = one_line(contact.name) if contact else ""
    if _ADDRESS.search(whole) or _NUMBER.search(whole):
        whole = ""
    last, comma, rest = whole.partition(",")
    if comma and rest.strip():
        whole = f"{rest.strip()} {last.strip()}"
    words = [word for word in whole.split() if not word.endswith(".")] or [""]
    found = {"name": whole, "first_name": words[0].strip(",;")}
    return {key: value if len(value) <= _LONGEST[key] else "" for key, value in found.items()}


def _shortened(name: str) -> str:
    return one_line(name)[:30]


# --- a campaign's text -----------------------------------------------------------------------------------------


def render(
    body: str, *, contact: Contact | None, sender: Sender, purpose: Purpose, language: str, first: bool = False
) -> str:
    """A text as somebody gets it: placeholders filled, the privacy link if it is the first, and the way out (O1).

    Args:
        body: as written.
        contact: who gets it; may be unsaved. Without one, names are empty.
        sender: from whom; says where STOP goes (O2). Its brand is asked for the privacy policy once.
        purpose: what the text is for.
        language: of the body. What is added is in the person's own language.
        first: the first text under a consent.

    Raises:
        UnfitText: a placeholder is unknown or a brace stands alone.
    """
    if found := problems(body):
        raise UnfitText(" ".join(found), rule="RULES §7")
    tongue = contact.language if contact and contact.language in languages() else language
    link = privacy_address(sender.brand, tongue) if first or "{privacy}" in body else ""
    values = {"brand": one_line(sender.brand.name), "privacy": link, **names(contact)}
    text = fill(body.replace("\r\n", "\n").strip(), values).strip()
    lines = [text]
    if first and link and link not in text:
        lines.append(privacy_line(tongue, link))
    lines.append(opt_out_line(tongue, sender))
    return "\n".join(lines)


def opt_out_line(language: str, sender: Sender) -> str:
    """How to stop, and where when replies do not work (RULES O1, O2)."""
    texts = _texts(language)
    if sender.two_way:
        return str(texts["opt_out_line"])
    return f"{texts['no_replies']} {fill(texts['opt_out_line_one_way'], {'address': sender.stop_address})}"


def privacy_line(language: str, link: str) -> str:
    """Where the privacy policy is."""
    return fill(_texts(language)["privacy_line"], {"url": link})


def privacy_address(brand: Brand, language: str) -> str:
    """The address of a brand's newest published policy in a language, else in any; empty when there is none.

    Asked once for each brand object: workers fill thousands of texts with one.
    """
    if "_policies" not in brand.__dict__:
        published = PrivacyPolicy.objects.filter(brand=brand, published_at__isnull=False)
        found = list(published.order_by("published_at", "version").values_list("language", "url"))
        newest = dict(found)
        if found:
            newest[""] = found[-1][1]
        brand.__dict__["_policies"] = newest
    policies: dict[str, str] = brand.__dict__["_policies"]
    return policies.get(language) or policies.get("", "")


# --- what the software says by itself --------------------------------------------------------------------------

_ABOUT_A_PURPOSE = {
    Message.Kind.DOUBLE_OPT_IN,
    Message.Kind.WELCOME,
    Message.Kind.RECONFIRMATION,
    Message.Kind.RENEWAL,
}


def system_text(
    kind: str, language: str, *, sender: Sender, purpose: Purpose | None = None, consent: Consent | None = None
) -> str:
    """A text the software writes by itself, with what RULES §7 asks of it and nothing else.

    Args:
        kind: ``double_opt_in``, ``welcome``, ``reconfirmation``, ``renewal``, ``opt_out`` or ``help``.
        language: the person's; English where there are no words in it.
        sender: from whom; its brand speaks.
        purpose: what it is about; the consent's when not given. Not needed for an answer to STOP or HELP.
        consent: for a reconfirmation and a renewal; a welcome takes the frequency from it that the person was told.

    Raises:
        UnfitText: the purpose or the consent is missing.
    """
    purpose = purpose or (consent.purpose if consent else None)
    if purpose is None and kind in _ABOUT_A_PURPOSE:
        raise UnfitText(_("This text needs the purpose it is about."), rule="RULES §7")
    if consent is None and kind in (Message.Kind.RECONFIRMATION, Message.Kind.RENEWAL):
        raise UnfitText(_("This text needs the consent it is about."), rule="RULES §7")
    brand, texts = sender.brand, _texts(language)
    values = {
        "brand": one_line(brand.name),
        "purpose": one_line(purpose.name) if purpose else "",
        "contact": one_line(brand.contact),
        "frequency": _frequency(language, purpose, consent) if purpose else "",
        "date": "",
        "how": "",
        "yes": _told(texts, texts["yes"], sender),
        "help": _told(texts, texts["help_word"], sender),
        "stop": _told(texts, "STOP", sender),
    }
    if kind == Message.Kind.RECONFIRMATION and consent:
        values["date"] = _date(texts, consent.effective_at, brand)
        values["how"] = texts["how"][consent.proof.method if consent.proof else "import"]
    elif kind == Message.Kind.RENEWAL and consent and consent.expires_at:
        values["date"] = _date(texts, consent.expires_at, brand)
    key = str(kind)
    if kind == Message.Kind.OPT_OUT and purpose and brand.stop_scope == Brand.StopScope.PURPOSE:
        key = "opt_out_purpose"
    text = fill(texts["texts"][key], values)
    if not sender.two_way and kind != Message.Kind.OPT_OUT:
        text += f" {texts['no_replies']}"
    if kind == Message.Kind.WELCOME and (link := privacy_address(brand, language)):
        text += "\n" + privacy_line(language, link)  # the first text under this consent
    return text


def example_name(language: str) -> str:
    """A name nobody bears, to show a text with."""
    return str(_texts(language)["example"])


def _told(texts: dict[str, Any], word: str, sender: Sender) -> str:
    """“Reply YES”, or where to text it when replies do not work."""
    key = "answer" if sender.two_way else "send"
    return fill(texts[key], {"word": word, "address": sender.stop_address})


def _frequency(language: str, purpose: Purpose, consent: Consent | None) -> str:
    """How often, as the person was told; in another language, as the software keeps it."""
    notice = consent.proof.notice if consent and consent.proof else None
    if notice and notice.frequency and notice.language == _known(language):
        return one_line(notice.frequency).rstrip(".")
    return fill(_texts(language)["often"], {"count": str(purpose.max_per_week)})


def _date(texts: dict[str, Any], moment: Any, brand: Brand) -> str:
    local = moment.astimezone(ZoneInfo(brand.zone))
    months = texts.get("months", "").split()
    month = months[local.month - 1] if months else ""
    parts = {"day": str(local.day), "number": str(local.month), "month": month, "year": str(local.year)}
    return fill(texts["date"], parts)


@cache
def languages() -> frozenset[str]:
    """The languages the software has words in."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


def _known(language: str) -> str:
    short = language.lower().split("-")[0]
    return short if short in languages() else _DEFAULT


def _texts(language: str) -> dict[str, Any]:
    return _read(_known(language))


@cache
def _read(language: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
