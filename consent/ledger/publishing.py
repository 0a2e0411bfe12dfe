"""Publishing the words people say yes to: what a notice or policy must contain, and the door (RULES §7, P8)."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.core import history
from consent.core.errors import NotPublishable
from consent.ledger import wording
from consent.ledger.models import Notice, PrivacyPolicy
from consent.ledger.models.notices import Publishable, current


@dataclass(frozen=True)
class Check:
    """A line of the checklist: what is asked, whether it is there, and what to do if not."""

    requirement: str
    ok: bool
    fix: str


def checklist(row: Publishable) -> list[Check]:
    """What publishing asks of a notice (call to action, RULES §7) or a privacy policy."""
    return _of_notice(row) if isinstance(row, Notice) else _of_policy(row)  # type: ignore[arg-type]


def missing(row: Publishable) -> list[Check]:
    """The lines of the checklist that are not met."""
    return [check for check in checklist(row) if not check.ok]


def fingerprint(row: Publishable) -> str:
    """A short digest of a draft: another one means that it changed."""
    stands = [str(getattr(row, field.attname)) for field in row._meta.concrete_fields]
    return hashlib.sha256(repr(stands).encode()).hexdigest()[:16]


@transaction.atomic
def publish(row: Publishable, user: Any, *, read: str = "") -> Publishable:
    """Publish a draft; from then on it never changes (P8).

    Args:
        row: a notice or privacy policy.
        user: the signed-in compliance officer.
        read: the ``fingerprint`` of what the officer read, where there is one.

    Raises:
        NotPublishable: it is published already, changed since it was read, is older than a published version, or
            lacks what the checklist asks.
    """
    locked = type(row)._default_manager.select_for_update().get(pk=row.pk)
    if locked.is_published:
        raise NotPublishable(_("This version is published already."), rule="P8")
    if locked.siblings().filter(published_at__isnull=False, version__gt=locked.version).exists():
        raise NotPublishable(_("A newer version is published already. Make a new version instead."), rule="P8")
    if read and read != fingerprint(locked):
        raise NotPublishable(_("Somebody changed the draft since you opened this page. Read it again."), rule="P8")
    if lacking := missing(locked):
        raise NotPublishable(
            _("This cannot be published yet. Missing: %(what)s.")
            % {"what": "; ".join(check.requirement for check in lacking)},
            rule="RULES §7",
        )
    locked.published_at = timezone.now()
    locked.published_by = user.get_username()
    with history.acting(history.Actor.of(user), _("Published")):
        locked.save()
    return locked


@transaction.atomic
def new_version(row: Publishable) -> Publishable:
    """The open draft of the same text, or a new one that copies its newest version, inside ``history.acting``."""
    versions = list(row.siblings().select_for_update().order_by("-version"))
    draft = next((version for version in versions if not version.is_published), None)
    if draft:
        return draft
    newest = versions[0]
    if isinstance(newest, Notice):
        copy: Publishable = Notice(
            purpose=newest.purpose, language=newest.language, text=newest.text, frequency=newest.frequency
        )
    else:
        copy = PrivacyPolicy(brand=newest.brand, language=newest.language, url=newest.url, body=newest.body)
    copy.save()
    return copy


def _of_notice(notice: Notice) -> list[Check]:
    text, language = wording.plain(notice.text), notice.language
    brand, kind = notice.purpose.brand, notice.purpose.kind
    frequency = wording.plain(notice.frequency)
    named = wording.says(text, (notice.purpose.name,))
    checks = [
        Check(
            _("The brand is named"),
            wording.says(text, (brand.name,)),
            _("Write “%(brand)s” in the text.") % {"brand": brand.name},
        ),
        Check(
            _("The kind of messages is named"),
            named or wording.begins(text, wording.KINDS[language][kind]),
            _("Say what the messages are about, such as “%(purpose)s”.") % {"purpose": notice.purpose.name},
        ),
        Check(
            _("It says that these are text messages"),
            wording.says(text, wording.TEXT_MESSAGE[language]),
            _("Write one of: %(words)s.") % {"words": _listed(wording.TEXT_MESSAGE[language])},
        ),
        Check(
            _("It says how often"),
            bool(frequency) and wording.says(text, (frequency,)),
            _("Repeat the frequency “%(frequency)s” in the text word for word.") % {"frequency": notice.frequency},
        ),
        Check(
            _("It says how to stop (STOP)"),
            wording.offers(notice.text, wording.STOP),
            _("Say that replying STOP, in capital letters, ends the messages."),
        ),
        Check(
            _("It says how to get help (HELP)"),
            wording.offers(notice.text, wording.HELP[language]),
            _("Say which reply, in capital letters, gives help: %(words)s.")
            % {"words": _listed(wording.HELP[language])},
        ),
        _links_to_policy(notice),
        Check(
            _("It says that a yes is not a condition of anything"),
            wording.says(text, wording.NO_CONDITION[language]),
            _("Write one of: %(words)s.") % {"words": _listed(wording.NO_CONDITION[language])},
        ),
    ]
    if language in wording.RATES:
        checks.append(
            Check(
                _("It says that message and data rates may apply"),
                wording.says(text, wording.RATES[language]),
                _("Write “Msg & data rates may apply”: people in the United States pay for what they receive."),
            )
        )
    return checks


def _links_to_policy(notice: Notice) -> Check:
    policy = current(PrivacyPolicy.objects.filter(brand=notice.purpose.brand, language=notice.language))
    if policy is None:
        fix = _(
            "Publish the privacy policy of %(brand)s in %(language)s first, then write its address in the text."
        ) % {
            "brand": notice.purpose.brand.name,
            "language": notice.get_language_display(),
        }
    else:
        fix = _("Write the address %(url)s in the text.") % {"url": policy.url}
    linked = policy is not None and policy.url.rstrip("/") in notice.text
    return Check(_("It links to the published privacy policy"), linked, fix)


def _of_policy(policy: PrivacyPolicy) -> list[Check]:
    body, brand = wording.plain(policy.body), policy.brand
    return [
        Check(_("The text is there"), bool(body), _("Write the text of the policy.")),
        Check(
            _("The public address is there"),
            policy.url.startswith("https://"),
            _("Write the address where people read it; it begins with https://."),
        ),
        Check(
            _("The brand or the controller is named"),
            wording.says(body, (brand.name, brand.controller)),
            _("Write “%(brand)s” or “%(controller)s” in the text.")
            % {"brand": brand.name, "controller": brand.controller},
        ),
        Check(
            _("It says where to reach the controller"),
            wording.says(body, (brand.contact,)),
            _("Write “%(contact)s” in the text.") % {"contact": brand.contact},
        ),
    ]


def _listed(phrases: tuple[str, ...]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in phrases)
