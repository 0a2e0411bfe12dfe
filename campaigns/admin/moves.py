"""The moves of a campaign as buttons and confirmed pages, one template for all; the doors do the work."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import preflight, workflow
from campaigns.admin import overview
from campaigns.forms import ReasonForm, ScheduleForm
from campaigns.models import Campaign
from consent.core.errors import DomainError, IllegalMove
from consent.ledger.admin.words import page_of

_FRESH = timedelta(minutes=10)


@dataclass(frozen=True)
class Page:
    """A move as people see it.

    Attributes:
        button: on the campaign's page.
        title: of the page that asks once more, and of its button.
        meaning: what happens.
        done: said afterwards.
        permissions: any of these of ``campaigns`` allows it.
        reason: whether a reason must be given.
        style: of the button.
        check: whether texts and figures are shown to decide upon.
    """

    button: str | Promise
    title: str | Promise
    meaning: str | Promise
    done: str | Promise
    permissions: tuple[str, ...]
    reason: bool = False
    style: str = ""
    check: bool = False


_START = ("launch_campaign",)
MOVES: dict[str, Page] = {
    "approve": Page(
        gettext_lazy("Approve…"),
        gettext_lazy("Approve this campaign"),
        gettext_lazy("It may then be sent exactly as it stands. Any edit takes your approval back."),
        gettext_lazy("Approved. It can be started now."),
        ("approve_campaign",),
        style="primary",
        check=True,
    ),
    "submit": Page(
        gettext_lazy("Submit for review…"),
        gettext_lazy("Submit for review"),
        gettext_lazy("Somebody who wrote nothing of it reads and approves it. Until then nothing is sent."),
        gettext_lazy("Submitted. Somebody else approves it now."),
        ("submit_campaign",),
        style="primary",
        check=True,
    ),
    "schedule": Page(
        gettext_lazy("Start…"),
        gettext_lazy("Start this campaign"),
        gettext_lazy("One text is written down for each person, sent or refused. From then on nothing can be edited."),
        gettext_lazy("It is on its way."),
        _START,
        style="primary",
        check=True,
    ),
    "resume": Page(
        gettext_lazy("Resume…"),
        gettext_lazy("Resume this campaign"),
        gettext_lazy("What waits is sent on; each text is decided again before it goes."),
        gettext_lazy("It goes on."),
        _START,
        reason=True,
        style="primary",
    ),
    "pause": Page(
        gettext_lazy("Pause…"),
        gettext_lazy("Pause this campaign"),
        gettext_lazy("Nothing more is handed to the gateway until somebody resumes it."),
        gettext_lazy("Paused."),
        _START,
        reason=True,
    ),
    "send_back": Page(
        gettext_lazy("Back to draft…"),
        gettext_lazy("Back to draft"),
        gettext_lazy("It can be edited again. An approval is void, a start that was set is off."),
        gettext_lazy("It is a draft again."),
        ("submit_campaign", "approve_campaign"),
        reason=True,
    ),
    "cancel": Page(
        gettext_lazy("Cancel the campaign…"),
        gettext_lazy("Cancel this campaign"),
        gettext_lazy("It is over for good. What was sent stays sent; what waits is not sent any more."),
        gettext_lazy("Cancelled."),
        _START,
        reason=True,
        style="danger",
    ),
}


class Moves:
    """What ``CampaignAdmin`` can do with a campaign."""

    def may_move(self, request: HttpRequest, move: str, campaign: Campaign) -> bool:
        """Whether this person's role includes a move; what the brake paused goes on by who may approve it."""
        names = MOVES[move].permissions
        if move == "resume" and campaign.paused_by == Campaign.PausedBy.BRAKE:
            names = MOVES["approve"].permissions
        return any(request.user.has_perm(f"campaigns.{name}") for name in names)

    def moves_of(self, request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
        """The buttons: what is legal now and what this person may do, the main thing first."""
        legal = workflow.legal(campaign.state)
        wrote = campaign.state == Campaign.State.IN_REVIEW and request.user.pk in workflow.editors(campaign)
        return [
            {
                "name": name,
                "label": _("Change the start…")
                if name == "schedule" and campaign.state == Campaign.State.SCHEDULED
                else page.button,
                "url": reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk]),
                "style": f"button--{page.style}" if page.style else "",
            }
            for name, page in MOVES.items()
            if name in legal and self.may_move(request, name, campaign) and not (name == "approve" and wrote)
        ]

    def move_view(self, request: HttpRequest, pk: int, move: str) -> HttpResponse:
        """Ask once more, with what there is to decide upon; a confirmed POST goes through the door."""
        campaign = self.campaign(request, pk)
        if not self.may_move(request, move, campaign):
            raise PermissionDenied
        back = HttpResponseRedirect(page_of(campaign))
        try:
            workflow.check_move(move, campaign.state)
            if move == "approve":
                workflow.check_four_eyes(campaign, request.user)
        except IllegalMove as refusal:  # also where a second submit of the same form ends
            messages.warning(request, str(refusal))
            return back
        page = MOVES[move]
        data = request.POST if request.method == "POST" else None
        if move == "schedule":
            form: ReasonForm = ScheduleForm(data, zone=campaign.purpose.brand.zone)
        else:
            form = ReasonForm(data, needed=page.reason)
        error = ""
        if request.method == "POST" and form.is_valid():
            try:
                self._move(request, campaign, move, form.cleaned_data)
            except DomainError as refusal:
                error = str(refusal)
            else:
                messages.success(request, page.done)
                return back
        return self._asking(request, campaign, move, form, error)

    def _move(self, request: HttpRequest, campaign: Campaign, move: str, data: dict[str, Any]) -> None:
        user, reason = request.user, data["reason"]
        if move == "schedule":
            workflow.schedule(campaign, user, data["at"], reason)
        elif move == "approve":
            workflow.approve(campaign, user, reason, read=request.POST.get("read", ""))
        else:
            getattr(workflow, move)(campaign, user, reason=reason)

    def _asking(
        self, request: HttpRequest, campaign: Campaign, move: str, form: ReasonForm, error: str
    ) -> HttpResponse:
        page = MOVES[move]
        problems = workflow.problems(campaign) if move in ("submit", "approve", "schedule") else []
        if page.check and not problems and not preflight.fresh(campaign, _FRESH):
            preflight.run(campaign, timezone.now())
        context = {
            "title": page.title,
            "meaning": page.meaning,
            "style": page.style or "primary",
            "move": move,
            "campaign": campaign,
            "problems": problems,
            "error": error,
            "form": form,
            "back": page_of(campaign),
            "facts": overview.facts(campaign),
        }
        if page.check:
            context |= {
                "texts": overview.texts(campaign),
                "check": overview.check(campaign, people=request.user.has_perm("contacts.view_contact")),
                "read": workflow.content(campaign),
            }
        response = self.page(request, "confirm", context)
        if error:
            response.status_code = 409
        return response
