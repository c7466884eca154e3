"""The order in which a category's items come up: weighted least-recently-played with separation (pure).

Every item is *due* at its last play plus the category's turnover divided by its weight; the one that is due
first and keeps its distance from the last play of its title and its artists is chosen. Where nothing keeps
it, distances are relaxed in a fixed order, artists first and titles last, and the choice says so.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final
from zlib import crc32

import msgspec

from radio.library.items import Item
from radio.schedule.model import Category
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS
from radio.units import UtcMs

RELAXATIONS: Final = ((1.0, 1.0), (1.0, 0.5), (1.0, 0.0), (0.75, 0.0), (0.5, 0.0), (0.25, 0.0), (0.0, 0.0))
"""Shares of the title's and the artist's separation that are still asked for, in the order of giving up."""

_KEEP_APART: Final = 3
_JITTER: Final = 0.05
_ARTISTS = re.compile(r",\s+|\s+(?:feat\.?|ft\.?|featuring|&|/|vs\.?|with)\s+", re.IGNORECASE)


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was heard, or will be: what rotation remembers of it."""

    item: str
    started_ms: UtcMs
    title: str = ""
    artist: str | None = None
    category: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An item and, in plain words, why it is its turn."""

    item: Item
    reason: str


class PlayBook:
    """The last play of every item, title and artist. Grows with the library, not with time."""

    def __init__(self, plays: Sequence[Play] = ()) -> None:
        self._items: dict[str, int] = {}
        self._titles: dict[str, int] = {}
        self._artists: dict[str, int] = {}
        self.recent: deque[str] = deque(maxlen=_KEEP_APART)
        for play in sorted(plays, key=lambda play: play.started_ms):
            self.note(play.item, play.title, play.artist, play.started_ms)

    def note(self, item: str, title: str, artist: str | None, at_ms: int) -> None:
        """Remember a play at ``at_ms``; plays are noted in the order of time."""
        self._items[item] = at_ms
        self._titles[_title_key(title)] = at_ms
        for name in artist_keys(artist):
            self._artists[name] = at_ms
        self.recent.append(item)

    def item_ms(self, item: str) -> int | None:
        """When the item was last played."""
        return self._items.get(item)

    def title_ms(self, title: str) -> int | None:
        """When a title was last played, whatever the recording."""
        return self._titles.get(_title_key(title))

    def artist_ms(self, artist: str | None) -> int | None:
        """When any of the artists was last played."""
        return max(
            (self._artists[name] for name in artist_keys(artist) if name in self._artists), default=None
        )


class Rotation:
    """One category's items in the order in which they are due. Deterministic for a seed.

    Choosing looks at items from the most due on and mostly ends after a few; noting a play costs O(log n)
    comparisons.
    """

    def __init__(self, category: Category, items: Sequence[Item], book: PlayBook, seed: str) -> None:
        self.category = category
        self.items = tuple(items)
        self._book = book
        self._seed = seed
        self._by_id = {item.id: item for item in items}
        self._weights = _weights(category, items)
        self._turnover_ms = max(1, sum(item.air_ms for item in items))
        self._due: dict[str, float] = {}
        self._order: list[tuple[float, str]] = []
        for item in items:
            self._enter(item)

    def __contains__(self, item: str) -> bool:
        return item in self._by_id

    def touch(self, item: str) -> None:
        """The play book has a new play of ``item``: put it at its new place."""
        entry = (self._due[item], item)
        del self._order[bisect_left(self._order, entry)]
        self._enter(self._by_id[item])

    def choose(
        self,
        at_ms: int,
        *,
        max_ms: int | None = None,
        rest_ms: int = 0,
        avoid: Collection[str] = (),
        shares: Sequence[tuple[float, float]] = RELAXATIONS,
    ) -> Choice | None:
        """Whose turn it is at ``at_ms``: an item of at most ``max_ms``; None where there is none.

        ``rest_ms`` is a distance from an item's own last play that is not relaxed; ``avoid`` is never chosen,
        and nor are the last few items that were played, as far as the category has others. ``shares`` are
        the relaxations to go through.
        """
        shut_out = self._shut_out(avoid)
        for title_share, artist_share in shares:
            for item in self._in_order():
                if item.id in shut_out or (max_ms is not None and item.air_ms > max_ms):
                    continue
                if self._rested(item, at_ms, rest_ms) and self._apart(item, at_ms, title_share, artist_share):
                    return Choice(item=item, reason=self._reason(item, at_ms))
        return None

    def _shut_out(self, avoid: Collection[str]) -> set[str]:
        others = min(_KEEP_APART, len(self.items) - 1)
        return {*avoid, *(list(self._book.recent)[-others:] if others > 0 else ())}

    def candidates(self, at_ms: int, share: float, *, rest_ms: int, limit: int) -> list[Item]:
        """The most due items that keep ``share`` of their separation and were not played for ``rest_ms``."""
        suitable = (
            item
            for item in self._in_order()
            if self._rested(item, at_ms, rest_ms) and self._apart(item, at_ms, share, share)
        )
        return list(islice(suitable, limit))

    def due_ms(self, item: Item) -> float:
        """When the item is due again; minus infinity is approached by those never played."""
        return self._due[item.id]

    def relaxed(self, item: Item, at_ms: int) -> str | None:
        """What choosing ``item`` at ``at_ms`` relaxes, in words; None where it keeps its distances."""
        found = []
        if (
            title_ms := self._short_of(self._book.title_ms(item.title), at_ms, self.category.separation_ms)
        ) is not None:
            found.append(f"title separation to {_minutes(title_ms)}")
        artist = self._book.artist_ms(item.artist)
        if (artist_ms := self._short_of(artist, at_ms, self.category.artist_separation_ms)) is not None:
            found.append(f"artist separation to {_minutes(artist_ms)}")
        if not found:
            return None
        count = len(self.items)
        return f"relaxed {' and '.join(found)}: {count} item{'s' * (count != 1)} in {self.category.name}"

    def _in_order(self) -> Iterator[Item]:
        return (self._by_id[item] for _, item in self._order)

    def _enter(self, item: Item) -> None:
        last_ms = self._book.item_ms(item.id)
        jitter = crc32(f"{self._seed}/{item.id}/{last_ms}".encode()) / 2**32
        wait_ms = self._turnover_ms / self._weights[item.id]
        due = -1e15 * (1.0 - jitter / 2) if last_ms is None else last_ms + wait_ms * (1.0 + _JITTER * jitter)
        self._due[item.id] = due
        insort(self._order, (due, item.id))

    def _rested(self, item: Item, at_ms: int, rest_ms: int) -> bool:
        last_ms = self._book.item_ms(item.id)
        return last_ms is None or at_ms - last_ms >= rest_ms

    def _apart(self, item: Item, at_ms: int, title_share: float, artist_share: float) -> bool:
        return _keeps(
            self._book.title_ms(item.title), at_ms, self.category.separation_ms * title_share
        ) and _keeps(
            self._book.artist_ms(item.artist), at_ms, self.category.artist_separation_ms * artist_share
        )

    def _short_of(self, last_ms: int | None, at_ms: int, wanted_ms: int) -> int | None:
        return None if _keeps(last_ms, at_ms, wanted_ms) or last_ms is None else at_ms - last_ms

    def _reason(self, item: Item, at_ms: int) -> str:
        last_ms = self._book.item_ms(item.id)
        rule = (
            "not played before" if last_ms is None else f"least recently played, {_ago(at_ms - last_ms)} ago"
        )
        relaxed = self.relaxed(item, at_ms)
        return f"{self.category.name}: {rule}" + (f"; {relaxed}" if relaxed else "")


def artist_keys(artist: str | None) -> list[str]:
    """The single artists of a credit, folded for comparison: ``"A feat. B & C"`` is three."""
    return [name.strip().casefold() for name in _ARTISTS.split(artist or "") if name.strip()]


def _title_key(title: str) -> str:
    return " ".join(title.casefold().split())


def _weights(category: Category, items: Sequence[Item]) -> dict[str, float]:
    weights = {}
    for item in items:
        stem = item.path.rpartition(".")[0]
        weights[item.id] = category.weights.get(item.path, category.weights.get(stem, 1.0))
    return weights


def _keeps(last_ms: int | None, at_ms: int, wanted_ms: float) -> bool:
    return last_ms is None or at_ms - last_ms >= wanted_ms


def _minutes(length_ms: int) -> str:
    return f"{max(0, length_ms) // MINUTE_MS} min"


def _ago(length_ms: int) -> str:
    hours, minutes = divmod(max(0, length_ms) // MINUTE_MS, HOUR_MS // MINUTE_MS)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
