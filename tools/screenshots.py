"""``make screenshots``: the pictures of the README, taken from a demo site of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "screenshots"
SIZES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "desktop": {"viewport": {"width": 1440, "height": 900}},
}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def demo_site() -> Iterator[str]:
    """A fresh demo site on a free port; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        given = {"DEBUG": "on", "DATA_DIR": folder, "PORT": str(port), "DATABASE_URL": "", "CELERY_BROKER_URL": ""}
        site = subprocess.Popen([sys.executable, "-m", "config.run"], cwd=ROOT, env={**os.environ, **given})
        try:
            address = f"http://127.0.0.1:{port}"
            while site.poll() is None:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{address}/admin/login/", timeout=5).close()
                    break
                time.sleep(0.2)
            yield address
        finally:
            site.terminate()
            site.wait()


def signed_in(browser: Browser, address: str, size: str, name: str) -> Page:
    """A page of that size in which that demo user has logged in."""
    page = browser.new_context(base_url=address, locale="en-GB", **SIZES[size]).new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", name)
    page.fill("#id_password", password())
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    return page


def password() -> str:
    """The password of every demo user."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from consent.ledger.demo.people import PASSWORD

    return PASSWORD


def shoot(page: Page, name: str, *, whole: bool = False) -> None:
    page.screenshot(path=TARGET / f"{name}.png", full_page=whole)
    print(f"docs/screenshots/{name}.png")


def main() -> None:
    """Take every picture the README shows."""
    TARGET.mkdir(exist_ok=True)
    with demo_site() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        recruiter(signed_in(browser, address, "phone", "recruiter"))
        conversation(signed_in(browser, address, "phone", "officer"))
        officer(signed_in(browser, address, "desktop", "officer"))
        campaigns(signed_in(browser, address, "desktop", "manager"))
        browser.close()


def recruiter(page: Page) -> None:
    """The opt-in of the walk-through, on a phone."""
    page.goto("/admin/record/")
    page.get_by_label("Mobile number").press_sequentially("312 345 6789")
    page.get_by_label("Name").fill("Zoë Prova")
    page.get_by_role("button", name="Officina Lavoro").tap()
    page.locator('label:has([name^="answer_"][value="yes"])').locator("visible=true").first.tap()
    page.get_by_text("Spoken", exact=True).tap()
    page.get_by_text("I read this word for word").tap()
    page.get_by_label("Place or event").fill("Job fair Milano")
    page.evaluate("window.scrollTo(0, 0)")
    shoot(page, "record-phone")
    page.get_by_role("button", name="Save", exact=True).tap()
    page.get_by_role("heading", name="Recorded").wait_for()


def conversation(page: Page) -> None:
    """Somebody wrote; the time to answer runs."""
    page.goto("/admin/campaigns/conversation/")
    page.locator("#result_list a[href*='/conversation/']").first.click()
    page.wait_for_load_state()
    shoot(page, "conversation-phone")


def campaigns(page: Page) -> None:
    """A campaign being written, and one that was sent."""
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("[name=name]", "Warehouse jobs this week")
    for field, label in (("purpose", "Officina Lavoro: Job alerts"), ("audience", "Applicants in Italy")):
        page.select_option(f"[name={field}]", label=label)
    page.select_option("[name=sender]", label="48123 · Officina Lavoro")
    page.locator("textarea").first.fill("{brand}: 12 new warehouse jobs near you, {first_name}. Day shifts – from €14.")
    page.locator("[data-preview]").get_by_text("12 new warehouse jobs").first.wait_for()
    shoot(page, "composer", whole=True)
    page.goto("/admin/campaigns/campaign/?state__exact=completed")
    page.locator("#result_list a[href*='/campaign/']").first.click()
    page.wait_for_load_state()
    shoot(page, "campaign")


def officer(page: Page) -> None:
    """The front page, the person found, the reasons, the import."""
    shoot(page, "dashboard", whole=True)
    page.goto("/admin/contacts/contact/")
    page.fill("#searchbar", "0039 312 3456789")
    page.press("#searchbar", "Enter")
    page.get_by_role("link", name="Zoë Prova").click()
    page.wait_for_url("**/change/**")
    shoot(page, "contact")
    page.goto("/admin/explain/")
    page.fill("[name=number]", "+39 312 345 6789")
    page.select_option("[name=purpose]", label="Officina Lavoro: Job alerts")
    page.locator("#content-main form [type=submit]").first.click()
    page.wait_for_load_state()
    shoot(page, "explain")
    page.goto("/admin/ledger/importbatch/add/")
    page.set_input_files("[type=file]", ROOT / "tests" / "data" / "opt_ins.csv")
    page.fill("[name=reason]", "Opt-ins of the spring fairs")
    page.locator("#content-main form [type=submit]").first.click()
    page.get_by_text("This is what applying the file would do").wait_for(timeout=120_000)
    shoot(page, "import")


if __name__ == "__main__":
    main()
