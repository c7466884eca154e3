"""A station's playout that goes on in another one, as in another process: one stream, one account of the rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import msgspec
import numpy as np
import pytest
from sources import EPOCH_MS, ListLog, row

from radio.audio.pcm import Pcm
from radio.clock import ManualClock
from radio.errors import TakeoverFailed
from radio.events import RowCued, RowEnded, RowStarted
from radio.log import LogRow
from radio.playout import Output, RunBaton, StationPlayout
from radio.streaming.chunks import Chunk
from radio.units import SAMPLE_RATE_HZ, samples_of


class Sweep:
    """A sound that is another at every moment of its row: a sine that rises."""

    failed = None

    def __init__(self, at: int) -> None:
        self.at = at

    def read(self, n: int) -> Pcm:
        time_s = np.arange(self.at, self.at + n) / SAMPLE_RATE_HZ
        self.at += n
        wave = (0.3 * np.sin(2 * np.pi * (300 + 20 * time_s) * time_s)).astype(np.float32)
        return np.stack([wave, wave], axis=1)

    def close(self) -> None:
        return


class SweepLoader:
    def open(self, row: LogRow, seek_ms: int) -> Future[Any]:
        opened: Future[Any] = Future()
        opened.set_result(Sweep(samples_of(seek_ms)))
        return opened

    def close(self) -> None:
        return


class Station:
    """A playout with what it sent; several may share a clock and a log."""

    def __init__(self, rows: list[LogRow], clock: ManualClock, baton: RunBaton | None = None) -> None:
        self.chunks: list[Chunk] = []
        self.events: list[Any] = []
        self.playout = StationPlayout(
            station="wxyz",
            name="WXYZ",
            outputs=tuple(
                Output(mount=f"live.{name}", format=name, bitrate_kbps=128) for name in ("mp3", "aac", "opus")
            ),
            lead_s=4.0,
            log=ListLog(rows),
            loader=SweepLoader,
            clock=clock,
            on_event=self.events.append,
            on_chunk=self.chunks.append,
            on_pulse=lambda pulse: None,
            baton=baton,
        )
        self.playout.start()

    def of(self, mount: str) -> list[Chunk]:
        return [chunk for chunk in self.chunks if chunk.mount == mount]

    def play_on(self, clock: ManualClock, seconds: int) -> None:
        """Let time pass, not faster than the station can follow."""
        for _ in range(seconds):
            clock.advance(1.0)
            self.until(lambda: bool(self.chunks) and self.chunks[-1].ends_at_ms > clock.now_ms() + 2_500)

    def until(self, check: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if check():
                return
            time.sleep(0.005)
        raise AssertionError(f"never came: {len(self.chunks)} chunks, {self.events}")


@pytest.fixture
def stations() -> Iterator[Callable[..., Station]]:
    made: list[Station] = []

    def make(*args: Any) -> Station:
        made.append(Station(*args))
        return made[-1]

    yield make
    for station in made:
        station.playout.stop()


ROWS = [row("one", 0, 9_000), row("two", 9_000, 8_000), row("three", 17_000, 60_000)]


def test_another_playout_goes_on_with_the_stream(stations: Callable[..., Station]) -> None:
    clock = ManualClock(EPOCH_MS)
    old = stations(ROWS, clock)
    old.until(lambda: len(old.of("live.mp3")) >= 3)
    baton = old.playout.suspend(2.0)
    before = len(old.chunks)
    clock.advance(1.0)
    new = stations(ROWS, clock, msgspec.msgpack.decode(msgspec.msgpack.encode(baton), type=RunBaton))
    new.play_on(clock, 15)
    new.until(lambda: any(isinstance(event, RowEnded) and event.row.id == "two" for event in new.events))

    assert len(old.chunks) == before
    for mount in ("live.mp3", "live.aac", "live.opus"):
        chunks = [*old.of(mount), *new.of(mount)]
        assert len(new.of(mount)) > 6
        for one, after in zip(chunks, chunks[1:], strict=False):
            assert (after.epoch, after.seq) == (one.epoch, one.seq + 1)
            assert after.first_sample == one.first_sample + one.samples
            assert abs(after.starts_at_ms - one.starts_at_ms - one.duration_ms) <= 1
    assert new.of("live.mp3")[0].title == old.of("live.mp3")[-1].title == "One"


def test_each_row_is_told_once_and_with_all_that_was_heard_of_it(stations: Callable[..., Station]) -> None:
    clock = ManualClock(EPOCH_MS)
    old = stations(ROWS, clock)
    old.until(lambda: len(old.of("live.mp3")) >= 3)
    baton = old.playout.suspend(2.0)
    new = stations(ROWS, clock, baton)
    new.play_on(clock, 15)
    new.until(lambda: any(isinstance(event, RowEnded) and event.row.id == "two" for event in new.events))

    told = [(type(event).__name__, event.row.id) for event in [*old.events, *new.events]]
    assert [one for one in told if one[1] == "one"] == [
        ("RowCued", "one"),
        ("RowStarted", "one"),
        ("RowEnded", "one"),
    ]
    ended = {event.row.id: event for event in new.events if isinstance(event, RowEnded)}
    assert ended["one"].played_ms == 9_000
    assert ended["one"].at_ms == EPOCH_MS + 9_000
    started = [event for event in new.events if isinstance(event, RowStarted | RowCued)]
    assert {event.row.id for event in started} >= {"two"}
    assert all(event.at_ms == event.row.starts_at_ms for event in started)


def test_where_the_other_does_not_go_on_the_first_one_does(stations: Callable[..., Station]) -> None:
    clock = ManualClock(EPOCH_MS)
    old = stations(ROWS, clock)
    old.until(lambda: len(old.of("live.mp3")) >= 3)
    old.playout.suspend(2.0)
    count = len(old.chunks)
    clock.advance(3.0)
    time.sleep(0.2)
    assert len(old.chunks) == count
    old.playout.go_on()
    old.until(lambda: len(old.of("live.mp3")) >= 6)
    for mount in ("live.mp3", "live.aac", "live.opus"):
        assert [chunk.seq for chunk in old.of(mount)] == list(range(len(old.of(mount))))


def test_a_stream_whose_items_change_is_not_handed_over(stations: Callable[..., Station]) -> None:
    rows = [row(f"short-{number}", 1_000 * number, 1_000) for number in range(60)]
    old = stations(rows, ManualClock(EPOCH_MS))
    old.until(lambda: len(old.of("live.mp3")) >= 2)
    with pytest.raises(TakeoverFailed, match="no quiet moment"):
        old.playout.suspend(0.2)
    assert old.playout.suspension is None
