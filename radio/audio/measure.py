"""What an item's sound is like, found in one pass of decoding.

Loudness, its range and momentary loudness are those of EBU R 128 (:mod:`radio.audio.loudness`), the true peak
is that of ITU-R BS.1770-4 (:mod:`radio.audio.true_peak`). Sound of 44.1 and 48 kHz is measured at its own
rate, as the standards mean it: a resampler takes away what lies near half of the rate, which in harsh, clipped
sound is 0.15 LU. Other rates are measured at 48 kHz. A mono file sounds on both channels and measures 3 LU more
than its one channel alone would. Memory does not grow with the sound, but for some 700 kB an hour.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from radio.audio.defects import Channels, Clipping
from radio.audio.edges import MAX_LEAD_MS, MAX_TRAIL_MS, Silences, silence_db
from radio.audio.fingerprinter import Fingerprinter
from radio.audio.guard import check_file
from radio.audio.loudness import Loudness
from radio.audio.pcm_hash import PcmHash
from radio.audio.reader import Reader, safe
from radio.audio.shape import shape_of
from radio.audio.true_peak import TruePeak
from radio.audio.waveform import Waveform
from radio.audio.windows import blocks, windows_of
from radio.errors import AudioError
from radio.units import SAMPLE_RATE_HZ, Decibels, DurationMs, Lufs, Samples

__all__ = ["MAX_LEAD_MS", "MAX_LENGTH_S", "MAX_TRAIL_MS", "Measurement", "measure"]

MAX_LENGTH_S: Final = 12 * 3600
"""Longer files are refused."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of one file.

    ``samples`` counts what was decoded, at 48 kHz; ``duration_ms`` is the same rounded down.
    ``loudness_lufs`` is None for sound below the absolute gate of -70 LUFS or shorter than 400 ms,
    ``true_peak_db`` (dBTP) and ``sample_peak_db`` for digital silence. ``cue_in_ms`` and ``cue_out_ms`` leave
    out leading and trailing silence.

    ``silences`` are (start, end) inside of the cues. ``clipped_samples`` counts the samples of the
    ``clipped_runs``: three or more in a row at full scale. ``intro_ms`` and ``outro_ms`` are guesses, counted
    from the start of the file; ``ending`` is "fade" or "cold". Correlations are -1 to 1, None for silence.
    ``dc_offset`` is a fraction of full scale. ``peaks`` holds the waveform: for each ``peaks_step_ms`` the
    lowest and the highest value of the mix as two signed bytes, at most 8,000 such pairs. ``fingerprint`` is
    for :mod:`radio.audio.fingerprint`; ``pcm_hash`` is equal for files that decode to the same 16-bit sound.
    """

    duration_ms: DurationMs
    samples: Samples
    source_rate_hz: int
    source_channels: int
    loudness_lufs: Lufs | None
    true_peak_db: Decibels | None
    cue_in_ms: DurationMs
    cue_out_ms: DurationMs
    loudness_range_lu: float | None = None
    max_momentary_lufs: Lufs | None = None
    sample_peak_db: Decibels | None = None
    clipped_samples: int = 0
    clipped_runs: int = 0
    silences: tuple[tuple[DurationMs, DurationMs], ...] = ()
    intro_ms: DurationMs | None = None
    outro_ms: DurationMs | None = None
    ending: Literal["fade", "cold"] | None = None
    is_mono: bool = False
    phase_correlation: float | None = None
    worst_phase_correlation: float | None = None
    dc_offset: float = 0.0
    peaks: bytes = b""
    peaks_step_ms: DurationMs = DurationMs(100)
    fingerprint: bytes = b""
    pcm_hash: str = ""


def measure(path: Path) -> Measurement:
    """Decode the whole of ``path`` and measure it. Blocks for about a second per five minutes of sound.

    :raises AudioError: the file cannot be played to its end, or is shorter than 1 ms or longer than 12 hours.
    """
    reader = Reader(check_file(path.absolute()), own_rate=True)
    try:
        meters = _Meters(reader.sound_rate_hz, reader.channels == 1)
        for block in blocks(reader.pieces(), reader.sound_rate_hz):
            meters.update(safe(block))
            if meters.samples > MAX_LENGTH_S * reader.sound_rate_hz:
                raise AudioError(path, f"longer than {MAX_LENGTH_S // 3600} hours")
    finally:
        reader.close()
    if reader.failed is not None:
        raise AudioError(path, reader.failed)
    if not meters.samples:
        raise AudioError(path, "no sound can be decoded")
    if meters.samples * 1000 < reader.sound_rate_hz:
        raise AudioError(path, f"only {meters.samples} samples of sound")
    return Measurement(source_rate_hz=reader.rate_hz, source_channels=reader.channels, **meters.finish())


class _Meters:
    def __init__(self, rate_hz: int, one_channel: bool) -> None:
        self.samples = 0
        self._rate_hz = rate_hz
        self._one_channel = one_channel
        self._loudness, self._true_peak = Loudness(rate_hz), TruePeak()
        self._silences, self._waveform = Silences(rate_hz), Waveform(rate_hz)
        self._clipping, self._channels = Clipping(), Channels(rate_hz)
        self._fingerprint, self._hash = Fingerprinter(rate_hz), PcmHash(rate_hz)

    def update(self, block: NDArray[np.float32]) -> None:
        windows = windows_of(block, self._rate_hz)
        mix = (block[0] + block[1]) * np.float32(0.5)
        self.samples += block.shape[1]
        self._loudness.update(block)
        self._true_peak.update(block)
        self._silences.update(block, windows)
        self._clipping.update(
            block[:1] if self._one_channel else block, float(windows.peaks.max(initial=0.0))
        )
        self._channels.update(block, windows)
        self._waveform.update(mix)
        self._fingerprint.update(mix)
        self._hash.update(block)

    def finish(self) -> dict[str, Any]:
        return self._levels() | self._form() | self._picture()

    def _levels(self) -> dict[str, Any]:
        self._clipping.finish()
        return {
            "true_peak_db": _decibels(self._true_peak.finish()),
            "sample_peak_db": _decibels(self._true_peak.sample_peak),
            "clipped_samples": self._clipping.samples,
            "clipped_runs": self._clipping.runs,
            "is_mono": self._one_channel or self._channels.is_mono,
            "phase_correlation": self._channels.correlation,
            "worst_phase_correlation": self._channels.worst_correlation,
            "dc_offset": self._channels.dc_offset,
        }

    def _form(self) -> dict[str, Any]:
        report = self._loudness.finish()
        threshold_db = silence_db(report.integrated_lufs)
        cues = self._silences.cues(threshold_db)
        shape = shape_of(report.momentary_lufs, report.integrated_lufs, *cues)
        return {
            "samples": Samples(-(-self.samples * SAMPLE_RATE_HZ // self._rate_hz)),
            "duration_ms": self._silences.length_ms,
            "loudness_lufs": report.integrated_lufs,
            "loudness_range_lu": report.range_lu,
            "max_momentary_lufs": report.max_momentary_lufs,
            "cue_in_ms": cues[0],
            "cue_out_ms": cues[1],
            "silences": self._silences.inside(threshold_db, cues),
            "intro_ms": shape.intro_ms,
            "outro_ms": shape.outro_ms,
            "ending": shape.ending,
        }

    def _picture(self) -> dict[str, Any]:
        peaks, step_ms = self._waveform.finish()
        return {
            "peaks": peaks,
            "peaks_step_ms": step_ms,
            "fingerprint": self._fingerprint.finish(),
            "pcm_hash": self._hash.hexdigest(),
        }


def _decibels(peak: float) -> Decibels | None:
    return Decibels(round(float(20 * np.log10(peak)), 2)) if peak > 0 else None
