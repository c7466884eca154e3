"""What a station does on its own: dead air, files that hang, a wall clock that is set, commands, loud sound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
import pytest
from sources import EPOCH_MS, ListLog, StudioLoader, row

from radio.audio.pcm import Pcm
from radio.audio.true_peak import TruePeak
from radio.clock import ManualClock
from radio.errors import LimitReached
from radio.events import FallbackStarted, RowEnded, RowStarted
from radio.log import LogRow, Outcome, SponsorMessage
from radio.playout import Engine, Output, Pulse, StationPlayout
from radio.playout.buffered import UNREAD, BufferedDeck
from radio.playout.helpers import Helpers
from radio.playout.replays import FreshLog
from radio.playout.runner import MAX_COMMANDS
from radio.playout.wall import Wall
from radio.streaming.chunks import Chunk
from radio.units import UtcMs, samples_of

SPONSOR = SponsorMessage(campaign="c", sponsor="s", name="Lantern & Oar Books", message="…")


class Noise:
    """Sound without an end, at a level."""

    failed = None

    def __init__(self, level: float, silent_from_ms: int | None = None) -> None:
        self._random = np.random.default_rng(1)
        self._level = level
        self._left = samples_of(silent_from_ms) if silent_from_ms is not None else 1 << 60

    def read(self, n: int) -> Pcm:
        sound = (self._random.standard_normal((n, 2)) * self._level).astype(np.float32)
        sound[max(0, self._left) :] = 0
        self._left -= n
        return sound

    def close(self) -> None:
        self._left = 0


class Rig:
    """A station's playout on a moved clock; collects what it sends."""

    def __init__(self, rows: list[LogRow], sound: Callable[[LogRow], Any], **more: Any) -> None:
        self.clock = ManualClock(EPOCH_MS)
        self.chunks: list[Chunk] = []
        self.pulses: list[Pulse] = []
        self.events: list[Any] = []
        self.log = ListLog(rows)
        self.loader = StudioLoader(sound)
        self.playout = StationPlayout(
            station="wxyz",
            name="WXYZ",
            outputs=(Output(mount="live.mp3", bitrate_kbps=128),),
            lead_s=4.0,
            log=self.log,
            loader=lambda: self.loader,
            clock=self.clock,
            on_event=self.events.append,
            on_chunk=self.chunks.append,
            on_pulse=self.pulses.append,
            **more,
        )

    def start(self) -> Rig:
        self.playout.start()
        return self

    def until(self, holds: Callable[[], Any]) -> None:
        for _ in range(1600):
            if holds():
                return
            time.sleep(0.005)
        raise AssertionError(f"never came: {len(self.chunks)} chunks, {self.events}")

    def go_on(self, seconds: float) -> None:
        """Let the clock run, and wait until the sound has followed it."""
        self.until(lambda: self.chunks)
        for _ in range(round(seconds)):
            had = len(self.chunks)
            self.clock.advance(1.008)
            self.until(lambda had=had: len(self.chunks) > had)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def rigs() -> Iterator[Any]:
    made: list[Rig] = []

    def make(*args: Any, **more: Any) -> Rig:
        made.append(Rig(*args, **more))
        return made[-1]

    yield make
    for rig in made:
        if rig.playout._thread.ident is not None:
            rig.playout.stop()


def contiguous(chunks: list[Chunk]) -> bool:
    pairs = zip(chunks, chunks[1:], strict=False)
    return all(
        later.seq == one.seq + 1 and later.first_sample == one.first_sample + one.samples
        for one, later in pairs
    )


def test_an_item_that_falls_silent_gives_way_to_the_bed(rigs: Any) -> None:
    rows = [row("one", 0, 12_000), row("two", 12_000, 600_000)]
    rig = rigs(
        rows, lambda each: Noise(0.1, 3_000 if each.id == "one" else None), silence_after_s=2.0
    ).start()
    rig.go_on(14)
    fallback = rig.of(FallbackStarted)
    assert [(each.row.id, each.reason) for each in fallback] == [("one", "its sound has been silent for 2 s")]
    assert 5_000 <= fallback[0].at_ms - EPOCH_MS <= 5_300
    ended = next(each for each in rig.of(RowEnded) if each.row.id == "one")
    assert ended.outcome is Outcome.TRUNCATED
    assert "silent" in ended.cause
    assert [each.row.id for each in rig.of(RowStarted)] == ["one", "two"]
    assert max(pulse.silent_ms for pulse in rig.pulses) < 3_300


