from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest
from sources import EPOCH_MS, ListLog, Steady, StudioLoader, row

from radio.audio.limit import DELAY as LIMITER_DELAY
from radio.audio.pcm import Pcm
from radio.clock import ManualClock
from radio.log import ItemKind, LogRow, SponsorMessage
from radio.playout import Output, Pulse, StationPlayout, stream_title
from radio.playout.chunker import FRAMES_PER_CHUNK
from radio.streaming.chunks import Chunk
from radio.units import SAMPLE_RATE_HZ, samples_of

DELAY = 1105 + LIMITER_DELAY
CHUNK_S = FRAMES_PER_CHUNK * 1152 / SAMPLE_RATE_HZ


class Tone:
    """A sine, so that what is encoded can be recognised; every source starts at phase zero."""

    def __init__(self, hertz: float, samples: int = 1 << 40) -> None:
        self.step = 2 * np.pi * hertz / SAMPLE_RATE_HZ
        self.at = 0
        self.left = samples
        self.failed = None

    def read(self, n: int) -> Pcm:
        n = min(n, self.left)
        index = np.arange(self.at, self.at + n)
        self.at += n
        self.left -= n
        wave = (0.3 * np.sin(index * self.step)).astype(np.float32)
        return np.stack([wave, wave], axis=1)

    def close(self) -> None:
        self.left = 0


class Rig:
    """A station's playout on a moved clock; collects what it sends."""

    def __init__(self, rows: list[LogRow], sound: Callable[[LogRow], Any], lead_s: float = 4.0) -> None:
        self.clock = ManualClock(EPOCH_MS)
        self.chunks: list[Chunk] = []
        self.pulses: list[Pulse] = []
        self.events: list[Any] = []
        self.loader = StudioLoader(sound)
        self.playout = StationPlayout(
            station="wxyz",
            name="WXYZ",
            outputs=(Output(mount="live.mp3", bitrate_kbps=128),),
            lead_s=lead_s,
            log=ListLog(rows),
            loader=lambda: self.loader,
            clock=self.clock,
            on_event=self.events.append,
            on_chunk=self.chunks.append,
            on_pulse=self.pulses.append,
        )
        self.playout.start()

    def until(self, check: Callable[[], bool]) -> None:
        """Wait in real time, briefly, for the playout thread to have done its work."""
        for _ in range(800):
            if check():
                return
            time.sleep(0.005)
        raise AssertionError(f"never came: {len(self.chunks)} chunks, {len(self.events)} events")

    def settle(self) -> int:
        """Wait until no more chunks come, and return how many there are."""
        count = -1
        while count != len(self.chunks) or not count:
            count = len(self.chunks)
            time.sleep(0.12)
        return count


@pytest.fixture
def rigs() -> Any:
    made: list[Rig] = []

    def make(*args: Any, **more: Any) -> Rig:
        made.append(Rig(*args, **more))
        return made[-1]

    yield make
    for rig in made:
        rig.playout.stop()
        assert not any(thread.name == "playout-wxyz" for thread in threading.enumerate())


def test_the_stream_runs_ahead_by_its_lead_and_then_keeps_the_clocks_pace(rigs: Any) -> None:
    rig = rigs([row("one", 0, 60_000)], lambda each: Tone(440))
    first = rig.settle()
    assert first == int(4.0 / CHUNK_S)
    for half in (1, 2):
        rig.clock.advance(5)
        rig.until(lambda half=half: len(rig.chunks) >= int((4.0 + 5 * half) / CHUNK_S))
    assert rig.settle() == int(14.0 / CHUNK_S)


def test_chunks_are_whole_frames_with_contiguous_stream_time(rigs: Any) -> None:
    rig = rigs([row("one", 0, 60_000)], lambda each: Tone(440))
    rig.settle()
    rig.clock.advance(5)
    rig.until(lambda: len(rig.chunks) >= 8)
    for number, chunk in enumerate(rig.chunks):
        assert (chunk.seq, len(chunk.data)) == (number, FRAMES_PER_CHUNK * 384)
        assert chunk.data[:2] in (b"\xff\xfb", b"\xff\xfa")
        assert chunk.first_sample == number * FRAMES_PER_CHUNK * 1152 - DELAY
    assert abs(rig.chunks[0].starts_at_ms - EPOCH_MS) <= 27


