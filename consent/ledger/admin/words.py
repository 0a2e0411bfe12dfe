"""States as people see them: a word and a colour."""

from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consent.ledger.models import Consent

S = Consent.Status
TONES: dict[str, str] = {
    S.UNKNOWN: "muted",
    S.REQUESTED: "warn",
    S.GIVEN: "ok",
    S.RENEWED: "ok",
    S.REFUSED: "stop",
    S.WITHDRAWN: "stop",
    S.EXPIRED: "muted",
    S.REVOKED: "stop",
    S.INVALIDATED: "stop",
}


def badge(label: Any, tone: str) -> SafeString:
    """A state as a pill; ``tone`` is ok, warn, stop or muted."""
    return format_html('<span class="badge badge--{}">{}</span>', tone, label)


def status_badge(consent: Consent) -> SafeString:
    """The status of a consent."""
    return badge(consent.get_status_display(), TONES[consent.status])


def digits(text: str) -> SafeString:
    """A number or date that does not break over lines."""
    return format_html('<span class="mono">{}</span>', text)


def stamp(moment: datetime | None, style: str = "SHORT_DATETIME_FORMAT") -> str:
    """A moment in the site's zone, short; a dash for none."""
    return formats.date_format(timezone.localtime(moment), style) if moment else "–"


def page_of(row: Model) -> str:
    """The address of a row's page in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link(row: Model, label: Any = None) -> SafeString:
    """A link to a row's page in the admin."""
    return format_html('<a href="{}">{}</a>', page_of(row), label or row)