@pytest.mark.parametrize(("before_ms", "blamed"), [(1_200, True), (2_600, False)])
def test_silence_is_the_item_s_in_which_most_of_it_lies(rigs: Any, before_ms: int, blamed: bool) -> None:
    """One item ends in silence and the next begins with 1.8 s of it; the limit is 2.8 s, and the alarm hears it all."""

    class Opening(Noise):
        def read(self, n: int) -> Pcm:
            sound, quiet = super().read(n), max(0, min(n, self._left + n))
            sound[:quiet] = 0
            sound[quiet:] = 0.1
            return sound

    rows = [row("one", 0, 9_000), row("two", 9_000, 600_000)]
    rig = rigs(
        rows,
        lambda each: Noise(0.1, 9_000 - before_ms) if each.id == "one" else Opening(0.1, 1_800),
        silence_after_s=2.8,
    ).start()
    rig.go_on(14)
    assert [each.row.id for each in rig.of(FallbackStarted)] == (["two"] if blamed else [])
    assert [each.outcome for each in rig.of(RowEnded)] == [Outcome.AIRED]
    assert max(pulse.silent_ms for pulse in rig.pulses) >= 1_800


def test_a_read_that_hangs_lets_the_bed_in_and_the_stream_goes_on(rigs: Any) -> None:
    helpers, free = Helpers("test"), threading.Event()

    class Hanging(Noise):
        def read(self, n: int) -> Pcm:
            if self._level < 1:
                self._level += 0.2
                return super().read(n)[:n]
            free.wait(10)
            return super().read(n)

    def sound(each: LogRow) -> Any:
        if each.id == "one":
            return BufferedDeck.filled(Hanging(0.1), helpers, patience_s=0.2)
        return Noise(0.1)

    rig = rigs([row("one", 0, 30_000), row("two", 30_000, 600_000)], sound).start()
    began = time.monotonic()
    rig.go_on(32)
    assert [(each.row.id, each.reason) for each in rig.of(FallbackStarted)] == [("one", UNREAD)]
    assert max(pulse.silent_ms for pulse in rig.pulses) < 500
    assert rig.of(RowStarted)[-1].row.id == "two"
    assert contiguous(rig.chunks)
    assert time.monotonic() - began < 20
    free.set()
    helpers.close()


def test_commands_run_in_the_playout_thread_before_the_next_block(rigs: Any) -> None:
    rig, ran = rigs([row("one", 0, 600_000)], lambda each: Noise(0.1)), []

    def work(engine: Engine) -> None:
        ran.append((threading.current_thread().name, engine.position))

    for _ in range(MAX_COMMANDS):
        rig.playout.command(work)
    with pytest.raises(LimitReached):
        rig.playout.command(work)
    rig.start()
    rig.until(lambda: len(ran) == MAX_COMMANDS)
    assert ran == [("playout-wxyz", 0)] * MAX_COMMANDS
    rig.playout.command(lambda engine: 1 / 0)
    rig.playout.command(work)
    rig.go_on(2)
    assert len(ran) == MAX_COMMANDS + 1
    rig.playout.stop()
    with pytest.raises(LimitReached):
        rig.playout.command(work)


def test_the_pulse_tells_loudness_and_true_peak(rigs: Any) -> None:
    class Sine(Noise):
        at = 0

        def read(self, n: int) -> Pcm:
            index = np.arange(self.at, self.at + n)
            self.at += n
            wave = (self._level * np.sin(index * 2 * np.pi * 997 / 48_000)).astype(np.float32)
            return np.stack([wave, wave], axis=1)

    rig = rigs([row("one", 0, 600_000)], lambda each: Sine(0.1)).start()
    rig.go_on(6)
    pulse = rig.pulses[-1]
    assert pulse.momentary_lufs == pytest.approx(-20.0, abs=0.1)  # EBU Tech 3341: a stereo sine of -20 dBFS
    assert pulse.short_term_lufs == pytest.approx(-20.0, abs=0.1)
    assert pulse.true_peak_db == pytest.approx(-20.0, abs=0.1)


