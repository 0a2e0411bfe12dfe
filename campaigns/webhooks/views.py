"""Where gateways call. A call is verified, understood, kept, answered; nothing in it can break us.

Verified calls get 200 whatever they say, because gateways retry anything else and then drop it; only when a text or a
receipt could not be kept do they get 503, so that they come again. All others get 403 and change nothing.
"""

import logging
from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from campaigns import gateways
from campaigns.gateways.base import Callback, Gateway

LARGEST_BODY = 64 * 1024
_FORM = "application/x-www-form-urlencoded"
_REPLIES_NOTHING = {"twilio": (b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")}
logger = logging.getLogger(__name__)


@csrf_exempt
def inbound(request: HttpRequest, gateway: str, secret: str = "") -> HttpResponse:
    """A text somebody sent us."""

    def keep(way: Gateway, call: Callback) -> None:
        if found := way.parse_inbound(call):
            from campaigns import inbound as texts

            texts.receive(gateway, found)

    return _answer(request, gateway, keep, secret=secret)


@csrf_exempt
def receipt(request: HttpRequest, gateway: str, secret: str = "", reference: int | None = None) -> HttpResponse:
    """The carrier's word about a text of ours."""

    def keep(way: Gateway, call: Callback) -> None:
        if found := way.parse_status(call):
            from campaigns import outcomes

            outcomes.receive(gateway, found)

    return _answer(request, gateway, keep, secret=secret, reference=reference)


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Any other address below: without a line in the log, which would quote the secret of a mistyped one."""
    return _quietly(HttpResponse(status=404))


def _answer(
    request: HttpRequest, gateway: str, keep: Callable[[Gateway, Callback], None], *, secret: str = "",
    reference: int | None = None,
) -> HttpResponse:  # fmt: skip
    try:
        way = gateways.get(gateway)
    except gateways.NotConfigured:
        return _quietly(HttpResponse(status=403))
    try:
        call = _callback(request, secret, reference)
    except (SuspiciousOperation, OSError):  # too many fields; broken off
        return _quietly(HttpResponse(status=400))
    if call is None:
        return _quietly(HttpResponse(status=413))
    if not way.verify(call):
        logger.warning("A call in the name of the gateway %s was refused", gateway)
        return _quietly(HttpResponse(status=403))
    try:
        keep(way, call)
    except Exception:  # whatever it is, the gateway has the text still and can bring it again
        logger.exception("A call of the gateway %s could not be kept", gateway)
        return _quietly(HttpResponse(status=503))
    content, kind = _REPLIES_NOTHING.get(gateway, (b"", "text/plain"))
    return HttpResponse(content, content_type=kind)


def _callback(request: HttpRequest, secret: str, reference: int | None) -> Callback | None:
    """The call without its framework; None when it is too large to be one.

    Fields are read here, always as UTF-8: Django would follow whatever character set the caller claims.
    """
    if not (request.META.get("CONTENT_LENGTH") or "0").isdecimal():
        raise OSError("a length that is none")
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        return None
    query = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    return Callback(
        method=request.method or "",
        path=request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=QueryDict(query, encoding="utf-8"),
        form=QueryDict(request.body if request.content_type == _FORM else b"", encoding="utf-8"),
        body=request.body,
        address=request.META.get("REMOTE_ADDR", ""),
        secret=secret,
        reference=reference,
    )


def _quietly(response: HttpResponse) -> HttpResponse:
    """The answer without Django's own line in the log: it quotes the address, and Kannel's holds the secret."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
