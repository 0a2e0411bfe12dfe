"""One Chromium for all browser tests, a phone and a desktop, and watchers that fail a test on what a person with the
console open would see: errors, a broken content policy, a request to another host."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "desktop": {"viewport": {"width": 1440, "height": 900}},
}
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
_BLOCKING = {"serious", "critical"}


def find_chromium() -> str | None:
    """The browser to drive: CHROMIUM, or one of its usual names."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = find_chromium() is None
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason="no Chromium found: install it or set CHROMIUM"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Started once, stopped at the end. Playwright's loop runs in this thread: Django would take it for async code."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before
    asyncio.set_event_loop(None)


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """``open_page("phone", recruiter)``: a page of that size with that person's session; anonymous without a person.

    When the test ends, whatever went wrong in the console or on the network of any page fails it.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(size: str, user: Any = None) -> Page:
        context = browser.new_context(base_url=live_server.url, locale="en-GB", **SIZES[size])
        contexts.append(context)
        context.set_default_timeout(10_000)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        watch(page, live_server.url, complaints)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """``phone(recruiter)``: 390 × 844, touched."""
    return lambda user=None: open_page("phone", user)


@pytest.fixture
def desktop(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """``desktop(officer)``: 1440 × 900."""
    return lambda user=None: open_page("desktop", user)


def session_cookie(user: Any, url: str) -> Any:
    """The cookie of a session of ``user``, as the log-in page would set it."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": url,
    }


def watch(page: Page, url: str, complaints: list[str]) -> None:
    """Collect what the page complains about; a refused form is the server speaking, not a fault."""
    host = urlsplit(url).netloc

    def said(message: Any) -> None:
        if message.type == "error" and "status of 422" not in message.text:
            complaints.append(f"console: {message.text} ({page.url})")

    def asked(request: Any) -> None:
        target = urlsplit(request.url)
        if target.scheme in ("http", "https") and target.netloc != host:
            complaints.append(f"request to another host: {target.netloc} ({page.url})")

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"script: {error} ({page.url})"))
    page.on("request", asked)
    page.on("requestfailed", lambda r: complaints.append(f"failed: {urlsplit(r.url).path} {r.failure}"))


def check_accessible(page: Page, *, colours: bool = True) -> None:
    """Fail on any violation that axe-core calls serious or critical.

    Args:
        page: where.
        colours: whether to measure contrast, which is most of the time it takes; once for each page is enough.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(f"() => {{ {AXE} }}")  # by the browser itself, so the page's content policy stays in force
    # Without preload: it copies style sheets into the page, which the content policy rightly refuses.
    options = {"preload": False, "resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
    found = page.evaluate("options => axe.run(document, options)", options)
    serious = [
        f"{v['id']} ({v['impact']}): {v['help']}\n    " + "\n    ".join(n["html"][:200] for n in v["nodes"][:4])
        for v in found["violations"]
        if v["impact"] in _BLOCKING
    ]
    assert not serious, f"{page.url}\n" + "\n".join(serious)


def check_fits(page: Page) -> None:
    """Fail when the document is wider than the window was made; a phone zooms out to hide that."""
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    window = page.viewport_size["width"]  # type: ignore[index]
    assert wide <= window, f"{page.url} is {wide} px wide in a window of {window} px"
