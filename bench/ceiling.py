"""The true peak that a listener decodes of loud sound, for each format and bit rate at the ceiling that it is given.

Each sound is as loud as the engine lets an item be (``--lufs``, -9 if not said, or -1 dBTP where that comes first), and
``--more`` dB louder; then limited, encoded, decoded by FFmpeg without clipping, and measured by ITU-R BS.1770-4.
``radio.audio.headroom`` is made of this table.
"""

from __future__ import annotations

import io
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from radio.audio.aac import AAC_BITRATES_KBPS
from radio.audio.decode import Deck
from radio.audio.encode import BITRATES_KBPS, StreamFormat, encoder_for
from radio.audio.headroom import ceiling_dbtp
from radio.audio.limit import Limiter
from radio.audio.loudness import Loudness
from radio.audio.opus import OPUS_BITRATES_KBPS
from radio.audio.pcm import Pcm
from radio.audio.true_peak import TruePeak
from radio.units import SAMPLE_RATE_HZ, gain_factor

ROOT = Path(__file__).parent.parent
LENGTH_S = 20
PIECE_S = 5
BLOCK = 4_032
RATES: dict[StreamFormat, tuple[int, ...]] = {
    "mp3": BITRATES_KBPS,
    "aac": AAC_BITRATES_KBPS,
    "opus": OPUS_BITRATES_KBPS,
}
CONTAINERS = {"mp3": "mp3", "aac": "aac", "opus": "ogg"}


def main() -> None:
    """Print the table, in dBTP; the limiter's ceiling is in the second column."""
    options = ArgumentParser()
    options.add_argument("--lufs", type=float, default=-9.0)
    options.add_argument("--more", type=float, default=0.0)
    asked = options.parse_args()
    sounds = {"white noise": noise(), "loud music": music(), "clipped music": clipped()}
    aired = {name: _as_aired(sound, asked.lufs, asked.more) for name, sound in sounds.items()}
    limited: dict[float, list[Pcm]] = {}
    print(f"{'':<10}{'ceiling':>8}" + "".join(f"{name:>16}" for name in aired))
    for kind, rates in RATES.items():
        for kbps in rates:
            ceiling = ceiling_dbtp([(kind, kbps)])
            if ceiling not in limited:
                limited[ceiling] = [_limited(sound, ceiling) for sound in aired.values()]
            peaks = "".join(f"{_decoded_peak_db(kind, kbps, sound):>16.2f}" for sound in limited[ceiling])
            print(f"{kind} {kbps:>4}  {ceiling:>8.1f}{peaks}", flush=True)


def noise() -> Pcm:
    """White noise, both channels apart: what a fault of a line sounds like."""
    random = np.random.default_rng(7)
    return random.normal(0.0, 0.3, (LENGTH_S * SAMPLE_RATE_HZ, 2)).astype(np.float32)


def music() -> Pcm:
    """Bands of the demo network, one after the other."""
    found = sorted((ROOT / "audio_fixtures/lowtide/music").iterdir())
    return np.concatenate([_piece(path) for path in found if path.is_file()])


def clipped() -> Pcm:
    """The same as a careless master has it: 9 dB too loud, and cut off flat."""
    louder: Pcm = np.clip(music() * 2.8, -1.0, 1.0)
    return louder


def _piece(path: Path) -> Pcm:
    deck = Deck.open(path, cue_in_ms=10_000)
    try:
        return deck.read(PIECE_S * SAMPLE_RATE_HZ)
    finally:
        deck.close()


def _as_aired(sound: Pcm, lufs: float, more_db: float) -> Pcm:
    peak, loudness = TruePeak(), Loudness(SAMPLE_RATE_HZ)
    planes = np.ascontiguousarray(sound.T)
    peak.update(planes)
    loudness.update(planes)
    gain_db = min(lufs - (loudness.finish().integrated_lufs or 0.0), -1.0 - 20 * np.log10(peak.finish()))
    aired: Pcm = sound * np.float32(gain_factor(gain_db + more_db))
    return aired


def _limited(sound: Pcm, ceiling_db: float) -> Pcm:
    limiter = Limiter(ceiling_db=ceiling_db)
    return np.concatenate([limiter.process(sound[at : at + BLOCK]) for at in range(0, len(sound), BLOCK)])


def _decoded_peak_db(kind: StreamFormat, kbps: int, sound: Pcm) -> float:
    encoder = encoder_for(kind, kbps)
    parts = [encoder.header]
    for at in range(0, len(sound), BLOCK):
        parts += encoder.encode(sound[at : at + BLOCK])
    parts += encoder.flush()
    peak = TruePeak()
    for planes in _decoded(b"".join(parts), CONTAINERS[kind]):
        peak.update(planes)
    return float(20 * np.log10(max(peak.finish(), 1e-9)))


def _decoded(data: bytes, container: str) -> Iterator[np.ndarray]:
    with av.open(io.BytesIO(data), "r", format=container) as opened:
        stream = opened.streams.audio[0]
        for frame in opened.decode(stream):
            planes = frame.to_ndarray()
            if not frame.format.is_planar:
                planes = planes.reshape(-1, frame.layout.nb_channels).T
            yield np.ascontiguousarray(planes, dtype=np.float32)
