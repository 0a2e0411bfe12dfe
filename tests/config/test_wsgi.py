"""What gunicorn calls."""

import pytest
from django.test import RequestFactory

from config.wsgi import Request, application

FORM = "application/x-www-form-urlencoded"


def test_gunicorn_gets_our_requests() -> None:
    assert application.request_class is Request


@pytest.mark.parametrize("charset", ["hex", "undefined", "zlib", "no-such-one", "\xff", "utf-8"])
def test_a_character_set_that_cannot_be_read_is_no_server_error(charset: str) -> None:
    environ = RequestFactory().post("/hooks/", b"a=%C3%A9", FORM, query_params={"q": "é"}).environ
    request = Request({**environ, "CONTENT_TYPE": f"{FORM}; charset={charset}"})
    assert request.GET["q"] == "é"
    assert request.POST["a"] == "é"
