"""Evidence files: what they really are, by their content, and a place for them that survives only with its proof.

Neither the name nor the header of an upload is believed. A file must be one kind from its first byte to its last: a
picture with a page or an archive hidden behind it is refused. Kept under a random name outside the static tree.
"""

import hashlib
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from consent.core.errors import FileRefused
from consent.ledger.models.proofs import Proof, evidence_path

# Marks of a page or program hidden behind a picture, long enough not to turn up in compressed data by chance.
_HIDDEN = (b"%pdf-", b"<!doctype", b"<html", b"<script", b"<svg ", b"<?php")
_ARCHIVE_END, _ARCHIVE_TAIL = b"PK\x05\x06", 66_000  # how far from its end an archive's directory can be
_PNG = b"\x89PNG\r\n\x1a\n"
_AUDIO_BOXES = {b"ftyp", b"moov", b"mdat"}
_MP3_BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # MPEG 1 layer III, kbit/s
_MP3_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # MPEG 2 and 2.5 layer III
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass
class Evidence:
    """A stored file waiting for its proof: what goes into an ``Act``.

    Attributes:
        file: its name in the private store.
        file_type: what it is, such as ``pdf``.
        file_sha256: 64 hexadecimal digits.
    """

    file: str
    file_type: str
    file_sha256: str
    _wanted: bool = False

    def keep(self) -> None:
        """A proof points at the file now; without this call it is removed when the block ends."""
        self._wanted = True


def check(upload: Any) -> tuple[str, str]:
    """What an upload is and its fingerprint; it is read from its start and left there.

    Args:
        upload: a Django file.

    Returns:
        The type (``pdf``, ``png``, ``jpeg``, ``m4a``, ``mp3`` or ``wav``) and the SHA-256 in hexadecimal.

    Raises:
        FileRefused: empty, above EVIDENCE_MAX_BYTES, of another kind, cut off, or two kinds in one.
    """
    if not upload.size:
        raise FileRefused(_("The file is empty. Take the photo again."), rule="C2")
    if upload.size > settings.EVIDENCE_MAX_BYTES:
        raise FileRefused(
            _("The file is larger than %(limit)s. Take a smaller photo or a shorter recording.")
            % {"limit": filesizeformat(settings.EVIDENCE_MAX_BYTES)},
            rule="C2",
        )
    upload.seek(0)
    content = upload.read()
    upload.seek(0)
    for kind, (looks_like, is_whole) in _KINDS.items():
        if looks_like(content):
            try:
                whole = is_whole(content)
            except (struct.error, IndexError):
                whole = False
            if not whole:
                raise FileRefused(
                    _("The file is damaged, cut off or has something else hidden in it. Take it again."), rule="C2"
                )
            return kind, hashlib.sha256(content).hexdigest()
    raise FileRefused(
        _("This is not a photo (JPEG, PNG), a PDF or a recording (M4A, MP3, WAV), whatever its name says."), rule="C2"
    )


@contextmanager
def stored(upload: Any) -> Iterator[Evidence | None]:
    """Check and store an upload for the block; it stays only if the block ends well and called ``keep``.

    Open it *outside* the transaction that writes the proof: when that fails, the file goes.

    Args:
        upload: a Django file, or nothing.

    Raises:
        FileRefused: ``check`` does not accept it; nothing was stored.
    """
    if not upload:
        yield None
        return
    kind, sha256 = check(upload)
    name = default_storage.save(evidence_path(Proof(), ""), ContentFile(upload.read()))
    evidence = Evidence(name, kind, sha256)
    done = False
    try:
        yield evidence
        done = evidence._wanted
    finally:
        if not done:
            default_storage.delete(name)


def download_name(uid: uuid.UUID, kind: str) -> str:
    """A file name that says nothing about the person."""
    return f"evidence-{uid}.{'jpg' if kind == 'jpeg' else kind}"


def _clean(content: bytes) -> bool:
    lowered = content.lower()
    return not any(mark in lowered for mark in _HIDDEN) and not _archive(content)


