"""The four roles and what each may do, as one table; granted after every migrate.

Custom permissions say what stock ones cannot: ``see_numbers`` (unmasked), ``export``, ``import_opt_ins``,
``record_opt_in``, ``transition`` and so on; each is declared on the model it concerns.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions

OFFICER = "Compliance officer"
RECRUITER = "Recruiter"
CAMPAIGN_MANAGER = "Campaign manager"
AUDITOR = "Auditor"

# app label.codename; "view" of a tracked model includes its history.
GRANTS: dict[str, list[str]] = {
    OFFICER: [
        *(f"contacts.{a}_contact" for a in ("view", "add", "change")),
        "contacts.see_numbers",
        "contacts.export_contact",
        *(f"contacts.{a}_tag" for a in ("view", "add", "change", "delete")),
        *(f"contacts.{a}_audience" for a in ("view", "add", "change", "delete")),
        "contacts.view_suppression",
        "contacts.view_export",
        *(
            f"ledger.{a}_{m}"
            for m in ("brand", "purpose", "notice", "privacypolicy")
            for a in ("view", "add", "change")
        ),
        "ledger.delete_notice",
        "ledger.delete_privacypolicy",
        "ledger.publish_notice",
        "ledger.publish_privacypolicy",
        "ledger.view_proof",
        "ledger.view_consent",
        "ledger.transition_consent",
        "ledger.export_consent",
        "ledger.record_opt_in",
        "ledger.explain",
        *(f"ledger.{a}_importbatch" for a in ("view", "add", "change")),
        *(f"ledger.{a}_renewaltask" for a in ("view", "change")),
        "retention.view_jobrun",
        "retention.run_job",
        *(f"campaigns.{a}_{m}" for m in ("sender", "keyword", "sendingwindow") for a in ("view", "add", "change")),
        *(f"campaigns.{a}_{m}" for m in ("campaign", "campaignbody") for a in ("view", "add", "change", "delete")),
        "campaigns.submit_campaign",
        "campaigns.approve_campaign",
        "campaigns.launch_campaign",
        *(f"campaigns.view_{m}" for m in ("message", "inboundmessage", "conversation")),
        "campaigns.resolve_message",
        "campaigns.review_inbound",
        "campaigns.reply_conversation",
    ],
    RECRUITER: [
        "contacts.view_contact",
        "ledger.view_consent",
        "ledger.record_opt_in",
        "campaigns.view_conversation",
        "campaigns.reply_conversation",
    ],
    CAMPAIGN_MANAGER: [
        "contacts.view_audience",
        "contacts.add_audience",
        "contacts.change_audience",
        "contacts.view_tag",
        "ledger.view_brand",
        "ledger.view_purpose",
        "ledger.view_notice",
        "ledger.view_privacypolicy",
        *(f"campaigns.view_{m}" for m in ("sender", "keyword", "sendingwindow")),
        *(f"campaigns.{a}_{m}" for m in ("campaign", "campaignbody") for a in ("view", "add", "change", "delete")),
        "campaigns.submit_campaign",
        "campaigns.launch_campaign",
    ],
    AUDITOR: [
        "contacts.view_contact",
        "contacts.see_numbers",
        "contacts.view_tag",
        "contacts.view_audience",
        "contacts.view_suppression",
        "contacts.view_export",
        *(f"ledger.view_{m}" for m in ("brand", "purpose", "notice", "privacypolicy", "proof", "consent")),
        "ledger.explain",
        "ledger.view_importbatch",
        "ledger.view_renewaltask",
        "retention.view_jobrun",
        *(
            f"campaigns.view_{m}"
            for m in ("sender", "keyword", "sendingwindow", "campaign", "campaignbody", "message", "inboundmessage")
        ),
        "campaigns.view_conversation",
    ],
}


def grant(using: str = "default", **kwargs: Any) -> None:
    """Make the groups and set their permissions to the table; safe to repeat. Renamed or extra groups stay.

    Runs after every migrate of every app, so it waits until all apps have their permissions.
    """
    from django.contrib.auth.models import Group, Permission
    from django.db import connections

    tables = set(connections[using].introspection.table_names())
    if not {"auth_group_permissions", "django_content_type"} <= tables:
        return
    if kwargs.get("app_config") is not None and kwargs["app_config"].label != "campaigns":
        return
    for app_config in apps.get_app_configs():
        create_permissions(app_config, verbosity=0, using=using)
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role, names in GRANTS.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        wanted = set(names) | {n.replace(".view_", ".view_historical", 1) for n in names if ".view_" in n}
        group.permissions.set([known[name] for name in wanted if name in known])
