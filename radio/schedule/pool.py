"""What one station may air: a frozen, ordered view of the library (pure).

The builder sees the library only through this value, so it needs no database and no folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
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
        self._rank = {item.id: index for index, item in enumerate(self.items)}
        self._in_folder: dict[str, list[Item]] = {}
        self._by_stem: dict[str, Item] = {}
        self._shadowed: dict[str, Item] = {}
        self._recordings: dict[tuple[str, str], Item] | None = None
        for item in self.items:
            self._in_folder.setdefault(item.category, []).append(item)
            if self._by_stem.setdefault(_stem(item.path), item) is not item:
                for name in _names(item):
                    self._shadowed.setdefault(name, item)

    @classmethod
    def of(cls, items: Iterable[Item], roots: Sequence[str]) -> Pool:
        """The items of these roots (absolute paths), in the order of roots and then of paths."""
        rank = {root: index for index, root in enumerate(roots)}
        mine = (item for item in items if item.root in rank)
        return cls(sorted(mine, key=lambda item: (rank[item.root], item.path)))

    @property
    def folders(self) -> tuple[str, ...]:
        """The first folders that hold something, ascending; an empty name is the root itself."""
        return tuple(sorted(self._in_folder))

    def in_folders(self, folders: Iterable[str]) -> tuple[Item, ...]:
        """All items in any of the first folders."""
        wanted = [self._in_folder[name] for name in sorted(set(folders)) if name in self._in_folder]
        if len(wanted) == 1:
            return tuple(wanted[0])
        rank = self._rank
        return tuple(sorted((item for items in wanted for item in items), key=lambda item: rank[item.id]))

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

    def dated(self, folder: str, day: date) -> Item | None:
        """The first item of a folder, below any root, whose file name begins with a day as ``YYYY-MM-DD``."""
        if self._recordings is None:
            self._recordings = {}
            for item in self.items:
                where, _, name = item.path.rpartition("/")
                if name[:4].isdigit():
                    self._recordings.setdefault((where, name[:10]), item)
        return self._recordings.get((folder, day.isoformat()))

    def find(self, path: str) -> Item | None:
        """The item at ``path`` below a root; the extension and the root's own name may be left out."""
        path = path.strip("/")
        root, _, below = path.partition("/")
        found = self._at(path)
        if found is None and below:
            item = self._at(below)
            found = item if item is not None and _root_name(item) == root else None
        return found or self._shadowed.get(path)

    def _at(self, path: str) -> Item | None:
        found = self._by_stem.get(path)
        if found is None:
            found = self._by_stem.get(_stem(path))
            found = found if found is not None and found.path == path else None
        return found


def _stem(path: str) -> str:
    """The path without its extension, as pathlib reckons it."""
    folder, slash, name = path.rpartition("/")
    dot = name.rfind(".")
    return f"{folder}{slash}{name[:dot]}" if 0 < dot < len(name) - 1 else path


def _root_name(item: Item) -> str:
    return item.root.rstrip("/").rpartition("/")[2]


def _names(item: Item) -> Iterable[str]:
    stem, root = _stem(item.path), _root_name(item)
    return item.path, stem, f"{root}/{item.path}", f"{root}/{stem}"
