"""What gunicorn calls."""

from typing import Any

import pytest
from django.test import RequestFactory

from config.wsgi import Request, application


@pytest.mark.parametrize("charset", ["hex", "undefined", "zlib", "no-such-one", "utf-16", "utf-7", "\xff"])
def test_a_character_set_that_cannot_be_read_is_no_server_error(charset: str) -> None:
    environ = RequestFactory().post("/hooks/", b"a=1", "application/x-www-form-urlencoded", query_params={"q": "é"}).META
    environ["CONTENT_TYPE"] = f"application/x-www-form-urlencoded; charset={charset}"
    assert application.request_class is Request
    started: list[Any] = []
    b"".join(application(environ, lambda status, headers: started.append(status)))
    assert started == ["404 Not Found"]
    request = Request(environ)
    assert (request.GET is not None, request.POST is not None) == (True, True)
