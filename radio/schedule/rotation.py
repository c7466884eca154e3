"""The order in which a category's items come up: weighted least-recently-played under rules (pure).

Every item is *due* at its last play plus the category's turnover divided by its weight; the one that is due
first and keeps all rules is chosen. Where nothing keeps them they are given up one after the other in a fixed
order, :data:`RELAXATIONS`, and the choice says which were and what was passed over.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from radio.library.items import Item
from radio.schedule.model import Category, Rules
from radio.schedule.playbook import KEEP_APART, Keys, Play, PlayBook, artist_keys, keys_of
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS

__all__ = ["RELAXATIONS", "Asked", "Choice", "Play", "PlayBook", "Rotation", "artist_keys"]


class Asked(NamedTuple):
    """What is still asked for: shares of the separations, and whether the other rules hold."""

    title: float = 1.0
    artist: float = 1.0
    album: float = 1.0
    same_hour: bool = True
    per_day: bool = True
    daypart: bool = True


RELAXATIONS: Final = (
    Asked(),
    Asked(same_hour=False),
    Asked(album=0.5, same_hour=False),
    Asked(album=0.0, same_hour=False),
    Asked(artist=0.5, album=0.0, same_hour=False),
    Asked(artist=0.0, album=0.0, same_hour=False),
    Asked(artist=0.0, album=0.0, same_hour=False, daypart=False),
    *(
        Asked(title=share, artist=0.0, album=0.0, same_hour=False, per_day=False, daypart=False)
        for share in (1.0, 0.75, 0.5, 0.25, 0.0)
    ),
)
"""The order of giving up: the same hour, albums, artists, the daypart; then plays of a day, and titles last."""

LADDER_AT: Final = 7
"""Before this relaxation the category that stands in for another is asked."""

_JITTER: Final = 0.05
_MOST_TOLD: Final = 999


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An item and, in plain words, why it is its turn."""

    item: Item
    reason: str


