"""A recruiter records an opt-in on a phone; an officer finds it at a desk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from consent.ledger.models import Consent, Proof, Purpose
from tests import factories, files
from tests.browser.conftest import check_accessible, check_fits

pytestmark = pytest.mark.django_db


@pytest.fixture
def fair() -> dict[str, Purpose]:
    """Two brands, three questions, words in English and Italian."""
    agency, shop = (
        factories.brand("officina-lavoro", name="Officina Lavoro"),
        factories.brand("mercato-vivo", name="Mercato Vivo"),
    )
    found = {
        "alerts": factories.purpose("job-alerts", of=agency, position=1),
        "interviews": factories.purpose("interview-reminders", of=agency, kind="informational", position=2),
        "offers": factories.purpose("offers", of=shop, kind="marketing"),
    }
    for purpose in found.values():
        factories.notice(purpose)
        factories.notice(purpose, "it", text=f"Messaggi SMS: {purpose.name}. Rispondi STOP per finire.")
    return found


def shoot(page: Page, name: str) -> None:
    """Keep a picture when SCREENSHOTS names a folder: the README's come from here."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def answer(page: Page, purpose: Purpose, value: str) -> Any:
    return page.locator(f'label:has([name="answer_{purpose.pk}"][value="{value}"])')


def test_twelve_taps_and_one_page_load_from_the_list_to_recorded_and_the_officer_finds_it(
    fair: dict[str, Purpose], recruiter: Any, officer: Any, phone: Callable, desktop: Callable
) -> None:
    page = phone(recruiter)
    page.goto(reverse("admin:contacts_contact_changelist"))
    taps, loads = [], []
    page.on("load", lambda _page: loads.append(1))

    def tap(target: Any) -> Any:
        taps.append(target)
        target.tap()
        return target

    tap(page.get_by_role("link", name="Record an opt-in").first)
    page.wait_for_url("**" + reverse("admin:record"))
    tap(page.get_by_label("Mobile number")).press_sequentially("312 345 6789")
    expect(page.locator("[data-person]")).to_contain_text("+39 312 345 6789")
    expect(page.locator("[data-person]")).to_contain_text("Italy")
    tap(page.get_by_label("Name")).press_sequentially("Zoë Prova")
    assert page.locator('[name^="answer_"]:checked').count() == 0
    tap(page.get_by_role("button", name="Officina Lavoro"))
    tap(answer(page, fair["alerts"], "yes"))
    tap(page.get_by_text("Spoken", exact=True))
    tap(page.get_by_text("I read this word for word"))
    tap(page.get_by_label("Place or event")).press_sequentially("Job fair Milano")
    shoot(page, "record-phone")
    check_accessible(page)
    check_fits(page)
    tap(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_role("heading", name="Recorded")).to_be_focused()
    expect(page.locator("#record")).to_contain_text("Zoë Prova, +39 312 345 6789")
    expect(page.locator("#record")).to_contain_text("Given")
    shoot(page, "recorded-phone")
    check_accessible(page)
    check_fits(page)
    assert len(taps) <= 12
    assert len(loads) == 1

    desk = desktop(officer)
    desk.goto(reverse("admin:contacts_contact_changelist"))
    desk.locator("#searchbar").fill("0039 312 3456789")
    desk.locator("#searchbar").press("Enter")
    desk.get_by_role("link", name="Zoë Prova").click()
    expect(desk.locator("#content")).to_contain_text("+39 312 345 6789")
    expect(desk.locator("#content")).to_contain_text("Job fair Milano")
    check_accessible(desk)


def test_yes_and_no_are_equals_and_everything_is_big_enough_for_a_thumb(
    fair: dict[str, Purpose], recruiter: Any, phone: Callable
) -> None:
    page = phone(recruiter)
    page.goto(reverse("admin:record"))
    yes, no = (answer(page, fair["offers"], value) for value in ("yes", "no"))
    looks = """e => {
        const style = getComputedStyle(e);
        return [style.color, style.backgroundColor, style.borderColor, style.fontWeight, style.fontSize];
    }"""
    assert yes.evaluate(looks) == no.evaluate(looks)
    (a, b) = yes.bounding_box(), no.bounding_box()
    assert (a["width"], a["height"], a["y"]) == (b["width"], b["height"], b["y"])
    small = page.locator("#record").evaluate(
        """root => [...root.querySelectorAll("input, select, button, summary, label:has(input)")]
            .filter(e => e.checkVisibility() && !e.matches("[type=hidden], [type=radio], [type=checkbox]"))
            .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])
            .filter(([, height]) => height < 44)"""
    )
    assert small == []


