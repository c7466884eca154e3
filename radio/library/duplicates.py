"""Files that hold the same sound: to the sample, or by the fingerprint of what is heard.

Functions take a connection of the store. A comparison of two fingerprints takes well under a millisecond;
how many are made is bounded (:mod:`radio.library.near_pairs`).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from sqlalchemy import Connection, func, select

from radio.audio.fingerprint import CANDIDATE_KEYS, DUPLICATE_SIMILARITY, similarity
from radio.library import catalog
from radio.library.items import Item
from radio.library.near_pairs import SHORT, near_pairs
from radio.store import tables

MAX_PAIRS: Final = 2_000
MAX_GROUPS: Final = 500
MAX_PAIRS_OF_ONE: Final = 50
_PART: Final = 500


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Items with the same sound. ``similarity`` is the least that binds one of them to the others, 1 if exact."""

    kind: Literal["exact", "near"]
    similarity: float
    items: tuple[Item, ...]


def duplicates(
    connection: Connection, *, roots: Sequence[str] | None = None, item_id: str | None = None
) -> list[Duplicates]:
    """Groups of items with the same sound in the roots, exact ones first; of one item only where it is named.

    At most 500 exact groups, and near ones of the 2,000 pairs that share most keys; 50 of one item.
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
    pairs = _candidates(connection) if item_id is None else _candidates_of(connection, item_id)
    pairs = [pair for pair in pairs if frozenset(pair) not in known]
    prints = _fingerprints(connection, {one for pair in pairs for one in pair})
    compared = [
        (similarity(prints[one], prints[other]), one, other)
        for one, other in pairs
        if one in prints and other in prints
    ]
    return [pair for pair in compared if pair[0] >= DUPLICATE_SIMILARITY]


def _candidates(connection: Connection) -> list[tuple[str, str]]:
    c = tables.fingerprint_keys.c
    ids: dict[str, int] = {}
    flat = array("q")
    for key, one in connection.execute(select(c.key, c.item_id)):
        flat.extend((key, ids.setdefault(one, len(ids))))
    both = np.frombuffer(flat, dtype=np.int64).reshape(-1, 2)
    names = list(ids)
    return [(names[pair.one], names[pair.other]) for pair in near_pairs(both[:, 0], both[:, 1], MAX_PAIRS)]


def _candidates_of(connection: Connection, item_id: str) -> list[tuple[str, str]]:
    c = tables.fingerprint_keys.c
    mine = list(connection.execute(select(c.key).where(c.item_id == item_id)).scalars())
    shared = func.count().label("shared")
    query = (
        select(c.item_id)
        .where(c.key.in_(mine), c.item_id != item_id)
        .group_by(c.item_id)
        .having(shared >= (CANDIDATE_KEYS if len(mine) >= SHORT else 1))
        .order_by(shared.desc(), c.item_id)
        .limit(MAX_PAIRS_OF_ONE)
    )
    return [(item_id, other) for other in connection.execute(query).scalars()]


def _fingerprints(connection: Connection, ids: Iterable[str]) -> dict[str, bytes]:
    c = tables.item_details.c
    wanted = sorted(ids)
    prints: dict[str, bytes] = {}
    for start in range(0, len(wanted), _PART):
        query = select(c.item_id, c.fingerprint).where(
            c.item_id.in_(wanted[start : start + _PART]), c.fingerprint.is_not(None)
        )
        prints.update((row.item_id, row.fingerprint) for row in connection.execute(query))
    return prints


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
