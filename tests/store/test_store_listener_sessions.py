from __future__ import annotations

from msgspec.structs import replace

from radio.store.listener_sessions import ListenerSession, between, blank_addresses, record

ONE = ListenerSession(
    station="wxyz",
    mount="live.mp3",
    started_at_ms=1_800_000_000_000,
    ended_at_ms=1_800_000_060_000,
    bytes_sent=2**40,
    agent="Firefox",
    address="2001:db8::1",
)


async def test_sessions_come_back_by_station_and_start(store):
    sessions = [replace(ONE, started_at_ms=ONE.started_at_ms + second * 1_000) for second in (3, 1, 2)]
    await store.write(record, [*sessions, replace(ONE, station="kday")])
    await store.write(record, [])
    first, last = ONE.started_at_ms, ONE.started_at_ms + 3_000
    found = await store.read(between, "wxyz", first, last)
    assert found == [sessions[1], sessions[2]]
    assert await store.read(between, "wxyz", last, last + 1) == [sessions[0]]
    assert await store.read(between, "none", 0, last) == []


async def test_only_old_addresses_are_blanked(store):
    ends = [ONE.ended_at_ms + second * 1_000 for second in range(4)]
    await store.write(record, [replace(ONE, ended_at_ms=end) for end in ends])
    assert await store.write(blank_addresses, ends[2]) == 2
    assert await store.write(blank_addresses, ends[2]) == 0
    found = await store.read(between, "wxyz", 0, ends[3])
    assert [one.address for one in found] == [None, None, ONE.address, ONE.address]
