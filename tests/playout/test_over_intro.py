"""An ident over the intro of the music behind it: to the sample, and as loud as everything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sources import EPOCH_MS, ListLog, StudioLoader, row

from radio.audio.loudness import Loudness
from radio.audio.mixer import DUCK_RISE, DUCKED_DB, RELEASE
from radio.audio.pcm import Pcm
from radio.events import RowEnded, RowStarted
from radio.log import ItemKind, LogRow, Outcome
from radio.playout import Engine
from radio.schedule import StationLog
from radio.units import SAMPLE_RATE_HZ, gain_factor, samples_of

IDENT, MUSIC, SPEECH = ItemKind.IDENT, ItemKind.MUSIC, ItemKind.SPEECH
IDENT_HZ, MUSIC_HZ = 1_000, 3_000
DUCKED = gain_factor(DUCKED_DB)


class Tone:
    """A sine of one pitch whose samples depend on nothing but how many were read before them."""

    def __init__(self, hz: float, samples: int, peak: float = 0.25) -> None:
        self._step = 2 * np.pi * hz / SAMPLE_RATE_HZ
        self._peak = peak
        self.at = 0
        self.left = samples
        self.failed: str | None = None
        self.closed = False

    def read(self, n: int) -> Pcm:
        n = min(n, self.left)
        wave = np.sin(np.arange(self.at, self.at + n) * self._step) * self._peak
        self.at, self.left = self.at + n, self.left - n
        return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)

    def close(self) -> None:
        self.closed = True


class Hiss(Tone):
    """Noise at a loudness, that is the same however it is read."""

    def __init__(self, seed: int, samples: int, rms: float) -> None:
        super().__init__(0, samples)
        self._sound = (np.random.default_rng(seed).standard_normal((samples, 2)) * rms).astype(np.float32)

    def read(self, n: int) -> Pcm:
        block = self._sound[self.at : self.at + n]
        self.at += len(block)
        return block


def engine_of(log: Any, sounds: dict[str, Any]) -> tuple[Engine, list[Any]]:
    events: list[Any] = []
    engine = Engine(
        log,
        StudioLoader(lambda each: sounds[each.id]),
        epoch_ms=EPOCH_MS,
        station="wxyz",
        on_event=events.append,
    )
    return engine, events


def rendered(engine: Engine, length_ms: int, block: int = 4032) -> Pcm:
    left, blocks = samples_of(length_ms), []
    while left:
        blocks.append(engine.render(min(block, left)))
        left -= len(blocks[-1])
    return np.concatenate(blocks)


def wave(hz: float, length: int) -> Pcm:
    return Tone(hz, length).read(length)


def two(second: ItemKind = MUSIC) -> list[LogRow]:
    """An ident of 5 s, of which 2 s are heard over what follows."""
    return [
        row("ident", 0, 3_000, IDENT, overlap_ms=2_000),
        row("song", 3_000, 9_000, second),
        row("after", 12_000, 9_000, second),
    ]


def tones() -> dict[str, Any]:
    return {
        "ident": Tone(IDENT_HZ, samples_of(5_000)),
        "song": Tone(MUSIC_HZ, samples_of(9_000)),
        "after": Tone(500, samples_of(9_000)),
    }


@pytest.mark.parametrize("block", [997, 4032, 4800])
def test_the_ident_is_whole_and_the_music_beneath_it_comes_up_when_it_ends(block: int) -> None:
    engine, events = engine_of(ListLog(two()), tones())
    heard = rendered(engine, 8_000, block)
    ends, starts = samples_of(5_000), samples_of(3_000)
    ident, song = wave(IDENT_HZ, ends), wave(MUSIC_HZ, samples_of(5_000))
    assert np.array_equal(heard[:starts], ident[:starts])
    kept = ends - RELEASE
    beneath = song[: kept - starts] * np.float32(DUCKED)
    assert heard[starts:kept] == pytest.approx(ident[starts:kept] + beneath, abs=1e-6)
    done = (np.arange(DUCK_RISE) + 0.5) / DUCK_RISE
    rise = DUCKED ** (0.5 + 0.5 * np.cos(done * np.pi))
    rising = song[ends - starts : ends - starts + DUCK_RISE] * rise[:, None]
    assert heard[ends : ends + DUCK_RISE] == pytest.approx(rising, abs=1e-6)
    assert np.array_equal(heard[ends + DUCK_RISE :], song[ends - starts + DUCK_RISE :])
    ended = next(event for event in events if isinstance(event, RowEnded))
    assert (ended.row.id, ended.at_ms - EPOCH_MS, ended.outcome) == ("ident", 3_000, Outcome.AIRED)


def test_the_gain_of_the_music_never_jumps() -> None:
    sounds = tones() | {"ident": Tone(IDENT_HZ, samples_of(5_000), peak=0.0)}
    engine, _ = engine_of(ListLog(two()), sounds)
    heard = rendered(engine, 8_000)[samples_of(3_000) :, 0]
    peaks = np.abs(heard[: len(heard) // 480 * 480]).reshape(-1, 480).max(axis=1)
    steps_db = np.diff(20 * np.log10(peaks))
    assert steps_db.min() > -0.01
    assert steps_db.max() < 12 * np.pi / 2 / 60 + 0.05


def test_an_ident_that_breaks_off_lets_the_music_come_up_at_once() -> None:
    engine, _ = engine_of(ListLog(two()), tones() | {"ident": Tone(IDENT_HZ, samples_of(3_600))})
    heard = rendered(engine, 5_000)
    song = wave(MUSIC_HZ, samples_of(2_000))
    up = samples_of(3_600) + DUCK_RISE
    assert np.array_equal(heard[up:], song[up - samples_of(3_000) :])


def test_music_that_comes_in_for_a_skipped_ident_is_not_held_down() -> None:
    log = StationLog("wxyz", "WXYZ")
    assert log.replace_from(EPOCH_MS, two())
    engine, events = engine_of(log, tones())
    rendered(engine, 1_008)
    engine.skip("the desk")
    heard = rendered(engine, 2_000)
    assert np.array_equal(heard[samples_of(300) :], wave(MUSIC_HZ, samples_of(2_000))[samples_of(300) :])
    assert [event.at_ms - EPOCH_MS for event in events if isinstance(event, RowStarted)] == [0, 1_008]


def test_an_ident_gives_way_to_what_is_no_music() -> None:
    log = StationLog("wxyz", "WXYZ")
    assert log.replace_from(EPOCH_MS, two(SPEECH))
    engine, _ = engine_of(log, tones())
    heard = rendered(engine, 5_000)
    after = samples_of(3_300)
    assert np.array_equal(heard[after:], wave(MUSIC_HZ, samples_of(2_000))[samples_of(300) :])


def test_music_that_is_skipped_beneath_the_ident_takes_the_ident_with_it() -> None:
    log = StationLog("wxyz", "WXYZ")
    assert log.replace_from(EPOCH_MS, two())
    engine, _ = engine_of(log, tones())
    rendered(engine, 3_528)
    engine.skip("the desk")
    heard = rendered(engine, 1_000)[samples_of(300) :]
    assert np.array_equal(heard, wave(500, samples_of(1_000))[samples_of(300) :])


def test_a_command_that_puts_speech_behind_the_ident_lets_it_finish() -> None:
    log = StationLog("wxyz")
    assert log.replace_from(EPOCH_MS, two())
    sounds = tones() | {"talk": Tone(500, samples_of(4_000))}
    engine, events = engine_of(log, sounds)
    heard = rendered(engine, 1_000)
    engine.insert(row("talk", 0, 4_000, ItemKind.SPEECH), "next", "the desk")
    heard = np.concatenate((heard, rendered(engine, 6_000)))
    ident, talk = wave(IDENT_HZ, samples_of(5_000)), wave(500, samples_of(2_000))
    assert np.array_equal(heard[: len(ident) - RELEASE], ident[:-RELEASE])
    assert np.array_equal(heard[len(ident) :], talk)
    ends = [event for event in events if isinstance(event, RowEnded)]
    assert [(one.row.id, one.at_ms - EPOCH_MS, one.outcome) for one in ends] == [
        ("ident", 5_000, Outcome.AIRED)
    ]


def test_the_stretch_where_both_sound_is_as_loud_as_the_rest() -> None:
    sounds = {
        "ident": Hiss(1, samples_of(5_000), 0.1),
        "song": Hiss(2, samples_of(9_000), 0.1),
        "after": Hiss(3, samples_of(9_000), 0.1),
    }
    engine, _ = engine_of(ListLog(two()), sounds)
    heard = rendered(engine, 12_000)
    both = loudness(heard[samples_of(3_000) : samples_of(5_000)])
    assert both - loudness(heard[: samples_of(3_000)]) == pytest.approx(0.27, abs=0.15)
    assert both - loudness(heard[samples_of(7_000) :]) == pytest.approx(0.27, abs=0.15)


def test_a_stream_changes_hands_only_when_the_music_is_up() -> None:
    engine, _ = engine_of(ListLog(two()), tones())
    rendered(engine, 3_100)
    assert engine.steady is not None
    assert engine.steady[2] == samples_of(5_000) + DUCK_RISE


def loudness(sound: Pcm) -> float:
    meter = Loudness(SAMPLE_RATE_HZ)
    meter.update(np.ascontiguousarray(sound.T))
    measured = meter.finish().integrated_lufs
    assert measured is not None
    return measured
