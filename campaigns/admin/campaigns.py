"""Campaigns: written in the composer, read on an overview, moved on by confirmed pages, each through its door."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from campaigns import preflight, preview, progress, workflow
from campaigns.admin import moves, overview
from campaigns.admin.history import with_texts
from campaigns.admin.words import campaign_badge
from campaigns.forms import MAX_LENGTH, CampaignForm
from campaigns.models import Campaign, Sender
from consent.contacts.models import Audience, Contact
from consent.core import history, numbers
from consent.core.admin import BoundedPaginator, PlacetChangeList, TrackedAdmin
from consent.ledger import decision
from consent.ledger.admin.filters import PurposeFilter
from consent.ledger.admin.words import digits, page_of, stamp
from consent.ledger.models import Purpose

S = Campaign.State
PEOPLE = "contacts.view_contact"
# What the preview is about; a conversation is answered by no campaign.
_CHOICES: dict[str, Any] = {
    "purpose": Purpose.objects.exclude(kind=Purpose.Kind.CONVERSATIONAL).select_related("brand"),
    "audience": Audience.objects.all(),
    "sender": Sender.objects.select_related("brand", "stop_sender"),
}


def _chosen(rows: QuerySet, typed: str) -> Any:
    """The row whose id was posted; None if it names none."""
    return rows.filter(pk=typed).first() if typed.isascii() and typed.isdigit() and len(typed) < 19 else None


class CampaignList(PlacetChangeList):
    """Knows how far the campaigns of its page got, in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        under_way = [row for row in rows if row.state in (S.SENDING, S.PAUSED)]
        states = progress.by_state(under_way)
        for row in rows:
            row.counted = states.get(row.pk)
        self.result_list = rows


