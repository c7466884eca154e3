"""What is prepared off the air, with pydub: a spoken message over a bed, as a file that the library can take.

Not for the air: pydub holds whole sounds in memory, counts in milliseconds and rounds to 16 bits at each
step.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from radio.audio.bed import Bed
from radio.audio.decode import Deck
from radio.audio.pcm import Pcm, PcmSource
from radio.errors import AudioError
from radio.units import CHANNELS, SAMPLE_RATE_HZ, DurationMs, samples_of

with warnings.catch_warnings():
    # pydub looks for programs that are not used here, and for a module that newer Pythons have elsewhere.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

MAX_MESSAGE_MS: Final = 10 * 60_000
MAX_EDGE_MS: Final = 60_000

_DUCKING_MS: Final = 400
_SAMPLE_BYTES: Final = 2


def message_over_bed(
    message: Path,
    target: Path,
    *,
    bed: Path | None = None,
    bed_gain_db: float = 0.0,
    ducked_db: float = 9.0,
    lead_ms: int = 1_500,
    tail_ms: int = 2_500,
) -> DurationMs:
    """Write ``target`` (WAV, 48 kHz, stereo, 16 bits): ``message`` over ``bed``. Blocks; gives the length.

    The bed, or the built-in one, sounds alone for ``lead_ms``, goes ``ducked_db`` down under the message,
    comes back and is faded out over ``tail_ms``. A bed file must be as long as all that. The file appears
    whole or not at all. :raises AudioError: a file cannot be played, the message is longer than 10 minutes,
    the bed too short.
    :raises ValueError: lead or tail outside 0 to 60 s.
    """
    if not (0 <= lead_ms <= MAX_EDGE_MS and 0 <= tail_ms <= MAX_EDGE_MS):
        raise ValueError(f"lead and tail must be 0 to {MAX_EDGE_MS} ms")
    voice = _segment(_message(message))
    length_ms = lead_ms + len(voice) + tail_ms
    under = _segment(_bed(bed, length_ms, bed_gain_db))
    mixed = _ducked(under, lead_ms, len(voice), ducked_db).overlay(voice, position=lead_ms)
    _write(mixed.fade_out(tail_ms) if tail_ms else mixed, target)
    return DurationMs(length_ms)


def _ducked(under: Any, lead_ms: int, voice_ms: int, ducked_db: float) -> Any:
    down_ms = min(_DUCKING_MS, lead_ms)
    if down_ms:
        down = under.fade(to_gain=-ducked_db, start=lead_ms - down_ms, end=lead_ms)
    else:
        down = under.apply_gain(-ducked_db)
    after_ms = lead_ms + voice_ms
    up_ms = min(2 * _DUCKING_MS, len(under) - after_ms)
    return down.fade(to_gain=ducked_db, start=after_ms, end=after_ms + up_ms) if up_ms else down


def _message(path: Path) -> Pcm:
    sound = _read(Deck.open(path), samples_of(MAX_MESSAGE_MS) + 1)
    if len(sound) > samples_of(MAX_MESSAGE_MS):
        raise AudioError(path, f"longer than {MAX_MESSAGE_MS // 60_000} minutes")
    return sound


def _bed(path: Path | None, length_ms: int, gain_db: float) -> Pcm:
    source: PcmSource = Bed(Bed.DEFAULT_LUFS + gain_db) if path is None else Deck.open(path, gain_db=gain_db)
    sound = _read(source, samples_of(length_ms))
    if path is not None and len(sound) < samples_of(length_ms):
        raise AudioError(path, f"shorter than the {length_ms} ms that the message needs")
    return sound


def _read(source: PcmSource, n: int) -> Pcm:
    try:
        blocks = []
        while n > 0 and len(block := source.read(min(n, SAMPLE_RATE_HZ))):
            blocks.append(block)
            n -= len(block)
        return np.concatenate(blocks)
    finally:
        source.close()


def _segment(sound: Pcm) -> Any:
    samples = np.rint(np.clip(sound * 32767.0, -32768.0, 32767.0)).astype("<i2")
    return AudioSegment(
        data=samples.tobytes(), sample_width=_SAMPLE_BYTES, frame_rate=SAMPLE_RATE_HZ, channels=CHANNELS
    )


def _write(segment: Any, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        segment.export(part, format="wav").close()
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
