"""The words that a file says about itself, brought to one form for every tag system.

Sources, best first: the file's own tags (mutagen), what FFmpeg finds in the container (RIFF INFO and whatever
mutagen cannot open), the file's name. The table of names per tag system serves reading now and writing later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import av
import msgspec

from radio.audio.guard import check_file
from radio.audio.reader import FORMATS
from radio.library.tagged import Family, Tagged, open_tagged
from radio.library.words import MAX_COMMENT, cleaned, cleaned_all, iso_date, isrc_code, title_from_name


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """One file's words. ``title`` is never empty; other texts are None where nobody says.

    Texts are one line, cleaned, at most 300 characters (``comment`` 2000); at most 20 artists. ``date`` is
    ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; ``isrc`` has 12 characters.
    """

    title: str
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artist: str | None = None
    genre: str | None = None
    date: str | None = None
    composer: str | None = None
    label: str | None = None
    isrc: str | None = None
    comment: str | None = None

    @property
    def artist(self) -> str | None:
        """All artists in one line."""
        return cleaned(", ".join(self.artists)) or None


_Raw = dict[str, list[str]]

FIELD_NAMES: Final[Mapping[Family, Mapping[str, tuple[str, ...]]]] = {
    Family.ID3: {
        "title": ("TIT2",),
        "artists": ("TPE1",),
        "album": ("TALB",),
        "album_artist": ("TPE2",),
        "genre": ("TCON",),
        "date": ("TDRC", "TDRL", "TDOR"),
        "composer": ("TCOM",),
        "label": ("TPUB",),
        "isrc": ("TSRC",),
        "comment": ("COMM",),
    },
    Family.VORBIS: {
        "title": ("title",),
        "artists": ("artists", "artist"),
        "album": ("album",),
        "album_artist": ("albumartist", "album artist"),
        "genre": ("genre",),
        "date": ("date", "year", "originaldate"),
        "composer": ("composer",),
        "label": ("label", "organization", "publisher"),
        "isrc": ("isrc",),
        "comment": ("comment", "description"),
    },
    Family.MP4: {
        "title": ("\xa9nam",),
        "artists": ("\xa9ART",),
        "album": ("\xa9alb",),
        "album_artist": ("aART",),
        "genre": ("\xa9gen",),
        "date": ("\xa9day",),
        "composer": ("\xa9wrt",),
        "label": ("----:com.apple.iTunes:LABEL", "\xa9pub"),
        "isrc": ("----:com.apple.iTunes:ISRC",),
        "comment": ("\xa9cmt",),
    },
    Family.APE: {
        "title": ("Title",),
        "artists": ("Artist",),
        "album": ("Album",),
        "album_artist": ("Album Artist", "AlbumArtist"),
        "genre": ("Genre",),
        "date": ("Year",),
        "composer": ("Composer",),
        "label": ("Label", "Publisher"),
        "isrc": ("ISRC",),
        "comment": ("Comment",),
    },
    Family.ASF: {
        "title": ("Title",),
        "artists": ("Author",),
        "album": ("WM/AlbumTitle",),
        "album_artist": ("WM/AlbumArtist",),
        "genre": ("WM/Genre",),
        "date": ("WM/Year",),
        "composer": ("WM/Composer",),
        "label": ("WM/Publisher",),
        "isrc": ("WM/ISRC",),
        "comment": ("Description",),
    },
}
"""What each tag system calls a field of :class:`Tags`, the preferred name first."""

_IN_CONTAINER: Final = tuple(
    {
        **FIELD_NAMES[Family.VORBIS],
        "album_artist": ("album_artist", "albumartist", "album artist"),
        "isrc": ("isrc", "tsrc"),
    }.items()
)


def read_tags(path: Path, tagged: Tagged | None = None) -> Tags:
    """The words of the file at ``path``; ``tagged`` saves opening its tags twice.

    A regular file that has passed the guards is expected. Never raises for what the file holds; OSError for a
    file that cannot be opened.
    """
    tagged = tagged or open_tagged(path)
    raw = _from_tagged(tagged) if tagged else {}
    if not raw.get("title") or not raw.get("artists"):
        raw = {**_from_container(path), **raw}
    return _normalised(raw, path)


def _normalised(raw: _Raw, path: Path) -> Tags:
    def joined(field: str) -> str | None:
        return cleaned(", ".join(cleaned_all(raw.get(field, ())))) or None

    return Tags(
        title=joined("title") or title_from_name(path.stem),
        artists=cleaned_all(raw.get("artists", ())),
        album=joined("album"),
        album_artist=joined("album_artist"),
        genre=joined("genre"),
        date=next((date for text in raw.get("date", ()) if (date := iso_date(text[:40]))), None),
        composer=joined("composer"),
        label=joined("label"),
        isrc=next((code for text in raw.get("isrc", ()) if (code := isrc_code(text))), None),
        comment=next((line for text in raw.get("comment", ()) if (line := cleaned(text, MAX_COMMENT))), None),
    )


def _from_tagged(tagged: Tagged) -> _Raw:
    raw: _Raw = {}
    for field, names in FIELD_NAMES[tagged.family].items():
        try:
            texts = _first_said(tagged, names)
        except Exception:  # a frame that mutagen loads can still fail when its value is read
            continue
        if any(text.strip() for text in texts):
            raw[field] = texts
    return raw


def _first_said(tagged: Tagged, names: Iterable[str]) -> list[str]:
    for name in names:
        if texts := _texts(tagged, name):
            return texts
    return []


def _texts(tagged: Tagged, name: str) -> list[str]:
    if tagged.family is Family.ID3:
        return _frame_texts(tagged.entries, name)
    value = tagged.entries.get(name) or []
    return [_as_text(part) for part in ([value] if isinstance(value, str | bytes) else value)]


def _frame_texts(frames: Any, name: str) -> list[str]:
    found = frames.getall(name)
    if name == "COMM":  # described comments are mostly the private notes of programs
        return [str(text) for frame in found if not frame.desc for text in frame.text]
    if name == "TCON":
        return [str(genre) for frame in found for genre in frame.genres]
    return [str(text) for frame in found for text in frame.text]


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _from_container(path: Path) -> _Raw:
    """What FFmpeg says; it knows RIFF INFO chunks and opens files whose tags mutagen refuses."""
    try:
        skipped = str(check_file(path).sound_offset)
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file", "skip_initial_bytes": skipped}
        with av.open(str(path), options=options, metadata_errors="replace") as container:
            said = dict(container.metadata)
            for stream in container.streams.audio[:1]:
                said = {**stream.metadata, **said}
    except Exception:
        return {}
    lower = {name.lower(): text for name, text in said.items()}
    raw = {field: [lower[name] for name in names if lower.get(name)][:1] for field, names in _IN_CONTAINER}
    return {field: texts for field, texts in raw.items() if texts}
