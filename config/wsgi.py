"""WSGI entry point, for gunicorn."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application


class Request(WSGIRequest):
    """A request that may claim a character set Python knows but cannot read texts with, such as ``hex``.

    Django would end with a server error before any page is asked; here the claim is forgotten.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
            "x".encode(self.encoding or "utf-8")
        except (LookupError, UnicodeError):
            self._encoding = None


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
application.request_class = Request
