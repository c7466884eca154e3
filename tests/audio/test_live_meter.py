"""What the live meter tells of blocks that end high."""

from __future__ import annotations

import numpy as np

from radio.audio.live_meter import LiveMeter


def test_the_highest_is_never_below_the_newest() -> None:
    # two samples at the very end: the peak between them is found only when the filter rings out
    block = np.zeros((4_800, 2), dtype=np.float32)
    block[-2:] = 0.5
    reading = LiveMeter().update(block)
    assert reading.peak_db < reading.true_peak_db
    assert reading.highest_true_peak_db == reading.true_peak_db
