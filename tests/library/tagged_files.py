"""Sound files with tags that nobody asked to change, and how to look at their parts from outside."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import av
from library_sounds import png, tone
from mutagen.aiff import AIFF
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, GEOB, ID3, PRIV, TENC, TPE4, TXXX, USLT
from mutagen.mp4 import MP4, AtomDataType, MP4Cover, MP4FreeForm
from mutagen.ogg import OggPage
from mutagen.wave import WAVE

from radio.audio.reader import LENIENT

PICTURE = png(40, 40)
STRAY = b"\xff\xfe odd \x00\x01\x02 bytes"


def bystanders(encoding: int = 3) -> list[Any]:
    """ID3 frames that no field of ours is kept in."""
    return [
        APIC(encoding=encoding, mime="image/png", type=3, desc="front", data=PICTURE),
        GEOB(encoding=encoding, mime="x/y", filename="f", desc="d", data=STRAY),
        PRIV(owner="someone", data=STRAY),
        USLT(encoding=encoding, lang="eng", desc="", text="La la"),
        TXXX(encoding=encoding, desc="Shelf", text=["B4"]),
        TENC(encoding=encoding, text=["A desk"]),
        TPE4(encoding=encoding, text=["The remixer"]),
        COMM(encoding=encoding, lang="eng", desc="iTunNORM", text=["0000"]),
    ]


def _mp3(path: Path, version: int, *, v1: bool = False, ape: bool = False) -> Path:
    tone(path, seconds=0.2)
    ID3(path).delete(path)
    tag = ID3()
    for frame in bystanders(3 if version == 4 else 1):
        tag.add(frame)
    tag.save(path, v1=2 if v1 else 0, v2_version=version)
    if ape:
        _ape(path)
    return path


def _mp3_v22(path: Path) -> Path:
    tone(path, seconds=0.2)
    ID3(path).delete(path)
    frames = [(b"TEN", b"\0A desk"), (b"PIC", b"\0PNG\x03front\0" + PICTURE), (b"TXX", b"\0Shelf\0B4")]
    body = b"".join(name + len(data).to_bytes(3, "big") + data for name, data in frames) + bytes(500)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x02\0\0" + size + body + path.read_bytes())
    return path


def _ape(path: Path) -> Path:
    tag = APEv2()
    tag["Shelf"] = "B4"
    tag["Cover Art (Front)"] = APEValue(b"front.png\0" + PICTURE, BINARY)
    tag.save(path)
    return path


def _only_ape(path: Path) -> Path:
    tone(path, seconds=0.2)
    ID3(path).delete(path)
    return _ape(path)


def _monkey(path: Path) -> Path:
    """The head of a Monkey's Audio file and bytes for its sound; there is no encoder at hand."""
    path.write_bytes(b"MAC " + struct.pack("<H", 3990) + bytes(range(256)) * 16)
    return _ape(path)


def _wavpack(path: Path) -> Path:
    return _ape(tone(path, seconds=0.2))


def _flac(path: Path) -> Path:
    media = FLAC(tone(path, seconds=0.2))
    picture = Picture()
    picture.data, picture.mime, picture.type = PICTURE, "image/png", 3
    media.add_picture(picture)
    media["shelf"] = ["B4", "B5"]
    media.save()
    return path


def _ogg(path: Path) -> Path:
    import mutagen

    media = mutagen.File(tone(path, seconds=0.2))
    media["shelf"] = ["B4", "B5"]
    media.save()
    return path


def _m4a(path: Path) -> Path:
    media = MP4(path)
    media["covr"] = [MP4Cover(PICTURE, MP4Cover.FORMAT_PNG)]
    media["\xa9grp"] = ["A group"]
    media["----:org.example:Shelf"] = [MP4FreeForm(STRAY, AtomDataType.IMPLICIT)]
    media["cpil"] = True
    media.save()
    return path


def _aac(path: Path) -> Path:
    return _m4a(tone(path, seconds=0.2))


def _alac(path: Path) -> Path:
    with (
        av.open(str(tone(path.with_suffix(".wav"), seconds=0.2))) as source,
        av.open(str(path), "w") as target,
    ):
        stream = target.add_stream("alac", rate=48_000)
        stream.codec_context.layout = "stereo"
        stream.codec_context.format = "s16p"
        resampler = av.AudioResampler("s16p", "stereo", 48_000, 4096)
        frames = [*source.decode(audio=0), None]
        for piece in (piece for frame in frames for piece in resampler.resample(frame)):
            target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    return _m4a(path)


