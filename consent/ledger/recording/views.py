"""The recruiter's page: ask, save, say what is on record now. Works without JavaScript; with it nothing reloads."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from consent.contacts.models import Contact
from consent.core import numbers
from consent.ledger import access, evidence
from consent.ledger.recording import recorder, scripts, standing
from consent.ledger.recording.evidence_file import evidence_file
from consent.ledger.recording.forms import NumberForm, OptInForm, answer_field, fresh_token

# What a recruiter sets once at a fair; kept in the session. Nothing about any person.
_REMEMBERED = ("country", "language", "kind", "method", "place", "brand")
_MEMORY, _LAST = "record", "recorded"


def urls(site: AdminSite) -> list[URLPattern]:
    """The addresses of the page on the staff site."""

    def page(view: Any) -> Any:
        def allowed(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm("ledger.record_opt_in"):
                raise PermissionDenied
            return view(request, site, **kwargs)

        return site.admin_view(allowed)

    return [
        path("record/", page(record), name="record"),
        path("record/lookup/", page(require_POST(lookup)), name="record_lookup"),
        path("record/recorded/", page(require_safe(recorded)), name="recorded"),
        path("evidence/<uuid:uid>/", site.admin_view(require_safe(evidence_file)), name="evidence"),
    ]


def record(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The form: shown, shown again for another language or brand, or saved."""
    blocks = scripts.blocks()
    if request.method != "POST":
        outcome = _outcome(request) if request.session.get(_MEMORY, {}).get("queue") else None
        request.session.pop(_LAST, None)
        form = OptInForm(initial=_initial(request), blocks=blocks, user=request.user)
        return _show(request, site, form, outcome=outcome)
    if "show" in request.POST or "show_brand" in request.POST:
        form = OptInForm(initial=_typed(request, blocks), blocks=blocks, user=request.user)
        return _show(request, site, form)
    form = OptInForm(request.POST, request.FILES, blocks=blocks, user=request.user)
    if form.is_valid() and form.parsed and (done := _save(form, form.parsed)):
        return _done(request, form, done)
    return _show(request, site, form)


def _save(form: OptInForm, number: numbers.Number) -> recorder.Recorded | None:
    cleaned = form.cleaned_data
    try:
        with evidence.stored(form.upload) as stored:
            for _purpose, act in form.acts:
                act.file = stored.file if stored else None
                act.file_type, act.file_sha256 = (stored.file_type, stored.file_sha256) if stored else ("", "")
            details = {name: cleaned[name] for name in ("name", "kind", "language")}
            done = recorder.record(number, form.acts, by=form.user, token=cleaned["token"], **details)
            if stored and done.changed and not done.again:
                stored.keep()
            return done
    except recorder.NotRecorded as refused:
        form.refuse(refused.errors)
        return None


def _done(request: HttpRequest, form: OptInForm, done: recorder.Recorded) -> HttpResponse:
    queue = "next" in request.POST
    request.session[_MEMORY] = {name: form.cleaned_data[name] for name in _REMEMBERED} | {"queue": queue}
    asked = [p.pk for p, _act in form.acts]
    request.session[_LAST] = {"contact": done.contact.pk, "asked": asked, "changed": done.changed}
    return HttpResponseRedirect(reverse("admin:record" if queue else "admin:recorded"))