def test_what_is_decoded_changes_from_one_item_to_the_next_where_stream_time_says(rigs: Any) -> None:
    rows = [row("low", 0, 2_500), row("high", 2_500, 10_000)]
    rig = rigs(rows, lambda each: Tone(500 if each.id == "low" else 2_000))
    rig.settle()
    rig.clock.advance(2)
    rig.until(lambda: len(rig.chunks) >= 5)
    codec = av.CodecContext.create("mp3", "r")
    frames = [
        frame.to_ndarray().reshape(-1)
        for packet in [*codec.parse(b"".join(chunk.data for chunk in rig.chunks)), None]
        for frame in codec.decode(packet)
    ]
    sound = np.concatenate([frame[:1152] for frame in frames])
    changed_at = samples_of(2_500 + EPOCH_MS - rig.chunks[0].starts_at_ms)
    before, after = sound[changed_at - 4_800 : changed_at], sound[changed_at : changed_at + 4_800]
    assert _pitch(before) == pytest.approx(500, abs=15)
    assert _pitch(after) == pytest.approx(2_000, abs=15)


def test_the_title_of_a_chunk_is_that_of_its_last_sample(rigs: Any) -> None:
    rows = [
        row("one", 0, 1_500, ItemKind.MUSIC, title="Tide", artist="The Bay"),
        row("two", 1_500, 60_000, title="The News"),
    ]
    rig = rigs(rows, lambda each: Tone(440))
    rig.until(lambda: len(rig.chunks) >= 3)
    assert [chunk.title for chunk in rig.chunks[:3]] == ["The Bay - Tide", "The News", "The News"]


def test_a_fault_in_rendering_does_not_stop_the_bytes(rigs: Any) -> None:
    class Cursed(Steady):
        def read(self, n: int) -> Pcm:
            raise RuntimeError("unforeseen")

    calls: list[str] = []

    def sound(each: LogRow) -> Any:
        calls.append(each.id)
        return Cursed(0.5, 10**9) if len(calls) == 1 else Tone(440)

    rig = rigs([row("one", 0, 60_000)], sound)
    rig.until(lambda: len(rig.chunks) >= 3)
    assert [chunk.seq for chunk in rig.chunks[:3]] == [0, 1, 2]
    assert calls[:2] == ["one", "one"]
    assert all(pulse.level_db > -40 for pulse in rig.pulses)


def test_a_machine_that_slept_starts_a_new_epoch_at_the_present(rigs: Any) -> None:
    rig = rigs([row("one", 0, 3_600_000)], lambda each: Tone(440))
    rig.settle()
    before = len(rig.chunks)
    rig.clock.advance(600)
    rig.until(lambda: any(chunk.epoch == 2 for chunk in rig.chunks))
    first = next(chunk for chunk in rig.chunks if chunk.epoch == 2)
    assert abs(first.starts_at_ms - (EPOCH_MS + 600_000)) <= 27
    assert len([chunk for chunk in rig.chunks if chunk.epoch == 1]) - before <= 1


def test_a_step_of_the_wall_clock_does_not_touch_the_pace(rigs: Any) -> None:
    rig = rigs([row("one", 0, 3_600_000)], lambda each: Tone(440))
    before = rig.settle()
    rig.clock.step_wall(-3_600)
    rig.clock.advance(CHUNK_S * 2)
    rig.until(lambda: len(rig.chunks) >= before + 2)
    assert {chunk.epoch for chunk in rig.chunks} == {1}


def test_pulses_tell_level_silence_and_the_bed(rigs: Any) -> None:
    rig = rigs(
        [row("one", 0, 2_000), row("two", 2_000, 60_000, item=None)], lambda each: Steady(0.0, 1 << 40)
    )
    rig.until(lambda: len(rig.pulses) >= 3)
    assert rig.pulses[0].silent_ms > 900
    assert not rig.pulses[0].on_bed
    assert rig.pulses[2].on_bed
    assert rig.pulses[2].silent_ms == 0
    assert rig.pulses[0].level_db < -100 < rig.pulses[2].level_db


def test_stream_titles_say_what_a_plain_player_should_show() -> None:
    sponsor = SponsorMessage(campaign="c", sponsor="s", name="Lantern & Oar Books", message="…")
    assert stream_title(row("a", 0, 1, title="Tide", artist="The Bay"), "WXYZ") == "The Bay - Tide"
    assert stream_title(row("a", 0, 1, title="The News"), "WXYZ") == "The News"
    assert stream_title(row("a", 0, 1, sponsor=sponsor), "WXYZ") == "Supported by Lantern & Oar Books"
    assert stream_title(row("a", 0, 1, ItemKind.FILL), "WXYZ") == "WXYZ"
    assert stream_title(None, "WXYZ") == "WXYZ"


def _pitch(sound: Any) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(sound))
