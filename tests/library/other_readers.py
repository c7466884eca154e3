"""What other programs read in a file's tags, each where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

Words = dict[str, tuple[str, ...]]

FIELDS = ("title", "artist", "album", "composer", "genre")
_COMMENTS = {
    ".flac": ("metaflac", "--no-utf8-convert", "--export-tags-to=-"),
    ".ogg": ("vorbiscomment", "--list", "--raw"),
    ".opus": ("opusinfo",),
}


def programs_say(path: Path) -> dict[str, Words]:
    """The texts of each field by program: exiftool, mediainfo, and metaflac, vorbiscomment or opusinfo."""
    found = {"exiftool": _exiftool(path), "mediainfo": _mediainfo(path)}
    if path.suffix in _COMMENTS:
        program, *options = _COMMENTS[path.suffix]
        found[program] = _comments(program, *options, str(path))
    return {program: words for program, words in found.items() if words}


def _run(program: str, *arguments: str) -> str:
    """What the program prints; nothing where it is not installed or does not know the format."""
    if (place := shutil.which(program)) is None:
        return ""
    done = subprocess.run(
        [place, *arguments],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return done.stdout.decode()


def _exiftool(path: Path) -> Words:
    # an INFO list does not say its encoding: it is told here, as FFmpeg takes it by itself
    asked = ("-json", "-charset", "UTF8", "-charset", "RIFF=UTF8", "-a", "-G1")
    said = _run("exiftool", *asked, *(f"-{field}" for field in FIELDS), str(path))
    pairs = (
        (name.rpartition(":")[2], str(text))
        for name, value in (json.loads(said)[0] if said else {}).items()
        for text in (value if isinstance(value, list) else [value])
    )
    return _collected(pairs)


def _mediainfo(path: Path) -> Words:
    said = _run("mediainfo", "--Output=JSON", str(path))
    general = json.loads(said)["media"]["track"][0] if said else {}
    names = {
        "Track": "title",
        "Performer": "artist",
        "Album": "album",
        "Composer": "composer",
        "Genre": "genre",
    }
    return _collected(
        (names[name], part) for name in names if name in general for part in general[name].split(" / ")
    )


def _comments(program: str, *arguments: str) -> Words:
    lines = _run(program, *arguments).splitlines()
    return _collected(line.strip().partition("=")[::2] for line in lines if "=" in line)


def _collected(pairs: Iterable[tuple[str, str]]) -> Words:
    found: dict[str, list[str]] = defaultdict(list)
    for name, text in pairs:
        if name.lower() in FIELDS:
            found[name.lower()].append(text)
    return {field: tuple(dict.fromkeys(texts)) for field, texts in found.items()}
