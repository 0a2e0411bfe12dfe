"""Whether a text may have reached a gateway is never guessed."""

import datetime
import ipaddress
import os
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from campaigns.gateways import wire
from campaigns.gateways.base import OutcomeUnknown, Refused
from tests.campaigns.gateways import stub as stubs
from tests.campaigns.gateways.kannel import free_ports


def test_nobody_there_is_a_refusal_for_later() -> None:
    (port,) = free_ports(1)
    assert wire.call("POST", f"http://127.0.0.1:{port}/") == Refused("connect", temporary=True)


@pytest.mark.parametrize("address", ["", "no-scheme", "ftp://127.0.0.1/", "http://", "http://[", "http://127.0.0.1:x/"])
def test_an_address_that_is_none_is_our_fault(address: str) -> None:
    assert wire.call("POST", address) == Refused("address", temporary=True, ours=True)


def test_a_header_that_cannot_be_sent_is_our_fault(stub: stubs.Stub) -> None:
    refused = wire.call("POST", stub.url, headers={"X-From": " a\r\nb"})
    assert refused == Refused("address", temporary=True, ours=True)
    assert stub.calls == []


@pytest.mark.parametrize("how", [stubs.HANG, stubs.BREAK])
@pytest.mark.usefixtures("impatient")
def test_after_the_first_byte_nobody_knows(stub: stubs.Stub, how: str) -> None:
    stub.answer = how
    with pytest.raises(OutcomeUnknown) as raised:
        wire.call("POST", stub.url + "/+393120000001", data=b"a text")
    assert "39312" not in str(raised.value)
    assert len(stub.calls) == 1  # never a second time by itself


@pytest.mark.usefixtures("impatient")
def test_also_on_a_connection_that_was_used_before(stub: stubs.Stub) -> None:
    answered = wire.call("POST", stub.url)
    assert isinstance(answered, wire.requests.Response)
    stub.answer = stubs.BREAK
    with pytest.raises(OutcomeUnknown):
        wire.call("POST", stub.url)
    assert len(stub.calls) == 2


def test_an_answer_that_breaks_off_leaves_it_unknown(stub: stubs.Stub) -> None:
    stub.headers = {"Content-Encoding": "gzip"}
    stub.answer = (200, b"not gzip")
    with pytest.raises(OutcomeUnknown):
        wire.call("POST", stub.url)


def test_no_redirect_is_followed_and_no_proxy_asked(stub: stubs.Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    stub.headers = {"Location": "/elsewhere"}
    stub.answer = (302, b"")
    answered = wire.call("POST", stub.url)
    assert isinstance(answered, wire.requests.Response)
    assert answered.status_code == 302
    assert len(stub.calls) == 1


def certified(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both = folder / "pair.pem"
    both.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


def test_a_certificate_nobody_vouches_for_gets_no_text(tmp_path: Path) -> None:
    import socket

    context = certified(tmp_path)
    got: list[Any] = []

    def greet() -> None:
        try:
            with context.wrap_socket(listener.accept()[0], server_side=True) as talk:
                got.append(talk.recv(1))
        except (OSError, ssl.SSLError):
            got.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=greet)
        server.start()
        refused = wire.call("POST", f"https://127.0.0.1:{listener.getsockname()[1]}/", data=b"a text")
        server.join(timeout=5)
    assert refused == Refused("certificate", temporary=True, ours=True)
    assert got == [b""]


def test_tls_to_a_server_without_it_sends_nothing(stub: stubs.Stub) -> None:
    refused = wire.call("POST", stub.url.replace("http:", "https:"), data=b"a text")
    assert isinstance(refused, Refused)
    assert refused.temporary
    assert stub.calls == []


def test_a_forked_worker_opens_its_own_connections(stub: stubs.Stub) -> None:
    wire.call("GET", stub.url)
    child = os.fork()
    if child == 0:  # no asserts in here: it must end without pytest
        os._exit(1 if hasattr(wire._OWN, "session") else 0)
    assert os.waitpid(child, 0)[1] == 0
    assert hasattr(wire._OWN, "session")
