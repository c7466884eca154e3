"""What a walk of the roots means for what is known: pure comparisons.

An unchanged file has the size, the time of change and the inode that are known; an inode that is not known on
one side says nothing. A file is recognised by its content
first, so that a rename, a swap of two names or a new root keeps every id; then by its path, so that a new tag
or a corrected recording keeps the id; otherwise it is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from radio.library.items import Item, RejectedFile
from radio.library.walk import Found, Problem, RootWalk

Place = tuple[str, str]
"""Root and path."""

ID_DIGITS: Final = 20
FEW_ITEMS: Final = 10
"""A root with fewer known items may be emptied altogether; measuring them again would cost seconds."""


class KnownItem(msgspec.Struct, frozen=True, gc=False):
    """The part of an item that says which file it is; so much of 200,000 items is soon loaded."""

    id: str
    root: str
    path: str
    size_bytes: int
    mtime_ns: int
    content_hash: str
    inode: int = 0
    measured: bool = True

    @property
    def file(self) -> Path:
        """The absolute path of the file."""
        return Path(self.root) / self.path


AnyItem: TypeAlias = Item | KnownItem


class Known(msgspec.Struct, frozen=True):
    """What the store holds: every item, of all roots, every rejected file, and the marks of folders' pictures.

    ``pictures`` are by root and folder; a root that was never looked at has none for its own folder "".
    """

    items: Sequence[AnyItem]
    rejected: Sequence[RejectedFile]
    pictures: Mapping[Place, str] = {}


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The difference between what is known and what was found.

    ``wanted`` are new or changed files; ``repeated`` are files that did not change and are looked at again all
    the same: not measured yet, asked for, or with another picture in their folder; ``missing`` items whose file
    is surely gone from its place; ``refused`` files turned down without a look inside that are not known as
    such; ``forgotten`` places of rejected files that are gone; ``pictures`` are the marks of folders that differ
    from what is known, None where no picture lies any more.
    """

    unchanged: int
    wanted: list[Found]
    repeated: list[Found]
    missing: list[AnyItem]
    refused: list[RejectedFile]
    forgotten: list[Place]
    problems: list[Problem]
    pictures: dict[Place, str | None]


def compare(
    known: Known, walks: Sequence[RootWalk], again: Collection[str] = (), aside: Collection[Place] = ()
) -> Changes:
    """Compare the walks of the configured roots with what is known. Items of other roots are left alone.

    Items whose id is in ``again`` are looked at again although their files did not change. Items that are not
    measured and lie at a place in ``aside`` are left alone as long as their files do not change.
    """
    items = {(item.root, item.path): item for item in known.items}
    rejected = {(file.root, file.path): file for file in known.rejected}
    found = {(file.root, file.path): file for walk in walks for file in walk.found}
    refused = {(file.root, file.path): file for walk in walks for file in walk.refused}
    wanted = [
        file for place, file in found.items() if not _is_same(file, items.get(place) or rejected.get(place))
    ]
    pictures = _pictures(known, walks)
    new = {(file.root, file.path) for file in wanted}
    repeated = [
        file
        for place, file in found.items()
        if (item := items.get(place)) is not None
        and place not in new
        and (item.measured or item.id in again or place not in aside)
        and (not item.measured or item.id in again or _folder(place) in pictures.redone)
    ]
    emptied = [walk for walk in walks if walk.bare and _count(known.items, walk.root) >= FEW_ITEMS]
    sure = {walk.root: walk for walk in walks if walk not in emptied}
    present = found.keys() | refused.keys()
    refused_anew = [file for place, file in refused.items() if rejected.get(place) != file]
    return Changes(
        unchanged=len(present) - len(wanted) - len(repeated) - len(refused_anew),
        wanted=wanted,
        repeated=repeated,
        missing=[item for place, item in items.items() if place not in present and _is_gone(place, sure)],
        refused=refused_anew,
        forgotten=[place for place in rejected if place not in present and _is_gone(place, sure)],
        problems=[problem for walk in walks for problem in walk.problems]
        + [_bare(walk.root, _count(known.items, walk.root)) for walk in emptied],
        pictures=pictures.marks,
    )


class _Pictures(msgspec.Struct):
    marks: dict[Place, str | None]
    redone: set[Place]


