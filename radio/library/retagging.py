"""Tags written, and taken back, by a service that seldom does so: what it takes, some 3 MB, is loaded then.

Every function here blocks while a file is read or copied: call it in a thread. What they raise is what
:mod:`radio.library.tag_writing` raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def check_tags(path: Path, changes: Mapping[str, object]) -> None:
    """See that ``changes`` can be written into the file at ``path``; nothing is.

    :raises InvalidRequest: a field or value that cannot be. :raises TagsNotWritten: the file cannot be changed.
    """
    from radio.library.tag_writing import plan_write

    plan_write(path, changes)


def write_tags(path: Path, changes: Mapping[str, object]) -> bytes | None:
    """Write ``changes`` into the file and return what :func:`restore_tags` takes; None where nothing would change.

    Errors as of :func:`check_tags`; after one the file is as it was.
    """
    from radio.library import tag_writing

    record = tag_writing.write_tags(path, changes)
    return record.to_bytes() if record else None


def restore_tags(data: bytes, path: Path) -> None:
    """Restore the exact bytes that the file at ``path`` had before ``data`` was returned for it.

    :raises TagsNotWritten: the file is not as it was written, or cannot be replaced.
    """
    from radio.library.tag_writing import Undo, undo

    undo(Undo.from_bytes(data), path)
