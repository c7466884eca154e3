"""A station's categories with their items, and what of them was played: what the builder takes from."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.library.items import Item
from radio.log import ItemKind
from radio.schedule.beam import MAX_CHOICES, Candidate, ordered_fit
from radio.schedule.fit import MAX_CANDIDATES, fit
from radio.schedule.limits import Limits
from radio.schedule.model import Category, Schedule, default_category, kind_of
from radio.schedule.playbook import Play, PlayBook
from radio.schedule.pool import Pool
from radio.schedule.rotation import LADDER_AT, RELAXATIONS, Choice, Rotation
from radio.schedule.wallclock import local_time
from radio.sponsors.weektime import MINUTE_MS

FIT_SHARES: Final = (1.0, 0.5, 0.25, 0.0)
FIT_PARTS: Final = (0.3, 1.0)
FIT_LEAST_MS: Final = 100
FIT_REST_MS: Final = 5 * MINUTE_MS
FIT_LIMITS: Final = (32, MAX_CANDIDATES)
"""How many of the most due items a fit is sought among: few first, because few mostly do."""

MOST_STEPS: Final = 20

EVERYTHING: Final = "library"
"""The category that holds all that is not an ident, a promo, a sponsor's or a bed."""

_APART: Final = ("idents", "legal-id", "promos", "sponsors", "fill", "beds")


