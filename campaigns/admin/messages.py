"""Texts: what went out to whom, or why not. Nothing is edited; a person settles what nobody knows the outcome of."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from campaigns import outcomes
from campaigns.admin.words import message_badge, sentence
from campaigns.forms import ReasonForm
from campaigns.models import Campaign, Message, SendingWindow
from consent.contacts import search
from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.admin import PlacetAdmin, ReadOnly
from consent.core.errors import DomainError
from consent.ledger import access, decision
from consent.ledger.admin.filters import PurposeFilter, in_order
from consent.ledger.admin.words import digits, link, page_of, stamp

S = Message.State
RESOLVE = "campaigns.resolve_message"
MANY = 5000  # texts of one campaign, from which on reading in order is faster
# How a person settles a text whose outcome is unknown: the button, what it means, how ``outcomes.settle`` calls it.
SETTLE: dict[str, tuple[Any, Any, str]] = {
    "was_sent": (
        gettext_lazy("It was sent"),
        gettext_lazy("It counts as sent, also towards the person's limit. It is not repeated."),
        "sent",
    ),
    "was_not_sent": (
        gettext_lazy("It was not sent"),
        gettext_lazy("It counts as failed and as no text to the person. It is not repeated by itself."),
        "not_sent",
    ),
}  # fmt: skip


def _is_id(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) < 19


class CampaignFilter(admin.SimpleListFilter):
    """``?campaign=<id>``; the newest ones are offered, and the one a link names."""

    title = gettext_lazy("campaign")
    parameter_name = "campaign"
    shown = 15

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        launched = Campaign.objects.filter(launched_at__isnull=False).order_by("-id")
        offered = list(launched.values_list("pk", "name")[: self.shown])
        chosen = str(self.used_parameters.get(self.parameter_name, ""))
        if chosen and chosen not in {str(pk) for pk, _name in offered}:
            named = Campaign.objects.filter(pk=chosen).first() if _is_id(chosen) else None
            return [(str(pk), name) for pk, name in offered] + [(chosen, str(named or "–"))]
        return [(str(pk), name) for pk, name in offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value() or ""
        if not chosen:
            return queryset
        if not _is_id(chosen):
            return queryset.none()
        # By the index a small campaign is found at once; of a large one the list is full long before it is read.
        many = Message.objects.filter(campaign=chosen).order_by()[:MANY].count() == MANY
        narrowed = any(key.startswith(("state", "refusal")) for key in request.GET)
        condition = Q(campaign=chosen)
        return queryset.filter(in_order(condition) if many and not narrowed else condition)


class RefusalFilter(admin.SimpleListFilter):
    """``?refusal=withdrawn``: the code that refused, or makes it wait."""

    title = gettext_lazy("refused because")
    parameter_name = "refusal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(rule.code, rule.code) for rule in decision.RULES]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(refusal=self.value()) if self.value() else queryset


class UnknownFilter(admin.SimpleListFilter):
    """``?unknown=1``: nobody knows whether they went."""

    title = gettext_lazy("outcome unknown")
    parameter_name = "unknown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", gettext_lazy("To be settled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(state=S.UNKNOWN) if self.value() == "1" else queryset


@admin.register(Message)
class MessageAdmin(ReadOnly, PlacetAdmin):
    """One row per text, sent or refused, with what allowed or refused it."""

    list_display = ("when", "kind", "state_badge", "why", "who", "number", "of_campaign", "purpose")
    list_filter = ("state", "kind", RefusalFilter, CampaignFilter, ("purpose", PurposeFilter), UnknownFilter)
    list_select_related = ("contact", "campaign", "purpose__brand")
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("contact__name",)  # shows the search box; get_search_results does the work
    search_help_text = gettext_lazy("Number, name or external id of the person")
    empty_list_text = gettext_lazy("No text yet. Each one appears here, sent or refused, with the reason.")
    fieldsets = ((None, {"fields": ()}),)
    change_form_template = "admin/campaigns/message/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        def page(view: Any) -> Any:
            return self.admin_site.admin_view(never_cache(view))

        name = "campaigns_message"
        return [
            *(path(f"<int:pk>/{how}/", page(self.settle_view), {"how": how}, name=f"{name}_{how}") for how in SETTLE),
            path("<int:pk>/ask/", page(self.ask_view), name=f"{name}_ask"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        texts = super().get_queryset(request)
        if request.user.has_perm("contacts.see_numbers"):
            return texts.annotate(whole=Value(True))
        own = Contact.objects.filter(access.own(request.user), pk=OuterRef("contact"))
        return texts.annotate(whole=Exists(own))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term:
            return queryset, False
        beginnings = request.user.has_perm("contacts.see_numbers")
        found = search.find(Contact.objects.all(), search_term, beginnings=beginnings)
        return queryset.filter(contact__in=found), False

    # --- the list ------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("time"))
    def when(self, message: Message) -> SafeString:
        return digits(stamp(message.handed_at or message.created_at))

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, message: Message) -> SafeString:
        return message_badge(message)

    @admin.display(description=gettext_lazy("because"))
    def why(self, message: Message) -> str:
        return (
            format_html('<code title="{}">{}</code>', sentence(message.refusal), message.refusal)
            if message.refusal
            else ""
        )

    @admin.display(description=gettext_lazy("contact"))
    def who(self, message: Message) -> str:
        return str(message.contact) if message.contact else "–"

    @admin.display(description=gettext_lazy("number"))
    def number(self, message: Any) -> SafeString:
        return digits(numbers.international(message.phone) if message.whole else numbers.masked(message.phone))

    @admin.display(description=gettext_lazy("campaign"))
    def of_campaign(self, message: Message) -> str:
        return str(message.campaign) if message.campaign else ""

    # --- the page ------------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        message = super().get_object(request, object_id, from_field)
        if message is not None:  # what the page shows, in one query
            related = ("contact", "campaign", "purpose__brand", "sender", "consent", "proof", "written_by", "inbound")
            message = self.get_queryset(request).select_related(*related).get(pk=message.pk)
        return message

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        message = context["original"]
        user: Any = request.user
        context |= {
            "title": _("Text %(id)s: %(kind)s") % {"id": message.pk, "kind": message.get_kind_display()},
            "language": dict(settings.LANGUAGES).get(message.language, message.language),
            "tab": f"{message._meta.verbose_name} {message.pk}",
            "subtitle": None,
            "badge": message_badge(message),
            "sections": self._sections(request, message),
            "decision": self._decision(request, message),
            "refusal": sentence(message.refusal) if message.refusal else "",
            "links": self._links(user, message),
            "may_resolve": message.state == S.UNKNOWN and user.has_perm(RESOLVE),
            "settle": [(f"admin:campaigns_message_{how}", words[0]) for how, words in SETTLE.items()],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _links(self, user: Any, message: Message) -> list[tuple[str, str]]:
        """One click to what allowed or refused it."""
        found = []
        if message.consent and user.has_perm("ledger.view_consent"):
            found.append((_("Its consent"), page_of(message.consent)))
        if message.proof and user.has_perm("ledger.view_proof"):
            found.append((_("Its proof"), page_of(message.proof)))
        if message.contact_id and message.purpose_id and user.has_perm("ledger.explain"):
            asked = f"?contact={message.contact_id}&purpose={message.purpose_id}"
            found.append((_("Explain as things are now"), reverse("admin:explain") + asked))
        return found

    def _sections(self, request: HttpRequest, message: Any) -> list[tuple[str, list[tuple[Any, Any]]]]:
        user: Any = request.user
        seen = user.has_perm("contacts.view_contact")
        contact: Any = message.contact or "–"
        campaign: Any = message.campaign or "–"
        if message.campaign and user.has_perm("campaigns.view_campaign"):
            campaign = link(campaign)
        who = [
            (_("Contact"), link(contact) if message.contact and seen else contact),
            (_("Number"), self.number(message)),
            (_("Purpose"), message.purpose or "–"),
            (_("Campaign"), campaign),
            (_("Sender"), message.sender.address),
        ]
        if message.written_by:
            who.append((_("Written by"), message.written_by))
        times = [
            (_("Created"), digits(stamp(message.created_at))),
            (_("Not before"), digits(stamp(message.not_before))),
            (_("Not after"), digits(stamp(message.expires_at))),
            (_("Handed over"), digits(stamp(message.handed_at))),
            (_("Final"), digits(stamp(message.finished_at))),
            (_("Attempts"), message.attempts),
        ]
        gateway = [
            (_("Gateway"), message.sender.get_gateway_display()),
            (_("Its id"), message.gateway_id or "–"),
            (_("Its answer"), message.error or "–"),
        ]
        return [(_("To whom"), who), (_("When"), times), (_("Gateway"), gateway)]

    def _decision(self, request: HttpRequest, message: Message) -> list[tuple[Any, Any]]:
        """What was decided when, in words, with the rows of rules it used."""
        noted = message.decision or {}
        rows: list[tuple[Any, Any]] = []
        if at := parse_datetime(str(noted.get("at", ""))):
            rows.append((_("Decided"), digits(stamp(at))))
        codes = noted.get("codes") or ([message.refusal] if message.refusal else [])
        if codes:
            told = format_html_join("", "<li>{} <code>{}</code></li>", ((sentence(str(code)), code) for code in codes))
            rows.append((_("Against it"), format_html('<ul class="plain">{}</ul>', told)))
        elif noted:
            rows.append((_("Against it"), _("Nothing: it was allowed.")))
        windows = SendingWindow.objects.in_bulk([pk for pk in noted.get("windows", []) if isinstance(pk, int)])
        if windows:
            named = format_html_join("", "<li>{}</li>", ((_linked(row, request.user),) for row in windows.values()))
            rows.append((_("Sending windows"), format_html('<ul class="plain">{}</ul>', named)))
        if settled := noted.get("settled"):
            how = _("sent") if settled.get("how") == "sent" else _("not sent")
            rows.append((_("Settled as"), f"{how} · {settled.get('by', '')} · {message.note}"))
        return rows

    # --- what nobody knows -----------------------------------------------------------------------------

    def _unknown(self, request: HttpRequest, pk: int) -> Message:
        if not request.user.has_perm(RESOLVE) or not self.has_view_permission(request):
            raise PermissionDenied
        message = self.get_object(request, str(pk))
        if message is None:
            raise Http404
        return message

    def ask_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the gateway what became of a text; a confirmed POST asks."""
        message = self._unknown(request, pk)
        if request.method != "POST":
            meaning = _("The gateway is asked what became of this text. Nothing is sent.")
            return self._asking(request, message, _("Ask the gateway"), meaning, None)
        try:
            known = outcomes.ask(message)
        except DomainError as refusal:
            messages.warning(request, str(refusal))
        else:
            if known:
                messages.success(request, _("The gateway knew: %s.") % message.get_state_display())
            else:
                messages.info(request, _("The gateway cannot say. Settle it by hand when you know."))
        return HttpResponseRedirect(page_of(message))

    def settle_view(self, request: HttpRequest, pk: int, how: str) -> HttpResponse:
        """A person says what became of it, and how they know."""
        message = self._unknown(request, pk)
        title, meaning, word = SETTLE[how]
        if message.state != S.UNKNOWN:
            messages.warning(request, _("The outcome of this text is known by now."))
            return HttpResponseRedirect(page_of(message))
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                outcomes.settle(message, word, request.user, form.cleaned_data["reason"])
            except DomainError as refusal:
                messages.warning(request, str(refusal))
            else:
                messages.success(request, _("Settled. The text shows it with your name and reason."))
            return HttpResponseRedirect(page_of(message))
        return self._asking(request, message, title, meaning, form)

    def _asking(self, request: HttpRequest, message: Any, title: Any, meaning: Any, form: Any) -> HttpResponse:
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "meaning": meaning,
            "message": message,
            "number": self.number(message),
            "badge": message_badge(message),
            "form": form,
            "back": page_of(message),
        }
        return TemplateResponse(request, "admin/campaigns/message/confirm.html", context)


def _linked(window: SendingWindow, user: Any) -> Any:
    try:
        return link(window) if user.has_perm("campaigns.view_sendingwindow") else window
    except NoReverseMatch:
        return window
