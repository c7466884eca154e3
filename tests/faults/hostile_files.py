"""Files that mean no good, or that a disk has spoiled, as values: written by hand, so that each is what it says."""

from __future__ import annotations

import os
import random
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from whole_service import tone


class Hostile(NamedTuple):
    """A file that the catalogue takes for an item of ``claims_ms``; ``plays`` where it is odd and harmless."""

    path: Path
    claims_ms: int = 1_100
    plays: bool = False


def syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(*frames: tuple[bytes, bytes], flags: bytes = b"\0\0") -> bytes:
    """An ID3v2.4 tag (id3.org, ID3v2.4.0 structure, section 3)."""
    body = b"".join(name + syncsafe(len(data)) + flags + data for name, data in frames)
    return b"ID3\x04\x00\x00" + syncsafe(len(body)) + body


def wav_head(data: bytes, *, rate_hz: int = 48_000, channels: int = 2, size: int | None = None) -> bytes:
    size = len(data) if size is None else size
    form = struct.pack("<HHIIHH", 1, channels & 0xFFFF, rate_hz, rate_hz * 4 & 0xFFFFFFFF, 4, 16)
    head = (
        b"RIFF"
        + struct.pack("<I", size + 36 & 0xFFFFFFFF)
        + b"WAVEfmt "
        + struct.pack("<I", len(form))
        + form
    )
    return head + b"data" + struct.pack("<I", size & 0xFFFFFFFF) + data


def png_bomb() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


def flipped(data: bytes, *, seed: int, share: float = 0.2) -> bytes:
    chance, spoiled = random.Random(seed), bytearray(data)
    for at in range(200, len(spoiled)):
        if chance.random() < share:
            spoiled[at] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def put_hostile_files(folder: Path, beside: Path) -> list[Hostile]:
    """Every kind of reference/playout.md section 7, in ``folder``; whole files to make them of come into ``beside``."""
    folder.mkdir(parents=True)
    mp3 = tone(beside / "whole.mp3", 440, seconds=2).read_bytes()
    flac = tone(beside / "whole.flac", 440, seconds=2).read_bytes()
    wav = tone(beside / "whole.wav", 440, seconds=2).read_bytes()
    chance = random.Random(7)
    made: list[Hostile] = []

    def put(name: str, data: bytes, claims_ms: int = 1_100, plays: bool = False) -> None:
        path = folder / name
        path.write_bytes(data)
        made.append(Hostile(path, claims_ms, plays))

    put("many-frames.mp3", id3(*[(b"TXXX", b"\x03k%d\0v" % number) for number in range(20_000)]) + mp3)
    bomb = syncsafe(50_000_000) + zlib.compress(b"\x03k\0" + bytes(50_000_000))
    put("zlib-bomb.mp3", id3((b"TXXX", bomb), flags=b"\0\x09") + mp3, plays=True)
    put("large-tag.mp3", b"ID3\x04\x00\x00" + syncsafe(60_000_000) + bytes(1_000_000) + mp3)
    cover = b"\0image/png\0\x03\0" + png_bomb()
    put("cover-bomb.mp3", id3((b"APIC", cover)) + mp3, plays=True)
    put("cut.mp3", mp3[: len(mp3) // 4], 1_600)
    put("cut.flac", flac[: len(flac) // 4], 1_600)
    put(
        "cut.m4a",
        b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + struct.pack(">I", 90_000) + b"mdat" + mp3,
    )
    xing = mp3.replace(mp3[4:40], mp3[4:40])  # the encoder's first frame carries the count
    for mark in (b"Xing", b"Info"):
        at = xing.find(mark)
        if at > 0:
            xing = xing[: at + 8] + b"\x7f\xff\xff\xff" + xing[at + 12 :]
    put("claims-much.mp3", xing, 1_600, plays=True)
    put("claims-much.flac", flac[:21] + bytes([flac[21] | 0x0F]) + b"\xff" * 4 + flac[26:], 1_100, plays=True)
    put("one-hertz.wav", wav_head(wav[44:], rate_hz=1))
    put("high-rate.wav", wav_head(wav[44:], rate_hz=268_000_000))
    put("many-channels.wav", wav_head(wav[44:], channels=65_535))
    put("endless.wav", wav_head(wav[44:1000], size=0xFFFF_FFF0), 1_600)
    put("flipped.flac", flipped(flac, seed=1), 1_600)
    put("flipped.mp3", flipped(mp3, seed=2), 1_600)
    put("empty.mp3", b"")
    put("text.mp3", b"hello, listener\n" * 500)
    put("page.wav", b"<html><body>404</body></html>" * 50)
    put("random.mp3", chance.randbytes(80_000))
    put("zeros.flac", bytes(80_000))
    put("flac-inside.mp3", flac, plays=True)
    put("-dash: 100%\nnew line.wav", wav, plays=True)
    target = folder.parent / "secret.txt"
    target.write_text("nobody may read this")
    put(
        "list.mp3",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{target}\n#EXT-X-ENDLIST\n".encode(),
    )
    put("concat.mp3", f"ffconcat version 1.0\nfile {target.name}\n".encode())
    os.mkfifo(folder / "pipe.mp3")
    made.append(Hostile(folder / "pipe.mp3"))
    return made
