"""Small files that are what they say, for uploads."""

import struct
import zlib


def png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    frame = struct.pack(">BHHBBBB", 8, 1, 1, 1, 1, 0x11, 0)
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
        + segment(0xC0, frame)
        + segment(0xDA, b"\1\1\0\0\x3f\0")
        + b"\x55\xaa\xff\xd9"
    )


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


def wav() -> bytes:
    body = (
        b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 4) + b"\x80" * 4
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp3(frames: int = 3, *, tagged: bool = True) -> bytes:
    frame = b"\xff\xfb\x90\x00" + b"\0" * 413  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes
    return (b"ID3\4\0\0\0\0\0\4abcd" if tagged else b"") + frame * frames


def m4a(handler: bytes = b"soun") -> bytes:
    def box(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data) + 8) + name + data

    return box(b"ftyp", b"M4A \0\0\0\0M4A ") + box(b"moov", box(b"hdlr", b"\0" * 8 + handler)) + box(b"mdat", b"\0" * 9)


ALL = {"pdf": pdf(), "png": png(), "jpeg": jpeg(), "wav": wav(), "mp3": mp3(), "m4a": m4a()}
