"""The as-run log hears of a row before its first sample is made, whatever brings the row on the air."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sources import EPOCH_MS, Steady, StudioLoader, row

from radio.clock import ManualClock
from radio.errors import AudioError
from radio.events import PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import Anchor, ItemKind, LogRow
from radio.playout import Engine, Output, StationPlayout
from radio.schedule import StationLog
from radio.streaming.chunks import Chunk
from radio.units import UtcMs, samples_of

DESK = "the evening desk"
Work = Callable[[Engine], object]

PATHS: dict[str, list[tuple[int, Work]]] = {
    "as planned": [],
    "skip": [(3_000, lambda engine: engine.skip(DESK)), (2_990, lambda engine: engine.skip(DESK))],
    "skips at once": [(3_000, lambda engine: [engine.skip(DESK) for _ in range(3)])],
    "put in now": [(1_000, lambda engine: engine.insert(row("new", 0, 2_000), "now", DESK))],
    "put in next": [(1_000, lambda engine: engine.insert(row("new", 0, 2_000), "next", DESK))],
    "hold and resume": [
        (1_000, lambda engine: engine.hold(DESK)),
        (9_000, lambda engine: engine.resume(DESK)),
    ],
    "given up": [(1_000, lambda engine: engine.give_up("no use"))],
}


def rows() -> list[LogRow]:
    return [
        row("one", 0, 7_000),
        row("two", 7_000, 3_000, ItemKind.MUSIC, overlap_ms=500),
        row("three", 10_000, 4_000, ItemKind.MUSIC),
        row("broken", 14_000, 1_000),
        row("news", 15_000, 5_000, anchor=Anchor.HARD),
        row("last", 20_000, 60_000),
    ]


def loader() -> StudioLoader:
    return StudioLoader(lambda each: AudioError("broken.mp3", "no sound") if each.id == "broken" else 0.25)


def station_log() -> StationLog:
    log = StationLog("wxyz", "WXYZ")
    assert log.replace_from(EPOCH_MS, rows())
    return log


class Listening:
    """An engine whose events are kept with the number of samples that had been made when each was told."""

    def __init__(self, log: StationLog, epoch_ms: int = EPOCH_MS) -> None:
        self.epoch_ms = epoch_ms
        self.told: list[tuple[PlayoutEvent, int]] = []
        self.engine = Engine(
            log,
            loader(),
            epoch_ms=UtcMs(epoch_ms),
            station="wxyz",
            on_event=lambda event: self.told.append((event, self.engine.position)),
            bed=lambda: Steady(0.125, 1 << 40),
            patience_s=0.02,
        )

    def render_ms(self, length_ms: int, block: int) -> None:
        left = samples_of(length_ms)
        while left:
            n = min(block, left)
            self.engine.render(n)
            left -= n

    def check(self) -> None:
        """Each row was told as coming, once, then as begun, and both before its first sample."""
        coming: set[str] = set()
        begun: list[str] = []
        for event, made in self.told:
            if isinstance(event, RowCued):
                assert event.row.id not in coming
                coming.add(event.row.id)
            if isinstance(event, RowStarted):
                assert event.row.id in coming
                begun.append(event.row.id)
                assert made <= samples_of(event.at_ms - self.epoch_ms)
            if isinstance(event, RowEnded):
                assert event.row.id in coming
        assert len(begun) == len(set(begun))


@pytest.mark.parametrize("block", [999, 4_032])
@pytest.mark.parametrize("path", PATHS)
def test_the_intent_comes_before_the_first_sample(path: str, block: int) -> None:
    one = Listening(station_log())
    for pause_ms, work in PATHS[path]:
        one.render_ms(pause_ms, block)
        work(one.engine)
    one.render_ms(26_000, block)
    one.check()
    assert sum(isinstance(event, RowStarted) for event, _ in one.told) >= 4


@pytest.mark.parametrize("at_ms", [0, 6_999, 7_000, 12_345])
def test_the_intent_comes_before_the_first_sample_after_a_restart(at_ms: int) -> None:
    log = station_log()
    before = Listening(log)
    before.render_ms(at_ms, 4_032)
    before.engine.close()
    after = Listening(log, EPOCH_MS + at_ms)
    after.render_ms(12_000, 4_032)
    after.check()
    first = after.told[0][0]
    assert isinstance(first, RowCued)
    assert (first.at_ms, after.told[0][1]) == (EPOCH_MS + at_ms, 0)


@pytest.mark.parametrize("path", PATHS)
def test_no_listener_is_sent_a_row_of_which_the_as_run_log_has_not_heard(path: str) -> None:
    """The same for bytes: no chunk with a row's sound leaves before the row was told."""
    clock, order, arrived = ManualClock(EPOCH_MS), list[Any](), threading.Condition()

    def came(what: Any) -> None:
        with arrived:
            order.append(what)
            arrived.notify_all()

    playout = StationPlayout(
        station="wxyz",
        name="WXYZ",
        outputs=(Output(mount="live.mp3", bitrate_kbps=64),),
        lead_s=3.0,
        log=station_log(),
        loader=loader,
        clock=clock,
        on_event=came,
        on_chunk=came,
        on_pulse=lambda pulse: None,
        bed=lambda: Steady(0.125, 1 << 40),
    )
    playout.start()
    try:
        for pause_ms, work in [*PATHS[path], (14_000, lambda engine: None)]:
            for _ in range(pause_ms // 1_000):
                clock.advance(1.0)
                wanted_ms = clock.now_ms() + 1_500
                with arrived:
                    assert arrived.wait_for(lambda limit=wanted_ms: _sent_ms(order) >= limit, 8)
            playout.command(work)
            give_up_s = time.monotonic() + 5
            while playout.commands and time.monotonic() < give_up_s:
                clock.advance(0.1)
                time.sleep(0.002)
    finally:
        playout.stop()
    sent_ms = 0
    for one in order:
        if isinstance(one, Chunk):
            sent_ms = max(sent_ms, one.ends_at_ms)
        elif isinstance(one, RowCued | RowStarted):
            assert sent_ms <= one.at_ms + 1
    assert sum(isinstance(one, RowStarted) for one in order) >= 3


def _sent_ms(order: list[Any]) -> int:
    return max((one.ends_at_ms for one in order if isinstance(one, Chunk)), default=0)
