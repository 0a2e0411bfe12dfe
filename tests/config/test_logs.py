"""Personal data never reaches a log line or an error page (P10)."""

import io
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as configured

from tests.config import broken_urls

NUMBER = broken_urls.NUMBER


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the configured handler writes."""
    logging.config.dictConfig(configured.LOGGING)
    handler = next(h for h in logging.getLogger().handlers if type(h.formatter).__module__ == "consent.core.logs")
    written = io.StringIO()
    before = handler.setStream(written)  # type: ignore[attr-defined]
    yield written
    handler.setStream(before)  # type: ignore[attr-defined]
    logging.getLogger().removeHandler(handler)


def test_an_exception_is_logged_by_kind_and_place(log: io.StringIO) -> None:
    try:
        broken_urls._break(None)  # type: ignore[arg-type]
    except ValueError as error:
        logging.getLogger("placet").exception("It failed: %s", error)
    assert "It failed: ValueError" in log.getvalue()
    assert "broken_urls.py" in log.getvalue()
    assert NUMBER not in log.getvalue()


def test_another_formatter_before_ours_does_not_leak_through_the_record(log: io.StringIO) -> None:
    first = logging.StreamHandler(io.StringIO())
    logging.getLogger("placet").addHandler(first)
    try:
        broken_urls._break(None)  # type: ignore[arg-type]
    except ValueError:
        logging.getLogger("placet").exception("It failed")
    logging.getLogger("placet").removeHandler(first)
    assert NUMBER in first.stream.getvalue()
    assert NUMBER not in log.getvalue()


def test_a_failing_task_is_logged_without_its_message(log: io.StringIO) -> None:
    app = Celery("quiet", broker="memory://", set_as_current=False)

    @app.task(name="break")
    def broken() -> None:
        broken_urls._break(None)  # type: ignore[arg-type]

    broken.apply()
    assert "Task break" in log.getvalue()
    assert "ValueError" in log.getvalue()
    assert NUMBER not in log.getvalue()


def test_an_error_page_says_nothing_and_its_log_line_only_where(log: io.StringIO, client: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.config.broken_urls"
    client.raise_request_exception = False
    answer = client.get("/admin/broken/", {"q": NUMBER})
    assert answer.status_code == 500
    assert b"345" not in answer.content
    assert "/admin/broken/" in log.getvalue()
    assert "ValueError" in log.getvalue()
    assert "345" not in log.getvalue()


def test_the_web_server_keeps_no_access_log() -> None:
    from config import gunicorn

    assert gunicorn.accesslog is None
    assert gunicorn.logconfig_dict["formatters"]["private"]["()"] == "consent.core.logs.PrivateFormatter"
    assert gunicorn.logconfig_dict["loggers"]["gunicorn.error"]["handlers"] == []