def _archive(content: bytes) -> bool:
    return _ARCHIVE_END in content[-_ARCHIVE_TAIL:]


def _whole_pdf(content: bytes) -> bool:
    tail = content[-2048:]
    return b"%%EOF" in tail and b"startxref" in tail and b" obj" in content and not _archive(content)


def _whole_png(content: bytes) -> bool:
    at, seen = len(_PNG), []
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        (crc,) = struct.unpack_from(">I", content, end - 4)
        if crc != zlib.crc32(content[at + 4 : end - 4]):
            return False
        if name != b"IDAT" and not _clean(content[at:end]):
            return False
        seen.append(name)
        at = end
        if name == b"IEND":
            break
    return at == len(content) and seen[0] == b"IHDR" and b"IDAT" in seen and seen[-1] == b"IEND"


def _whole_jpeg(content: bytes) -> bool:
    """Segments up to the picture, a frame header among them, and the end of image after it.

    Phones append previews and depth maps after the end, so more may follow, but nothing a browser would run.
    """
    at, framed = 2, False
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == 0xDA:
            end = content.find(b"\xff\xd9", at)
            # The segments before the picture may quote markup (XMP); what follows the picture may not.
            return framed and end > at and _clean(content[end:])
        framed |= 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        (length,) = struct.unpack_from(">H", content, at + 2)
        if length < 2:
            return False
        at += 2 + length
    return False


def _whole_wav(content: bytes) -> bool:
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 not in (len(content), len(content) - 1):  # an odd length may be padded
        return False
    at, seen = 12, set()
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        seen.add(name)
        at += 8 + length + length % 2
    return {b"fmt ", b"data"} <= seen and at <= len(content) + 1


def _whole_m4a(content: bytes) -> bool:
    at, seen = 0, set()
    moov = b""
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", content, at + 8)
        elif length == 0:
            length = len(content) - at
        if length < 8 or at + length > len(content):
            return False
        if name == b"moov":
            moov = content[at : at + length]
        seen.add(name)
        at += length
    return seen >= _AUDIO_BOXES and b"soun" in moov and b"vide" not in moov


def _mp3_frame(content: bytes, at: int) -> int:
    """The length of the frame of MPEG layer III at ``at`` in bytes, 0 when there is none."""
    (head,) = struct.unpack_from(">I", content, at)
    version, layer, bitrate, rate = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return 0
    kbits = (_MP3_BITRATES if version == 3 else _MP3_BITRATES_2)[bitrate]
    return (144 if version == 3 else 72) * kbits * 1000 // _MP3_RATES[version][rate] + (head >> 9 & 1)


def _mp3_start(content: bytes) -> int:
    if content[:3] != b"ID3":
        return 0
    a, b, c, d = content[6:10]  # seven bits each
    return 10 + (a << 21 | b << 14 | c << 7 | d)


def _whole_mp3(content: bytes) -> bool:
    """Two frames in a row: one alone may be chance."""
    at = _mp3_start(content)
    for _frame in range(2):
        length = _mp3_frame(content, at)
        if not length or at + length > len(content):
            return False
        at += length
    return True


def _like_mp3(content: bytes) -> bool:
    return content[:3] == b"ID3" or (content[:1] == b"\xff" and len(content) > 3 and _mp3_frame(content, 0) > 0)


_KINDS: dict[str, tuple[Callable[[bytes], bool], Callable[[bytes], bool]]] = {
    "pdf": (lambda c: c.startswith(b"%PDF-"), _whole_pdf),
    "png": (lambda c: c.startswith(_PNG), _whole_png),
    "jpeg": (lambda c: c.startswith(b"\xff\xd8\xff"), _whole_jpeg),
    "wav": (lambda c: c[:4] == b"RIFF" and c[8:12] == b"WAVE", _whole_wav),
    "m4a": (lambda c: c[4:8] == b"ftyp", _whole_m4a),
    "mp3": (_like_mp3, _whole_mp3),
}
