"""Evidence files: accepted for what they are, refused for what they pretend, seen only by those who may."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.contacts.models import Contact
from consent.core.errors import FileRefused
from consent.ledger import evidence, transitions
from consent.ledger.models import Proof
from tests import factories, files


def upload(content: bytes, name: str = "form.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


@pytest.mark.parametrize("kind", files.ALL)
def test_each_kind_is_known_by_its_content_whatever_it_is_called(kind: str) -> None:
    found, sha256 = evidence.check(upload(files.ALL[kind], "holiday.html", "text/html"))
    assert (found, len(sha256)) == (kind, 64)


def test_recordings_without_a_tag_and_photos_with_a_preview_behind_them_are_whole() -> None:
    assert evidence.check(upload(files.mp3(tagged=False)))[0] == "mp3"
    assert evidence.check(upload(files.jpeg() + files.jpeg()))[0] == "jpeg"


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a.txt", "hello")
    return buffer.getvalue()


HOSTILE = {
    "page called a picture": b"<!doctype html><script>alert(1)</script>",
    "drawing that can run": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "archive": archive(),
    "program": b"MZ\x90\0" + b"\0" * 60,
    "text": b"I say yes",
    "video": files.m4a(b"vide"),
    "picture with a page behind it": files.png() + b"<html><script>alert(1)</script>",
    "photo with a page behind it": files.jpeg() + b"<script>alert(1)</script>",
    "photo with an archive behind it": files.jpeg() + archive(),
    "document with an archive behind it": files.pdf()[:-7] + archive() + b"startxref\n9\n%%EOF\n",
    "page before a document": b"<html>" + files.pdf(),
    "picture whose checksum lies": files.png().replace(b"IDAT", b"IDAX"),
    "photo without a frame": b"\xff\xd8\xff\xda\0\2\xff\xd9",
    "one frame of sound": files.mp3(1),
    "bare signature": b"\xff\xd8\xff",
    "sound that claims more than it has": files.wav()[:4] + b"\xff\xff\xff\x7f" + files.wav()[8:],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_something_else_or_two_things_at_once_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused, match=r"^(This is not a photo|The file is damaged)"):
        evidence.check(upload(content, "form.png", "image/png"))


@pytest.mark.parametrize("kind", files.ALL)
def test_a_file_cut_off_is_refused(kind: str) -> None:
    whole = files.mp3(2) if kind == "mp3" else files.ALL[kind]
    with pytest.raises(FileRefused, match=r"damaged|not a photo"):
        evidence.check(upload(whole[: len(whole) * 3 // 4]))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileRefused, match="empty"):
        evidence.check(upload(b""))


def test_the_size_limit_holds_to_the_byte(settings: Any) -> None:
    settings.EVIDENCE_MAX_BYTES = len(files.png())
    assert evidence.check(upload(files.png()))[0] == "png"
    settings.EVIDENCE_MAX_BYTES -= 1
    with pytest.raises(FileRefused, match="larger than"):
        evidence.check(upload(files.png()))


def kept() -> list[str]:
    try:
        folders, _files = default_storage.listdir("evidence")
    except FileNotFoundError:
        return []
    return [name for folder in folders for name in default_storage.listdir(f"evidence/{folder}")[1]]


def test_a_file_stays_only_when_its_proof_does() -> None:
    with evidence.stored(upload(files.png(), "Ada Prova.png")) as stored:
        assert stored is not None
        assert len(kept()) == 1
    assert kept() == []
    with pytest.raises(ZeroDivisionError), evidence.stored(upload(files.png())) as stored:
        stored.keep()  # type: ignore[union-attr]
        raise ZeroDivisionError
    assert kept() == []
    with evidence.stored(upload(files.png())) as stored:
        stored.keep()  # type: ignore[union-attr]
    (name,) = kept()
    assert len(name) == 32
    with evidence.stored(None) as nothing:
        assert nothing is None


@pytest.fixture
def proof(db: None, recruiter: Any) -> Proof:
    """A signed form that the recruiter photographed, of a person somebody else put on record."""
    purpose = factories.purpose()
    file = default_storage.save("evidence/ab/0123", ContentFile(files.jpeg()))
    act = factories.act(purpose, method="paper", file=file, file_type="jpeg", recorded_by_user=recruiter)
    with factories.acting():
        transitions.record_answer(factories.contact(), purpose, act)
    return Proof.objects.get()


def test_evidence_leaves_as_a_download_that_nothing_runs_and_that_names_nobody(
    proof: Proof, officer: Any, sign_in: Any
) -> None:
    response = sign_in(officer).get(reverse("admin:evidence", args=[proof.uid]))
    assert b"".join(response.streaming_content) == files.jpeg()
    assert response["Content-Disposition"] == f'attachment; filename="evidence-{proof.uid}.jpg"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]
    response.close()


@pytest.mark.parametrize(
    ("role", "status"),
    [("officer", 200), ("auditor", 200), ("recruiter", 200), ("manager", 404), ("stranger", 302)],
)
def test_evidence_is_there_only_for_those_who_may_see_the_consent(
    proof: Proof, role: str, status: int, request: pytest.FixtureRequest, sign_in: Any
) -> None:
    response = sign_in(request.getfixturevalue(role)).get(reverse("admin:evidence", args=[proof.uid]))
    assert response.status_code == status
    response.close()


def test_a_recruiter_does_not_see_the_evidence_of_others(proof: Proof, django_user_model: Any, sign_in: Any) -> None:
    other = django_user_model.objects.create_user("other", is_staff=True)
    other.groups.set(proof.recorded_by_user.groups.all())  # type: ignore[union-attr]
    url = reverse("admin:evidence", args=[proof.uid])
    assert sign_in(other).get(url).status_code == 404
    Contact.objects.update(created_by=other)
    response = sign_in(other).get(url)
    assert response.status_code == 200
    response.close()


def test_evidence_that_is_not_there_is_not_found(proof: Proof, officer: Any, sign_in: Any) -> None:
    default_storage.delete(proof.file.name)
    client: Client = sign_in(officer)
    assert client.get(reverse("admin:evidence", args=[proof.uid])).status_code == 404
    assert client.post(reverse("admin:evidence", args=[proof.uid])).status_code == 405
    assert client.get(reverse("admin:evidence", args=["00000000-0000-4000-8000-000000000000"])).status_code == 404
