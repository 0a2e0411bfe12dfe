"""Conversations: somebody wrote first and may be answered until the clock runs out (RULES C10)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from campaigns import conversations, segments, timeline
from campaigns.admin import clocks
from campaigns.models import Conversation, InboundMessage, Message
from consent.contacts import search
from consent.contacts.models import Contact
from consent.core.admin import PlacetAdmin, ReadOnly
from consent.core.errors import DomainError
from consent.ledger import access, decision
from consent.ledger.admin.words import badge, digits, page_of

SHOWN = 100  # newest texts of each direction in a thread
HURRY = timedelta(hours=2)  # so near its end a conversation is amber


class ReplyForm(forms.Form):
    """What to answer."""

    text = forms.CharField(
        label=gettext_lazy("Reply"),
        max_length=conversations.LONGEST,
        widget=forms.Textarea(attrs={"rows": 2, "data-reply": "", "aria-describedby": "reply-count"}),
    )
    # Browsers must not put an old one back: its answer went.
    nonce = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))


class LiveFilter(admin.SimpleListFilter):
    """Live conversations unless ``?live=`` says otherwise."""

    title = gettext_lazy("state")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("Closed")), ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        for value, title in [(None, gettext_lazy("Live")), *self.lookup_choices]:
            new = {self.parameter_name: value} if value else {}
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string(new, [self.parameter_name]),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        live = Q(closes_at__gt=timezone.now())
        return queryset.filter(~live if self.value() == "no" else live)


@dataclass(frozen=True)
class Bubble:
    """A text in a thread.

    Attributes:
        ours: we wrote it.
        by: who or what did.
        state, tone: what became of it, in a word and a colour.
        why: why it did not go, as a sentence.
    """

    at: datetime
    ours: bool
    text: str
    by: str = ""
    state: str = ""
    tone: str = "muted"
    why: str = ""


def thread(conversation: Conversation) -> list[Bubble]:
    """The texts between a contact and a sender, oldest first, in two queries."""
    of = {"contact": conversation.contact_id, "sender": conversation.sender_id}
    went = Q(handed_at__isnull=False) | Q(kind=Message.Kind.REPLY)
    ours = Message.objects.filter(went, **of).select_related("written_by").order_by("-pk")[:SHOWN]
    theirs = InboundMessage.objects.filter(**of).order_by("-pk")[:SHOWN]
    bubbles = [_ours(message) for message in ours]
    bubbles += [Bubble(at=row.received_at, ours=False, text=row.body) for row in theirs]
    return sorted(bubbles, key=attrgetter("at"))


def _ours(message: Message) -> Bubble:
    rule = decision.BY_CODE.get(message.refusal)
    writer = message.written_by.get_short_name() or message.written_by.get_username() if message.written_by else ""
    return Bubble(
        at=message.handed_at or message.created_at,
        ours=True,
        text=message.body,
        by=writer or str(message.get_kind_display()),
        state=str(message.get_state_display()),
        tone=timeline.TONES[message.state],
        why=str(rule.sentence) if rule else "",
    )


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, PlacetAdmin):
    """Who may be answered until when. People see those they may see the number of; the others do not exist for them."""

    list_display = ("who", "number", "said", "waits", "clock", "sender")
    list_display_links = ("who",)
    list_filter = (LiveFilter,)
    list_select_related = ("contact", "sender__brand")
    extra_lookups = ("contact",)
    sortable_by = ()
    search_fields = ("contact__name",)  # shows the search box; get_search_results does the work
    search_help_text = gettext_lazy("Number, name or external id of the person")
    empty_list_text = gettext_lazy("Nobody waits for an answer. A conversation opens when somebody texts a sender.")

    def get_urls(self) -> list[URLPattern]:
        def page(view: Callable) -> Callable:
            return self.admin_site.admin_view(never_cache(require_POST(view)))

        count = path("<int:pk>/count/", page(self.count_view), name="campaigns_conversation_count")
        return [count, *super().get_urls()]

    # --- the list ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        last = InboundMessage.objects.filter(conversation=OuterRef("pk")).order_by("-pk").values("body")[:1]
        rows = super().get_queryset(request).select_related(*self.list_select_related).annotate(last=Subquery(last))
        if request.user.has_perm("contacts.see_numbers"):  # type: ignore[union-attr]
            return rows
        return rows.filter(contact__in=Contact.objects.filter(access.own(request.user)).order_by().values("pk"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-last_inbound_at", "-id") if request.GET.get(LiveFilter.parameter_name) else ("closes_at", "id")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(contact__in=search.find(Contact.objects.all(), search_term)), False

    @admin.display(description=gettext_lazy("contact"))
    def who(self, row: Conversation) -> str:
        return str(row.contact)

    @admin.display(description=gettext_lazy("number"))
    def number(self, row: Conversation) -> SafeString:
        return digits(row.contact.number)

    @admin.display(description=gettext_lazy("last text of the person"))
    def said(self, row: Any) -> str:
        return Truncator(row.last or "").chars(60) or "–"

    @admin.display(description=gettext_lazy("answer"))
    def waits(self, row: Conversation) -> SafeString:
        if row.answered_at and row.answered_at >= row.last_inbound_at:
            return badge(_("Answered"), "ok")
        return badge(_("To be answered"), "warn")

    @admin.display(description=gettext_lazy("closes"))
    def clock(self, row: Conversation) -> SafeString:
        left = row.closes_at - timezone.now()
        if left <= timedelta():
            return badge(_("closed"), "muted")
        return badge(_("closes in %(span)s") % {"span": clocks.how_long(left)}, "warn" if left <= HURRY else "ok")

    # --- the thread ----------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The thread with its countdown; a POST answers."""
        conversation = self._conversation(request, object_id)
        user: Any = request.user
        may_reply = user.has_perm("campaigns.reply_conversation")
        if request.method == "POST" and not may_reply:
            raise PermissionDenied
        form = ReplyForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                conversations.reply(conversation, user=user, **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                return HttpResponseRedirect(f"{page_of(conversation)}#latest")
        left = conversation.closes_at - timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(conversation.contact),
            "tab": _("Conversation %(id)s") % {"id": conversation.pk},
            "conversation": conversation,
            "number": self.number(conversation),
            "contact_url": page_of(conversation.contact) if user.has_perm("contacts.view_contact") else "",
            "bubbles": thread(conversation),
            "live": left > timedelta(),
            "clock": self.clock(conversation),
            "clock_words": json.dumps(_clock_words()),
            "form": form,
            "may_reply": may_reply,
            "count_url": reverse("admin:campaigns_conversation_count", args=[conversation.pk]),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/campaigns/conversation/change.html", context, status=status)

    def count_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How many parts a reply would have, for the page that is being typed on. A POST: texts stay out of URLs."""
        self._conversation(request, str(pk))
        return JsonResponse({"text": in_parts(request.POST.get("text", "")[: conversations.LONGEST])})

    def _conversation(self, request: HttpRequest, object_id: str) -> Conversation:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row


def in_parts(text: str) -> str:
    """The length of a text in people's words."""
    if not text.strip():
        return ""
    size = segments.measure(text)
    parts = ngettext("%(parts)s part", "%(parts)s parts", size.parts) % {"parts": size.parts}
    told = _("%(length)s characters, %(parts)s") % {"length": len(text), "parts": parts}
    if not size.offending:
        return told
    dear = _("%(signs)s makes it longer") % {"signs": " ".join(dict.fromkeys(size.offending))}
    return f"{told} · {dear}"


def _clock_words() -> dict[str, str]:
    """What the countdown says, with holes for the figures."""
    return {
        "hours": _("closes in %(span)s")
        % {"span": _("%(hours)s h %(minutes)s min") % {"hours": "{h}", "minutes": "{m}"}},
        "minutes": _("closes in %(span)s") % {"span": _("%(minutes)s min") % {"minutes": "{m}"}},
        "closed": _("closed"),
    }
