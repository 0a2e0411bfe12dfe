"""The pages of the staff site in the order of people's work, each for those who may open it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# group → (title, name of the address, permission; none: everybody on the staff)
PAGES: tuple[tuple[Promise, tuple[tuple[Promise, str, str], ...]], ...] = (
    (
        _("Work"),
        (
            (_("Today"), "admin:index", ""),
            (_("Record an opt-in"), "admin:record", "ledger.record_opt_in"),
            (_("Contacts"), "admin:contacts_contact_changelist", "contacts.view_contact"),
            (_("Consents"), "admin:ledger_consent_changelist", "ledger.view_consent"),
            (_("Renewals"), "admin:ledger_renewaltask_changelist", "ledger.view_renewaltask"),
            (_("Conversations"), "admin:campaigns_conversation_changelist", "campaigns.view_conversation"),
            (_("Inbound texts"), "admin:campaigns_inboundmessage_changelist", "campaigns.view_inboundmessage"),
            (_("Explain"), "admin:explain", "ledger.explain"),
        ),
    ),
    (
        _("Campaigns"),
        (
            (_("Campaigns"), "admin:campaigns_campaign_changelist", "campaigns.view_campaign"),
            (_("Messages"), "admin:campaigns_message_changelist", "campaigns.view_message"),
            (_("Senders"), "admin:campaigns_sender_changelist", "campaigns.view_sender"),
        ),
    ),
    (
        _("Texts"),
        (
            (_("Notices"), "admin:ledger_notice_changelist", "ledger.view_notice"),
            (_("Privacy policies"), "admin:ledger_privacypolicy_changelist", "ledger.view_privacypolicy"),
            (_("Purposes"), "admin:ledger_purpose_changelist", "ledger.view_purpose"),
            (_("Brands"), "admin:ledger_brand_changelist", "ledger.view_brand"),
            (_("Sending windows"), "admin:campaigns_sendingwindow_changelist", "campaigns.view_sendingwindow"),
        ),
    ),
    (
        _("Data"),
        (
            (_("Imports"), "admin:ledger_importbatch_changelist", "ledger.view_importbatch"),
            (_("Exports"), "admin:contacts_export_changelist", "contacts.view_export"),
            (_("Audiences"), "admin:contacts_audience_changelist", "contacts.view_audience"),
            (_("Tags"), "admin:contacts_tag_changelist", "contacts.view_tag"),
            (_("Suppressions"), "admin:contacts_suppression_changelist", "contacts.view_suppression"),
            (_("Proofs"), "admin:ledger_proof_changelist", "ledger.view_proof"),
            (_("Job runs"), "admin:retention_jobrun_changelist", "retention.view_jobrun"),
        ),
    ),
    (
        _("Administration"),
        (
            (_("Users"), "admin:auth_user_changelist", "auth.view_user"),
            (_("Groups"), "admin:auth_group_changelist", "auth.view_group"),
        ),
    ),
)


@dataclass
class Page:
    """A line of the navigation."""

    title: str | Promise
    url: str
    current: bool = False


@dataclass
class Group:
    """Lines that belong together."""

    title: str | Promise
    pages: list[Page]


def _open_to(user: Any, pages: tuple[tuple[Promise, str, str], ...]) -> Iterator[Page]:
    for label, name, permission in pages:
        if not permission or user.has_perm(permission):
            yield Page(label, reverse(name))


def navigation(request: HttpRequest) -> list[Group]:
    """The groups and pages this person may open; the page being looked at is marked."""
    user: Any = request.user
    groups = [Group(title, list(_open_to(user, pages))) for title, pages in PAGES]
    inside = [page for group in groups for page in group.pages if request.path.startswith(page.url)]
    if inside:
        nearest = max(inside, key=lambda page: len(page.url))
        nearest.current = nearest.url == request.path or nearest.url != reverse("admin:index")
    return [group for group in groups if group.pages]
