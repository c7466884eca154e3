"""Small true sound files, pictures and hostile tags for the library's tests."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import av
import numpy as np
from mutagen.flac import Picture
from mutagen.id3 import APIC, COMM, ID3, TALB, TCOM, TCON, TDRC, TIT2, TPE1, TPE2, TPUB, TSRC

_CODECS = {
    ".mp3": ("libmp3lame", "s16p"),
    ".flac": ("flac", "s16"),
    ".wav": ("pcm_s16le", "s16"),
    ".aiff": ("pcm_s16be", "s16"),
    ".m4a": ("aac", "fltp"),
    ".opus": ("libopus", "flt"),
    ".ogg": ("vorbis", "fltp"),
    ".wv": ("wavpack", "s16p"),
}


def tone(
    path: Path, *, seconds: float = 0.5, hz: float = 440.0, metadata: dict[str, str] | None = None
) -> Path:
    """Write a sine tone in the format that the name's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec, sample_format = _CODECS[path.suffix]
    time_s = np.arange(int(48_000 * seconds)) / 48_000
    wave = (np.sin(2 * np.pi * hz * time_s) * 8000).astype(np.int16)
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=48_000)
        stream.codec_context.layout = "stereo"
        stream.codec_context.format = sample_format
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        resampler = av.AudioResampler(
            sample_format, "stereo", 48_000, stream.codec_context.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None, :], format="s16", layout="stereo")
        frame.sample_rate = 48_000
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def png(
    width: int = 8, height: int = 8, *, claimed: tuple[int, int] | None = None, shade: int = 128
) -> bytes:
    """A grey PNG; ``claimed`` are other dimensions for its header."""
    rows = (b"\0" + bytes([shade]) * width) * height
    header = struct.pack(">IIBBBBB", *(claimed or (width, height)), 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in parts)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int, height: int) -> bytes:
    """The head of a JPEG: JFIF segment, progressive frame header."""
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + app0 + frame + b"\xff\xda"


def id3_words(title: str = "Harbour lights") -> ID3:
    """A full ID3v2.4 tag."""
    tag = ID3()
    tag.add(TIT2(encoding=3, text=[title]))
    tag.add(TPE1(encoding=3, text=["The Tern Trio", "Ada Quay"]))
    tag.add(TALB(encoding=3, text=["Slack water"]))
    tag.add(TPE2(encoding=3, text=["Various"]))
    tag.add(TCON(encoding=3, text=["(8)"]))
    tag.add(TDRC(encoding=3, text=["2019-03-01T12:00:00"]))
    tag.add(TCOM(encoding=3, text=["B. Reef"]))
    tag.add(TPUB(encoding=3, text=["Low Tide Records"]))
    tag.add(TSRC(encoding=3, text=["gb-abc-19-00012"]))
    tag.add(COMM(encoding=3, lang="eng", desc="iTunNORM", text=["0000"]))
    tag.add(COMM(encoding=3, lang="eng", desc="", text=["From the\r\nmaster tape"]))
    return tag


def with_picture(tag: ID3, data: bytes, *, kind: int = 3) -> ID3:
    """The tag with a picture more."""
    tag.add(APIC(encoding=3, mime="image/png", type=kind, desc=f"picture {kind}", data=data))
    return tag


def picture_block(data: bytes) -> str:
    """A METADATA_BLOCK_PICTURE comment."""
    block = Picture()
    block.type, block.mime, block.data = 3, "image/png", data
    return base64.b64encode(block.write()).decode()


def id3_bytes(frames: bytes, *, version: int = 4) -> bytes:
    """An ID3v2 tag around raw frames."""
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, 0]) + size + frames


def many_frames(count: int) -> bytes:
    """An ID3v2.4 tag of ``count`` user text frames."""
    body = b"\x03" + b"k\0v"
    frame = b"TXXX" + struct.pack(">I", len(body)) + b"\0\0" + body
    return id3_bytes(frame * count)


def zlib_bomb() -> bytes:
    """An ID3v2.4 tag with a title of 60 MB, compressed."""
    packed = zlib.compress(b"\x03" + b"A" * 60_000_000, 9)
    body = bytes(60_000_001 >> shift & 0x7F for shift in (21, 14, 7, 0)) + packed
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return id3_bytes(b"TIT2" + size + b"\0\x09" + body)
