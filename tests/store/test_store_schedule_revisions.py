from __future__ import annotations

import msgspec
import pytest

from radio.errors import LimitReached
from radio.store import schedule_revisions as kept
from radio.store.schedule_revisions import Draft, Revision
from radio.units import UtcMs

NOON = 1_800_000_000_000


def revision(version: str = "v", at_ms: int = NOON, operator: str = "anna") -> Revision:
    return Revision(
        number=0, parent=None, at_ms=UtcMs(at_ms), operator=operator, action="text", why="so", version=version,
        size_bytes=3, added_lines=1, removed_lines=0,
    )  # fmt: skip


async def test_revisions_are_numbered_by_station_and_read_back(store):
    assert await store.read(kept.latest, "harbor") is None
    first = await store.write(kept.add, "harbor", revision("a"), b"one")
    second = await store.write(kept.add, "harbor", revision("b"), b"two")
    other = await store.write(kept.add, "meridian", revision("a"), b"three")
    assert [(one.number, one.parent) for one in (first, second, other)] == [(1, None), (2, 1), (1, None)]
    assert await store.read(kept.latest, "harbor") == second
    assert await store.read(kept.get, "harbor", 1) == first
    assert await store.read(kept.get, "harbor", 3) is None
    assert await store.read(kept.text_of, "harbor", 2) == b"two"
    assert (await store.read(kept.with_version, "harbor", "a")) == first
    assert [one.number for one in await store.read(kept.page, "harbor")] == [2, 1]
    assert [one.number for one in await store.read(kept.page, "harbor", before=2)] == [1]
    assert [one.number for one in await store.read(kept.page, "harbor", limit=1)] == [2]


async def test_old_texts_go_and_their_lines_stay(store, monkeypatch):
    monkeypatch.setattr(kept, "KEPT_TEXTS", 3)
    for number in range(5):
        await store.write(kept.add, "harbor", revision(f"v{number}"), b"text")
    found = await store.read(kept.page, "harbor")
    assert [one.has_text for one in found] == [True, True, True, False, False]
    assert await store.read(kept.text_of, "harbor", 1) is None
    assert await store.read(kept.with_version, "harbor", "v0") is None
    await store.write(kept.add, "harbor", revision("late", NOON + kept.KEPT_MS + 1), b"text")
    found = await store.read(kept.page, "harbor")
    assert [one.has_text for one in found] == [True, False, False, False, False, False]
    monkeypatch.setattr(kept, "MAX_LINES", 2)
    await store.write(kept.add, "harbor", revision("last", NOON + kept.KEPT_MS + 2), b"text")
    assert [one.number for one in await store.read(kept.page, "harbor")] == [7, 6]


async def test_one_draft_of_each_operator_and_not_too_many(store, monkeypatch):
    monkeypatch.setattr(kept, "MAX_DRAFTS", 2)
    draft = Draft(operator="anna", at_ms=UtcMs(NOON), base="a", why="", data=b"one")
    newer = msgspec.structs.replace(draft, data=b"two")
    await store.write(kept.put_draft, "harbor", draft)
    await store.write(kept.put_draft, "harbor", newer)
    await store.write(kept.put_draft, "harbor", msgspec.structs.replace(draft, operator="ben"))
    assert await store.read(kept.draft, "harbor", "anna") == newer
    with pytest.raises(LimitReached):
        await store.write(kept.put_draft, "harbor", msgspec.structs.replace(draft, operator="cleo"))
    assert await store.write(kept.drop_draft, "harbor", "ben")
    assert not await store.write(kept.drop_draft, "harbor", "ben")
    assert await store.read(kept.draft, "harbor", "ben") is None
    await store.write(kept.put_draft, "meridian", msgspec.structs.replace(draft, operator="cleo"))
