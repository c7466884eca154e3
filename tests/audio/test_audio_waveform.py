from __future__ import annotations

import numpy as np
from audio_sounds import noise

from radio.audio.waveform import MAX_POINTS, Waveform


def drawn(mix: np.ndarray, rate_hz: int = 48_000) -> tuple[np.ndarray, int]:
    waveform = Waveform(rate_hz)
    for at in range(0, len(mix), rate_hz):
        waveform.update(mix[at : at + rate_hz])
    points, step_ms = waveform.finish()
    return np.frombuffer(points, dtype=np.int8).reshape(-1, 2), step_ms


def test_each_point_has_the_extremes_of_its_tenth() -> None:
    mix = noise(44_100 * 3 + 1_000, level=0.2)[:, 0]
    points, step_ms = drawn(mix, 44_100)
    assert (len(points), step_ms) == (31, 100)
    tenth = mix[4_410 * 7 : 4_410 * 8] * 127
    assert abs(points[7, 0] - tenth.min()) <= 0.5
    assert abs(points[7, 1] - tenth.max()) <= 0.5
    last = mix[4_410 * 30 :] * 127
    assert abs(points[30, 0] - last.min()) <= 0.5


def test_overs_are_held_to_the_edge() -> None:
    points, _ = drawn(np.linspace(-3, 3, 4_800, dtype=np.float32))
    assert points.tolist() == [[-127, 127]]


def test_a_long_sound_has_no_more_points_than_a_page_can_draw() -> None:
    waveform = Waveform(8_000)
    quiet, spike = np.zeros(8_000, dtype=np.float32), np.zeros(8_000, dtype=np.float32)
    spike[5] = 1.0
    for second in range(3 * 3_600):
        waveform.update(spike if second == 5_000 else quiet)
    data, step_ms = waveform.finish()
    points = np.frombuffer(data, dtype=np.int8).reshape(-1, 2)
    assert (len(points), step_ms) == (6_750, 1_600)
    assert len(points) <= MAX_POINTS
    assert np.flatnonzero(points[:, 1]).tolist() == [5_000_000 // 1_600]
