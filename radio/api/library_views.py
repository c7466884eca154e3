"""The shapes in which the library's pages come and go: requests read, values shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from radio.api.asking import number
from radio.errors import InvalidRequest
from radio.library import query as queries
from radio.library.advice import advice_for
from radio.library.details import Correction, Details
from radio.library.duplicates import Duplicates
from radio.library.items import Item, RejectedFile
from radio.library.search import MAX_OFFSET, MAX_PAGE, Page, Search
from radio.log import ItemKind
from radio.schedule.model import KIND_OF_FOLDER


def search_of(request: web.Request, roots: Sequence[str], *, query: queries.Query | None = None) -> Search:
    """What the query string asks for: ``q``, ``sort``, ``offset``, ``limit`` and the filters ``category``,
    ``kind``, ``root`` and ``problem`` (each may stand several times)."""
    root = request.query.get("root")
    if root is not None and root not in roots:
        raise InvalidRequest(f"`root` is {root[:80]!r}.", field="root", allowed=", ".join(roots))
    return Search(
        query=queries.parse(request.query.get("q", "")) if query is None else query,
        roots=roots,
        root=root,
        categories=_categories(request),
        problems=request.query.getall("problem", []),
        sort=request.query.get("sort", "title"),
        offset=number(request, "offset", 0, 0, MAX_OFFSET),
        limit=number(request, "limit", 50, 1, MAX_PAGE),
    )


def _categories(request: web.Request) -> list[str] | None:
    named = request.query.getall("category", [])
    kinds = request.query.getall("kind", [])
    for kind in kinds:
        if kind not in list(ItemKind):
            raise InvalidRequest(f"`kind` is {kind[:40]!r}.", field="kind", allowed=", ".join(ItemKind))
    if not named and not kinds:
        return None
    return [*named, *(folder for folder, kind in KIND_OF_FOLDER.items() if kind in kinds)]


def item_view(item: Item) -> dict[str, Any]:
    """An item as lists show it."""
    return {**msgspec.to_builtins(item), "air_ms": item.air_ms}


def page_view(page: Page, wanted: Search) -> dict[str, Any]:
    """A page of a search. ``total_is_exact`` is false where more were found than were counted."""
    return {
        "items": [item_view(item) for item in page.items],
        "total": page.total,
        "total_is_exact": page.is_exact,
        "offset": wanted.offset,
        "limit": wanted.limit,
        "sort": wanted.sort,
    }


def details_view(item: Item, known: Details, corrections: Sequence[Correction]) -> dict[str, Any]:
    """Everything about one item: as it is used, as its file says, as it was measured, and who changed what."""
    sound = msgspec.to_builtins(msgspec.structs.replace(known.sound, peaks=b"", fingerprint=b""))
    for name in ("peaks", "fingerprint", "content_hash"):
        sound.pop(name, None)
    return {
        "item": item_view(item),
        "measured": {
            field: msgspec.to_builtins(getattr(known.item, field))
            for field in (one.field for one in corrections)
            if field in Item.__struct_fields__
        },
        "corrections": corrections,
        "tags": known.tags,
        "sound": sound,
    }


def peaks_view(known: Details) -> dict[str, Any]:
    """The waveform: pairs of signed bytes (lowest, highest) in base64, one for each ``step_ms``."""
    peaks = known.sound.peaks
    return {
        "item": known.item.id,
        "duration_ms": known.sound.duration_ms,
        "step_ms": known.sound.peaks_step_ms,
        "points": len(peaks) // 2,
        "data": b64encode(peaks).decode(),
    }


def rejected_view(file: RejectedFile) -> dict[str, Any]:
    """A file that cannot be aired, why, and what to do."""
    return {**msgspec.to_builtins(file), "advice": advice_for(file.reason)}


def duplicates_view(group: Duplicates) -> dict[str, Any]:
    """A group of items with the same sound."""
    return {
        "kind": group.kind,
        "similarity": group.similarity,
        "items": [item_view(item) for item in group.items],
    }
