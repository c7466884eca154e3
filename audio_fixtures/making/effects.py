"""Filters, reverb, dynamics and loudness for the demo sounds.

Sound is float64 in -1..1 at `RATE` Hz: mono of shape (n,), stereo of shape (n, 2).
Loudness follows ITU-R BS.1770-4 (K weighting, two gates); peaks are measured four times oversampled.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

Sound = npt.NDArray[np.float64]

RATE = 48_000
TARGET_LUFS = -16.0
CEILING_DBTP = -2.6


def gain(db: float) -> float:
    """The factor that a level in decibels stands for."""
    return float(10.0 ** (db / 20.0))


def cut(sound: Sound, hz: float, kind: str, order: int = 2) -> Sound:
    """Butterworth filter; `kind` is "highpass" or "lowpass"."""
    sos = signal.butter(order, min(hz, RATE * 0.49), kind, fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, sound, axis=0))


def bell(sound: Sound, hz: float, db: float, q: float = 1.0) -> Sound:
    """Peaking equaliser (R. Bristow-Johnson's audio EQ cookbook)."""
    a, w = 10 ** (db / 40), 2 * np.pi * hz / RATE
    alpha = np.sin(w) / (2 * q)
    b = [1 + alpha * a, -2 * np.cos(w), 1 - alpha * a]
    d = [1 + alpha / a, -2 * np.cos(w), 1 - alpha / a]
    return np.asarray(signal.lfilter(b, d, sound, axis=0))


def shelf(sound: Sound, hz: float, db: float, high: bool = True) -> Sound:
    """First-order-slope shelf above (or below) `hz`."""
    rest = cut(sound, hz, "highpass" if high else "lowpass", 1)
    return sound + rest * (gain(db) - 1.0)


def stereo(sound: Sound) -> Sound:
    """Two channels from one or two."""
    return sound if sound.ndim == 2 else np.stack([sound, sound], axis=1)


def mono(sound: Sound) -> Sound:
    """One channel from one or two."""
    return sound if sound.ndim == 1 else sound.mean(axis=1)


def mix_at(base: Sound, sound: Sound, start_s: float, level: float = 1.0) -> None:
    """Add `sound` to `base` in place from `start_s`; what hangs over the end is dropped."""
    begin = max(0, round(start_s * RATE))
    end = min(len(base), begin + len(sound))
    if end > begin:
        part = sound[: end - begin] * level
        base[begin:end] += part if part.ndim == base.ndim else part[:, None]


def space(seconds: float, seed: int, bright_hz: float = 6500.0, predelay_s: float = 0.012) -> Sound:
    """A stereo impulse response: decaying noise whose treble dies first, after a few early reflections."""
    rng = np.random.default_rng(seed)
    n = int(RATE * seconds * 1.3)
    t = np.arange(n) / RATE
    out = np.zeros((n, 2))
    edges = [120, 400, 1200, 3000, bright_hz]
    speed = [0.9, 1.0, 0.85, 0.6, 0.4]
    for low, high, factor in zip(edges, [*edges[1:], 14_000], speed, strict=True):
        sos = signal.butter(2, [low, high], "bandpass", fs=RATE, output="sos")
        noise = signal.sosfilt(sos, rng.standard_normal((n, 2)), axis=0)
        weight = 0.35 if low >= bright_hz else 1.0
        out += weight * noise * np.exp(-6.9 * t / (seconds * factor))[:, None]
    out *= np.minimum(1.0, t / 0.03)[:, None]
    for _ in range(10):
        at, side = int(rng.uniform(0.006, 0.06) * RATE), int(rng.integers(0, 2))
        out[at, side] += rng.choice([-1.0, 1.0]) * 3.0 * np.exp(-at / (0.03 * RATE))
    out /= np.sqrt((out**2).sum(axis=0))
    return np.concatenate([np.zeros((int(predelay_s * RATE), 2)), out])


def reverb(sound: Sound, room: Sound, wet: float) -> Sound:
    """The sound with `wet` parts of its reverberation; longer than the input by the room's length."""
    source = stereo(sound)
    tail = np.stack([signal.oaconvolve(source[:, c], room[:, c]) for c in (0, 1)], axis=1)
    tail = cut(tail, 160, "highpass")
    out = tail * wet
    out[: len(source)] += source
    return out


def echo(sound: Sound, delay_s: float, feedback: float, wet: float, tone_hz: float = 2600.0) -> Sound:
    """Ping-pong echo, each repeat darker than the last."""
    source = stereo(sound)
    step = int(delay_s * RATE)
    out, repeat = np.concatenate([source, np.zeros((step * 6, 2))]), source
    for count in range(1, 7):
        repeat = cut(cut(repeat[:, ::-1] if count > 1 else repeat, tone_hz, "lowpass", 1), 220, "highpass", 1)
        level = wet * feedback ** (count - 1)
        pan = np.array([1.0, 0.35]) if count % 2 else np.array([0.35, 1.0])
        out[step * count : step * count + len(source)] += repeat * level * pan
    return out


def ensemble(sound: Sound, depth_ms: float = 2.2, wet: float = 0.5, rate_hz: float = 0.6) -> Sound:
    """A three-voice chorus spread over the stereo picture."""
    source = mono(sound)
    t = np.arange(len(source), dtype=np.float64)
    out = stereo(source) * (1 - wet * 0.5)
    for voice, pan in enumerate((-0.8, 0.0, 0.8)):
        sweep = np.sin(2 * np.pi * (rate_hz * (1 + 0.13 * voice) * t / RATE + voice / 3))
        moved = np.interp(t - (9.0 + depth_ms * sweep) * RATE / 1000, t, source, left=0.0)
        out += moved[:, None] * wet * np.array([1 - pan, 1 + pan]) * 0.5
    return out


def saturate(sound: Sound, drive: float = 1.4) -> Sound:
    """Soft tape-like saturation, unity gain for small signals."""
    return np.asarray(np.tanh(sound * drive) / drive)


def compress(
    sound: Sound, threshold_db: float, ratio: float, attack_s: float = 0.012, release_s: float = 0.16
) -> Sound:
    """Feed-forward compressor on 1.3 ms blocks; both channels share one gain."""
    hop = 64
    level = np.abs(stereo(sound)).max(axis=1)
    blocks = np.pad(level, (0, -len(level) % hop)).reshape(-1, hop).max(axis=1)
    over = np.maximum(0.0, 20 * np.log10(np.maximum(blocks, 1e-6)) - threshold_db) * (1 - 1 / ratio)
    up, down = np.exp(-hop / RATE / attack_s), np.exp(-hop / RATE / release_s)
    held, curve = 0.0, np.empty(len(over))
    for index, wanted in enumerate(over):
        held = wanted + (held - wanted) * (up if wanted > held else down)
        curve[index] = held
    smooth = np.interp(np.arange(len(level)), (np.arange(len(curve)) + 0.5) * hop, curve)
    factor = 10 ** (-smooth / 20)
    return sound * (factor[:, None] if sound.ndim == 2 else factor)


def loudness(sound: Sound) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4, 48 kHz coefficients)."""
    x = sound[:, None] if sound.ndim == 1 else sound
    pre = (
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1.0, -1.69065929318241, 0.73248077421585],
    )
    rlb = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    power = signal.lfilter(*rlb, signal.lfilter(*pre, x, axis=0), axis=0) ** 2
    total = np.concatenate([[0.0], np.cumsum(power.sum(axis=1))])
    size, hop = int(0.4 * RATE), int(0.1 * RATE)
    starts = np.arange(0, max(1, len(x) - size + 1), hop)
    mean = (total[np.minimum(starts + size, len(x))] - total[starts]) / size
    kept = mean[-0.691 + 10 * np.log10(np.maximum(mean, 1e-12)) > -70]
    if not len(kept):
        return -70.0
    gate = 10 * np.log10(kept.mean()) - 10
    kept = kept[10 * np.log10(kept) > gate]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def true_peak(sound: Sound) -> float:
    """Peak in dB of the four times oversampled sound."""
    peak = float(np.abs(signal.resample_poly(sound, 4, 1, axis=0)).max())
    return float(20 * np.log10(max(peak, 1e-9)))


def limit(sound: Sound, ceiling_db: float = CEILING_DBTP) -> Sound:
    """Look-ahead limiter on the four times oversampled peak."""
    x = stereo(sound)
    peak = np.abs(signal.resample_poly(x, 4, 1, axis=0)).max(axis=1)[: 4 * len(x)].reshape(-1, 4).max(axis=1)
    wanted = np.minimum(1.0, gain(ceiling_db) / np.maximum(peak, 1e-9))
    ahead = int(0.004 * RATE)
    held = ndimage.minimum_filter1d(wanted, 2 * ahead + 1)
    smooth = ndimage.uniform_filter1d(held, 2 * ahead + 1)
    slow = ndimage.uniform_filter1d(ndimage.minimum_filter1d(held, 4 * ahead), 6 * ahead)
    factor = np.minimum(np.minimum(smooth, slow), wanted)
    return sound * (factor[:, None] if sound.ndim == 2 else factor)


def trim(sound: Sound, floor_db: float = -58.0, keep_s: float = 0.02) -> Sound:
    """Cut the silence at both ends, leave `keep_s` of it, and fade so that nothing clicks."""
    level = np.abs(stereo(sound)).max(axis=1)
    loud = np.flatnonzero(level > gain(floor_db) * max(level.max(), 1e-9))
    if not len(loud):
        return sound
    keep = int(keep_s * RATE)
    out = sound[max(0, loud[0] - keep) : loud[-1] + keep].copy()
    return fade(out, 0.004, min(0.03, len(out) / RATE / 8))


def fade(sound: Sound, in_s: float, out_s: float) -> Sound:
    """Raised-cosine fades at both ends."""
    out = sound.copy()
    for seconds, at_end in ((in_s, False), (out_s, True)):
        n = min(int(seconds * RATE), len(out))
        ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / max(1, n))
        ramp = ramp if out.ndim == 1 else ramp[:, None]
        if n and at_end:
            out[-n:] *= ramp[::-1]
        elif n:
            out[:n] *= ramp
    return out


def master(sound: Sound, target: float = TARGET_LUFS) -> Sound:
    """Bring a finished item to the target loudness under the true-peak ceiling."""
    out = sound * gain(target - loudness(sound))
    for _ in range(3):
        out = limit(out)
        out = out * gain(target - loudness(out))
    return limit(out)