def chunk(name: bytes, data: bytes, order: str = "<") -> bytes:
    """A RIFF chunk, or with ``>`` one of AIFF."""
    return name + struct.pack(f"{order}I", len(data)) + data + bytes(len(data) % 2)


def with_chunks(path: Path, *chunks: bytes) -> Path:
    """Append chunks to a file of chunks."""
    data = path.read_bytes() + b"".join(chunks)
    order = ">" if data[:4] == b"FORM" else "<"
    path.write_bytes(data[:4] + struct.pack(f"{order}I", len(data) - 8) + data[8:])
    return path


def info(**texts: bytes) -> bytes:
    """An INFO list."""
    return chunk(
        b"LIST", b"INFO" + b"".join(chunk(name.encode(), text + b"\0") for name, text in texts.items())
    )


def cart_data(**fields: bytes) -> bytes:
    """The data of a cart chunk with the fields at their places."""
    places = {"title": 4, "artist": 68, "cut_id": 132, "client_id": 196, "category": 260}
    places |= {"classification": 324, "out_cue": 388, "start_date": 452, "start_time": 462}
    places |= {"end_date": 470, "end_time": 480, "producer_app": 488, "timers": 684, "url": 1024}
    data = bytearray(2048)
    data[:4] = b"0101"
    for name, text in fields.items():
        data[places[name] : places[name] + len(text)] = text
    struct.pack_into("<i", data, 680, 32768)
    return bytes(data) + b"<tag/>\r\n\0"


def bext_data(*, version: int = 2) -> bytes:
    """The data of a bext chunk."""
    texts = (b"Interview at the pier", 256), (b"Harbor desk", 32), (b"HD-2019-17", 32), (b"2019-03-01", 10)
    fixed = b"".join(text.ljust(size, b"\0") for text, size in (*texts, (b"12:34:56", 8)))
    loudness = struct.pack("<5h", -2300, 710, -120, -1810, 0x7FFF)
    umid = b"\x06\x0a" + bytes(62)
    fixed += struct.pack("<IIH", 5, 1, version) + umid + loudness + bytes(180)
    return fixed + b"A=PCM,F=48000,W=16,M=stereo\r\n\0"


def _wav(path: Path, *, id3: bool, has_info: bool) -> Path:
    _without_list(tone(path, seconds=0.2))
    extra = [chunk(b"bext", bext_data()), chunk(b"cart", cart_data(title=b"Old", cut_id=b"000417"))]
    extra += [chunk(b"iXML", b"<BWFXML/>"), chunk(b"odd ", STRAY + b"!")]
    if has_info:
        extra.append(info(INAM=b"Old", ISFT=b"Some tool", ITCH=b"A desk"))
    with_chunks(path, *extra)
    if id3:
        media = WAVE(path)
        media.add_tags()
        for frame in bystanders():
            media.tags.add(frame)
        media.save()
    return path


def _without_list(path: Path) -> Path:
    data = path.read_bytes()
    at = data.index(b"LIST")
    path.write_bytes(data[:at] + data[at + 8 + int.from_bytes(data[at + 4 : at + 8], "little") :])
    return with_chunks(path)


def _aiff(path: Path) -> Path:
    with_chunks(tone(path, seconds=0.2), chunk(b"NAME", b"Old", ">"), chunk(b"APPL", STRAY, ">"))
    media = AIFF(path)
    if media.tags is None:
        media.add_tags()
    for frame in bystanders():
        media.tags.add(frame)
    media.save()
    return path


MAKERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "mp3 v2.2": (".mp3", _mp3_v22),
    "mp3 v2.3": (".mp3", lambda path: _mp3(path, 3)),
    "mp3 v2.4": (".mp3", lambda path: _mp3(path, 4)),
    "mp3 v2.3 v1 ape": (".mp3", lambda path: _mp3(path, 3, v1=True, ape=True)),
    "mp3 ape": (".mp3", _only_ape),
    "flac": (".flac", _flac),
    "vorbis": (".ogg", _ogg),
    "opus": (".opus", _ogg),
    "aac": (".m4a", _aac),
    "alac": (".m4a", _alac),
    "wavpack": (".wv", _wavpack),
    "monkey": (".ape", _monkey),
    "wav bare": (".wav", lambda path: _without_list(tone(path, seconds=0.2))),
    "wav bext": (".wav", lambda path: _wav(path, id3=False, has_info=False)),
    "wav info": (".wav", lambda path: _wav(path, id3=False, has_info=True)),
    "wav id3 info": (".wav", lambda path: _wav(path, id3=True, has_info=True)),
    "aiff": (".aiff", _aiff),
}
"""How to make a file of each kind, with tags that are to stay."""


