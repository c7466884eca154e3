"""Files that hold the same sound: to the sample, or by the fingerprint of what is heard.

Functions take a connection of the store. A comparison of two fingerprints takes well under a millisecond;
how many are made is bounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, and_, func, select

from radio.audio.fingerprint import DUPLICATE_SIMILARITY, similarity
from radio.library import catalog
from radio.library.items import Item
from radio.store import tables

MAX_PAIRS: Final = 2_000
MAX_GROUPS: Final = 500
COMMON: Final = 50
"""A key that more items share than this tells nothing: silence and test tones have such keys."""


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Items with the same sound. ``similarity`` is the least that binds one of them to the others, 1 if exact."""

    kind: Literal["exact", "near"]
    similarity: float
    items: tuple[Item, ...]


def duplicates(
    connection: Connection, *, roots: Sequence[str] | None = None, item_id: str | None = None
) -> list[Duplicates]:
    """Groups of items with the same sound in the roots, exact ones first; of one item only where it is named.

    At most 500 exact groups, and near ones of 2,000 compared pairs.
    """
    exact = _exact(connection, item_id)
    pairs = _near(connection, item_id, {frozenset(pair) for group in exact for pair in _pairs(group)})
    groups = [("exact", 1.0, group) for group in exact] + [("near", *near) for near in _joined(pairs)]
    found = []
    for kind, least, ids in groups:
        items = [item for item in catalog.load_some(connection, ids) if roots is None or item.root in roots]
        items.sort(key=lambda item: (item.root, item.path))
        if len(items) > 1:
            found.append(Duplicates(kind=kind, similarity=round(least, 3), items=tuple(items)))  # type: ignore[arg-type]
    return found


def _exact(connection: Connection, item_id: str | None) -> list[list[str]]:
    c = tables.item_details.c
    shared = select(c.pcm_hash).where(c.pcm_hash.is_not(None)).group_by(c.pcm_hash).having(func.count() > 1)
    if item_id is not None:
        shared = shared.where(c.pcm_hash.in_(select(c.pcm_hash).where(c.item_id == item_id)))
    groups: dict[str, list[str]] = defaultdict(list)
    chosen = shared.order_by(c.pcm_hash).limit(MAX_GROUPS).subquery()
    query = select(c.pcm_hash, c.item_id).where(c.pcm_hash.in_(select(chosen.c.pcm_hash)))
    for pcm_hash, one in connection.execute(query.order_by(c.pcm_hash, c.item_id)):
        groups[pcm_hash].append(one)
    return list(groups.values())


def _pairs(ids: Sequence[str]) -> Iterable[tuple[str, str]]:
    return ((a, b) for index, a in enumerate(ids) for b in ids[index + 1 :])


def _near(
    connection: Connection, item_id: str | None, known: set[frozenset[str]]
) -> list[tuple[float, str, str]]:
    a, b = tables.fingerprint_keys.alias(), tables.fingerprint_keys.alias()
    key = tables.fingerprint_keys.c.key
    common = select(key).group_by(key).having(func.count() > COMMON)
    query = (
        select(a.c.item_id, b.c.item_id)
        .join(b, and_(a.c.key == b.c.key, a.c.item_id < b.c.item_id))
        .where(a.c.key.not_in(common))
        .group_by(a.c.item_id, b.c.item_id)
        .order_by(func.count().desc(), a.c.item_id, b.c.item_id)
        .limit(MAX_PAIRS)
    )
    if item_id is not None:
        query = query.where((a.c.item_id == item_id) | (b.c.item_id == item_id))
    pairs = [(one, other) for one, other in connection.execute(query) if {one, other} not in known]
    return [
        (alike, one, other)
        for one, other in pairs
        if (alike := _similarity(connection, one, other)) is not None
    ]


def _similarity(connection: Connection, one: str, other: str) -> float | None:
    c = tables.item_details.c
    query = select(c.fingerprint).where(c.item_id.in_((one, other)), c.fingerprint.is_not(None))
    prints = list(connection.execute(query).scalars())
    alike = similarity(*prints) if len(prints) == 2 else 0.0
    return alike if alike >= DUPLICATE_SIMILARITY else None


def _joined(pairs: Sequence[tuple[float, str, str]]) -> list[tuple[float, list[str]]]:
    """Chains of pairs as groups, each with the least similarity in it."""
    groups: list[tuple[float, set[str]]] = []
    for alike, one, other in pairs:
        joined, least = {one, other}, alike
        apart = []
        for group in groups:
            if group[1] & joined:
                joined, least = joined | group[1], min(least, group[0])
            else:
                apart.append(group)
        groups = [*apart, (least, joined)]
    return [(least, sorted(ids)) for least, ids in groups]
