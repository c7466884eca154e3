"""Reads the words that a file says about itself, and brings them to one form for every tag system.

Sources, best first: the file's own tags (mutagen; chunks of text, AES46 and BWF in WAVE files), what FFmpeg
finds in a container whose tags mutagen refuses, the file's name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from radio.audio.guard import check_file
from radio.library.encodings import repaired
from radio.library.tag_names import NAMES, Family
from radio.library.tag_texts import Texts, texts_of
from radio.library.tag_values import (
    beats_per_minute,
    explicit_advice,
    gain_db,
    intro_length_ms,
    music_id,
    number_pair,
    r128_gain_db,
)
from radio.library.tagged import Broadcast, Tagged, open_tagged
from radio.library.tags import MUSICBRAINZ, Tags
from radio.library.words import (
    MAX_COMMENT,
    cleaned,
    cleaned_all,
    iso_date,
    isrc_code,
    one_line,
    title_from_name,
)

_T = TypeVar("_T")

_IN_CONTAINER: Final = tuple(NAMES[Family.VORBIS].items())


def read_tags(path: Path, tagged: Tagged | None = None) -> Tags:
    """The words of the file at ``path``; ``tagged`` saves opening its tags twice.

    A regular file that has passed the guards is expected. Never raises for what the file holds; OSError for a
    file that cannot be opened.
    """
    tagged = tagged or open_tagged(path)
    if tagged is None:
        return _Reading(_from_container(path)).tags(path.stem, Broadcast())
    return tags_of(tagged, path.stem)


def tags_of(tagged: Tagged, stem: str) -> Tags:
    """The words of opened tags; ``stem`` is the file's name, for a title where there is none."""
    return _Reading(texts_of(tagged)).tags(stem, tagged.broadcast)


class _Reading:
    """Judges the texts of one file and keeps account of doubtful ones."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._doubts: dict[str, None] = {}

    def tags(self, stem: str, broadcast: Broadcast) -> Tags:
        track, total = self._pair("track")
        disc, discs = self._pair("disc")
        original = self._first("original_date", _date)
        return Tags(
            title=self._joined("title") or title_from_name(stem),
            artists=self._all("artists"),
            album=self._joined("album"),
            album_artists=self._all("album_artists"),
            composers=self._all("composers"),
            conductors=self._all("conductors"),
            work=self._joined("work"),
            movement=self._joined("movement"),
            movement_number=self._first("movement_number", lambda text: number_pair(text)[0]),
            ensembles=self._all("ensembles"),
            genres=self._all("genres"),
            date=self._first("date", _date) or original,
            original_date=original,
            label=self._joined("label"),
            catalog_number=self._joined("catalog_number"),
            isrc=self._first("isrc", isrc_code),
            musicbrainz=self._musicbrainz(),
            language=self._joined("language"),
            explicit=self._first("explicit", explicit_advice),
            comment=self._first("comment", lambda text: cleaned(self._mended("comment", text), MAX_COMMENT)),
            bpm=self._first("bpm", beats_per_minute),
            initial_key=self._joined("initial_key"),
            intro_ms=self._first("intro", intro_length_ms),
            track_number=track,
            track_total=total,
            disc_number=disc,
            disc_total=discs,
            replaygain_track_db=self._first("replaygain_track", gain_db),
            replaygain_album_db=self._first("replaygain_album", gain_db),
            r128_track_db=self._first("r128_track", r128_gain_db),
            cart=broadcast.cart,
            bext=broadcast.bext,
            doubts=(*self._doubts, *broadcast.doubts),
        )

    def _all(self, field: str) -> tuple[str, ...]:
        texts = self._texts.get(field)
        return cleaned_all([self._mended(field, text) for text in texts[:100]]) if texts else ()

    def _joined(self, field: str) -> str | None:
        return one_line(self._all(field))

    def _first(self, field: str, judge: Callable[[str], _T | None]) -> _T | None:
        for text in self._texts.get(field, ()):
            if (value := judge(text)) is not None and value != "":
                return value
        return None

    def _pair(self, field: str) -> tuple[int | None, int | None]:
        number, total = self._first(field, _pair) or (None, None)
        return number, total or self._first(f"{field}_total", lambda text: number_pair(text)[0])

    def _musicbrainz(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key in MUSICBRAINZ:
            texts = self._texts.get(f"musicbrainz_{key}")
            ids = dict.fromkeys(name for text in texts if (name := music_id(text))) if texts else {}
            if ids:
                found[key] = tuple(ids)
        return found

    def _mended(self, field: str, text: str) -> str:
        if text.isascii():
            return text
        mended = repaired(text[: 4 * MAX_COMMENT])
        if not mended.certain:
            self._doubts[field] = None
        return mended.text


def _date(text: str) -> str | None:
    return iso_date(text[:40])


def _pair(text: str) -> tuple[int | None, int | None] | None:
    pair = number_pair(text)
    return pair if any(pair) else None


def _from_container(path: Path) -> Texts:
    """What FFmpeg says of a file whose tags mutagen refuses."""
    # here, so that a process that never comes to this starts without FFmpeg and NumPy
    import av

    from radio.audio.reader import FORMATS, LENIENT

    try:
        skipped = str(check_file(path).sound_offset)
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file", "skip_initial_bytes": skipped}
        with av.open(str(path), options=options, **LENIENT) as container:
            said = dict(container.metadata)
            for stream in container.streams.audio[:1]:
                said = {**stream.metadata, **said}
    except Exception:
        return {}
    lower = {name.lower(): text for name, text in said.items()}
    texts = {field: [lower[name] for name in names if lower.get(name)][:1] for field, names in _IN_CONTAINER}
    return {field: found for field, found in texts.items() if found}
