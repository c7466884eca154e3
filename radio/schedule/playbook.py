"""What rotation remembers of plays: the last of every item, title, artist and album, and the hours of a week (pure)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from radio.library.items import Item
from radio.schedule.wallclock import local_time
from radio.units import UtcMs

KEEP_APART: Final = 3
HOURS_KEPT: Final = 24
"""Plays of one item whose local hours are remembered."""

_ARTISTS = re.compile(r",\s+|\s+(?:feat\.?|ft\.?|featuring|&|/|vs\.?|with)\s+", re.IGNORECASE)


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was heard, or will be: what rotation remembers of it."""

    item: str
    started_ms: UtcMs
    title: str = ""
    artist: str | None = None
    category: str | None = None
    album: str | None = None


class Keys(NamedTuple):
    """What of an item is kept apart: its title, its artists, and its album with the artist who made it."""

    title: str
    artists: tuple[str, ...]
    album: str | None


class Hour(NamedTuple):
    """A local day, as an ordinal, and an hour of it."""

    day: int
    hour: int


class PlayBook:
    """The last play of every item, title, artist and album. Grows with the library, not with time.

    With a ``zone``, the local hours of an item's last plays are kept as well.
    """

    def __init__(self, plays: Sequence[Play] = (), zone: ZoneInfo | None = None) -> None:
        self._zone = zone
        self._items: dict[str, int] = {}
        self._titles: dict[str, int] = {}
        self._artists: dict[str, int] = {}
        self._albums: dict[str, int] = {}
        self._hours: dict[str, deque[Hour]] = {}
        self._shown: tuple[int, Hour] = (-1, Hour(0, 0))
        self.recent: deque[str] = deque(maxlen=KEEP_APART)
        for play in sorted(plays, key=lambda play: play.started_ms):
            self.note(play.item, play.title, play.artist, play.started_ms, play.album)

    def note(self, item: str, title: str, artist: str | None, at_ms: int, album: str | None = None) -> None:
        """Remember a play at ``at_ms``; plays are noted in the order of time."""
        self._items[item] = at_ms
        self._titles[title_key(title)] = at_ms
        artists = artist_keys(artist)
        for name in artists:
            self._artists[name] = at_ms
        if album:
            self._albums[album_key(album, artists)] = at_ms
        self.recent.append(item)
        if self._zone is not None:
            self._hours.setdefault(item, deque(maxlen=HOURS_KEPT)).append(self.hour(at_ms))

    def hour(self, at_ms: int) -> Hour:
        """The local hour of a moment; that of UTC without a zone."""
        if self._shown[0] != at_ms // 60_000:
            local = local_time(at_ms, self._zone or ZoneInfo("UTC"))
            self._shown = at_ms // 60_000, Hour(local.toordinal(), local.hour)
        return self._shown[1]

    def hours(self, item: str) -> Sequence[Hour]:
        """The local hours in which the item was played last."""
        return self._hours.get(item, ())

    def item_ms(self, item: str) -> int | None:
        """When the item was last played."""
        return self._items.get(item)

    def title_ms(self, key: str) -> int | None:
        """When a title was last played, whatever the recording."""
        return self._titles.get(key)

    def artist_ms(self, artists: Sequence[str]) -> int | None:
        """When any of the artists was last played."""
        known = self._artists
        return max((known[name] for name in artists if name in known), default=None)

    def album_ms(self, key: str | None) -> int | None:
        """When anything of the album was last played."""
        return self._albums.get(key) if key else None


def keys_of(item: Item) -> Keys:
    """What is compared of an item."""
    artists = tuple(artist_keys(item.artist))
    return Keys(title_key(item.title), artists, album_key(item.album, artists) if item.album else None)


def artist_keys(artist: str | None) -> list[str]:
    """The single artists of a credit, folded for comparison: ``"A feat. B & C"`` is three."""
    return [name.strip().casefold() for name in _ARTISTS.split(artist or "") if name.strip()]


def title_key(title: str) -> str:
    """A title, folded for comparison."""
    return " ".join(title.casefold().split())


def album_key(album: str, artists: Sequence[str]) -> str:
    """An album, folded for comparison; two artists may have albums of one name."""
    return f"{title_key(album)}/{artists[0] if artists else ''}"