def unwritable(path: Path) -> Path:
    """A sound file whose tags are not written: ``.wma``, a fragmented ``.m4a``, or Matroska (``.mka``)."""
    codec, sample_format = {".wma": ("wmav2", "fltp"), ".m4a": ("aac", "fltp"), ".mka": ("flac", "s16")}[
        path.suffix
    ]
    options = {"movflags": "frag_keyframe+empty_moov"} if path.suffix == ".m4a" else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    wave_file = tone(path.with_suffix(".wav"), seconds=1.5, hz=350)
    with av.open(str(wave_file)) as source, av.open(str(path), "w", options=options) as target:
        stream = target.add_stream(codec, rate=48_000)
        stream.bit_rate = 128_000
        stream.codec_context.layout = "stereo"
        stream.codec_context.format = sample_format
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(sample_format, "stereo", 48_000, size)
        frames = [*source.decode(audio=0), None]
        for piece in (piece for frame in frames for piece in resampler.resample(frame)):
            target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    wave_file.unlink()
    return path


def make(kind: str, folder: Path) -> Path:
    """A file of the kind in the folder."""
    ending, maker = MAKERS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    return maker(folder / f"01 Sample{ending}")


def decoded(path: Path) -> bytes | None:
    """A hash of the decoded sound; None for a kind that no decoder here reads.

    Nor is an MP3 decoded with an APE tag behind: FFmpeg takes such bytes for sound.
    """
    if path.suffix == ".ape" or (path.suffix == ".mp3" and b"APETAGEX" in path.read_bytes()):
        return None
    digest = blake2b()
    with av.open(str(path), **LENIENT) as container:
        for frame in container.decode(audio=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.digest()


def stored_sound(path: Path) -> bytes:
    """The bytes of the sound as the file holds them, found without the code that is tested."""
    data = path.read_bytes()
    if path.suffix in (".wav", ".aiff"):
        return _chunk_data(data, b"data" if path.suffix == ".wav" else b"SSND")
    if path.suffix == ".flac":
        return data[_flac_start(data) :]
    if path.suffix in (".ogg", ".opus"):
        return _ogg_packets(path)
    if path.suffix == ".m4a":
        at = data.index(b"mdat") - 4
        return data[at : at + int.from_bytes(data[at : at + 4], "big")]
    end = data.rfind(b"APETAGEX", 0, data.rfind(b"APETAGEX")) if b"APETAGEX" in data else len(data)
    if data[-128:-125] == b"TAG" and end == len(data):
        end -= 128
    return data[_id3_length(data) : end]


def _id3_length(data: bytes) -> int:
    if data[:3] != b"ID3":
        return 0
    return 10 + sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))


def _flac_start(data: bytes) -> int:
    at = 4
    while not data[at] & 0x80:
        at += 4 + int.from_bytes(data[at + 1 : at + 4], "big")
    return at + 4 + int.from_bytes(data[at + 1 : at + 4], "big")


def _chunk_data(data: bytes, name: bytes) -> bytes:
    order = "big" if data[:4] == b"FORM" else "little"
    at = 12
    while data[at : at + 4] != name:
        size = int.from_bytes(data[at + 4 : at + 8], order)  # type: ignore[arg-type]
        at += 8 + size + size % 2
    return data[at + 8 : at + 8 + int.from_bytes(data[at + 4 : at + 8], order)]  # type: ignore[arg-type]


def _ogg_packets(path: Path) -> bytes:
    pages = []
    with path.open("rb") as file:
        while file.tell() < path.stat().st_size:
            pages.append(OggPage(file))
    packets = OggPage.to_packets(pages)
    return b"|".join((packets[0], *packets[2:])) + struct.pack("<q", pages[-1].position)


def ffmpeg_says(path: Path) -> dict[str, str]:
    """The tags that FFmpeg finds: by its ffprobe where that is installed, else by its library."""
    if (ffprobe := shutil.which("ffprobe")) is None:
        with av.open(str(path), **LENIENT) as container:
            found = {**container.streams.audio[0].metadata, **container.metadata}
        return {name.lower(): text for name, text in found.items()}
    asked = [ffprobe, "-v", "quiet", "-of", "json", "-show_format", "-show_streams", f"file:{path}"]
    said = json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=20).stdout)
    tags = {**said["streams"][0].get("tags", {}), **said["format"].get("tags", {})}
    return {name.lower(): text for name, text in tags.items()}