@admin.register(Campaign)
class CampaignAdmin(moves.Moves, TrackedAdmin):
    """One text, in the languages of its readers, to those of an audience who may be reached."""

    form = CampaignForm
    change_form_template = "admin/campaigns/campaign/composer.html"
    list_display = ("name", "purpose", "state_badge", "audience", "sent", "launched", "author", "approver")
    list_filter = ("state", ("purpose", PurposeFilter))
    list_select_related = ("purpose__brand", "audience", "author", "approver")
    sortable_by = ()
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name of the campaign")
    editable = ("name", "purpose", "audience", "sender", "language")
    empty_list_text = gettext_lazy("No campaign yet. Add one: it is sent once somebody else has approved it.")
    people_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        def page(view: Any, **kwargs: Any) -> Any:
            return self.admin_site.admin_view(never_cache(partial(view, **kwargs) if kwargs else view))

        name = "campaigns_campaign"
        return [
            *(path(f"<int:pk>/{m}/", page(self.move_view, move=m), name=f"{name}_{m}") for m in moves.MOVES),
            path("preview/", page(require_POST(self.preview_view)), name=f"{name}_preview"),
            path("<int:pk>/preflight/", page(require_POST(self.preflight_view)), name=f"{name}_preflight"),
            path("<int:pk>/progress/", page(self.progress_view), name=f"{name}_progress"),
            path("<int:pk>/people/<slug:code>/", page(self.people_view), name=f"{name}_people"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return CampaignList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        related = (*self.list_select_related, "editor", "sender__brand", "sender__stop_sender")
        return super().get_queryset(request).select_related(*related)

    # --- who may -------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.state in workflow.EDITABLE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.state == S.DRAFT)

    # --- the list ------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, campaign: Campaign) -> SafeString:
        return campaign_badge(campaign)

    @admin.display(description=gettext_lazy("progress"))
    def sent(self, campaign: Any) -> str:
        if campaign.counted is None:
            return "–"
        allowed = sum(campaign.counted.values()) - campaign.counted["refused"]
        waiting = sum(campaign.counted[state] for state in progress.WAITING)
        return digits(_("%(done)s of %(total)s") % {"done": allowed - waiting, "total": allowed})

    @admin.display(description=gettext_lazy("launched"))
    def launched(self, campaign: Campaign) -> SafeString:
        if campaign.state == S.SCHEDULED:
            return digits(_("starts %s") % stamp(campaign.scheduled_at))
        return digits(stamp(campaign.launched_at))

    # --- writing it ----------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The fields of the texts are made by the form itself; the admin would look for them on the model.
        return super().get_form(request, obj, change, **{**kwargs, "fields": list(self.editable)})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for link in ("add", "change", "view", "delete"):  # purposes and senders are not made in passing
            if field is not None and hasattr(field.widget, f"can_{link}_related"):
                setattr(field.widget, f"can_{link}_related", False)
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": self.editable})]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The composer for a draft, or on request; else what it is and what became of it."""
        campaign = self.get_object(request, object_id)
        if campaign is None:
            return super().change_view(request, object_id, form_url, extra_context)
        writing = "edit" in request.GET or (campaign.state == S.DRAFT and "overview" not in request.GET)
        asked = request.method == "POST" or writing
        if not (asked and self.has_change_permission(request, campaign)):
            if not self.has_view_permission(request, campaign) or request.method == "POST":
                raise PermissionDenied
            return self.overview(request, campaign)
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        campaign = context.get("original")
        form = context["adminform"].form
        context["languages"] = sorted(form.languages(), key=lambda row: row["code"] != form["language"].value())
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        context["form"] = form
        context["subtitle"] = None
        context["title"] = campaign.name if campaign else _("Write a campaign")
        context["preview_url"] = reverse("admin:campaigns_campaign_preview")
        if campaign:
            context["moves"] = [m for m in self.moves_of(request, campaign) if m["name"] == "submit"]
            context["voids"] = campaign.state in workflow.APPROVED
            context["returns"] = campaign.state == S.IN_REVIEW
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        """The campaign and its texts; whoever saves is an editor, and an approval is void."""
        if not change:
            obj.author = obj.editor = request.user
        elif form.changed_data:
            standing = workflow.edited(Campaign.objects.get(pk=obj.pk), request.user)
            for field in Campaign._meta.concrete_fields:
                if field.name not in self.editable:
                    setattr(obj, field.attname, getattr(standing, field.attname))
        names = [str(overview.LANGUAGES[code]) for code in form.texts_changed]
        told = [_("Texts: %s") % ", ".join(names)] if names else []
        with history.acting(history.Actor.of(request.user), " · ".join([history.current().reason, *told])):
            super().save_model(request, obj, form, change)
            form.save_texts()

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: Any = None) -> HttpResponse:
        messages.success(request, _("The draft is saved. When it is finished, submit it for review."))
        return HttpResponseRedirect(page_of(obj))

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(page_of(obj))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The campaign's changes and those of its texts, in one line of time."""
        response = super().history_view(request, object_id, extra_context)
        context = getattr(response, "context_data", None)
        if context and context.get("object"):
            context["events"] = with_texts(context["object"], context["events"], context["page"], request)
        return response

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the composer shows beside a text, for the text as it is typed (``static/placet/composer.js``)."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        asked = request.POST
        language = asked.get("language", "")
        if language not in overview.LANGUAGES:
            return JsonResponse({}, status=400)
        chosen = {name: _chosen(rows, asked.get(name, "")) for name, rows in _CHOICES.items()}
        if not all(chosen.values()):
            return JsonResponse(preview.incomplete(language).as_json())
        found = preview.preview(
            asked.get("text", "")[:MAX_LENGTH],
            language,
            reveal=request.user.has_perms([PEOPLE, "contacts.see_numbers"]),
            written=[code for code in asked.getlist("written") if code in overview.LANGUAGES],
            fallback=asked.get("fallback", ""),
            **chosen,
        )
        return JsonResponse(found.as_json())

    # --- reading it ----------------------------------------------------------------------------------

    def overview(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """The page of a campaign that is not being written."""
        user: Any = request.user
        sees_texts = user.has_perm("campaigns.view_message")
        launched = campaign.launched_at is not None
        context: dict[str, Any] = {
            "campaign": campaign,
            "badge": campaign_badge(campaign),
            "facts": overview.facts(campaign),
            "texts": overview.texts(campaign),
            "check": overview.check(campaign, people=user.has_perm(PEOPLE)),
            "may_count": self.may_count(request, campaign),
            "moves": self.moves_of(request, campaign),
            "brake": overview.brake(campaign),
            "launched": launched,
            "scheduled": overview.in_zone(campaign, campaign.scheduled_at),
            "own": user.pk in workflow.editors(campaign) if campaign.state == S.IN_REVIEW else False,
            "outdated": workflow.outdated(campaign),
            "may_edit": self.has_change_permission(request, campaign),
            "title": campaign.name,
        }
        if launched:
            now = overview.live(campaign)
            context |= {
                "now": now,
                "figures": overview.figures(campaign, now, linked=sees_texts),
                "refused": overview.refused(campaign, linked=sees_texts),
                "charts": overview.drawn(campaign),
                "under_way": campaign.state in (S.SENDING, S.PAUSED),
            }
        return self.page(request, "overview", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it got, for the page that waits."""
        return JsonResponse(overview.live(self.campaign(request, pk)))

    def may_count(self, request: HttpRequest, campaign: Campaign) -> bool:
        """Whether this person may have the preflight run."""
        user: Any = request.user
        names = ("change_campaign", "approve_campaign", "launch_campaign")
        return campaign.state in workflow.EDITABLE and any(user.has_perm(f"campaigns.{name}") for name in names)

    def preflight_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Count anew."""
        campaign = self.campaign(request, pk)
        if not self.may_count(request, campaign):
            raise PermissionDenied
        preflight.run(campaign, timezone.now())
        return HttpResponseRedirect(f"{page_of(campaign)}?overview#preflight")

    def people_view(self, request: HttpRequest, pk: int, code: str) -> HttpResponse:
        """The contacts behind a figure of the preflight, as things are now."""
        campaign = self.campaign(request, pk)
        user: Any = request.user
        if not user.has_perm(PEOPLE):
            raise PermissionDenied
        if code != preflight.ALLOWED and code not in decision.BY_CODE:
            raise Http404
        context = decision.context_for(campaign.purpose, timezone.now(), campaign)
        judged = decision.decide(context, campaign.audience.contacts())
        found = judged.filter(refusal="" if code == preflight.ALLOWED else code).order_by("-id")
        page = BoundedPaginator(found, self.people_per_page).get_page(request.GET.get(PAGE_VAR))
        # The decision about a page's people is not asked again for each of them: their rows are read as they are.
        whole = self._whole(user, [contact.pk for contact in page])
        rows = [
            {
                "contact": contact,
                "url": page_of(contact),
                "number": contact.number if contact.pk in whole else numbers.masked(str(contact.phone.as_e164)),
                "consent": getattr(contact, "consent_id", None),
            }
            for contact in page
        ]
        shown = {
            "title": preflight.meaning(code),
            "campaign": campaign,
            "code": code,
            "rows": rows,
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number),
            "explains": user.has_perm("ledger.explain"),
        }
        return self.page(request, "people", shown)

    def _whole(self, user: Any, contacts: list[int]) -> set[int]:
        """Those of some contacts whose number this person may see."""
        from consent.ledger import access

        if user.has_perm("contacts.see_numbers"):
            return set(contacts)
        return set(Contact.objects.filter(access.own(user), pk__in=contacts).values_list("pk", flat=True))

    # --- what the pages share --------------------------------------------------------------------------

    def campaign(self, request: HttpRequest, pk: int) -> Campaign:
        """A campaign this person may look at."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        return campaign

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        """A page below ``templates/admin/campaigns/campaign``."""
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        everywhere = {**self.admin_site.each_context(request), "opts": self.opts, "subtitle": None}
        return TemplateResponse(request, f"admin/campaigns/campaign/{name}.html", everywhere | context)