def _pictures(known: Known, walks: Sequence[RootWalk]) -> _Pictures:
    """Which folders have another picture than before, and those of them whose items must be read again."""
    before = defaultdict[str, dict[str, str]](dict)
    for (root, folder), mark in known.pictures.items():
        before[root][folder] = mark
    found = _Pictures({}, set())
    for walk in walks:
        if walk.bare:
            continue
        now, old = ({"": ""} if walk.knows("/") else {}) | walk.pictures, before[walk.root]
        marks: dict[Place, str | None] = {
            (walk.root, folder): now.get(folder)
            for folder in now.keys() | old.keys()
            if now.get(folder) != old.get(folder) and walk.knows(f"{folder}/")
        }
        found.marks |= marks
        if old:
            # what a root that was never looked at holds is either new or read by an earlier release
            found.redone |= marks.keys()
    return found


def _folder(place: Place) -> Place:
    return place[0], place[1].rpartition("/")[0]


def _is_same(file: Found, known: AnyItem | RejectedFile | None) -> bool:
    if known is None or known.mtime_ns != file.mtime_ns or known.size_bytes != file.size_bytes:
        return False
    inode = 0 if isinstance(known, RejectedFile) else known.inode
    return not inode or not file.inode or inode == file.inode


def _is_gone(place: Place, walks: Mapping[str, RootWalk]) -> bool:
    root, path = place
    return root in walks and walks[root].knows(path)


def _count(items: Iterable[AnyItem], root: str) -> int:
    return sum(item.root == root for item in items)


def _bare(root: str, count: int) -> Problem:
    return Problem(
        path=root,
        problem=f"The folder is empty, but {count} items of it are known.",
        advice="Mount its disk. If it shall be empty, put any file into it.",
    )


def candidates(changes: Changes, strays: Sequence[AnyItem], known: Known) -> dict[Found, list[AnyItem]]:
    """For each wanted file the items that it may turn out to be, by size; only these files need a hash now.

    Items are open to be claimed when their file is gone or is itself wanted; ``strays`` are items of roots
    that are not scanned and whose file is gone.
    """
    places = {(file.root, file.path) for file in changes.wanted}
    open_items = [
        *changes.missing,
        *strays,
        *(item for item in known.items if (item.root, item.path) in places),
    ]
    by_size: dict[int, list[AnyItem]] = defaultdict(list)
    for item in open_items:
        by_size[item.size_bytes].append(item)
    return {file: by_size[file.size_bytes] for file in changes.wanted if file.size_bytes in by_size}


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Which item a wanted file is, and whether its content is still what was measured."""

    item: AnyItem
    same_content: bool


def identify(
    wanted: Sequence[Found],
    hashes: Mapping[Found, str],
    possible: Mapping[Found, Sequence[AnyItem]],
    known: Known,
) -> dict[Found, Identity]:
    """Decide which wanted files are known items. Each item is claimed once; content counts before path."""
    by_place = {(item.root, item.path): item for item in known.items}
    claimed: dict[str, Found] = {}
    decided: dict[Found, Identity] = {}

    def claim(file: Found, item: AnyItem | None, same_content: bool) -> None:
        if item is not None and file not in decided and item.id not in claimed:
            claimed[item.id] = file
            decided[file] = Identity(item, same_content)

    def same(file: Found) -> list[AnyItem]:
        return [item for item in possible.get(file, ()) if item.content_hash == hashes.get(file)]

    for file in wanted:
        claim(file, next((item for item in same(file) if _at(item, file)), None), True)
    for file in wanted:
        claim(file, next((item for item in same(file) if item.id not in claimed), None), True)
    for file in wanted:
        claim(file, by_place.get((file.root, file.path)), False)
    return decided


def settled(repeated: Iterable[Found], known: Known) -> dict[Found, Identity]:
    """Which items the files are that did not change."""
    by_place = {(item.root, item.path): item for item in known.items}
    return {file: Identity(by_place[file.root, file.path], True) for file in repeated}


def _at(item: AnyItem, file: Found) -> bool:
    return (item.root, item.path) == (file.root, file.path)


def fresh_id(content_hash: str, path: str, taken: Collection[str]) -> str:
    """The id of a new file: the start of its content's hash; a copy's is made of content, path and count."""
    candidate, count = content_hash[:ID_DIGITS], 0
    while candidate in taken:
        count += 1
        candidate = blake2b(f"{content_hash}\0{path}\0{count}".encode()).hexdigest()[:ID_DIGITS]
    return candidate
