"""A station's categories with their items, and what of them was played: what the builder takes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

from radio.library.items import Item
from radio.log import ItemKind
from radio.schedule.fit import MAX_CANDIDATES, fit
from radio.schedule.model import Category, Schedule, default_category, kind_of
from radio.schedule.pool import Pool
from radio.schedule.rotation import RELAXATIONS, Choice, Play, PlayBook, Rotation
from radio.sponsors.weektime import MINUTE_MS

FIT_SHARES: Final = (1.0, 0.5, 0.25, 0.0)
FIT_PARTS: Final = (0.3, 1.0)
FIT_LEAST_MS: Final = 100
FIT_REST_MS: Final = 5 * MINUTE_MS

EVERYTHING: Final = "library"
"""The category that holds all that is not an ident, a promo, a sponsor's or a bed."""

_APART: Final = ("idents", "legal-id", "promos", "sponsors", "fill", "beds")


class Shelves:
    """Rotations by category name, made when first asked for, and the one play book beneath them.

    Mutable and for one compilation: what is taken is noted at once, so that the next choice knows it.
    """

    def __init__(self, schedule: Schedule, pool: Pool, plays: Sequence[Play], seed: str) -> None:
        self._schedule = schedule
        self._pool = pool
        self._seed = seed
        self._book = PlayBook(plays)
        self._rotations: dict[str, Rotation] = {}
        self._turns: dict[tuple[str, ...], int] = {}
        self._last_category = {play.category: index for index, play in enumerate(plays) if play.category}

    def rotation(self, name: str) -> Rotation:
        """The rotation of a category; of ``library`` where it is not declared, of everything suitable."""
        if name not in self._rotations:
            category = self._category(name)
            items = self._pool.of_category(category.folders, category.items, category.where)
            self._rotations[name] = Rotation(category, items, self._book, f"{self._seed}/{name}")
        return self._rotations[name]

    def stocked(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of ``names`` that have at least one item, in order, repetitions kept."""
        return tuple(name for name in names if self.rotation(name).items)

    def kind(self, name: str, item: Item) -> ItemKind:
        """What ``item`` is when it airs as part of the category."""
        return kind_of(self._category(name), item.category)

    def leading_kind(self, name: str) -> ItemKind | None:
        """What the category mostly airs: the kind of its first item; None where it is empty."""
        items = self.rotation(name).items
        return self.kind(name, items[0]) if items else None

    def find(self, path: str) -> Item | None:
        """An item by its path."""
        return self._pool.find(path)

    def note(self, item: Item, at_ms: int) -> None:
        """The item will be heard at ``at_ms``."""
        self._book.note(item.id, item.title, item.artist, at_ms)
        for rotation in self._rotations.values():
            if item.id in rotation:
                rotation.touch(item.id)

    def choose_in_turn(
        self, names: tuple[str, ...], at_ms: int, *, max_ms: int | None = None, rest_ms: int = 0
    ) -> tuple[str, Choice] | None:
        """The next item of a rotation of categories, which goes on where it stopped.

        A category that has nothing suitable misses its turn, and so does one that would have to relax its
        separation while another need not.
        """
        first = self._turn(names)
        for share in RELAXATIONS:
            for step in range(len(names)):
                name = names[(first + step) % len(names)]
                choice = self.rotation(name).choose(at_ms, max_ms=max_ms, rest_ms=rest_ms, shares=(share,))
                if choice:
                    self._turns[names] = first + step + 1
                    return name, choice
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
        for share in FIT_SHARES:
            found = self._candidates(names, at_ms, share)
            lengths = [item.air_ms - lost_ms(self.kind(name, item), item) for _, name, item in found]
            for part in FIT_PARTS:
                under_ms, over_ms = (max(FIT_LEAST_MS, round(part * give)) for give in give_ms)
                chosen = fit(lengths, target_ms, under_ms=under_ms, over_ms=over_ms)
                if chosen:
                    yield [self._fit_choice(*found[index][1:], at_ms) for index in chosen]

    def of_kind(self, kind: ItemKind) -> list[Item]:
        """All items whose own folder means ``kind``, least recently played first."""
        names = sorted(
            {
                item.category
                for item in self._pool.items
                if kind_of(self._category(item.category), item.category) is kind
            }
        )
        items = {item.id: item for name in names for item in self.rotation(name).items}
        return self.rested_first(items.values())

    def rested_first(self, items: Iterable[Item]) -> list[Item]:
        """The items by their last play, those never played first."""
        return sorted(items, key=lambda item: (self._book.item_ms(item.id) or 0, item.id))

    def _category(self, name: str) -> Category:
        if name == EVERYTHING and name not in self._schedule.categories:
            return everything(self._pool)
        return self._schedule.category(name)

    def _candidates(self, names: Collection[str], at_ms: int, share: float) -> list[tuple[float, str, Item]]:
        seen: set[str] = set()
        found = []
        for name in dict.fromkeys(names):
            rotation = self.rotation(name)
            for item in rotation.candidates(at_ms, share, rest_ms=FIT_REST_MS, limit=MAX_CANDIDATES):
                if item.id not in seen:
                    seen.add(item.id)
                    found.append((rotation.due_ms(item), name, item))
        return sorted(found, key=lambda one: (one[0], one[2].id))

    def _fit_choice(self, name: str, item: Item, at_ms: int) -> tuple[str, Choice]:
        relaxed = self.rotation(name).relaxed(item, at_ms)
        reason = f"{name}: fits the time that is left" + (f"; {relaxed}" if relaxed else "")
        return name, Choice(item=item, reason=reason)


def everything(pool: Pool) -> Category:
    """The category of all that carries a programme by itself; of whatever there is where nothing does."""
    folders = tuple(folder for folder in pool.folders if folder not in _APART)
    folders = folders or tuple(folder for folder in pool.folders if folder not in ("legal-id", "sponsors"))
    return default_category(EVERYTHING, folders=folders)
