"""What ``manage.py check`` says about the settings of gateways: half of them is worse than none."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from campaigns import gateways

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,}", re.ASCII)  # it stands in an address; a percent sign would be Kannel's
_DECIDING = {
    "kannel": ("KANNEL_URL", "KANNEL_USERNAME", "KANNEL_PASSWORD", "KANNEL_SECRET"),
    "twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    "webhook": ("WEBHOOK_URL", "WEBHOOK_SECRET"),
}


@register(Tags.security)
def half_configured(**_options: Any) -> list[Any]:
    """Gateways of which some variables are set and others are not, or hold what cannot work."""
    found: list[Any] = []
    for name, deciding in _DECIDING.items():
        lacking = gateways.missing(name)
        if lacking and any(getattr(settings, variable) for variable in deciding):
            found.append(
                Error(f"The gateway {name} is half configured: {', '.join(lacking)} missing.", id="campaigns.E001")
            )
    for variable in ("PUBLIC_URL", "KANNEL_CALLBACK_URL"):
        if (value := getattr(settings, variable)) and not _is_root(value):
            found.append(
                Error(
                    f"{variable} must be a scheme and a host, such as https://placet.example.org.", id="campaigns.E002"
                )
            )
    if settings.KANNEL_SECRET and not _SECRET.fullmatch(settings.KANNEL_SECRET):
        found.append(
            Error("KANNEL_SECRET must be 16 or more of: letters, digits, hyphens, underscores.", id="campaigns.E003")
        )
    if not all(_is_network(network) for network in settings.KANNEL_ADDRESSES):
        found.append(Error("KANNEL_ADDRESSES must be addresses or networks such as 10.0.0.0/8.", id="campaigns.E004"))
    if settings.WEBHOOK_SECRET and len(settings.WEBHOOK_SECRET) < 32:
        found.append(Warning("WEBHOOK_SECRET is shorter than 32 characters.", id="campaigns.W005"))
    return found


def _is_root(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.path or parts.query)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True
