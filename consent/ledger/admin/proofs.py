"""Proofs: what was recorded of each act. To read, never to change."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.contacts import search
from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.admin import PlacetAdmin, ReadOnly
from consent.ledger.admin.filters import PurposeFilter
from consent.ledger.admin.words import link, stamp
from consent.ledger.models import Proof


def evidence_link(proof: Proof | None) -> SafeString | str:
    """A link that downloads the evidence file, or a dash."""
    if proof is None or not proof.file:
        return "–"
    url = reverse("admin:evidence", args=[proof.uid])
    return format_html('<a href="{}">{} ({})</a>', url, _("Download"), proof.file_type.upper())


@admin.register(Proof)
class ProofAdmin(ReadOnly, PlacetAdmin):
    """When, how, to which words, who recorded it, with what evidence."""

    list_display = ("when", "who", "purpose", "method", "answer", "recorded_by", "evidence")
    list_display_links = ("when",)
    list_filter = ("method", "answer", ("purpose", PurposeFilter))
    list_select_related = ("contact", "purpose__brand")
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("contact__name",)
    search_help_text = gettext_lazy("Number, name or external id of the person")
    fieldsets = (
        (None, {"fields": ("who", "number", "purpose", "answer", "method", "captured_at")}),
        (gettext_lazy("The words"), {"fields": ("notice_page", "words", "policy", "read_verbatim")}),
        (
            gettext_lazy("Evidence"),
            {
                "fields": (
                    "recorded_by", "recorded_at", "place", "reference", "source", "details", "evidence", "file_sha256",
                    "uid",
                )
            },
        ),
    )  # fmt: skip
    readonly_fields = ("who", "number", "notice_page", "words", "evidence", "recorded_at", "uid")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proof]:
        return super().get_queryset(request).select_related("contact", "purpose__brand", "notice__purpose__brand")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(contact__in=search.find(Contact.objects.all(), search_term)), False

    @admin.display(description=gettext_lazy("when"))
    def when(self, proof: Proof) -> str:
        return stamp(proof.captured_at)

    @admin.display(description=gettext_lazy("contact"))
    def who(self, proof: Proof) -> SafeString:
        return link(proof.contact)

    @admin.display(description=gettext_lazy("number"))
    def number(self, proof: Proof) -> str:
        return numbers.international(str(proof.phone.as_e164))

    @admin.display(description=gettext_lazy("evidence"))
    def evidence(self, proof: Proof) -> SafeString | str:
        return evidence_link(proof)

    @admin.display(description=gettext_lazy("notice"))
    def notice_page(self, proof: Proof) -> SafeString | str:
        return link(proof.notice) if proof.notice else "–"

    @admin.display(description=gettext_lazy("words shown or read out"))
    def words(self, proof: Proof) -> str:
        return proof.notice.text if proof.notice else "–"