def test_words_follow_the_language_and_take_given_answers_back(
    fair: dict[str, Purpose], recruiter: Any, phone: Callable
) -> None:
    page = phone(recruiter)
    page.goto(reverse("admin:record"))
    answer(page, fair["offers"], "yes").tap()
    page.get_by_label("Language", exact=True).first.select_option("it")
    expect(page.get_by_text("Messaggi SMS: Offers")).to_be_visible()
    expect(page.locator("[data-status]")).to_contain_text("ask again")
    assert page.locator('[name^="answer_"]:checked').count() == 0
    page.get_by_label("Language", exact=True).first.select_option("de")
    expect(page.get_by_text("no published words in this language (German)").first).to_be_visible()
    assert page.locator(f'[name="answer_{fair["offers"].pk}"]').first.is_disabled()


def test_a_queue_at_a_fair_keeps_the_place_and_marketing_waits_for_the_text(
    fair: dict[str, Purpose], recruiter: Any, phone: Callable
) -> None:
    page = phone(recruiter)
    page.goto(reverse("admin:record"))
    loads: list[int] = []
    page.on("load", lambda _page: loads.append(1))
    page.get_by_label("Mobile number").fill("312 345 0001")
    page.get_by_text("Applicant").tap()
    expect(page.get_by_text("the answer is free")).to_be_visible()
    page.get_by_role("button", name="Officina Lavoro").tap()
    expect(answer(page, fair["offers"], "yes")).to_be_hidden()
    page.get_by_role("button", name="Mercato Vivo").tap()
    answer(page, fair["offers"], "yes").tap()
    page.get_by_text("Spoken", exact=True).tap()
    page.get_by_text("I read this word for word").tap()
    page.get_by_role("button", name="Save and next person").tap()
    expect(page.get_by_label("Place or event")).to_be_focused()  # the first error
    expect(page.get_by_text("Write the place or event where")).to_be_visible()
    shoot(page, "record-error-phone")
    check_accessible(page)
    page.get_by_label("Place or event").fill("Job fair Torino")
    page.get_by_role("button", name="Save and next person").tap()
    expect(page.get_by_role("heading", name="Recorded")).to_be_focused()
    expect(page.locator(".done")).to_contain_text("until the person confirms by text")
    shoot(page, "record-next-phone")
    expect(page.get_by_label("Place or event")).to_have_value("Job fair Torino")
    expect(page.get_by_label("Mobile number")).to_have_value("")
    expect(answer(page, fair["offers"], "yes")).to_be_visible()
    assert page.locator('[name^="answer_"]:checked').count() == 0
    assert Consent.objects.get().status == "requested"
    assert loads == []


def test_somebody_who_opted_out_signs_a_form_and_its_photo_goes_along(
    fair: dict[str, Purpose], recruiter: Any, phone: Callable
) -> None:
    person = factories.contact(typed="+39 312 345 6789")
    factories.consent(person, fair["alerts"], status="withdrawn")
    page = phone(recruiter)
    page.goto(reverse("admin:record"))
    page.get_by_label("Mobile number").fill("312 345 6789")
    expect(page.get_by_text("This number opted out")).to_be_visible()
    expect(page.locator(f'[data-standing="{fair["alerts"].pk}"]')).to_contain_text("Have a form signed")
    shoot(page, "record-opted-out-phone")
    check_accessible(page)
    page.get_by_role("button", name="Officina Lavoro").tap()
    answer(page, fair["alerts"], "yes").tap()
    page.get_by_text("Signed form", exact=True).tap()
    photo = page.get_by_label("Photo of the signed form")
    assert photo.get_attribute("capture") == "environment"
    photo.set_input_files({"name": "form.jpg", "mimeType": "image/jpeg", "buffer": files.jpeg()})
    page.get_by_role("button", name="Save", exact=True).dblclick()  # an impatient thumb
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    assert Consent.objects.get().status == "given"
    assert Proof.objects.filter(method="paper").count() == 1
