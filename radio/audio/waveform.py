"""The picture of a sound: its lowest and highest values, step by step. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from radio.units import DurationMs

MAX_POINTS: Final = 8_000

_STEP_MS: Final = 100


class Waveform:
    """Collects the extremes of every 100 ms of the mix (two bytes each: 72 kB an hour)."""

    def __init__(self, rate_hz: int) -> None:
        self._size = rate_hz * _STEP_MS // 1000
        self._points = bytearray()

    def update(self, mix: NDArray[np.float32]) -> None:
        """Take the next block of shape ``(n,)``; all but the last must be a multiple of 100 ms long."""
        rest = -len(mix) % self._size
        cut = (np.pad(mix, (0, rest), mode="edge") if rest else mix).reshape(-1, self._size)
        extremes = np.stack((cut.min(axis=1), cut.max(axis=1)), axis=1)
        self._points += np.clip(np.rint(extremes * 127), -127, 127).astype(np.int8).tobytes()

    def finish(self) -> tuple[bytes, DurationMs]:
        """The points, each two signed bytes (lowest and highest, 127 at full scale), at most
        :data:`MAX_POINTS`; and the time between them: 100 ms, doubled until they are few enough."""
        points = np.frombuffer(self._points, dtype=np.int8).reshape(-1, 2)
        step_ms = _STEP_MS
        while len(points) > MAX_POINTS:
            points, step_ms = _halved(points), step_ms * 2
        return points.tobytes(), DurationMs(step_ms)


def _halved(points: NDArray[np.int8]) -> NDArray[np.int8]:
    even = np.pad(points, ((0, len(points) % 2), (0, 0)), mode="edge").reshape(-1, 2, 2)
    return np.stack((even[:, :, 0].min(axis=1), even[:, :, 1].max(axis=1)), axis=1)
