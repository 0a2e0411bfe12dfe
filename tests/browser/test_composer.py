"""Writing a campaign's text: what it looks like when it arrives stands beside it while one types."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.conftest import check_accessible, check_fits

pytestmark = pytest.mark.django_db(transaction=True)


def test_typing_shows_the_text_as_it_arrives(phone: Callable[..., Page], manager: Any) -> None:
    topic = factories.purpose()
    factories.policy(topic.brand)
    factories.contact(language="it")
    draft = factories.campaign(topic, author=manager)
    page = phone(manager)
    page.goto(reverse("admin:campaigns_campaign_change", args=[draft.pk]))
    panel = page.locator(".composer__panel:visible")
    expect(panel.locator(".bubble").first).to_contain_text("Officina: new jobs this week, Emma.")
    expect(panel.locator(".bubble").first).to_contain_text("https://example.org/privacy")
    expect(panel.locator(".bubble").last).to_contain_text("Reply STOP to opt out.")

    area = page.locator("textarea[data-language=en]")
    area.fill("l’été, ")
    expect(panel.locator("mark.offending").first).to_have_text("’")
    expect(panel.locator(".composer__finding--stop")).to_contain_text("does not say who writes")
    check_accessible(page)
    page.get_by_role("button", name="{brand}").first.click()
    expect(area).to_have_value("l’été, {brand}")
    expect(panel.locator(".composer__finding--stop")).to_have_count(0)
    page.get_by_role("button", name="’ → '").click()
    expect(area).to_have_value("l'été, {brand}")
    expect(panel.locator("mark.offending")).to_have_count(0)
    expect(panel.locator(".composer__summary").first).to_contain_text("GSM-7")
    check_fits(page)
