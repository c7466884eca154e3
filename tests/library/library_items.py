"""Items without files, for tests that need no sound."""

from __future__ import annotations

from radio.library.items import Item
from radio.units import DurationMs


def item(path: str, *, root: str = "/audio", content: str | None = None, **fields: object) -> Item:
    """An item at ``path``; its content and id follow from the path unless they are given."""
    content = content or f"hash-of-{path}"
    known: dict[str, object] = {
        "id": f"id-{content}",
        "size_bytes": 100,
        "mtime_ns": 1,
        "category": path.partition("/")[0] if "/" in path else "",
        "title": path,
        "duration_ms": DurationMs(3000),
        "cue_in_ms": DurationMs(0),
        "cue_out_ms": DurationMs(3000),
    }
    return Item(root=root, path=path, content_hash=content, **(known | fields))  # type: ignore[arg-type]
