"""Gateways: the ways texts leave and replies come back. Which exist is decided by the settings."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campaigns.gateways.base import Gateway
from campaigns.gateways.console import Console
from campaigns.gateways.kannel import Kannel
from campaigns.gateways.twilio import Twilio
from campaigns.gateways.webhook import Webhook
from consent.core.errors import DomainError

# What each needs to be usable: environment variables, all of them.
NEEDED: dict[str, tuple[str, ...]] = {
    "console": (),
    "kannel": ("KANNEL_URL", "KANNEL_USERNAME", "KANNEL_PASSWORD", "KANNEL_SECRET", "PUBLIC_URL"),
    "twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL"),
    "webhook": ("WEBHOOK_URL", "WEBHOOK_SECRET"),
}


class NotConfigured(DomainError):
    """A gateway some of whose variables are not set."""


def get(name: str) -> Gateway:
    """The gateway of that name.

    Raises:
        NotConfigured: it cannot be used; the sentence names the variables that are missing.
    """
    if name not in NEEDED:
        raise NotConfigured(_("There is no gateway of this name. Choose another one at the sender."))
    if lacking := missing(name):
        raise NotConfigured(
            _("The gateway %(gateway)s is not configured. Set %(variables)s, or choose another gateway.")
            % {"gateway": name, "variables": ", ".join(lacking)}
        )
    return _MAKERS[name]()


def configured() -> list[str]:
    """The gateways that can be used."""
    return [name for name in NEEDED if not missing(name)]


def missing(name: str) -> list[str]:
    """The environment variables a gateway still needs."""
    lacking = [variable for variable in NEEDED[name] if not getattr(settings, variable)]
    if name == "kannel" and settings.KANNEL_CALLBACK_URL:  # a nearer way to us
        lacking = [variable for variable in lacking if variable != "PUBLIC_URL"]
    return lacking


def _kannel() -> Kannel:
    return Kannel(
        url=settings.KANNEL_URL,
        username=settings.KANNEL_USERNAME,
        password=settings.KANNEL_PASSWORD,
        secret=settings.KANNEL_SECRET,
        addresses=tuple(settings.KANNEL_ADDRESSES),
        callback_url=settings.KANNEL_CALLBACK_URL or settings.PUBLIC_URL,
        dead_numbers=frozenset(settings.KANNEL_DEAD_NUMBERS),
    )


def _twilio() -> Twilio:
    return Twilio(
        url=settings.TWILIO_URL,
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        public_url=settings.PUBLIC_URL,
    )


def _webhook() -> Webhook:
    return Webhook(url=settings.WEBHOOK_URL, secret=settings.WEBHOOK_SECRET)


_MAKERS: dict[str, Callable[[], Gateway]] = {
    "console": Console,
    "kannel": _kannel,
    "twilio": _twilio,
    "webhook": _webhook,
}
