"""The history of a campaign: its own changes and those of its texts in one line of time."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.models import Campaign, CampaignBody
from consent.core.history_page import events, in_words

SHOWN = 500  # changes of texts; nobody edits more often


def with_texts(
    campaign: Campaign, own: Iterable[dict[str, Any]], page: Any, request: HttpRequest
) -> list[dict[str, Any]]:
    """A page of the campaign's changes with what happened to its texts between them.

    Args:
        campaign: whose.
        own: the events of the page, newest first.
        page: the page; the last one also has what is older, the first one what is newer.
        request: who reads.
    """
    own = list(own)
    changes = []
    history: Any = CampaignBody.history  # type: ignore[attr-defined]
    mine = history.filter(campaign_id=campaign.pk).order_by("-history_date", "-history_id")
    for pk in mine.order_by().values_list("id", flat=True).distinct():
        of_text = history.filter(id=pk)
        rows = of_text.order_by("-history_date", "-history_id")[:SHOWN]
        for event in events(CampaignBody, list(rows), of_text, _words, request):
            changed = [change for change in event["changes"] if change["name"] == "text"]
            language = of_text.values_list("language", flat=True)[0]
            label = dict(CampaignBody._meta.get_field("language").flatchoices).get(language, language)
            for change in changed:
                change["field"] = _("Text in %s") % label
            changes.append({**event, "changes": changed})
    since = own[-1]["at"] if own and page.has_next() else None
    until = own[0]["at"] if own and page.has_previous() else None
    changes = [e for e in changes if (since is None or e["at"] >= since) and (until is None or e["at"] <= until)]
    return sorted([*own, *changes], key=lambda event: event["at"], reverse=True)


def _words(request: Any, row: Any, field: Any) -> str:
    return in_words(row, field)
