"""Brands and purposes: an officer edits them; nobody deletes them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from consent.core.admin import TrackedAdmin
from consent.ledger.admin.words import badge
from consent.ledger.forms import PurposeForm
from consent.ledger.models import Brand, Method, Purpose


class Undeletable(TrackedAdmin):
    """What consents and proofs refer to stays."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Brand)
class BrandAdmin(Undeletable):
    """Who speaks to people."""

    list_display = ("name", "slug", "controller", "stop_scope", "zone")
    search_fields = ("name", "slug", "controller")
    fieldsets = (
        (None, {"fields": ("name", "slug")}),
        (_("Controller"), {"fields": ("controller", "controller_address", "contact", "seat_country", "zone")}),
        (_("House rules"), {"fields": ("stop_scope", ("opt_in_rate_low", "opt_in_rate_high"))}),
    )
    editable = (
        "name", "slug", "controller", "controller_address", "contact", "seat_country", "zone", "stop_scope",
        "opt_in_rate_low", "opt_in_rate_high",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = ["slug"] if obj else []  # imports and commands name the brand by it
        return [*super().get_readonly_fields(request, obj), *fixed]


@admin.register(Purpose)
class PurposeAdmin(Undeletable):
    """What people are asked for, with the rules their yes follows."""

    form = PurposeForm
    list_display = ("name", "brand", "path", "kind", "in_use", "validity_months", "double_opt_in", "max_per_week")
    list_filter = ("brand", "kind", "active")
    list_select_related = ("brand",)
    search_fields = ("name", "slug", "brand__name")
    fieldsets = (
        (None, {"fields": ("brand", "name", "slug", "kind", "legal_basis", "active", "position")}),
        (_("A yes"), {"fields": ("accepted_methods", "double_opt_in", "confirm_verbal", "validity_months")}),
        (_("Texts"), {"fields": ("max_per_week", "first_message_within_days", "reminder_every_days")}),
        (_("Retention"), {"fields": ("proof_retention_months",)}),
    )
    editable = (
        "brand", "name", "slug", "kind", "legal_basis", "active", "position", "accepted_methods", "double_opt_in",
        "confirm_verbal", "validity_months", "max_per_week", "first_message_within_days", "reminder_every_days",
        "proof_retention_months",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        fixed: list[str] = []
        if obj:
            fixed = ["brand", "slug"]  # a consent never moves to another brand (RULES C4)
            if obj.consents.exists():
                fixed.append("kind")  # nor to another use
        return [*super().get_readonly_fields(request, obj), *fixed]

    @admin.display(description=_("in use"), ordering="active")
    def in_use(self, purpose: Purpose) -> SafeString:
        return badge(_("In use"), "ok") if purpose.active else badge(_("Not in use"), "muted")

    def history_value(self, request: HttpRequest, row: Any, field: Any) -> str:
        if field.name == "accepted_methods":
            return ", ".join(str(Method(m).label) for m in row.accepted_methods if m in Method.values) or "–"
        return super().history_value(request, row, field)
