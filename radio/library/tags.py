"""The words that a file says about itself, in one form for every tag system: a value.

:mod:`radio.library.tag_reading` makes it; a process that only shows words does not load what reading takes.
"""

from __future__ import annotations

from typing import Final

import msgspec

from radio.library.bext import Bext
from radio.library.cart import Cart
from radio.library.words import one_line
from radio.units import DurationMs

MUSICBRAINZ: Final = ("recording", "release", "artist", "work", "album_artist", "release_group")
"""The keys of ``Tags.musicbrainz``."""


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """One file's words. ``title`` is never empty; others are None or empty where nobody says.

    Texts are one line, cleaned, at most 300 characters (``comment`` 2000); at most 20 values where there can
    be several. Dates are ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; ``date`` falls back on ``original_date``.
    ``isrc`` has 12 characters (ISO 3901). ``explicit`` is False where the file says that it is clean.
    ``intro_ms`` is where the voice begins, from the start of the file. Numbers are 1 to 9999. ``musicbrainz`` has
    UUIDs by the keys of :data:`MUSICBRAINZ`. The gains are those that the file claims, ReplayGain's against
    -18 LUFS and R128's against -23. ``doubts`` names the fields whose encoding was guessed, or is wrong in a way
    that could not be mended.
    """

    title: str
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artists: tuple[str, ...] = ()
    composers: tuple[str, ...] = ()
    conductors: tuple[str, ...] = ()
    work: str | None = None
    movement: str | None = None
    movement_number: int | None = None
    ensembles: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    date: str | None = None
    original_date: str | None = None
    label: str | None = None
    catalog_number: str | None = None
    isrc: str | None = None
    musicbrainz: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    language: str | None = None
    explicit: bool | None = None
    comment: str | None = None
    bpm: float | None = None
    initial_key: str | None = None
    intro_ms: DurationMs | None = None
    track_number: int | None = None
    track_total: int | None = None
    disc_number: int | None = None
    disc_total: int | None = None
    replaygain_track_db: float | None = None
    replaygain_album_db: float | None = None
    r128_track_db: float | None = None
    cart: Cart | None = None
    bext: Bext | None = None
    doubts: tuple[str, ...] = ()

    @property
    def artist(self) -> str | None:
        """All artists in one line."""
        return one_line(self.artists)

    @property
    def album_artist(self) -> str | None:
        """All artists of the album in one line."""
        return one_line(self.album_artists)

    @property
    def composer(self) -> str | None:
        """All composers in one line."""
        return one_line(self.composers)

    @property
    def conductor(self) -> str | None:
        """All conductors in one line."""
        return one_line(self.conductors)

    @property
    def ensemble(self) -> str | None:
        """All ensembles in one line."""
        return one_line(self.ensembles)

    @property
    def genre(self) -> str | None:
        """All genres in one line."""
        return one_line(self.genres)
