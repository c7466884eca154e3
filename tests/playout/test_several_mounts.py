"""One station on the air in three formats at once, from one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sources import EPOCH_MS, ListLog, Steady, StudioLoader, row

from radio.audio.encode import StreamFormat
from radio.clock import ManualClock
from radio.playout import Output, Pulse, StationPlayout
from radio.streaming.chunks import Chunk

FORMATS: tuple[StreamFormat, ...] = ("mp3", "aac", "opus")


class Studio:
    def __init__(self) -> None:
        self.clock = ManualClock(EPOCH_MS)
        self.chunks: list[Chunk] = []
        self.pulses: list[Pulse] = []
        self.playout = StationPlayout(
            station="wxyz",
            name="WXYZ",
            outputs=tuple(Output(mount=f"live.{kind}", format=kind, bitrate_kbps=96) for kind in FORMATS),
            lead_s=4.0,
            log=ListLog([row("one", 0, 3_600_000)]),
            loader=lambda: StudioLoader(lambda each: Steady(0.3, 1 << 40)),
            clock=self.clock,
            on_event=lambda event: None,
            on_chunk=self.chunks.append,
            on_pulse=self.pulses.append,
        )
        self.playout.start()

    def of(self, kind: str, epoch: int = 1) -> list[Chunk]:
        return [each for each in list(self.chunks) if each.mount == f"live.{kind}" and each.epoch == epoch]

    def until(self, check: Callable[[], Any]) -> None:
        for _ in range(800):
            if check():
                return
            time.sleep(0.005)
        raise AssertionError(f"never came: {len(self.chunks)} chunks")


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.playout.stop()


def test_all_mounts_have_the_same_stretch_of_the_stream(studio: Studio) -> None:
    studio.until(lambda: all(len(studio.of(kind)) >= 3 for kind in FORMATS))
    for seconds in (6, 8, 10, 12, 14):
        studio.clock.advance(2)
        studio.until(lambda least=seconds - 2: all(len(studio.of(kind)) >= least for kind in FORMATS))
    for kind in FORMATS:
        chunks = studio.of(kind)
        assert [chunk.seq for chunk in chunks] == list(range(len(chunks)))
        for one, after in zip(chunks, chunks[1:], strict=False):
            assert after.first_sample == one.first_sample + one.samples
        assert abs(chunks[0].starts_at_ms - EPOCH_MS) <= 40
        assert abs(chunks[-1].ends_at_ms - (EPOCH_MS + 14_000)) < 2_100


def test_there_is_one_pulse_for_each_chunk_of_the_first_mount(studio: Studio) -> None:
    studio.until(lambda: all(len(studio.of(kind)) >= 3 for kind in FORMATS))
    studio.playout.stop()
    assert len(studio.pulses) == len(studio.of("mp3"))


def test_a_new_epoch_is_a_new_link_of_the_chain_in_ogg(studio: Studio) -> None:
    studio.until(lambda: len(studio.of("opus")) >= 3)
    studio.clock.advance(600)
    studio.until(lambda: len(studio.of("opus", epoch=2)) >= 1)
    before, after = studio.of("opus")[-1], studio.of("opus", epoch=2)[0]
    assert after.data.startswith(after.lead_in)
    assert before.data[14:18] != after.data[14:18], "another serial number"