def test_what_is_far_too_loud_stays_under_minus_one_after_the_encoder(rigs: Any) -> None:
    class Dense(Noise):
        at = 0

        def read(self, n: int) -> Pcm:
            time_s = np.arange(self.at, self.at + n) / 48_000
            self.at += n
            notes = (110, 138.6, 164.8, 220, 277.2, 329.6, 440, 554.4, 1_318, 2_637)
            chord = sum(np.sin(2 * np.pi * hz * time_s + hz) for hz in notes) * self._level
            return np.stack([chord, np.clip(chord, -0.9, 0.9)], axis=1).astype(np.float32)

    rig = rigs([row("one", 0, 600_000)], lambda each: Dense(0.5)).start()
    rig.go_on(4)
    codec = av.CodecContext.create("mp3", "r")
    packets = [*codec.parse(b"".join(chunk.data for chunk in rig.chunks)), None]
    frames = [frame.to_ndarray() for packet in packets for frame in codec.decode(packet)]
    meter = TruePeak()
    meter.update(np.concatenate(frames, axis=1)[:, 4_800:-4_800] / np.float32(32_768))
    assert 10 ** (-4 / 20) < meter.peak < 10 ** (-1 / 20)
    assert all(-3 < pulse.true_peak_db <= -2 for pulse in rig.pulses)


@pytest.mark.parametrize("step_s", [3_600, -3_600, -2])
def test_after_a_step_of_the_wall_clock_the_log_follows_it_at_the_next_row(rigs: Any, step_s: int) -> None:
    length = 12_000
    rows = [
        row(f"r{n}", n * length, length, sponsor=SPONSOR if n % 4 == 3 else None) for n in range(-330, 340)
    ]
    rig = rigs(rows, lambda each: Noise(0.1)).start()
    rig.go_on(10)
    rig.clock.step_wall(step_s)
    rig.go_on(26)
    assert contiguous(rig.chunks)
    assert {chunk.epoch for chunk in rig.chunks} == {1}
    rig.until(lambda: 1_500 < rig.chunks[-1].starts_at_ms - rig.clock.now_ms() < 4_100)
    jumps = [
        later.starts_at_ms - one.starts_at_ms
        for one, later in zip(rig.chunks, rig.chunks[1:], strict=False)
        if abs(later.starts_at_ms - one.starts_at_ms - 1_008) > 2
    ]
    assert [abs(jump - step_s * 1_000 - 1_008) < 30 for jump in jumps] == [True]
    for before, after in zip(rig.of(RowEnded), rig.of(RowStarted)[1:], strict=False):
        assert before.outcome is Outcome.AIRED
        assert before.row.id != after.row.id or after.row.item is None
    started = [event.row.id for event in rig.of(RowStarted) if event.row.item is not None]
    assert len(started) == len(set(started))
    titles = {chunk.title for chunk in rig.chunks[-3:]}
    assert titles <= {rig.of(RowStarted)[-1].row.title, rig.of(RowStarted)[-2].row.title, "WXYZ"} | {
        f"Supported by {SPONSOR.name}"
    }


def test_a_step_that_is_taken_back_moves_nothing(rigs: Any) -> None:
    rig = rigs([row(f"r{n}", n * 5_000, 5_000) for n in range(60)], lambda each: Noise(0.1)).start()
    rig.go_on(3)
    rig.clock.step_wall(700)
    rig.go_on(5)
    rig.clock.step_wall(-700)
    rig.go_on(20)
    gaps = {b.starts_at_ms - a.starts_at_ms for a, b in zip(rig.chunks, rig.chunks[1:], strict=False)}
    assert gaps == {1_008}


def test_the_wall_is_followed_only_when_it_stays_apart() -> None:
    wall = Wall(UtcMs(1_000_000), 50.0)
    assert wall.shift_ms(UtcMs(1_000_400), 50.0) == 0
    assert wall.shift_ms(UtcMs(1_005_600), 55.0) == 0
    assert wall.shift_ms(UtcMs(1_014_500), 64.0) == 0  # apart no more
    assert wall.shift_ms(UtcMs(1_015_600), 65.0) == 0
    assert wall.shift_ms(UtcMs(1_026_600), 76.0) == 600
    wall.moved(600)
    assert wall.shift_ms(UtcMs(1_030_600), 80.0) == 0


def test_what_has_aired_is_not_heard_again_where_that_would_be_wrong() -> None:
    music, spot = row("music", 0, 60_000), row("spot", 60_000, 30_000, sponsor=SPONSOR)
    log = FreshLog.of(ListLog([music, spot]))
    for each in (music, spot):
        log.aired(each)
    assert log.row_at(EPOCH_MS + 1) == music
    log.set_back(EPOCH_MS + 90_000)
    assert log.row_at(EPOCH_MS + 1) == music
    rest, again = log.row_at(EPOCH_MS + 50_000), log.row_after(music)
    assert rest is not None
    assert again is not None
    assert (rest.id, rest.item, again.id, again.item, again.sponsor) == ("music", None, "spot", None, None)