def recorded(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """What is on record now for the person recorded last."""
    outcome = _outcome(request)
    if outcome is None:
        return HttpResponseRedirect(reverse("admin:record"))
    context = {**site.each_context(request), "title": _("Recorded"), "outcome": outcome}
    return TemplateResponse(request, "admin/record/recorded.html", context)


def lookup(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """What a typed number is and what is on record for it, as pieces of the page. A POST: numbers stay out of URLs."""
    form = NumberForm(request.POST)
    if not form.is_valid() or form.parsed is None:
        return JsonResponse({"error": " ".join(form.errors.get("number", [_("Choose a country.")]))})
    person = standing.of_number(form.parsed, [b.purpose for b in scripts.blocks()], request.user)
    return JsonResponse(
        {
            "person": render_to_string("admin/record/person.html", {"person": person}),
            "standings": {
                pk: render_to_string("admin/record/standing.html", {"standing": s})
                for pk, s in person.standings.items()
            },
        }
    )


def _initial(request: HttpRequest) -> dict[str, Any]:
    known = {code for code, _name in settings.LANGUAGES}
    language = get_language() or settings.LANGUAGE_CODE
    return {
        "country": settings.DEFAULT_COUNTRY,
        "language": language if language in known else settings.LANGUAGE_CODE,
        "kind": Contact.Kind.CUSTOMER,
        **{k: v for k, v in request.session.get(_MEMORY, {}).items() if k in _REMEMBERED},
        **_person_asked_for(request),
        "token": fresh_token(),
    }


def _person_asked_for(request: HttpRequest) -> dict[str, Any]:
    """The person whose page the reader comes from (``?contact=<id>``), if the reader may see the number."""
    asked = request.GET.get("contact", "")
    contact = Contact.objects.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
    if contact is None or not access.sees(request.user, contact):
        return {}
    details = {name: getattr(contact, name) for name in ("name", "kind", "language", "country")}
    return {"number": contact.number, **details}


def _typed(request: HttpRequest, blocks: list[scripts.Block]) -> dict[str, Any]:
    """What was typed so far; answers to words in another language are taken back."""
    typed: dict[str, Any] = request.POST.dict()
    if typed.get("language") != typed.get("asked_in"):
        for name in [*(answer_field(b.purpose) for b in blocks), "verbatim"]:
            typed.pop(name, None)
    return typed


def _show(request: HttpRequest, site: AdminSite, form: OptInForm, *, outcome: Any = None) -> HttpResponse:
    """Render the form; ``outcome`` is what was recorded a moment ago, for the next person in the queue."""
    language = str(form["language"].value())
    brands = scripts.by_brand(form.blocks)
    errors = form.errors
    person = None
    looked_up = NumberForm(form.data if form.is_bound else form.initial)
    if looked_up.is_valid() and looked_up.parsed:
        person = standing.of_number(looked_up.parsed, [b.purpose for b in form.blocks], request.user)
    chosen = _brand(request, form, brands, errors)
    context = {
        **site.each_context(request),
        "title": _("Record an opt-in"),
        "form": form,
        "errors": errors,
        "language": language,
        "freedom": form["kind"].value() in (Contact.Kind.APPLICANT, Contact.Kind.EMPLOYEE),
        "person": person,
        "brands": [
            {
                "brand": brand,
                "shown": brand.slug == chosen,
                "questions": [_question(form, block, language, person, errors) for block in blocks],
            }
            for brand, blocks in brands.items()
        ],
        "brand": chosen,
        "shown_notices": ",".join(str(n.pk) for b in form.blocks for n in b.scripts.values()),
        "outcome": outcome,
    }
    return TemplateResponse(request, "admin/record/form.html", context, status=422 if errors else 200)


def _brand(request: HttpRequest, form: OptInForm, brands: dict[Any, list[scripts.Block]], errors: Any) -> str:
    """The brand whose questions are in view: one with an error, the one asked for, the one used before, the first."""
    slugs = [brand.slug for brand in brands]
    for brand, blocks in brands.items():
        if any(answer_field(b.purpose) in errors for b in blocks):
            return brand.slug
    wanted = request.POST.get("show_brand") or form["brand"].value()
    return wanted if wanted in slugs else next(iter(slugs), "")


def _question(form: OptInForm, block: scripts.Block, language: str, person: Any, errors: Any) -> dict[str, Any]:
    field = answer_field(block.purpose)
    return {
        "purpose": block.purpose,
        "field": field,
        "answer": form[field].value(),
        "errors": errors.get(field, []),
        "scripts": [
            {"language": code, "name": name, "notice": block.scripts.get(code), "shown": code == language}
            for code, name in form.fields["language"].choices  # type: ignore[attr-defined]
        ],
        "standing": person.standings.get(block.purpose.pk) if person else None,
    }


def _outcome(request: HttpRequest) -> dict[str, Any] | None:
    last = request.session.get(_LAST)
    contact = Contact.objects.filter(pk=last["contact"]).first() if last else None
    if not last or contact is None:
        return None
    purposes = [b.purpose for b in scripts.blocks()]
    found = standing.of_contact(contact, purposes)
    return {
        "contact": contact,
        "named": access.sees(request.user, contact),
        "asked": [s for pk, s in found.items() if pk in last["asked"]],
        "others": [s for pk, s in found.items() if pk not in last["asked"]],
        "changed": last["changed"],
    }
