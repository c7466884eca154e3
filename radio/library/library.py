"""The library as others see it: a frozen snapshot with the ways in that schedule and playout need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from radio.library.items import Item
from radio.library.walk import root_name

Roots = Sequence[str | Path]


class Library:
    """All measured items at one moment. Nothing changes it: a later scan makes another one.

    An item that is not measured yet cannot be aired, so that nobody who asks here ever gets one.

    ``roots`` say whose items are meant, in order; a station names its own. The same items give the same
    answers in the same order, whatever order they came in.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        known = (item for item in items if item.measured)
        in_order = sorted(known, key=lambda item: (item.path, item.root, item.id))
        pools: dict[tuple[str, str], list[Item]] = defaultdict(list)
        names: dict[tuple[str, str], Item] = {}
        for item in in_order:
            pools[item.root, item.category].append(item)
            names.setdefault((item.root, str(PurePosixPath(item.path).with_suffix(""))), item)
        names.update({(item.root, item.path): item for item in in_order})
        self._by_id = {item.id: item for item in in_order}
        self._pools = {key: tuple(pool) for key, pool in pools.items()}
        self._names = names

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> Library:
        """The snapshot of those ``items`` that are measured."""
        return cls(items)

    @property
    def by_id(self) -> Mapping[str, Item]:
        """Every item under its id."""
        return MappingProxyType(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Item]:
        """Every item, by path."""
        return iter(self._by_id.values())

    def in_category(self, roots: Roots, category: str) -> tuple[Item, ...]:
        """The items of a category in the roots, by path and then by the order of the roots."""
        pools = [self._pools.get((root, category), ()) for root in _names_of(roots)]
        return tuple(sorted((item for pool in pools for item in pool), key=lambda item: item.path))

    def categories(self, roots: Roots) -> tuple[str, ...]:
        """The categories that have items in the roots, sorted; "" is for files directly in a root."""
        wanted = set(_names_of(roots))
        return tuple(sorted({category for root, category in self._pools if root in wanted}))

    def find(self, roots: Roots, name: str) -> Item | None:
        """The item at ``name`` below the first root that has it: ``sponsors/x.mp3`` or ``sponsors/x``.

        A full name wins over a name without its ending; of several endings the first in order is taken.
        """
        wanted = name.strip("/")
        return next((item for root in _names_of(roots) if (item := self._names.get((root, wanted)))), None)


def _names_of(roots: Roots) -> list[str]:
    return list(dict.fromkeys(root_name(root) for root in roots))
