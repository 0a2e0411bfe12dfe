"""The list of contacts and the page of one; the ledger adds what may be texted and registers it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Field, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from consent.contacts import doors, search
from consent.contacts.admin import filters
from consent.contacts.admin.forms import ChangeNumberForm, ConfirmNumberForm, ContactForm
from consent.contacts.models import Contact
from consent.core import history, numbers
from consent.core.admin import TrackedAdmin, typed_reason
from consent.core.errors import DomainError
from consent.core.export import ExportMixin

MASK = "•••"
SEE_NUMBERS = "contacts.see_numbers"


def masked_email(email: str) -> str:
    """An e-mail address for eyes that may not see it whole: its domain."""
    return f"{MASK}@{email.rpartition('@')[2]}" if email else ""


class ContactAdmin(ExportMixin, TrackedAdmin):
    """People and their numbers. Numbers and e-mail addresses are masked for those who may not see them, outside the
    records that are their own. Nobody deletes a contact here: erasure is a request with a procedure of its own."""

    list_display = ("who", "shown_number", "country", "kind", "language", "on_record")
    list_display_links = ("who",)
    about_a_person = True
    list_filter = (
        "kind",
        "language",
        filters.CountryFilter,
        filters.TagFilter,
        filters.SourceFilter,
        filters.SuppressedFilter,
        filters.RestrictedFilter,
        filters.HeldFilter,
    )
    date_hierarchy = "created_at"
    sortable_by = ("on_record",)
    search_fields = ("name",)  # shows the search box; get_search_results does the work
    editable = (
        *("name", "email", "kind", "language", "known_zone", "preferred_channel", "max_per_week"),
        *("tags", "source", "external_id"),
    )
    readonly_fields = (
        *("shown_number", "shown_email", "uid", "country", "region", "zones", "created_at", "created_by"),
        *("restricted_since", "held_since"),
    )
    filter_horizontal = ("tags",)
    change_form_template = "admin/contacts/contact/change_form.html"
    export_columns = (
        (gettext_lazy("phone"), lambda contact: contact.phone.as_e164),
        (gettext_lazy("name"), "name"),
        (gettext_lazy("e-mail"), "email"),
        (gettext_lazy("kind"), "kind"),
        (gettext_lazy("language"), "language"),
        (gettext_lazy("country"), "country"),
        (gettext_lazy("source"), "source"),
        (gettext_lazy("external id"), "external_id"),
        (gettext_lazy("tags"), lambda contact: ", ".join(tag.name for tag in contact.tags.all())),
        (gettext_lazy("on record since"), lambda contact: contact.created_at.isoformat(timespec="seconds")),
    )
    export_prefetch = ("tags",)

    # --- who sees what -------------------------------------------------------------------------------------------

    def own(self, request: HttpRequest) -> Q:
        """The contacts whose number this person may see without the permission to see all."""
        return Q(created_by=request.user.pk)

    def sees_all(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SEE_NUMBERS)  # type: ignore[union-attr]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        seen = (
            Value(True) if self.sees_all(request) else Case(When(self.own(request), Value(True)), default=Value(False))
        )
        return super().get_queryset(request).annotate(seen=seen)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return search.find(queryset, search_term, beginnings=self.sees_all(request)), False

    @property
    def search_help_text(self) -> str:  # type: ignore[override]
        return _("Number in any form, words of the name, or external id.")

    def history_value(self, request: HttpRequest, row: Any, field: Field) -> str:
        value = super().history_value(request, row, field)
        if field.name == "phone":
            number = str(row.phone.as_e164)
            return numbers.international(number) if self._history_seen(request, row) else numbers.masked(number)
        if field.name == "email" and row.email and not self._history_seen(request, row):
            return masked_email(row.email)
        return value

    def _history_seen(self, request: HttpRequest, row: Any) -> bool:
        known = request.__dict__.setdefault("_seen_contacts", {})
        if row.id not in known:
            known[row.id] = self.get_queryset(request).filter(pk=row.id, seen=True).exists()
        return known[row.id]

    # --- what the list and the page show ---------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("name"))
    def who(self, contact: Contact) -> str:
        return str(contact)

    @admin.display(description=gettext_lazy("mobile number"))
    def shown_number(self, contact: Contact) -> str:
        number = contact.number if contact.seen else numbers.masked(contact.phone.as_e164)  # type: ignore[attr-defined]
        return format_html('<span class="mono">{}</span>', number)

    @admin.display(description=gettext_lazy("e-mail"))
    def shown_email(self, contact: Contact) -> str:
        return contact.email if contact.seen else masked_email(contact.email)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("on record since"), ordering="created_at")
    def on_record(self, contact: Contact) -> str:
        return formats.date_format(timezone.localtime(contact.created_at), "SHORT_DATE_FORMAT")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Within a period the index of the date serves both the filter and the order.
        dated = any(key.startswith("created_at__") for key in request.GET)
        return ("-created_at", "-id") if dated else ("-id",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, Any]]:
        email = "email" if self.has_change_permission(request, obj) else "shown_email"
        folded = ("collapse",)
        return [
            (_("Person"), {"fields": ("shown_number", "name", email, "kind", "language"), "classes": folded}),
            (
                _("How to reach the person"),
                {"fields": ("preferred_channel", "max_per_week", "known_zone"), "classes": folded},
            ),
            (_("Tags and origin"), {"fields": ("tags", "source", "external_id"), "classes": folded}),
            (
                _("On record"),
                {
                    "fields": (
                        *("created_at", "created_by", "uid", "country", "region", "zones"),
                        *("restricted_since", "held_since"),
                    ),
                    "classes": folded,
                },
            ),
        ]

    # --- pages -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(never_cache(self.change_number_view))
        own = [path("<path:object_id>/number/", view, name="contacts_contact_change_number")]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Put a person on record, or show the contact that has the number already."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ContactForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            number = form.cleaned_data["number"]
            contact, new = doors.locate(number), False
            if contact is None:
                details = {key: form.cleaned_data[key] for key in doors.DETAILS}
                with history.acting(history.Actor.of(request.user), typed_reason(request) or _("Added in the admin")):
                    contact, new = doors.register(number, created_by=request.user, **details)
            if new:
                messages.success(request, _("The contact is on record. That is not consent: record an opt-in for it."))
            else:
                messages.info(request, _("This number is on record already. Nothing was changed; this is the contact."))
            return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[contact.pk]))
        context = {**self._page(request), "title": _("Add a contact"), "form": form, **(extra_context or {})}
        return TemplateResponse(request, "admin/contacts/contact/add.html", context)

    def consents_of_number(self, contact: Contact) -> list[str]:
        """What ends when the contact's number changes, in people's words; the ledger knows."""
        return []

    def change_number_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the new number, warn what ends with the old one, and change it after a confirmation (RULES C15)."""
        contact = self.get_object(request, object_id)
        if contact is None:
            raise Http404
        if not self.has_change_permission(request, contact):
            raise PermissionDenied
        confirmed = "reason" in request.POST
        form_class = ConfirmNumberForm if confirmed else ChangeNumberForm
        form = form_class(request.POST if request.method == "POST" else None)
        warn = confirmed
        if request.method == "POST" and form.is_valid():
            number = form.cleaned_data["number"]
            try:
                if confirmed:
                    with history.acting(history.Actor.of(request.user), form.cleaned_data["reason"]):
                        doors.change_number(contact, number)
                    messages.success(request, _("The number is changed. What was given for the old one is revoked."))
                    return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[contact.pk]))
                doors.check_number_free(contact, number)
            except DomainError as error:
                form.add_error(None, str(error))
                warn = False
            else:
                form, warn = ConfirmNumberForm(initial={"number": number.international}), True
        context = {
            **self._page(request),
            "title": _("Change the number of %s") % contact,
            "tab": self.tab(contact),
            "original": contact,
            "shown_number": self.shown_number(contact),
            "form": form,
            "warn": warn,
            "new_number": form["number"].value() if warn else "",
            "ending": self.consents_of_number(contact) if warn else [],
        }
        return TemplateResponse(request, "admin/contacts/contact/change_number.html", context)

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
