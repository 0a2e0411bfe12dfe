"""What people texted back: a queue of replies that may mean stop, the page of each, and the decision about it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from campaigns import inbound
from campaigns.admin import clocks
from campaigns.models import InboundMessage
from consent.contacts import search
from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.admin import PlacetAdmin, ReadOnly
from consent.core.errors import DomainError
from consent.ledger import contact_page
from consent.ledger.admin.words import badge, digits, link, page_of, stamp

State = InboundMessage.State
Meaning = InboundMessage.Meaning
SOON = timedelta(hours=4)  # a deadline this near is amber

STATES: dict[str, str] = {State.NEW: "muted", State.HANDLED: "muted", State.REVIEW: "warn", State.RESOLVED: "ok"}
MEANINGS: dict[str, str] = {
    Meaning.OPT_OUT: "stop",
    Meaning.REVIEW: "warn",
    Meaning.OPT_IN: "ok",
    Meaning.HELP: "muted",
    Meaning.YES: "ok",
    Meaning.NO: "stop",
    Meaning.CONVERSATION: "muted",
}
# What somebody can decide about a doubtful reply: the button, the title, what it does, whether it ends something.
DECISIONS: dict[str, tuple[Any, Any, Any]] = {
    "stop": (
        gettext_lazy("It means stop"),
        gettext_lazy("It means stop"),
        gettext_lazy("The person is opted out as of the moment of the text. Only a new act of theirs ends that."),
    ),
    "not_stop": (
        gettext_lazy("Not a stop"),
        gettext_lazy("It is not a stop"),
        gettext_lazy("Sending goes on as before, unless another reply of theirs is still to be looked at."),
    ),
    "wrong_number": (
        gettext_lazy("Wrong number"),
        gettext_lazy("The number belongs to somebody else"),
        gettext_lazy("What was given for this number is revoked and nothing is sent to it any more (RULES C15)."),
    ),
}  # fmt: skip
# Why the rules read a text as they did, by how their name begins (RULES §6).
_WHY: tuple[tuple[str, Any], ...] = (
    ("1", gettext_lazy("The whole text is an opt-out word.")),
    ("2 stop anywhere", gettext_lazy("STOP counts anywhere in a text from the United States and Canada.")),
    ("2", gettext_lazy("A short text that begins with an opt-out word.")),
    ("3 phrase", gettext_lazy("It holds a phrase that often means stop.")),
    ("3 sign", gettext_lazy("It holds a sign that may mean stop.")),
    ("3", gettext_lazy("It holds an opt-out word among others.")),
    ("4", gettext_lazy("The whole text is a help word.")),
    ("5", gettext_lazy("The whole text is an opt-in word.")),
    ("6", gettext_lazy("It answers a question that was asked.")),
)


class DecisionForm(forms.Form):
    """Why somebody decides so; kept with the text and in the history."""

    note = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept in the history. Leave out names, numbers and addresses."),
    )


class QueueFilter(admin.SimpleListFilter):
    """What is to be reviewed unless ``?state=`` says otherwise."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        others = [(s.value, s.label) for s in State if s != State.REVIEW]
        return [*others, ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        for value, title in [(None, State.REVIEW.label), *self.lookup_choices]:
            new = {self.parameter_name: value} if value else {}
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string(new, [self.parameter_name]),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() if self.value() in State.values else State.REVIEW)


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnly, PlacetAdmin):
    """Replies as they came. Nobody edits one; what it means is decided on pages of their own."""

    list_display = ("received", "who", "number", "reads", "said", "campaign", "state_badge", "clock")
    list_display_links = ("received",)
    list_filter = (QueueFilter, "meaning")
    list_select_related = ("contact", "campaign", "sender")
    extra_lookups = ("campaign", "contact")
    date_hierarchy = "received_at"
    sortable_by = ()
    search_fields = ("phone",)  # shows the search box; get_search_results does the work
    search_help_text = gettext_lazy("Number, name or external id of the person")
    empty_list_text = gettext_lazy(
        "Nothing waits for a decision. Choose “All” in the filters to see every text that came in."
    )

    def get_urls(self) -> list[URLPattern]:
        def page(view: Callable) -> Callable:
            return self.admin_site.admin_view(never_cache(view))

        return [
            *(
                path(
                    f"<int:pk>/{decision.replace('_', '-')}/",
                    page(partial(self.decide_view, decision=decision)),
                    name=f"campaigns_inboundmessage_{decision}",
                )
                for decision in DECISIONS
            ),
            *super().get_urls(),
        ]

    # --- the list ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        whole = request.user.has_perm("contacts.see_numbers")  # type: ignore[union-attr]
        rows = super().get_queryset(request).select_related(*self.list_select_related, "handled_by")
        return rows.annotate(whole=Value(whole))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """In the queue, what tells one doubtful reply from another; elsewhere everything."""
        if request.GET.get(QueueFilter.parameter_name):
            return self.list_display
        return ("received", "who", "number", "said", "campaign", "clock")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",) if request.GET.get(QueueFilter.parameter_name) else ("review_by", "id")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term:
            return queryset, False
        # The beginning of a number would spell out a masked one digit by digit.
        beginnings = request.user.has_perm("contacts.see_numbers")  # type: ignore[union-attr]
        people = search.find(Contact.objects.all(), search_term, beginnings=beginnings)
        typed = numbers.candidates(search_term, [settings.DEFAULT_COUNTRY])
        return queryset.filter(Q(contact__in=people) | Q(phone__in=typed)), False

    @admin.display(description=gettext_lazy("received"))
    def received(self, row: InboundMessage) -> SafeString:
        return digits(stamp(row.received_at))

    @admin.display(description=gettext_lazy("contact"))
    def who(self, row: InboundMessage) -> str:
        return str(row.contact) if row.contact else _("not on record")

    @admin.display(description=gettext_lazy("number"))
    def number(self, row: Any) -> SafeString:
        if not row.phone:
            return digits(row.raw_from if row.whole else "•••")
        return digits(numbers.international(row.phone) if row.whole else numbers.masked(row.phone))

    @admin.display(description=gettext_lazy("meaning"))
    def reads(self, row: InboundMessage) -> SafeString | str:
        return badge(row.get_meaning_display(), MEANINGS[row.meaning]) if row.meaning else "–"

    @admin.display(description=gettext_lazy("text"))
    def said(self, row: InboundMessage) -> str:
        return Truncator(row.body).chars(60) or "–"

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: InboundMessage) -> SafeString:
        return badge(row.get_state_display(), STATES[row.state])

    @admin.display(description=gettext_lazy("decide"))
    def clock(self, row: InboundMessage) -> SafeString | str:
        return clocks.due(row.review_by, soon=SOON) if row.state == State.REVIEW and row.review_by else "–"

    # --- the page ------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The text, why the rules held it, the person it is about, and what can be decided."""
        row = self._row(request, object_id)
        user: Any = request.user
        contact = row.contact if user.has_perm("contacts.view_contact") else None
        cards = contact_page.cards(contact, timezone.now()) if contact else []
        others = self.get_queryset(request).filter(phone=row.phone).exclude(pk=row.pk) if row.phone else []
        context = {
            "title": self.who(row),
            "row": row,
            "facts": self._facts(row, user),
            "reads": self.reads(row),
            "state": self.state_badge(row),
            "clock": self.clock(row) if row.state == State.REVIEW else "",
            "why": why(row.rule),
            "contact": contact,
            "contact_url": page_of(contact) if contact else "",
            "cards": [(card, []) for card in cards],
            "may_explain": user.has_perm("ledger.explain"),
            "may_view_proof": user.has_perm("ledger.view_proof"),
            "stops": [(stop, contact_page.scope(stop)) for stop in contact_page.stops(contact)] if contact else [],
            "original": contact,  # what the cards are about
            "others": [(other, page_of(other), self.reads(other)) for other in others[:10]],
            "decisions": self._decisions(row) if user.has_perm("campaigns.review_inbound") else [],
        }
        return self._page(request, "change", context)

    def _facts(self, row: Any, user: Any) -> list[tuple[Any, Any]]:
        facts = [
            (_("From"), self.number(row)),
            (_("To"), digits(row.raw_to)),
            (_("Received"), digits(stamp(row.received_at))),
            (_("Meaning"), self.reads(row)),
            (_("State"), self.state_badge(row)),
        ]
        if row.sender:
            facts.insert(2, (_("Sender"), row.sender))
        if row.campaign:
            campaign = link(row.campaign) if user.has_perm("campaigns.view_campaign") else row.campaign
            facts.append((_("Most likely answers"), campaign))
        if row.conversation_id and user.has_perm("campaigns.view_conversation"):
            facts.append((_("Conversation"), link(row.conversation, _("Open"))))
        if row.handled_at:
            facts.append((_("Decided") if row.resolution else _("Handled"), digits(stamp(row.handled_at))))
        if row.handled_by:
            facts.append((_("By"), row.handled_by))
        if row.resolution:
            facts.append((_("Decision"), row.resolution))
        return [*facts, (_("Gateway"), f"{row.gateway} · {row.gateway_id}")]

    def _decisions(self, row: InboundMessage) -> list[tuple[str, Any, str]]:
        if row.state != State.REVIEW:
            return []
        styles = {"stop": "button--primary", "not_stop": "", "wrong_number": ""}
        return [
            (reverse(f"admin:campaigns_inboundmessage_{name}", args=[row.pk]), DECISIONS[name][0], styles[name])
            for name in DECISIONS
        ]

    # --- the decision --------------------------------------------------------------------------------

    def decide_view(self, request: HttpRequest, pk: int, decision: str) -> HttpResponse:
        """Ask why; a confirmed POST decides through the one door."""
        if not request.user.has_perm("campaigns.review_inbound"):  # type: ignore[union-attr]
            raise PermissionDenied
        row = self._row(request, str(pk))
        back = HttpResponseRedirect(page_of(row))
        if row.state != State.REVIEW:  # also where a second submit of the same form ends
            messages.warning(request, _("This text does not wait for a decision any more."))
            return back
        form = DecisionForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                inbound.resolve(row, decision, request.user, form.cleaned_data["note"])
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("Decided. The history shows it with your name and reason."))
                return HttpResponseRedirect(reverse("admin:campaigns_inboundmessage_changelist"))
        context = {
            "title": DECISIONS[decision][1],
            "meaning": DECISIONS[decision][2],
            "row": row,
            "number": self.number(row),
            "who": self.who(row),
            "form": form,
            "back": page_of(row),
            "danger": decision != "not_stop",
        }
        return self._page(request, "decide", context)

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        everywhere = self.admin_site.each_context(request)
        tab = {"tab": _("Inbound text %(id)s") % {"id": context["row"].pk}, "opts": self.opts}
        return TemplateResponse(
            request, f"admin/campaigns/inboundmessage/{name}.html", {**everywhere, **tab, **context}
        )


def why(rule: str) -> str:
    """A rule of RULES §6 in a sentence; empty when no rule fired."""
    return next((str(sentence) for begins, sentence in _WHY if rule.startswith(begins)), "")
