"""The stream that the listeners' benchmark sends by every server: the same bytes at the same pace."""

from __future__ import annotations

import numpy as np

from radio.audio.encode import Mp3Encoder

KBPS = 128
FRAMES = 42
CHUNK_BYTES = FRAMES * 3 * KBPS
CHUNK_SAMPLES = FRAMES * 1152
CHUNK_S = CHUNK_SAMPLES / 48_000
BYTES_PER_S = CHUNK_BYTES / CHUNK_S
STATION = "bench"
TITLE_EVERY_S = 10.0


def title_at(second: float) -> str:
    """The title that holds then."""
    return f"Artist - Title {int(second // TITLE_EVERY_S)}"


def noise_mp3(chunks: int = 30) -> bytes:
    """Whole chunks of quiet noise, which a repetition joins without a seam in the frames."""
    encoder = Mp3Encoder(KBPS)
    dice = np.random.default_rng(1)
    sound = bytearray()
    while len(sound) < chunks * CHUNK_BYTES:
        sound += b"".join(encoder.encode(dice.normal(0, 0.1, (CHUNK_SAMPLES, 2)).astype(np.float32)))
    return bytes(sound[: chunks * CHUNK_BYTES])
