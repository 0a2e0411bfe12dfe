"""Consents: what holds, why, and the legal ways to end it. The page reads; each end is a confirmed page of its own."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.contacts import search
from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.admin import ReadOnly, TrackedAdmin
from consent.core.errors import IllegalMove
from consent.core.export import ExportMixin
from consent.ledger import access, contact_page, explanation, figures, moves
from consent.ledger.admin import filters
from consent.ledger.admin.proofs import evidence_link
from consent.ledger.admin.words import digits, link, page_of, stamp, status_badge
from consent.ledger.forms import EndForm, MoveForm, WithdrawForm
from consent.ledger.models import Consent

# What an officer can do to a consent: the button, the title of its page, what it means.
MOVES: dict[str, tuple[Any, Any, Any]] = {
    "withdraw": (
        gettext_lazy("Withdraw…"),
        gettext_lazy("Withdraw a consent"),
        gettext_lazy("The person said stop. The number is suppressed at once; only a new act of theirs ends that."),
    ),
    "revoke": (
        gettext_lazy("Revoke…"),
        gettext_lazy("Revoke a consent"),
        gettext_lazy("Somebody else ends it, such as when the number belongs to another person now (RULES C15)."),
    ),
    "invalidate": (
        gettext_lazy("Invalidate…"),
        gettext_lazy("Invalidate a consent"),
        gettext_lazy("An audit or authority found it worthless: it should never have permitted a text."),
    ),
}


def legal_moves(consent: Consent) -> list[str]:
    """The moves an officer can make from where the consent stands."""
    return [name for name in MOVES if consent.status in moves.MOVES[name].sources]


@admin.register(Consent)
class ConsentAdmin(ExportMixin, ReadOnly, TrackedAdmin):
    """One row per person and purpose."""

    change_form_template = "admin/ledger/consent/change_form.html"
    about_a_person = True
    list_display = ("contact", "number", "purpose", "state", "since", "until", "method")
    list_filter = (
        "status",
        ("purpose", filters.PurposeFilter),
        filters.LiveFilter,
        filters.ExpiringFilter,
        filters.ProofFilter,
        filters.MethodFilter,
        filters.AnswerFilter,
        filters.WeekFilter,
        filters.NoticeFilter,
    )
    list_select_related = ("contact", "purpose__brand", "proof")
    date_hierarchy = "effective_at"
    ordering = ("-effective_at", "-id")
    sortable_by = ("since",)
    search_fields = ("contact__name",)
    search_help_text = gettext_lazy("Number, name or external id of the person")
    fieldsets = ((None, {"fields": ()}),)
    not_exported = Q(contact__restricted_since__isnull=False)
    export_related = ("contact", "purpose__brand", "proof__notice")
    export_columns = (
        (gettext_lazy("record id"), "uid"),
        (gettext_lazy("number"), lambda c: numbers.international(str(c.phone.as_e164))),
        (gettext_lazy("name"), lambda c: c.contact.name),
        (gettext_lazy("purpose"), lambda c: c.purpose.path),
        (gettext_lazy("status"), "status"),
        (gettext_lazy("since"), lambda c: c.effective_at.isoformat()),
        (gettext_lazy("until"), lambda c: c.expires_at.isoformat() if c.expires_at else ""),
        (gettext_lazy("method"), lambda c: c.proof.method if c.proof else ""),
        (gettext_lazy("when"), lambda c: c.proof.captured_at.isoformat() if c.proof else ""),
        (gettext_lazy("notice"), lambda c: str(c.proof.notice.version) if c.proof and c.proof.notice else ""),
        (gettext_lazy("language"), lambda c: c.proof.notice.language if c.proof and c.proof.notice else ""),
        (gettext_lazy("recorded by"), lambda c: c.proof.recorded_by if c.proof else ""),
    )

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<int:pk>/{move}/",
                self.admin_site.admin_view(partial(self.move_view, move=move)),
                name=f"ledger_consent_{move}",
            )
            for move in MOVES
        ]
        return [*pages, *super().get_urls()]

    # --- the list ------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.GET.get("proof") == "weak" and (at := figures.weak_as_of()):
            words = {"time": stamp(at, "TIME_FORMAT"), "day": stamp(at, "SHORT_DATE_FORMAT")}
            messages.info(request, _("Figures as of %(time)s, %(day)s.") % words)
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consent]:
        consents = super().get_queryset(request).select_related(*self.list_select_related, "proof__notice")
        if request.user.has_perm("contacts.see_numbers"):  # type: ignore[union-attr]
            return consents.annotate(whole=Value(True))
        own = Contact.objects.filter(access.own(request.user), pk=OuterRef("contact"))
        return consents.annotate(whole=Exists(own))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term:
            return queryset, False
        # The beginning of a number would spell out a masked one digit by digit.
        beginnings = request.user.has_perm("contacts.see_numbers")  # type: ignore[union-attr]
        found = search.find(Contact.objects.all(), search_term, beginnings=beginnings)
        return queryset.filter(contact__in=found), False

    @admin.display(description=gettext_lazy("number"))
    def number(self, consent: Any) -> SafeString:
        e164 = str(consent.phone.as_e164)
        return digits(numbers.international(e164) if consent.whole else numbers.masked(e164))

    @admin.display(description=gettext_lazy("since"), ordering="effective_at")
    def since(self, consent: Consent) -> SafeString:
        return digits(stamp(consent.effective_at))

    @admin.display(description=gettext_lazy("until"))
    def until(self, consent: Consent) -> SafeString:
        return digits(stamp(consent.expires_at, "SHORT_DATE_FORMAT"))

    @admin.display(description=gettext_lazy("status"))
    def state(self, consent: Consent) -> SafeString:
        return status_badge(consent)

    @admin.display(description=gettext_lazy("method"))
    def method(self, consent: Consent) -> str:
        return str(consent.proof.get_method_display()) if consent.proof else "–"  # type: ignore[attr-defined]

    # --- the page ------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        consent = context["original"]
        may_move = request.user.has_perm("ledger.transition_consent")  # type: ignore[union-attr]
        context["title"] = str(consent.contact)
        context["subtitle"] = None
        context["verdict"] = explanation.explain(consent.contact, consent.purpose, timezone.now())
        context["sections"] = self._sections(request, consent)
        if consent.status in (Consent.Status.WITHDRAWN, Consent.Status.REVOKED):
            context["went_out"] = contact_page.sent_since(consent.contact, consent.effective_at, request)
        context["moves"] = [(name, MOVES[name][0]) for name in legal_moves(consent)] if may_move else []
        if request.user.has_perm("ledger.explain"):  # type: ignore[union-attr]
            asked = f"?contact={consent.contact_id}&purpose={consent.purpose_id}"
            context["explain_url"] = reverse("admin:explain") + asked
        return super().render_change_form(request, context, *args, **kwargs)

    def _sections(self, request: HttpRequest, consent: Any) -> list[tuple[str, list[tuple[Any, Any]]]]:
        user: Any = request.user
        proof = consent.proof
        facts = [
            (_("Contact"), link(consent.contact) if user.has_perm("contacts.view_contact") else consent.contact),
            (_("Number"), self.number(consent)),
            (_("Purpose"), consent.purpose),
            (_("Status"), status_badge(consent)),
            (_("Since"), stamp(consent.effective_at)),
            (_("Until"), stamp(consent.expires_at)),
            (_("Last text"), stamp(consent.last_used_at)),
        ]
        if proof is None:
            return [(_("Consent"), facts), (_("Proof"), [(_("Proof"), _("There is none: nothing proves an answer."))])]
        evidence = [
            (_("Method"), proof.get_method_display()),
            (_("Answer"), proof.get_answer_display()),
            (_("When"), stamp(proof.captured_at)),
        ]
        if consent.whole:  # what was written about somebody else's record may say who it is
            notice: Any = proof.notice or "–"
            if proof.notice and user.has_perm("ledger.view_notice"):
                notice = link(proof.notice)
            evidence += [
                (_("Notice"), notice),
                (_("Recorded by"), proof.recorded_by or "–"),
                (_("Place or event"), proof.place or "–"),
                (_("Reference"), proof.reference or "–"),
                (_("Details"), proof.details or "–"),
                (_("Evidence"), evidence_link(proof)),
            ]
        if user.has_perm("ledger.view_proof"):
            evidence.append((_("Record"), link(proof, proof.uid)))
        return [(_("Consent"), facts), (_("Proof"), evidence)]

    def history_value(self, request: HttpRequest, row: Any, field: Any) -> str:
        if field.name != "phone":
            return super().history_value(request, row, field)
        shown = numbers.international if self._sees(request, row.contact_id) else numbers.masked
        return shown(str(row.phone.as_e164))

    def _sees(self, request: HttpRequest, contact: int) -> bool:
        known = request.__dict__.setdefault("_seen_contacts", {})  # one query for a page of history
        if contact not in known:
            known[contact] = access.sees(request.user, Contact(pk=contact))
        return known[contact]

    # --- the moves -----------------------------------------------------------------------------------

    def move_view(self, request: HttpRequest, pk: int, move: str) -> HttpResponse:
        """Ask how, when and why; a confirmed POST makes the move through its door."""
        if not request.user.has_perm("ledger.transition_consent"):  # type: ignore[union-attr]
            raise PermissionDenied
        consent = self.get_queryset(request).filter(pk=pk).first()
        if consent is None:
            raise Http404
        back = HttpResponseRedirect(page_of(consent))
        try:
            moves.check_move(move, consent.status)
        except IllegalMove as refusal:  # also where a second submit of the same form ends
            messages.warning(request, str(refusal))
            return back
        form = self._move_form(request, consent, move)
        if request.method == "POST" and form.is_valid() and form.move():
            messages.success(request, _("Recorded. The history shows it with your name and reason."))
            return back
        context = {
            **self.admin_site.each_context(request),
            "title": MOVES[move][1],
            "subtitle": None,
            "opts": self.opts,
            "consent": consent,
            "number": self.number(consent),
            "meaning": MOVES[move][2],
            "form": form,
            "back": page_of(consent),
            "current": status_badge(consent),
        }
        return TemplateResponse(request, "admin/ledger/consent/move.html", context)

    def _move_form(self, request: HttpRequest, consent: Consent, move: str) -> MoveForm:
        given = (request.POST, request.FILES) if request.method == "POST" else ()
        if move == "withdraw":
            return WithdrawForm(*given, consent=consent, user=request.user)
        return EndForm(*given, consent=consent, user=request.user, move=move)