class Rotation:
    """One category's items in the order in which they are due. Deterministic for a seed.

    Choosing looks at items from the most due on and mostly ends after a few; noting a play costs O(log n)
    comparisons. ``barred`` tells in a word why an item may not air at a moment, and ``is_open`` whether a moment
    lies in the category's dayparts.
    """

    def __init__(
        self,
        category: Category,
        items: Sequence[Item],
        book: PlayBook,
        seed: str,
        *,
        barred: Callable[[str, int], str | None] | None = None,
        is_open: Callable[[int], bool] | None = None,
    ) -> None:
        self.category = category
        self.items = tuple(items)
        self._book = book
        self._seed = seed
        self._barred = barred
        self._is_open = is_open
        self._by_id = {item.id: item for item in items}
        self._keys: dict[str, Keys] = {}
        self._weights = _weights(category, items)
        self._turnover_ms = max(1, sum(item.cue_out_ms - item.cue_in_ms for item in items))
        self._title_floor_ms, self._artist_floor_ms, self._album_floor_ms = _floors(category)
        self._due: dict[str, float] = {item.id: self._due_at(item.id) for item in items}
        self._order: list[tuple[float, str]] = sorted((due, id_) for id_, due in self._due.items())
        self._told_apart = _told_apart(self._effective)

    def __contains__(self, item: str) -> bool:
        return item in self._by_id

    @property
    def mean_ms(self) -> int:
        """How long an item lasts on average; 0 where there is none."""
        return self._turnover_ms // len(self.items) if self.items else 0

    def touch(self, item: str) -> None:
        """The play book has a new play of ``item``: put it at its new place."""
        del self._order[bisect_left(self._order, (self._due[item], item))]
        self._due[item] = self._due_at(item)
        insort(self._order, (self._due[item], item))

    def asks_anew(self, asked: Asked) -> bool:
        """Whether a relaxation asks this category for something else than the one before it."""
        return asked in self._told_apart or asked not in RELAXATIONS

    def choose(
        self,
        at_ms: int,
        *,
        max_ms: int | None = None,
        rest_ms: int = 0,
        avoid: Collection[str] = (),
        shares: Sequence[Asked] = RELAXATIONS,
    ) -> Choice | None:
        """Whose turn it is at ``at_ms``: an item of at most ``max_ms``; None where there is none.

        ``rest_ms`` is a distance from an item's own last play that is not relaxed; ``avoid`` is never chosen,
        and nor are the last few items that were played, as far as the category has others. ``shares`` are
        the relaxations to go through.
        """
        shut_out = self._shut_out(avoid)
        for asked in shares:
            if asked is not shares[0] and not self.asks_anew(asked):
                continue
            refused: Counter[str] = Counter()
            for item in self.in_order():
                if item.id in shut_out or (max_ms is not None and item.air_ms > max_ms):
                    continue
                if not self._rested(item, at_ms, rest_ms):
                    continue
                if (rule := self._refusal(item, at_ms, asked)) is None:
                    return Choice(item=item, reason=self._reason(item, at_ms, refused))
                refused[rule] += 1
        return None

    def candidates(self, at_ms: int, share: float, *, rest_ms: int) -> Iterator[Item]:
        """Items that keep ``share`` of their separation and were not played for ``rest_ms``, the most due first."""
        is_whole = share == 1.0
        asked = Asked(share, share, share, is_whole, is_whole, is_whole)
        for item in self.in_order():
            if self._rested(item, at_ms, rest_ms) and self._refusal(item, at_ms, asked) is None:
                yield item

    def may_air(self, item: Item, at_ms: int) -> bool:
        """Whether nothing that is never relaxed keeps the item from the air."""
        return self._refusal(item, at_ms, RELAXATIONS[-1]) is None

    def due_ms(self, item: Item) -> float:
        """When the item is due again; minus infinity is approached by those never played."""
        return self._due[item.id]

    def relaxed(self, item: Item, at_ms: int) -> str | None:
        """What choosing ``item`` at ``at_ms`` relaxes, in words; None where it keeps every rule."""
        category, keys, book = self.category, self.keys(item), self._book
        found = [
            f"{name} separation to {_minutes(at_ms - last_ms)}"
            for name, last_ms, wanted_ms in (
                ("title", book.title_ms(keys.title), category.separation_ms),
                ("artist", book.artist_ms(keys.artists), category.artist_separation_ms),
                ("album", book.album_ms(keys.album), category.album_separation_ms),
            )
            if last_ms is not None and at_ms - last_ms < wanted_ms
        ]
        if category.same_hour_days and not self._other_hour(item, at_ms):
            found.append("the same hour of another day")
        if category.max_per_day and not self._within_day(item, at_ms):
            found.append("plays of a day")
        if self._is_open is not None and not self._is_open(at_ms):
            found.append("its daypart")
        if not found:
            return None
        count = len(self.items)
        return f"relaxed {' and '.join(found)}: {count} item{'s' * (count != 1)} in {category.name}"

    def in_order(self) -> Iterator[Item]:
        """All items, the most due first."""
        by_id = self._by_id
        return (by_id[item] for _, item in self._order)

    def keys(self, item: Item) -> Keys:
        """What is compared of an item."""
        found = self._keys.get(item.id)
        if found is None:
            found = self._keys[item.id] = keys_of(item)
        return found

    def apart(self, item: Item) -> list[str]:
        """What of the item the category does not want twice in a row of items."""
        keys, category = self.keys(item), self.category
        found = [f"title:{keys.title}"] if category.separation_ms else []
        if category.artist_separation_ms:
            found += [f"artist:{name}" for name in keys.artists]
        if category.album_separation_ms and keys.album:
            found.append(f"album:{keys.album}")
        return found

    def _shut_out(self, avoid: Collection[str]) -> set[str]:
        others = min(KEEP_APART, len(self.items) - 1)
        return {*avoid, *(list(self._book.recent)[-others:] if others > 0 else ())}

    def _due_at(self, item: str) -> float:
        last_ms = self._book.item_ms(item)
        jitter = crc32(f"{self._seed}/{item}/{last_ms}".encode()) / 2**32
        if last_ms is None:
            return -1e15 * (1.0 - jitter / 2)
        wait_ms = self._turnover_ms / self._weights.get(item, 1.0)
        return last_ms + wait_ms * (1.0 + _JITTER * jitter)

    def _rested(self, item: Item, at_ms: int, rest_ms: int) -> bool:
        if not rest_ms:
            return True
        last_ms = self._book.item_ms(item.id)
        return last_ms is None or at_ms - last_ms >= rest_ms

    def _refusal(self, item: Item, at_ms: int, asked: Asked) -> str | None:
        """The first rule that keeps the item from the air, those that are never relaxed first."""
        if self._barred is not None and (reason := self._barred(item.id, at_ms)):
            return reason
        category, book = self.category, self._book
        keys = self._keys.get(item.id) or self.keys(item)
        wanted_ms = max(category.separation_ms * asked.title, self._title_floor_ms)
        if wanted_ms and not _keeps(book.title_ms(keys.title), at_ms, wanted_ms):
            return "title"
        wanted_ms = max(category.artist_separation_ms * asked.artist, self._artist_floor_ms)
        if wanted_ms and keys.artists and not _keeps(book.artist_ms(keys.artists), at_ms, wanted_ms):
            return "artist"
        wanted_ms = max(category.album_separation_ms * asked.album, self._album_floor_ms)
        if wanted_ms and not _keeps(book.album_ms(keys.album), at_ms, wanted_ms):
            return "album"
        return self._other_refusal(item, at_ms, asked)

    def _other_refusal(self, item: Item, at_ms: int, asked: Asked) -> str | None:
        category, hard = self.category, self.category.hard
        asks_hour = category.same_hour_days and (asked.same_hour or Rules.SAME_HOUR in hard)
        if asks_hour and not self._other_hour(item, at_ms):
            return "same hour"
        asks_day = category.max_per_day and (asked.per_day or Rules.PER_DAY in hard)
        if asks_day and not self._within_day(item, at_ms):
            return "plays of a day"
        asks_daypart = self._is_open is not None and (asked.daypart or Rules.DAYPART in hard)
        if asks_daypart and self._is_open is not None and not self._is_open(at_ms):
            return "daypart"
        return None

    def _other_hour(self, item: Item, at_ms: int) -> bool:
        now = self._book.hour(at_ms)
        days = self.category.same_hour_days
        return not any(
            play.hour == now.hour and 0 < now.day - play.day <= days for play in self._book.hours(item.id)
        )

    def _within_day(self, item: Item, at_ms: int) -> bool:
        today = self._book.hour(at_ms).day
        return sum(play.day == today for play in self._book.hours(item.id)) < self.category.max_per_day

    def _effective(self, asked: Asked) -> tuple[object, ...]:
        category, hard = self.category, self.category.hard
        return (
            max(category.separation_ms * asked.title, self._title_floor_ms),
            max(category.artist_separation_ms * asked.artist, self._artist_floor_ms),
            max(category.album_separation_ms * asked.album, self._album_floor_ms),
            category.same_hour_days and (asked.same_hour or Rules.SAME_HOUR in hard),
            category.max_per_day and (asked.per_day or Rules.PER_DAY in hard),
            self._is_open is not None and (asked.daypart or Rules.DAYPART in hard),
        )

    def _reason(self, item: Item, at_ms: int, refused: Counter[str]) -> str:
        last_ms = self._book.item_ms(item.id)
        rule = (
            "not played before" if last_ms is None else f"least recently played, {_ago(at_ms - last_ms)} ago"
        )
        passed = _passed_over(refused)
        relaxed = self.relaxed(item, at_ms)
        return "; ".join(part for part in (f"{self.category.name}: {rule}", passed, relaxed) if part)


