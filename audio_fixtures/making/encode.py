"""Write a finished sound in the format of its suffix, then tag it with mutagen."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import soundfile
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TALB, TCOM, TCON, TCOP, TDRC, TIT2, TPE1, TXXX
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from . import effects as fx

CODECS = {
    ".mp3": ["-c:a", "libmp3lame"],
    ".opus": ["-c:a", "libopus", "-vbr", "on"],
    ".ogg": ["-c:a", "libvorbis"],
    ".m4a": ["-c:a", "aac", "-movflags", "+faststart"],
    ".flac": ["-c:a", "flac", "-compression_level", "12", "-sample_fmt", "s16"],
    ".wav": ["-c:a", "pcm_s16le"],
    ".aiff": ["-c:a", "pcm_s16be"],
}
LOSSLESS_RATE = {".flac": 24_000, ".wav": 24_000, ".aiff": 24_000}


@dataclass(frozen=True, slots=True)
class Tags:
    """What a listener reads. `cover` is a square JPEG, or None; `intro_ms` is a mark for playout, 0 for none."""

    title: str
    artist: str
    album: str
    genre: str
    date: str = "2025"
    composer: str = ""
    cover: bytes | None = None
    intro_ms: int = 0


def encode(sound: fx.Sound, path: Path, kbps: int) -> None:
    """Encode with ffmpeg, bit-exact where the encoder allows; raises CalledProcessError."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as raw:
        soundfile.write(raw.name, sound, fx.RATE, subtype="FLOAT")
        rate = LOSSLESS_RATE.get(path.suffix, 48_000 if path.suffix == ".opus" else 44_100)
        if path.suffix == ".mp3" and sound.ndim == 1:
            rate = 24_000
        speed = [] if path.suffix in LOSSLESS_RATE else ["-b:a", f"{kbps}k"]
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-i",
            raw.name,
            "-map_metadata",
            "-1",
            "-fflags",
            "+bitexact",
        ]
        command += ["-flags:a", "+bitexact", "-ar", str(rate), *CODECS[path.suffix], *speed, str(path)]
        subprocess.run(command, check=True)


def heard(path: Path) -> tuple[float, float]:
    """Loudness in LUFS and true peak in dB of what a listener's decoder gives."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as raw:
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-map", "0:a", "-c:a", "pcm_f32le"]
        subprocess.run([*command, "-ar", str(fx.RATE), raw.name], check=True)
        sound = soundfile.read(raw.name, dtype="float64")[0]
    return fx.loudness(sound), fx.true_peak(sound)


def encode_level(sound: fx.Sound, path: Path, kbps: int, most_db: float = -1.7) -> None:
    """Encode so that the decoded sound has the target loudness and stays under `most_db`: codecs move both."""
    lift_db, ceiling = 0.0, fx.CEILING_DBTP
    for _ in range(12):
        encode(fx.limit(sound * fx.gain(lift_db), ceiling), path, kbps)
        loud, peak = heard(path)
        if peak <= most_db and abs(loud - fx.TARGET_LUFS) < 0.25:
            return
        ceiling -= min(peak - most_db + 0.15, 0.7) if peak > most_db else 0.0
        lift_db += fx.TARGET_LUFS - loud


def _frames(id3: ID3, tags: Tags) -> None:
    text = (
        (TIT2, tags.title), (TPE1, tags.artist), (TALB, tags.album), (TCON, tags.genre),
        (TDRC, tags.date), (TCOM, tags.composer), (TCOP, "Apache-2.0"),
    )  # fmt: skip
    for frame, value in text:
        if value:
            id3.add(frame(encoding=3, text=[value]))
    if tags.intro_ms:
        id3.add(TXXX(encoding=3, desc="INTRO_MS", text=[str(tags.intro_ms)]))
    if tags.cover:
        id3.delall("APIC")
        id3.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="Cover", data=tags.cover))


def _picture(cover: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.mime, picture.desc, picture.data = 3, "image/jpeg", "Cover", cover
    picture.width = picture.height = 300
    picture.depth = 24
    return picture


def tag(path: Path, tags: Tags) -> None:
    """Write the tags in the file's own manner (ID3v2.4, Vorbis comments, MP4 atoms)."""
    if path.suffix in (".mp3", ".wav", ".aiff"):
        file = {".mp3": MP3, ".wav": WAVE, ".aiff": AIFF}[path.suffix](path)
        if file.tags is None:
            file.add_tags()
        _frames(file.tags, tags)
        file.save()
        return
    words = {
        "title": tags.title, "artist": tags.artist, "album": tags.album, "genre": tags.genre,
        "date": tags.date, "composer": tags.composer, "license": "Apache-2.0",
        "intro_ms": str(tags.intro_ms or ""),
    }  # fmt: skip
    if path.suffix == ".m4a":
        _tag_mp4(path, words, tags.cover)
        return
    comments = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}[path.suffix](path)
    comments.update({key: value for key, value in words.items() if value})
    if tags.cover and isinstance(comments, FLAC):
        comments.clear_pictures()
        comments.add_picture(_picture(tags.cover))
    elif tags.cover:
        comments["metadata_block_picture"] = base64.b64encode(_picture(tags.cover).write()).decode("ascii")
    comments.save()


def _tag_mp4(path: Path, words: dict[str, str], cover: bytes | None) -> None:
    names = {"title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "genre": "\xa9gen",
             "date": "\xa9day", "composer": "\xa9wrt", "license": "cprt",
             "intro_ms": "----:com.apple.iTunes:INTRO_MS"}  # fmt: skip
    file = MP4(path)
    for key, atom in names.items():
        if words[key]:
            file[atom] = [words[key].encode()] if atom.startswith("----") else [words[key]]
    if cover:
        file["covr"] = [MP4Cover(cover, imageformat=MP4Cover.FORMAT_JPEG)]
    file.save()
