from __future__ import annotations

import random
import resource
from pathlib import Path

import pytest
from msgspec.structs import replace
from stream_house import BASE_MS, CHUNK_BYTES, CHUNK_MS, Ear, Turns, make_chunk, make_mount, sound

from radio.streaming.icy import EMPTY, IcyReader, StreamTitle, metadata_block
from radio.streaming.mount import burst_ms_of


def test_a_joiner_starts_at_the_chunk_that_holds_now():
    mount = make_mount()
    for seq in range(10):
        mount.publish(make_chunk(seq))
    for now_ms, first in (
        (0, 0),
        (CHUNK_MS - 1, 0),
        (CHUNK_MS, 1),
        (5 * CHUNK_MS + 7, 5),
        (10 * CHUNK_MS - 1, 9),
    ):
        ear = Ear()
        start = ear.join(mount, BASE_MS + now_ms)
        assert start.stream_time_ms == BASE_MS + first * CHUNK_MS
        assert ear.heard == b"".join(map(sound, range(first, 10)))
    assert (mount.listeners, mount.joined) == (5, 5)


@pytest.mark.parametrize(("kbps", "least_ms"), [(32, 9_292), (48, 6_561), (64, 5_196), (128, 3_148)])
def test_a_browser_that_reads_pieces_of_32_kib_never_stalls(kbps, least_ms):
    """What Chromium holds back, and the longest pause between two chunks, are less than what it has been sent."""
    burst_ms = burst_ms_of(kbps)
    assert burst_ms == least_ms
    mount = make_mount(bitrate_kbps=kbps, burst_ms=burst_ms, ring_chunks=60)
    for seq in range(50):
        mount.publish(make_chunk(seq))
    lead_ms = 4_000
    now_ms = 50 * CHUNK_MS - lead_ms
    ear = Ear()
    start = ear.join(mount, BASE_MS + now_ms)
    sent_ms = len(ear.heard) // CHUNK_BYTES * CHUNK_MS
    assert max(lead_ms, burst_ms) <= sent_ms < max(lead_ms, burst_ms) + 2 * CHUNK_MS
    assert start.stream_time_ms == BASE_MS + 50 * CHUNK_MS - sent_ms
    assert ear.heard == b"".join(map(sound, range(50 - sent_ms // CHUNK_MS, 50)))


def test_a_burst_is_bounded_by_what_is_at_hand_and_a_stall_is_a_stall():
    mount = make_mount(burst_ms=burst_ms_of(32))
    for seq in range(3):
        mount.publish(make_chunk(seq))
    early, late = Ear(), Ear()
    assert early.join(mount, BASE_MS + 2 * CHUNK_MS).stream_time_ms == BASE_MS
    assert late.join(mount, BASE_MS + 60_000) is None
    mount.publish(make_chunk(3))
    assert late.heard == sound(3)
    mount.publish(make_chunk(0, epoch=1))
    again = Ear()
    assert again.join(mount, BASE_MS).stream_time_ms == BASE_MS
    assert again.heard == sound(0)


def test_what_is_ahead_of_a_clock_that_went_back_is_bounded_by_the_ring():
    mount = make_mount(ring_chunks=4)
    for seq in range(20):
        mount.publish(make_chunk(seq))
    ear = Ear()
    assert ear.join(mount, BASE_MS - 60_000).stream_time_ms == BASE_MS + 16 * CHUNK_MS
    assert len(ear.heard) == 4 * CHUNK_BYTES < mount.max_burst_bytes


def test_who_finds_nothing_waits_for_the_next_chunk():
    mount = make_mount()
    plain, icy, gone = Ear(), Ear(), Ear()
    assert plain.join(mount, BASE_MS) is None
    assert icy.join(mount, BASE_MS, icy=True) is None
    assert gone.join(mount, BASE_MS) is None
    mount.leave(gone)
    assert (mount.waiting, mount.listeners) == (2, 0)
    mount.publish(make_chunk(0, title="A"))
    mount.publish(make_chunk(1, title="A"))
    assert plain.begun.stream_time_ms == BASE_MS
    assert plain.heard == sound(0) + sound(1)
    assert icy.heard == sound(0) + metadata_block("A") + sound(1) + EMPTY
    assert not gone.heard
    stalled = Ear()
    assert stalled.join(mount, BASE_MS + 60_000) is None
    mount.publish(make_chunk(2))
    assert stalled.heard == sound(2)
    assert (mount.waiting, mount.listeners) == (0, 3)


def test_all_listeners_of_a_kind_get_one_and_the_same_buffer():
    mount = make_mount()
    mount.publish(make_chunk(0))
    kinds: dict[bool, list[bytes]] = {True: [], False: []}
    for index in range(20):
        icy = bool(index % 2)
        mount.join(Ear(), kinds[icy].append, icy=icy, now_ms=BASE_MS)
    chunk = make_chunk(1, title="New")
    mount.publish(chunk)
    assert len({id(buffer) for buffer in kinds[True]}) == 1
    assert all(buffer is chunk.data for buffer in kinds[False])
    assert kinds[True][0] == chunk.data + metadata_block("New")


def test_titles_come_first_and_on_change_only():
    titles = ["A", "A", "B", "B", "B", "A", "A"]
    mount = make_mount()
    for seq, title in enumerate(titles[:4]):
        mount.publish(make_chunk(seq, title=title))
    early, late = Ear(), Ear()
    early.join(mount, BASE_MS, icy=True)
    late.join(mount, BASE_MS + 3 * CHUNK_MS, icy=True)
    for seq, title in list(enumerate(titles))[4:]:
        mount.publish(make_chunk(seq, title=title))

    def heard(ear: Ear) -> list[tuple[str, int]]:
        out = IcyReader(CHUNK_BYTES).feed(bytes(ear.heard))
        return [(o.title, o.after_bytes // CHUNK_BYTES) for o in out if isinstance(o, StreamTitle)]

    assert heard(early) == [("A", 1), ("B", 3), ("A", 6)]
    assert heard(late) == [("B", 1), ("A", 3)]


def test_random_joins_and_leaves_get_every_byte_from_their_start_on():
    dice = random.Random(7)
    mount = make_mount()
    present: list[tuple[Ear, bool]] = []
    left = []
    for seq in range(300):
        mount.publish(make_chunk(seq, title=f"Title {seq // 9}"))
        now_ms = BASE_MS + max(0, seq - 5) * CHUNK_MS + dice.randrange(CHUNK_MS)
        for _ in range(dice.randrange(3)):
            ear, icy = Ear(), dice.random() < 0.5
            ear.join(mount, now_ms, icy=icy)
            present.append((ear, icy))
        while len(present) > 10:
            ear, icy = present.pop(dice.randrange(len(present)))
            mount.leave(ear)
            left.append((ear, icy, seq))
    assert mount.listeners == len(present)
    for ear, icy, last in left + [(ear, icy, 299) for ear, icy in present]:
        out = IcyReader(CHUNK_BYTES if icy else None).feed(bytes(ear.heard))
        first = (ear.begun.stream_time_ms - BASE_MS) // CHUNK_MS
        audio = b"".join(o for o in out if isinstance(o, bytes))
        assert audio == b"".join(map(sound, range(first, last + 1)))


def test_bytes_sent_are_counted():
    mount = make_mount()
    plain, icy = Ear(), Ear()
    plain.join(mount, BASE_MS)
    icy.join(mount, BASE_MS, icy=True)
    for seq in range(5):
        mount.publish(make_chunk(seq))
    assert mount.bytes_sent == len(plain.heard) + len(icy.heard)


def test_a_jump_of_stream_time_is_told_and_ends_the_ring():
    mount = make_mount()
    shifts = []
    mount.on_shift = lambda *shift: shifts.append(shift)
    for seq in range(4):
        mount.publish(make_chunk(seq, late_ms=seq * 4))
    assert shifts == []
    mount.publish(make_chunk(4, late_ms=3000))
    mount.publish(make_chunk(5, late_ms=3000))
    mount.publish(make_chunk(0, epoch=1, late_ms=1000))
    assert shifts == [("wxyz", "live.mp3", 3000), ("wxyz", "live.mp3", 1000 - 6 * CHUNK_MS - 3000)]
    ear = Ear()
    ear.join(mount, BASE_MS)
    assert ear.heard == sound(0)
    assert mount.newest.epoch == 1


def test_a_drift_adds_up():
    mount = make_mount()
    shifts = []
    mount.on_shift = lambda station, name, by_ms: shifts.append(by_ms)
    for seq in range(20):
        mount.publish(make_chunk(seq, late_ms=seq * 3))
    assert shifts == [21, 21]


def test_chunks_and_sizes_that_do_not_fit_are_refused():
    for wrong in ({"chunk_bytes": 1000}, {"chunk_bytes": 0}, {"frame_bytes": 0}, {"ring_chunks": 1}):
        with pytest.raises(ValueError, match="no whole frames"):
            make_mount(**wrong)
    mount = make_mount(chunk_bytes=CHUNK_BYTES * 2)
    with pytest.raises(ValueError, match="a chunk of 3840 bytes, not 7680"):
        mount.publish(make_chunk(0))
    assert mount.newest is None


def test_who_starts_is_led_in_and_who_listens_is_not():
    mount = make_mount()
    first, icy = Ear(), Ear()
    mount.publish(make_chunk(0))
    first.join(mount, BASE_MS)
    mount.publish(make_chunk(1, lead_in=b"ID3 empty ", entry=10))
    late = Ear()
    late.join(mount, BASE_MS + CHUNK_MS)
    icy.join(mount, BASE_MS + CHUNK_MS, icy=True)
    mount.publish(make_chunk(2, lead_in=b"ID3 empty ", entry=10))
    assert first.heard == sound(0) + sound(1) + sound(2)
    assert late.heard == b"ID3 empty " + sound(1)[10:] + sound(2)
    out = IcyReader(CHUNK_BYTES).feed(bytes(icy.heard))
    assert b"".join(o for o in out if isinstance(o, bytes)) == late.heard
    with pytest.raises(ValueError, match="9 bytes cannot lead in at byte 10"):
        mount.publish(make_chunk(3, lead_in=b"ID3 empty", entry=10))


def test_where_chunks_vary_there_is_no_metadata():
    mount = make_mount(chunk_bytes=None, frame_bytes=1)
    sizes = [3_000, 5_000, 4_000]
    chunks = [replace(make_chunk(seq), data=sound(seq)[:size]) for seq, size in enumerate(sizes)]
    for chunk in chunks:
        mount.publish(replace(chunk, lead_in=b"HEADERS"))
    ear = Ear()
    ear.join(mount, BASE_MS + CHUNK_MS)
    assert ear.heard == b"HEADERS" + chunks[1].data + chunks[2].data
    assert mount.max_burst_bytes > 16 * len(chunks[1].data)
    with pytest.raises(ValueError, match="no place for metadata"):
        Ear().join(mount, BASE_MS, icy=True)


def test_a_town_that_returns_at_once_is_let_in_a_few_at_a_time():
    turns = Turns()
    mount = make_mount(later=turns)
    town = [Ear() for _ in range(1000)]
    for ear in town:
        assert ear.join(mount, BASE_MS) is None
    gone = town[700]
    mount.leave(gone)
    for seq in range(3):
        mount.publish(make_chunk(seq))
    started = [ear for ear in town if ear.begun]
    assert 0 < len(started) <= 3 * 50
    turns.run_all()
    assert {bytes(ear.heard) for ear in town if ear is not gone} == {sound(0) + sound(1) + sound(2)}
    assert {ear.begun.stream_time_ms for ear in town if ear is not gone} == {BASE_MS}
    assert (mount.listeners, mount.waiting, gone.begun) == (999, 0, None)


def test_who_waits_while_the_stream_begins_anew_gets_what_there_is():
    turns = Turns()
    mount = make_mount(later=turns)
    town = [Ear() for _ in range(450)]
    for ear in town:
        ear.join(mount, BASE_MS)
    mount.publish(make_chunk(0))
    mount.publish(make_chunk(0, epoch=1, late_ms=9_000))
    turns.run_all()
    assert {bytes(ear.heard) for ear in town} == {sound(0) * 2, sound(0)}
    assert mount.listeners == 450


def test_one_that_was_started_elsewhere_gets_what_comes():
    mount = make_mount()
    mount.publish(make_chunk(0))
    ear = Ear()
    mount.admit(ear, ear.write, icy=True)
    mount.publish(make_chunk(1))
    assert ear.heard == sound(1) + EMPTY


def test_a_hundred_thousand_titles_leave_nothing_behind():
    mount = make_mount()
    ear = Ear()
    ear.join(mount, BASE_MS, icy=True)
    mount.publish(make_chunk(0))
    chunk = make_chunk(0)
    ear.heard.clear()
    for seq in range(1, 100_001):
        title = f"{seq} ';\r\n\0StreamTitle='x'; {chr(0x20 + seq % 50_000)}" * (seq % 5)
        mount.publish(replace(chunk, seq=seq, title=title, starts_at_ms=BASE_MS + seq * CHUNK_MS))
        assert len(ear.heard) == CHUNK_BYTES + 1 + 16 * ear.heard[CHUNK_BYTES]
        ear.heard.clear()
        if seq == 1_000:
            before = resident_bytes()
    assert resident_bytes() - before < 2_000_000


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()