def _told_apart(effective: Callable[[Asked], tuple[object, ...]]) -> frozenset[Asked]:
    found = [RELAXATIONS[0]]
    for before, asked in zip(RELAXATIONS, RELAXATIONS[1:], strict=False):
        if effective(before) != effective(asked):
            found.append(asked)
    return frozenset(found)


def _floors(category: Category) -> tuple[int, int, int]:
    hard = category.hard
    return (
        category.separation_ms if Rules.TITLE in hard else category.title_floor_ms,
        category.artist_separation_ms if Rules.ARTIST in hard else category.artist_floor_ms,
        category.album_separation_ms if Rules.ALBUM in hard else 0,
    )


def _weights(category: Category, items: Sequence[Item]) -> dict[str, float]:
    if not category.weights:
        return {}
    weights = {}
    for item in items:
        stem = item.path.rpartition(".")[0]
        weights[item.id] = category.weights.get(item.path, category.weights.get(stem, 1.0))
    return weights


def _keeps(last_ms: int | None, at_ms: int, wanted_ms: float) -> bool:
    return last_ms is None or at_ms - last_ms >= wanted_ms


def _passed_over(refused: Counter[str]) -> str | None:
    total = sum(refused.values())
    if not total:
        return None
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(refused.items()))
    return f"passed over {min(total, _MOST_TOLD)}{'+' * (total > _MOST_TOLD)} ({rules})"


def _minutes(length_ms: int) -> str:
    return f"{max(0, length_ms) // MINUTE_MS} min"


def _ago(length_ms: int) -> str:
    hours, minutes = divmod(max(0, length_ms) // MINUTE_MS, HOUR_MS // MINUTE_MS)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
