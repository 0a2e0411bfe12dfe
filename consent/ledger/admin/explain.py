"""The page that says why somebody may or may not be texted."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.contacts.models import Contact
from consent.ledger import explanation
from consent.ledger.admin.words import TONES, page_of
from consent.ledger.forms import ExplainForm
from consent.ledger.models import Consent, Purpose


def explain_view(request: HttpRequest) -> HttpResponse:
    """Ask by number in a POST, so that no number stands in an address; or by ids, ``?contact=1&purpose=2`` (P10)."""
    if not request.user.has_perm("ledger.explain"):  # type: ignore[union-attr]
        raise PermissionDenied
    found: explanation.Explanation | None = None
    number, contact, purpose = "", None, None
    if request.method == "POST":
        form = ExplainForm(request.POST)
        if form.is_valid():
            typed, purpose = form.cleaned_data["number"], form.cleaned_data["purpose"]
            found = explanation.explain_number(typed, purpose, form.cleaned_data["at"])
            number = typed.international
            contact = Contact.objects.filter(phone=typed.e164).first()
    else:
        contact, purpose = _asked(request, "contact", Contact), _asked(request, "purpose", Purpose)
        number = contact.number if contact else ""
        form = ExplainForm(initial={"number": number, "purpose": purpose})
        if contact and purpose:
            found = explanation.explain(contact, purpose, timezone.now())
    consent = Consent.objects.filter(uid=found.consent.uid).first() if found and found.consent else None
    context = {
        **admin.site.each_context(request),
        "title": _("May this person be texted?"),
        "form": form,
        "found": found,
        "number": number,
        "contact": contact,
        "contact_url": page_of(contact) if contact else "",
        "purpose": purpose,
        "consent_url": page_of(consent) if consent else "",
        "tone": TONES[found.consent.status] if found and found.consent else "",
    }
    return TemplateResponse(request, "admin/ledger/explain.html", context)


def _asked(request: HttpRequest, name: str, model: Any) -> Any:
    """The row whose id the address names; None if it names none."""
    typed = request.GET.get(name, "")
    if not typed:
        return None
    row = model.objects.filter(pk=typed).first() if typed.isascii() and typed.isdigit() and len(typed) < 19 else None
    if row is None:
        raise Http404
    return row
