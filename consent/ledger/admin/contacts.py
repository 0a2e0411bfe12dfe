"""The contact's list and page with what may be texted, why, and everything that happened."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.contacts.admin.contacts import ContactAdmin
from consent.contacts.models import Contact
from consent.core.admin import BoundedPaginator, PlacetChangeList, Tool
from consent.ledger import access, contact_page, moves
from consent.ledger.admin.consents import MOVES, legal_moves
from consent.ledger.models import Consent


class ConsentStatusFilter(SimpleListFilter):
    """Contacts with a consent in a state. A rare state starts from the consents, a common one from the contacts."""

    title = gettext_lazy("consent")
    parameter_name = "consent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return Consent.Status.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in Consent.Status.values:
            return queryset
        found = Consent.objects.filter(status=self.value()).order_by()
        if found[: BoundedPaginator.limit + 1].count() <= BoundedPaginator.limit:
            return queryset.filter(pk__in=found.values("contact"))
        return queryset.filter(Exists(found.filter(contact=OuterRef("pk"))))


class ContactChangeList(PlacetChangeList):
    """A page of contacts, each with the purposes it may be texted for, in a constant number of queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        permitted = contact_page.permitted(self.result_list, timezone.now())
        for contact in self.result_list:
            contact.permitted = permitted.get(contact.pk, [])


@admin.register(Contact)
class ContactPageAdmin(ContactAdmin):
    list_display = ("who", "shown_number", "country", "kind", "language", "permission", "on_record")
    list_filter = (ConsentStatusFilter, *ContactAdmin.list_filter)
    empty_list_text = gettext_lazy("Nobody is on record yet. Record an opt-in or import a list.")

    def own(self, request: HttpRequest) -> Q:
        return access.own(request.user)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ContactChangeList

    @admin.display(description=gettext_lazy("may be texted for"))
    def permission(self, contact: Contact) -> str:
        purposes = contact.permitted  # type: ignore[attr-defined]
        if not purposes:
            return format_html('<span class="badge badge--muted">{}</span>', _("nothing"))
        waits = _("%(purpose)s · waits")  # for its hour, or because there were enough
        return format_html_join(
            " ",
            '<span class="badge badge--{}">{}</span>',
            (("warn", waits % {"purpose": p.name}) if waiting else ("ok", p.name) for p, waiting in purposes),
        )

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        tools = super().list_tools(request)
        if request.user.has_perm("ledger.add_importbatch"):  # type: ignore[union-attr]
            tools = [Tool(reverse("admin:ledger_importbatch_add"), gettext_lazy("Import")), *tools]
        if request.user.has_perm("ledger.record_opt_in"):  # type: ignore[union-attr]
            tools = [Tool(reverse("admin:record"), gettext_lazy("Record an opt-in"), primary=True), *tools]
        return tools

    def consents_of_number(self, contact: Contact) -> list[str]:
        live = Consent.objects.filter(contact=contact, status__in=moves.MOVES["revoke"].sources)
        return [str(consent) for consent in live.select_related("purpose__brand")]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Contact | None = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context.update(self._on_record(request, obj))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _on_record(self, request: HttpRequest, contact: Contact) -> dict[str, Any]:
        typed = request.GET.get(PAGE_VAR, "")
        page = max(1, min(int(typed), contact_page.MOST_PAGES)) if typed.isdecimal() and len(typed) < 5 else 1
        told, more = contact_page.timeline(contact, page, self.history_value, request)
        may = request.user.has_perm  # type: ignore[union-attr]
        cards = contact_page.cards(contact, timezone.now())
        return {
            "title": str(contact),
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "cards": [(card, self._buttons(card, may)) for card in cards],
            "stops": [(stop, contact_page.scope(stop)) for stop in contact_page.stops(contact)],
            "timeline": told,
            "timeline_page": page,
            "timeline_more": more,
            "shown_number": self.shown_number(contact),
            "links": contact_page.links_of(contact, request),
            "may_record": may("ledger.record_opt_in"),
            "may_view_proof": may("ledger.view_proof"),
            "may_explain": may("ledger.explain"),
        }

    def _buttons(self, card: contact_page.Card, may: Any) -> list[tuple[str, Any]]:
        if card.consent is None or not may("ledger.transition_consent"):
            return []
        return [
            (reverse(f"admin:ledger_consent_{move}", args=[card.consent.pk]), MOVES[move][0])
            for move in legal_moves(card.consent)
        ]
