"""What the library holds: each item's file, its tags and how its sound is made."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from . import artwork, beds, lowtide, meridian
from . import effects as fx
from .encode import Tags
from .voices import Engine, speak

HERE = Path(__file__).parent
GENRES = {
    "news": "News", "features": "Feature", "weather": "Weather", "idents": "Ident", "legal-id": "Legal ID",
    "promos": "Promo", "talk": "Presentation", "sponsors": "Sponsor message",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One file: `make` gives the finished sound before loudness."""

    file: str
    kbps: int
    tags: Tags
    make: Callable[[], fx.Sound]


@cache
def catalogue() -> dict[str, Any]:
    """catalogue.toml."""
    return tomllib.loads((HERE / "catalogue.toml").read_text(encoding="utf-8"))


def _spoken(entry: dict[str, Any], engine: Engine) -> fx.Sound:
    voice = speak(engine, entry["text"], entry["voice"])
    station = entry["file"].split("/")[0]
    lay = {"sting": beds.over_sting, "under": beds.under, "ends": beds.at_ends}.get(entry.get("bed", ""))
    out = lay(voice, station) if lay else voice
    # Idents with a sting stay in stereo only where the format is small.
    return fx.mono(out) if Path(entry["file"]).suffix in (".wav", ".aiff", ".flac") else out


def _speech_tags(entry: dict[str, Any]) -> Tags:
    station, folder = entry["file"].split("/")[:2]
    data = catalogue()
    programme = data["programmes"].get(entry.get("programme", ""))
    if station == "shared":
        return Tags(entry["title"], entry["title"], "Sponsor messages", GENRES[folder])
    about = data["stations"][station]
    artist = about["name"] if folder in ("idents", "legal-id", "promos") else about["artist"]
    album = programme["title"] if programme else about["name"]
    cover = None
    if folder in ("features", "promos") and programme:
        cover = artwork.small(artwork.sign(programme["sign"], about["accent"], programme["title"]))
    return Tags(entry["title"], artist, album, GENRES[folder], cover=cover)


def _music(station: str, folder: str, pieces: tuple[Any, ...], accent: str) -> Iterator[Item]:
    for number, piece in enumerate(pieces):
        cover = artwork.small(artwork.sleeve(piece.slug, accent, number))
        tags = Tags(piece.title, piece.artist, piece.album, piece.genre, piece.date, piece.composer, cover)
        tags = replace(tags, intro_ms=round(piece.intro_s * 1000))
        yield Item(f"{station}/{folder}/{piece.slug}{piece.suffix}", piece.kbps, tags, piece.make)


def items(engine: Engine) -> Iterator[Item]:
    """Every sound of the library, speech first."""
    speech = tomllib.loads((HERE / "speech.toml").read_text(encoding="utf-8"))["item"]
    for entry in speech:
        yield Item(
            entry["file"],
            entry.get("kbps", 48),
            _speech_tags(entry),
            lambda entry=entry: _spoken(entry, engine),
        )
    stations = catalogue()["stations"]
    yield from _music("meridian", "music", meridian.PIECES, stations["meridian"]["accent"])
    yield from _music("lowtide", "music", lowtide.PIECES, stations["lowtide"]["accent"])
    yield from _music("shared", "fill", lowtide.FILL, "#3d4a57")
    yield from _music("shared", "beds", lowtide.BEDS, "#3d4a57")
