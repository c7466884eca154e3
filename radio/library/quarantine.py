"""Items that failed on the air are set aside: nobody plans or plays them until they were looked at again.

What was not read in time, but can be read now, is left in use: the machine was busy. When that happens to an item
again and again it is set aside as well.

An item that is set aside stays in the items' table with its id, its history and its corrections, but counts as not
measured, and stands among the rejected files with the reason. What could only not be read (a disk that is gone or
hangs) is measured again by the next scan that can read it; what failed is, when its file changes or somebody asks for
it (``radio library rescan --rejected``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from radio.library.changes import Known, Place
from radio.library.items import RejectedFile
from radio.store import tables

FAILED: Final = "Failed on the air"
UNREADABLE: Final = "Could not be read on the air"

_STALLS: Final = ("in time", "was not open after", "files before it")


def is_stall(fault: str) -> bool:
    """Whether what playout says of an item may as well be the machine's fault: it was not read in time."""
    return any(part in fault for part in _STALLS)


def reason_for(fault: str, *, readable: bool) -> str:
    """The rejected file's reason for what playout says of it."""
    return f"{UNREADABLE if is_stall(fault) or not readable else FAILED}: {fault.rstrip('.')}."


def stays_out(file: RejectedFile) -> bool:
    """Whether a scan that is not asked for rejected files leaves this one alone, although its item is known."""
    return not file.reason.startswith(UNREADABLE)


def set_aside(connection: Connection, reasons: Mapping[str, str], roots: Collection[str]) -> int:
    """Take items (id to reason) out of use; returns how many. Unknown ids are passed over."""
    c, r = tables.items.c, tables.rejected.c
    query = select(c.id, c.root, c.path, c.size_bytes, c.mtime_ns).where(
        c.id.in_(list(reasons)), c.root.in_(list(roots))
    )
    found = connection.execute(query).all()
    for item in found:
        connection.execute(delete(tables.rejected).where(r.root == item.root, r.path == item.path))
    if found:
        connection.execute(
            update(tables.items).where(c.id.in_([item.id for item in found])).values(measured=False)
        )
        connection.execute(
            insert(tables.rejected),
            [
                {
                    "root": item.root,
                    "path": item.path,
                    "reason": reasons[item.id],
                    "size_bytes": item.size_bytes,
                    "mtime_ns": item.mtime_ns,
                }
                for item in found
            ],
        )
    return len(found)


def places_out(known: Known) -> set[Place]:
    """Where items lie that a scan leaves set aside."""
    return {(file.root, file.path) for file in known.rejected if stays_out(file)}


def ids_aside(known: Known) -> frozenset[str]:
    """The items that are set aside: what was measured of them is not to be trusted."""
    places = {(file.root, file.path) for file in known.rejected}
    return frozenset(
        item.id
        for item in known.items
        if not getattr(item, "measured", True) and (item.root, item.path) in places
    )


def can_be_read(file: Path) -> bool:
    """Whether the end of the file can be read now. Blocks, for as long as the disk does.

    What is no regular file is not opened: a pipe would hold whoever opens it for ever.
    """
    try:
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            opened.seek(0, os.SEEK_END)
            opened.seek(max(0, opened.tell() - 4096))
            return bool(opened.read(4096))
    except OSError:
        return False
