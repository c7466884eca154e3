"""What one station may air: a frozen, ordered view of the library (pure).

The builder sees the library only through this value, so it needs no database and no folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, Protocol

from radio.library.items import Item
from radio.library.matching import matcher
from radio.library.query import parse

MIN_AIR_MS: Final = 1_000
"""An item that sounds for less is never put in a rotation: it would fill the log with rows."""

MAX_KEPT: Final = 64
"""Searches whose items a pool remembers."""


class LibraryView(Protocol):
    """The part of a library snapshot that scheduling needs."""

    @property
    def by_id(self) -> Mapping[str, Item]:
        """Every playable item of every root."""


class Pool:
    """The playable items below a station's roots. Immutable; two pools of the same items are alike."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items: Final = tuple(item for item in items if item.air_ms >= MIN_AIR_MS)
        self.by_id: Final[Mapping[str, Item]] = {item.id: item for item in self.items}
        self._matched: dict[tuple[tuple[str, ...], str], tuple[Item, ...]] = {}
        self._by_path: dict[str, Item] = {}
        for item in self.items:
            for name in _names(item):
                self._by_path.setdefault(name, item)

    @classmethod
    def of(cls, items: Iterable[Item], roots: Sequence[str]) -> Pool:
        """The items of these roots (absolute paths), in the order of roots and then of paths."""
        rank = {root: index for index, root in enumerate(roots)}
        mine = (item for item in items if item.root in rank)
        return cls(sorted(mine, key=lambda item: (rank[item.root], item.path)))

    @property
    def folders(self) -> tuple[str, ...]:
        """The first folders that hold something, ascending; an empty name is the root itself."""
        return tuple(sorted({item.category for item in self.items}))

    def in_folders(self, folders: Iterable[str]) -> tuple[Item, ...]:
        """All items in any of the first folders."""
        wanted = set(folders)
        return tuple(item for item in self.items if item.category in wanted)

    def of_category(
        self, folders: Iterable[str], paths: Iterable[str], where: str | None = None
    ) -> tuple[Item, ...]:
        """The items of some folders, then those at some paths, each once.

        With ``where`` of the folders, or of all if none is named, only what that search finds. Raises
        InvalidRequest where it is none (:func:`radio.library.query.parse`).
        """
        chosen = self.in_folders(folders) if where is None else self._matching(tuple(folders), where)
        found = {item.id: item for item in chosen}
        found.update({item.id: item for path in paths if (item := self.find(path))})
        return tuple(found.values())

    def _matching(self, folders: tuple[str, ...], where: str) -> tuple[Item, ...]:
        found = self._matched.get((folders, where))
        if found is None:
            among = self.in_folders(folders) if folders else self.items
            found = tuple(filter(matcher(parse(where)), among))
            if len(self._matched) >= MAX_KEPT:  # drafts of a schedule that were tried on this pool
                self._matched.clear()
            self._matched[folders, where] = found
        return found

    def find(self, path: str) -> Item | None:
        """The item at ``path`` below a root; the extension and the root's own name may be left out."""
        return self._by_path.get(path.strip("/"))


def _names(item: Item) -> Iterable[str]:
    stem = str(PurePosixPath(item.path).with_suffix(""))
    root = PurePosixPath(item.root).name
    return item.path, stem, f"{root}/{item.path}", f"{root}/{stem}"