class Shelves:
    """Rotations by category name, made when first asked for, and the one play book beneath them.

    Mutable and for one compilation: what is taken is noted at once, so that the next choice knows it.
    """

    def __init__(
        self,
        schedule: Schedule,
        pool: Pool,
        plays: Sequence[Play],
        seed: str,
        zone: ZoneInfo | None = None,
    ) -> None:
        self._schedule = schedule
        self._pool = pool
        self._seed = seed
        self._zone = zone or ZoneInfo("UTC")
        self._limits = Limits(schedule, pool, self._zone)
        by_hour = any(one.same_hour_days or one.max_per_day for one in schedule.categories.values())
        self._book = PlayBook(_with_albums(plays, pool), self._zone if by_hour else None)
        self._rotations: dict[str, Rotation] = {}
        self._categories: dict[str, Category] = {}
        self._kinds: dict[tuple[str, str], ItemKind] = {}
        self._of_kind: dict[ItemKind, list[Item]] = {}
        self._turns: dict[tuple[str, ...], int] = {}
        self._last_category = {play.category: index for index, play in enumerate(plays) if play.category}

    def rotation(self, name: str) -> Rotation:
        """The rotation of a category; of ``library`` where it is not declared, of everything suitable."""
        found = self._rotations.get(name)
        if found is None:
            category = self._category(name)
            items = self._pool.of_category(category.folders, category.items, category.where)
            if self._limits:
                items = tuple(item for item in items if not self._limits.is_barred(item.id))
            found = self._rotations[name] = Rotation(
                category,
                items,
                self._book,
                f"{self._seed}/{name}",
                barred=self._limits.why_not if self._limits else None,
                is_open=self._opening(category),
            )
        return found

    def _opening(self, category: Category) -> Callable[[int], bool] | None:
        dayparts = [
            self._schedule.dayparts[name] for name in category.dayparts if name in self._schedule.dayparts
        ]
        if not dayparts:
            return None
        return lambda at_ms: any(part.holds(local_time(at_ms, self._zone)) for part in dayparts)

    def why_not(self, item: Item, at_ms: int) -> str | None:
        """Why an item may not air at a moment, in a word; None where it may."""
        return self._limits.why_not(item.id, at_ms)

    def stocked(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of ``names`` that have at least one item, in order, repetitions kept."""
        return tuple(name for name in names if self.rotation(name).items)

    def kind(self, name: str, item: Item) -> ItemKind:
        """What ``item`` is when it airs as part of the category."""
        key = name, item.category
        found = self._kinds.get(key)
        if found is None:
            found = self._kinds[key] = kind_of(self._category(name), item.category)
        return found

    def leading_kind(self, name: str) -> ItemKind | None:
        """What the category mostly airs: the kind of its first item; None where it is empty."""
        items = self.rotation(name).items
        return self.kind(name, items[0]) if items else None

    def find(self, path: str) -> Item | None:
        """An item by its path."""
        return self._pool.find(path)

    def note(self, item: Item, at_ms: int) -> None:
        """The item will be heard at ``at_ms``."""
        self._book.note(item.id, item.title, item.artist, at_ms, item.album)
        for rotation in self._rotations.values():
            if item.id in rotation:
                rotation.touch(item.id)

    def dated(self, folder: str, day: date) -> Item | None:
        """The recording of a day in a folder."""
        return self._pool.dated(folder, day)

    def choose(self, name: str, at_ms: int, *, max_ms: int | None = None) -> Choice | None:
        """The next item of one category, or of what stands in for it; None where nothing suits."""
        found = self.choose_in_turn((name,), at_ms, max_ms=max_ms)
        return found[1] if found else None

    def choose_in_turn(
        self, names: tuple[str, ...], at_ms: int, *, max_ms: int | None = None, rest_ms: int = 0
    ) -> tuple[str, Choice] | None:
        """The next item of a rotation of categories, which goes on where it stopped.

        A category that has nothing suitable misses its turn, and so does one that would have to relax its
        separation while another need not. Before titles come closer than they should, what stands in for the
        categories is asked.
        """
        first = self._turn(names)
        ladder = self._ladder(names)
        for index, asked in enumerate(RELAXATIONS):
            if (
                ladder
                and index == LADDER_AT
                and (picked := self._stand_in(names, ladder, at_ms, max_ms, rest_ms))
            ):
                return picked
            for step in range(len(names)):
                name = names[(first + step) % len(names)]
                rotation = self.rotation(name)
                if index and not rotation.asks_anew(asked):
                    continue
                choice = rotation.choose(at_ms, max_ms=max_ms, rest_ms=rest_ms, shares=(asked,))
                if choice:
                    self._turns[names] = first + step + 1
                    return name, choice
        return None

    def _ladder(self, names: tuple[str, ...]) -> list[tuple[str, str]]:
        """Each category that has a stand-in, with what stands in for it, nearest first."""
        found = []
        for name in dict.fromkeys(names):
            other = self._category(name).otherwise
            for _ in range(MOST_STEPS):
                if other is None:
                    break
                found.append((name, other))
                other = self._category(other).otherwise
        return found

    def _stand_in(
        self,
        names: tuple[str, ...],
        ladder: Sequence[tuple[str, str]],
        at_ms: int,
        max_ms: int | None,
        rest_ms: int,
    ) -> tuple[str, Choice] | None:
        for name, other in ladder:
            choice = self.rotation(other).choose(
                at_ms, max_ms=max_ms, rest_ms=rest_ms, shares=RELAXATIONS[:LADDER_AT]
            )
            if choice is not None:
                self._turns[names] = names.index(name) + 1
                reason = f"{name}: nothing keeps its rules; {choice.reason}"
                return name, Choice(item=choice.item, reason=reason)
        return None

    def _turn(self, names: tuple[str, ...]) -> int:
        if names not in self._turns:
            last = self._last_category
            played = [(last[name], index) for index, name in enumerate(names) if name in last]
            self._turns[names] = max(played)[1] + 1 if played else 0
        return self._turns[names] % len(names)

    def fitting(
        self,
        names: Collection[str],
        at_ms: int,
        target_ms: int,
        give_ms: tuple[int, int],
        lost_ms: Callable[[ItemKind, Item], int],
    ) -> Iterator[list[tuple[str, Choice]]]:
        """Sets of items of these categories that last ``target_ms``, less ``give[0]`` or plus ``give[1]``.

        ``lost_ms`` is what an item, as that kind, loses to its joint. The first sets relax no separation, and the
        closest fit is sought first.
        """
        tried: set[tuple[str, ...]] = set()
        for share in FIT_SHARES:
            due = self._candidates(names, at_ms, share)
            found: list[tuple[float, str, Item]] = []
            lengths: list[int] = []
            for limit in FIT_LIMITS:
                more = list(islice(due, limit - len(found)))
                found += more
                lengths += [item.air_ms - lost_ms(self.kind(name, item), item) for _, name, item in more]
                same = tuple(item.id for _, _, item in found)
                if same in tried:
                    continue
                tried.add(same)
                for chosen in _fits(lengths, target_ms, give_ms):
                    yield [self._fit_choice(*found[index][1:], at_ms) for index in chosen]

    def ordered(
        self,
        names: Sequence[str],
        at_ms: int,
        target_ms: int,
        give_ms: tuple[int, int],
        lost_ms: Callable[[int, Item], int],
    ) -> list[tuple[str, Choice]] | None:
        """One item for each of these categories in turn, which together last ``target_ms``; None where none do.

        ``lost_ms`` is what an item loses to its joint at an index of ``names``. No separation is relaxed, and neither
        a title nor an artist comes twice where its category separates them.
        """
        due = {name: self._for_order(name, at_ms) for name in dict.fromkeys(names)}
        positions = [
            [
                Candidate(item.air_ms - lost_ms(index, item), rank / len(names), keys)
                for rank, (item, keys) in enumerate(due[name])
            ]
            for index, name in enumerate(names)
        ]
        chosen = ordered_fit(positions, target_ms, under_ms=give_ms[0], over_ms=give_ms[1])
        if chosen is None:
            return None
        return [
            (name, Choice(item=due[name][index][0], reason=f"{name}: ordered so that the hour ends in time"))
            for name, index in zip(names, chosen, strict=True)
        ]

    def _for_order(self, name: str, at_ms: int) -> list[tuple[Item, frozenset[str]]]:
        rotation = self.rotation(name)
        due = islice(rotation.candidates(at_ms, 1.0, rest_ms=FIT_REST_MS), MAX_CHOICES)
        return [(item, frozenset((f"id:{item.id}", *rotation.apart(item)))) for item in due]

    def of_kind(self, kind: ItemKind) -> list[Item]:
        """All items whose own folder means ``kind``, least recently played first."""
        if kind not in self._of_kind:
            names = [name for name in self._pool.folders if kind_of(self._category(name), name) is kind]
            items = {item.id: item for name in names for item in self.rotation(name).items}
            self._of_kind[kind] = list(items.values())
        return self.rested_first(self._of_kind[kind])

    def rested_first(self, items: Iterable[Item]) -> list[Item]:
        """The items by their last play, those never played first."""
        return sorted(items, key=lambda item: (self._book.item_ms(item.id) or 0, item.id))

    def _category(self, name: str) -> Category:
        found = self._categories.get(name)
        if found is None:
            is_all = name == EVERYTHING and name not in self._schedule.categories
            found = everything(self._pool) if is_all else self._schedule.category(name)
            self._categories[name] = found
        return found

    def _candidates(
        self, names: Collection[str], at_ms: int, share: float
    ) -> Iterator[tuple[float, str, Item]]:
        """What may help to fill, over all categories, the most due first; each item once, and of each title and
        artist that is kept apart only one, unless nothing is."""
        seen: set[str] = set()
        ways = [self._due(name, at_ms, share) for name in dict.fromkeys(names)]
        for due_ms, id_, name, item in heapq.merge(*ways):
            keys = {id_, *(self.rotation(name).apart(item) if share else ())}
            if seen.isdisjoint(keys):
                seen |= keys
                yield due_ms, name, item

    def _due(self, name: str, at_ms: int, share: float) -> Iterator[tuple[float, str, str, Item]]:
        rotation = self.rotation(name)
        for item in rotation.candidates(at_ms, share, rest_ms=FIT_REST_MS):
            yield rotation.due_ms(item), item.id, name, item

    def _fit_choice(self, name: str, item: Item, at_ms: int) -> tuple[str, Choice]:
        relaxed = self.rotation(name).relaxed(item, at_ms)
        reason = f"{name}: fits the time that is left" + (f"; {relaxed}" if relaxed else "")
        return name, Choice(item=item, reason=reason)


def _fits(lengths: Sequence[int], target_ms: int, give_ms: tuple[int, int]) -> Iterator[list[int]]:
    """The closest fit first; none is sought closely where none can be had at all."""
    ways = [tuple(max(FIT_LEAST_MS, round(part * give)) for give in give_ms) for part in FIT_PARTS]
    loose = fit(lengths, target_ms, under_ms=ways[-1][0], over_ms=ways[-1][1])
    if loose is None:
        return
    for under_ms, over_ms in ways[:-1]:
        if close := fit(lengths, target_ms, under_ms=under_ms, over_ms=over_ms):
            yield close
    yield loose


def _with_albums(plays: Sequence[Play], pool: Pool) -> list[Play]:
    """Plays with the albums that the library knows: what was heard is remembered without them."""
    found = []
    for play in plays:
        item = None if play.album else pool.by_id.get(play.item)
        known = item.album if item else None
        found.append(msgspec.structs.replace(play, album=known) if known else play)
    return found


def everything(pool: Pool) -> Category:
    """The category of all that carries a programme by itself; of whatever there is where nothing does."""
    folders = tuple(folder for folder in pool.folders if folder not in _APART)
    folders = folders or tuple(folder for folder in pool.folders if folder not in ("legal-id", "sponsors"))
    return default_category(EVERYTHING, folders=folders)
