"""How gateways are reached: one session per thread, hard limits of time, nothing taken from the environment."""

import json
import os
import threading
from typing import Any

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from campaigns.gateways.base import OutcomeUnknown, Refused

TIMEOUT = (3.05, 10.0)  # seconds: to connect; between two pieces of the answer
_OWN = threading.local()  # session; whether a byte of the call under way has left
os.register_at_fork(after_in_child=_OWN.__dict__.clear)  # two processes on one connection would mix their answers


def call(method: str, url: str, **how: Any) -> requests.Response | Refused:
    """Call a gateway once; never a second time, never on to another address.

    Returns:
        its answer, or a refusal when nothing can have reached it.

    Raises:
        OutcomeUnknown: the connection broke, or time was over, when the call may have reached it.
    """
    _OWN.begun = False
    try:
        return _session().request(method, url, timeout=TIMEOUT, allow_redirects=False, **how)
    except exceptions.RequestException as error:
        if not _OWN.begun:
            return _not_sent(error)
    raise OutcomeUnknown("The connection broke after the text may have been sent.")


def answer(response: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer; empty when there is none."""
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _not_sent(error: exceptions.RequestException) -> Refused:
    if isinstance(error, exceptions.SSLError):
        return Refused("certificate", temporary=True, ours=True)
    if isinstance(error, ValueError):  # the address or a header cannot be right
        return Refused("address", temporary=True, ours=True)
    return Refused("connect", temporary=True)


def _session() -> requests.Session:
    if not hasattr(_OWN, "session"):
        session = requests.Session()
        session.trust_env = False  # no proxies, no passwords from files
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter())
        _OWN.session = session
    return _OWN.session


# --- knowing whether anything was sent: errors do not say it, the connection does -------------------------------------


class _Plain(HTTPConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _OWN.begun = True
        super().send(data)


class _Secure(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _OWN.begun = True
        super().send(data)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        super().init_poolmanager(*args, **how)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
