"""Time left and time over, as people say it."""

from datetime import timedelta

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from consent.ledger.admin.words import badge


def how_long(span: timedelta) -> str:
    """A span in at most two units, such as ``5 h 12 min``; less than a minute counts as one."""
    minutes = max(1, int(abs(span).total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)s min") % {"minutes": minutes}


def due(moment: object, *, soon: timedelta) -> SafeString:
    """How long until a deadline, amber when it is near, red when it is over."""
    left = moment - timezone.now()  # type: ignore[operator]
    if left <= timedelta():
        return badge(_("overdue by %(span)s") % {"span": how_long(left)}, "stop")
    return badge(_("due in %(span)s") % {"span": how_long(left)}, "warn" if left <= soon else "muted")
