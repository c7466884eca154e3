"""The instruments: every function gives one note as mono sound at `effects.RATE`.

`midi` is the note number (69 = A4 = 440 Hz), `beat_s` the written length in seconds, `force` 0..1 how hard.
Notes are kept (lru_cache), so a repeated note costs nothing; callers must not change what they get.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from . import effects as fx

RATE = fx.RATE
Note = Callable[[float, float, float], fx.Sound]
keep = lru_cache(maxsize=192)


def hz(midi: float) -> float:
    """Equal temperament."""
    return float(440.0 * 2 ** ((midi - 69) / 12))


def _time(seconds: float) -> fx.Sound:
    return np.arange(int(seconds * RATE)) / RATE


def _end(sound: fx.Sound, hold_s: float, release_s: float) -> fx.Sound:
    n = int(hold_s * RATE)
    if n >= len(sound):
        return fx.fade(sound, 0.0, 0.02)
    tail = np.exp(-(np.arange(len(sound) - n) / RATE) * 5.0 / release_s)
    out = sound[: n + int(release_s * RATE * 1.2)].copy()
    out[n:] *= tail[: len(out) - n]
    return fx.fade(out, 0.0, 0.01)


def _seed(midi: float, salt: int) -> np.random.Generator:
    return np.random.default_rng(int(midi * 64) * 1000 + salt)


def _partials(
    midi: float, seconds: float, level: Callable[[int, float], float], decay: Callable[[int, float], float],
    stiff: float = 0.0, salt: int = 0,
) -> fx.Sound:  # fmt: skip
    """Sum of decaying sines: what a plucked or struck string is."""
    rng, base = _seed(midi, salt), hz(midi)
    out = np.zeros(int(seconds * RATE))
    for k in range(1, 60):
        f = base * k * np.sqrt(1 + stiff * k * k)
        if f > 15_000:
            break
        loud, rate = level(k, f), decay(k, f)
        if loud < 1e-4:
            continue
        t = _time(min(seconds, np.log(loud / 2e-5) / rate))
        out[: len(t)] += loud * np.exp(-rate * t) * np.sin(2 * np.pi * f * t + rng.uniform(0, 6.28))
    return out


@keep
def guitar(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Steel-string acoustic guitar: a string plucked at a fifth of its length, a pick, a wooden body."""
    roll = 0.9 + 0.9 * (1 - force)

    def level(k: int, f: float) -> float:
        return abs(np.sin(np.pi * k * 0.19)) / k**roll * (1 + 0.6 * np.exp(-(((f - 210) / 90) ** 2)))

    out = _partials(midi, 4.0, level, lambda k, f: 0.9 + f * 0.0011 + (f * 0.00028) ** 2, 4e-5, 1)
    rng = _seed(midi, 2)
    pick = fx.cut(rng.standard_normal(int(0.02 * RATE)), 1800, "highpass") * np.exp(-_time(0.02) * 320)
    out[: len(pick)] += pick * 0.16 * force
    thump = np.sin(2 * np.pi * 105 * _time(0.12)) * np.exp(-_time(0.12) * 45)
    out[: len(thump)] += thump * 0.12 * force
    return _end(fx.fade(out, 0.0015, 0) * force * 0.5, beat_s, 0.25)


@keep
def nylon(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Nylon string, and with short notes a mandolin or ukulele."""
    out = _partials(
        midi, 2.6, lambda k, f: abs(np.sin(np.pi * k * 0.28)) / k ** (1.5 + 0.6 * (1 - force)),
        lambda k, f: 1.8 + f * 0.0022, 1e-5, 3,
    )  # fmt: skip
    knock = fx.cut(_seed(midi, 4).standard_normal(int(0.03 * RATE)), 900, "lowpass") * np.exp(
        -_time(0.03) * 150
    )
    out[: len(knock)] += knock * 0.25
    return _end(fx.fade(out, 0.002, 0) * force * 0.6, beat_s, 0.2)


@keep
def harp(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Concert harp: round, plucked near the middle, long."""
    out = _partials(
        midi, 4.5, lambda k, f: (0.12 + abs(np.sin(np.pi * k * 0.41))) / k ** (1.55 + 0.8 * (1 - force)),
        lambda k, f: 0.75 + f * 0.0013 + (f * 0.00022) ** 2, 1e-5, 5,
    )  # fmt: skip
    soft = fx.cut(_seed(midi, 6).standard_normal(int(0.025 * RATE)), 1400, "lowpass") * np.exp(
        -_time(0.025) * 170
    )
    out[: len(soft)] += soft * 0.14
    return _end(fx.fade(out, 0.0025, 0) * force * 0.5, max(beat_s, 1.6), 0.7)


@keep
def piano(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Felted piano: three slightly mistuned strings, quick then slow decay, a soft hammer."""
    bright = 0.55 + 0.9 * (1 - force) + (midi - 60) * 0.006
    out = np.zeros(int(5.5 * RATE))
    for cents, weight, salt in ((-0.9, 0.8, 7), (0.0, 1.0, 8), (1.1, 0.8, 9)):
        out += weight * _partials(
            midi + cents / 100, 5.5,
            lambda k, f: (0.25 + abs(np.sin(np.pi * k / 8.2))) * np.exp(-0.22 * bright * (k - 1)) / k**0.55,
            lambda k, f: 0.35 + (midi - 30) * 0.012 + f * 0.00075, 1.2e-4, salt,
        )  # fmt: skip
    t = _time(5.5)
    out *= 0.6 + 0.4 * np.exp(-t * 6)
    hammer = fx.cut(_seed(midi, 10).standard_normal(int(0.04 * RATE)), 700, "lowpass") * np.exp(
        -_time(0.04) * 110
    )
    out[: len(hammer)] += hammer * 0.35
    return _end(fx.fade(out, 0.003, 0) * force * 0.22, beat_s, 0.35)


@keep
def epiano(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Tine electric piano by frequency modulation: a body at 1:1 and a bell at 1:14."""
    f, t = hz(midi), _time(4.0)
    body = np.sin(2 * np.pi * f * t + (0.5 + 1.6 * force) * np.exp(-t * 3.2) * np.sin(2 * np.pi * f * t))
    tine = np.sin(2 * np.pi * f * t + 0.9 * force * np.exp(-t * 14) * np.sin(2 * np.pi * f * 14 * t))
    level = np.exp(-t * (0.9 + (midi - 48) * 0.02))
    out = (0.7 * body + 0.3 * tine) * level
    return _end(fx.fade(out, 0.003, 0) * force * 0.4, beat_s, 0.18)


@keep
def bell(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Glockenspiel or celesta: a few partials of a bar."""
    t, f = _time(2.6), hz(midi)
    parts = ((1.0, 1.0, 2.2), (2.756, 0.32, 5.0), (5.404, 0.12, 11.0), (0.5, 0.08, 3.0))
    out = sum(a * np.exp(-t * d) * np.sin(2 * np.pi * f * r * t) for r, a, d in parts if f * r < 16_000)
    return fx.fade(np.asarray(out) * force * 0.4, 0.001, 0.05)


@keep
def vibes(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Vibraphone with its motor on: first and fourth harmonic, slow tremolo."""
    t, f = _time(3.5), hz(midi)
    out = np.exp(-t * 1.3) * np.sin(2 * np.pi * f * t) + 0.22 * np.exp(-t * 4.5) * np.sin(
        2 * np.pi * 4 * f * t
    )
    out += 0.05 * np.exp(-t * 18) * np.sin(2 * np.pi * 9.9 * f * t)
    out *= 1 + 0.22 * np.sin(2 * np.pi * 4.6 * t)
    return _end(fx.fade(out, 0.0015, 0) * force * 0.42, beat_s, 0.6)


@keep
def kalimba(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Thumb piano: a tine with an inharmonic knock."""
    t, f = _time(1.8), hz(midi)
    out = np.exp(-t * 3.0) * np.sin(2 * np.pi * f * t) + 0.2 * np.exp(-t * 16) * np.sin(
        2 * np.pi * 5.4 * f * t
    )
    out += 0.1 * np.exp(-t * 6) * np.sin(2 * np.pi * 2 * f * t)
    return fx.fade(out * force * 0.5, 0.001, 0.05)


def _harmonics(phase: fx.Sound, levels: list[float]) -> fx.Sound:
    """Sum of level[k] * sin(k * phase) by repeated complex rotation."""
    turn = np.exp(1j * phase)
    power, out = turn.copy(), levels[0] * turn.imag
    for loud in levels[1:]:
        power *= turn
        out += loud * power.imag
    return np.asarray(out)


def _vibrato(midi: float, seconds: float, cents: float, rate: float, onset_s: float, salt: int) -> fx.Sound:
    t, rng = _time(seconds), _seed(midi, salt)
    grow = np.clip((t - onset_s) / 0.35, 0, 1)
    drift = fx.cut(rng.standard_normal(len(t)), 4, "lowpass", 1) * 40
    bend = (
        cents * grow * np.sin(2 * np.pi * rate * (1 + 0.03 * rng.uniform(-1, 1)) * t + rng.uniform(0, 6))
        + drift
    )
    return np.asarray(2 * np.pi * np.cumsum(hz(midi) * 2 ** (bend / 1200)) / RATE + rng.uniform(0, 6.28))


def _swell(seconds: float, beat_s: float, attack_s: float, release_s: float) -> fx.Sound:
    t = _time(seconds)
    rise = 1 - np.exp(-t * 3.2 / attack_s)
    return np.asarray(rise * np.where(t < beat_s, 1.0, np.exp(-(t - beat_s) * 5 / release_s)))


_BODY = ((280, 0.9, 90), (460, 0.8, 130), (850, 0.5, 220), (1250, 0.35, 300), (2700, 0.75, 700))


@keep
def bowed(midi: float, beat_s: float, force: float = 0.7, attack_s: float = 0.11, salt: int = 20) -> fx.Sound:
    """A bowed string: saw-like spectrum through a violin's body resonances, vibrato that comes late."""
    seconds, f = beat_s + 0.5, hz(midi)
    count = max(3, min(32, int(11_000 / f)))
    tilt = 1.05 + 0.55 * (1 - force)
    levels = []
    for k in range(1, count + 1):
        body = 0.35 + sum(a * np.exp(-((((k * f) - c) / w) ** 2)) for c, a, w in _BODY)
        levels.append(body / k**tilt / (1 + (k * f / 4200) ** 2))
    phase = _vibrato(midi, seconds, 13, 5.4, min(0.25, beat_s * 0.4), salt)
    bright = _harmonics(phase, levels)
    dark = _harmonics(phase, [v / (1 + 0.35 * i) for i, v in enumerate(levels)])
    shape = _swell(seconds, beat_s, attack_s, 0.28)
    t = _time(seconds)
    arch = 0.82 + 0.18 * np.sin(np.pi * np.clip(t / max(beat_s, 0.1), 0, 1))
    hair = fx.cut(_seed(midi, salt + 1).standard_normal(len(t)), 2500, "highpass") * 0.012
    out = (dark * (1 - shape * 0.6) + bright * shape * 0.6 + hair) * shape * arch
    return fx.fade(out * force * 0.3, 0.004, 0.03)


@keep
def section(midi: float, beat_s: float, force: float = 0.7, attack_s: float = 0.35) -> fx.Sound:
    """Four players of the same line, a few cents apart."""
    parts = [bowed(midi + c / 100, beat_s, force, attack_s * m, 30 + 2 * i)
             for i, (c, m) in enumerate(((-6, 1.0), (-2, 1.2), (3, 0.9), (7, 1.1)))]  # fmt: skip
    return np.asarray(sum(parts)) * 0.42


@keep
def flute(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Flute: few harmonics, breath around the note, gentle vibrato."""
    seconds = beat_s + 0.25
    phase = _vibrato(midi, seconds, 9, 4.8, 0.18, 40)
    tone = _harmonics(phase, [1.0, 0.34 * force, 0.16 * force, 0.05, 0.03])
    air = fx.cut(fx.cut(_seed(midi, 41).standard_normal(len(tone)), 900, "highpass"), 5200, "lowpass")
    shape = _swell(seconds, beat_s, 0.07, 0.14)
    beat = 1 + 0.09 * np.sin(2 * np.pi * 4.8 * _time(seconds)) * np.clip(_time(seconds) * 3 - 0.5, 0, 1)
    chiff = np.exp(-_time(seconds) * 22)
    return fx.fade((tone * beat + air * (0.035 + 0.1 * chiff)) * shape * force * 0.33, 0.004, 0.02)


@keep
def clarinet(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Clarinet: odd harmonics first."""
    seconds = beat_s + 0.2
    levels = [1.0, 0.05, 0.5, 0.06, 0.3, 0.08, 0.16, 0.07, 0.09, 0.04, 0.04]
    levels = [
        v * (0.45 + 0.55 * force) ** (i * 0.4) / (1 + (hz(midi) * (i + 1) / 3500) ** 2)
        for i, v in enumerate(levels)
    ]
    tone = _harmonics(_vibrato(midi, seconds, 3, 4.4, 0.3, 44), levels)
    return fx.fade(tone * _swell(seconds, beat_s, 0.06, 0.12) * force * 0.32, 0.004, 0.02)


@keep
def bassoon(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Bassoon: a strong formant near 450 Hz."""
    seconds, f = beat_s + 0.2, hz(midi)
    levels = [(0.25 + np.exp(-((k * f - 460) / 240) ** 2) + 0.3 * np.exp(-((k * f - 1150) / 300) ** 2)) / k**0.6
              / (1 + (k * f / 2600) ** 2) for k in range(1, 20)]  # fmt: skip
    tone = _harmonics(_vibrato(midi, seconds, 4, 4.6, 0.3, 46), levels)
    return fx.fade(tone * _swell(seconds, beat_s, 0.05, 0.12) * force * 0.3, 0.004, 0.02)


@keep
def reed(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Accordion: three reeds, one a little sharp, so that they beat."""
    seconds = beat_s + 0.15
    levels = [1.0, 0.7, 0.55, 0.4, 0.32, 0.2, 0.16, 0.1, 0.08, 0.05]
    tone = sum(
        a * _harmonics(2 * np.pi * hz(midi + c / 100) * r * _time(seconds) + p, levels)
        for c, r, a, p in ((0, 1, 1.0, 0.0), (9, 1, 0.8, 1.3), (-7, 1, 0.5, 2.1), (0, 0.5, 0.35, 0.4))
    )
    out = fx.cut(np.asarray(tone), 4200, "lowpass") * _swell(seconds, beat_s, 0.05, 0.09)
    return fx.fade(out * force * 0.13, 0.004, 0.02)


@keep
def organ(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Drawbar organ with a key click."""
    seconds, f = beat_s + 0.06, hz(midi)
    t = _time(seconds)
    bars = ((0.5, 0.5), (1, 1.0), (1.5, 0.35), (2, 0.6), (3, 0.25), (4, 0.18))
    out = sum(a * np.sin(2 * np.pi * f * r * t + r) for r, a in bars)
    return fx.fade(_end(fx.saturate(np.asarray(out) * 0.4, 1.6), beat_s, 0.05) * force * 0.4, 0.003, 0.01)


@keep
def pad(midi: float, beat_s: float, force: float = 0.7, tone_hz: float = 1500.0) -> fx.Sound:
    """Analogue string pad: five detuned saws, a filter that opens slowly, a long tail."""
    seconds = beat_s + 1.2
    t = _time(seconds)
    count = max(2, min(24, int(6000 / hz(midi))))
    out = np.zeros(len(t))
    for cents, phase in ((-11, 0.3), (-5, 2.0), (0, 4.1), (6, 1.1), (12, 5.2)):
        wobble = 1.5 * np.sin(2 * np.pi * (0.31 + phase / 40) * t + phase)
        angle = 2 * np.pi * np.cumsum(hz(midi) * 2 ** ((cents + wobble) / 1200)) / RATE + phase
        out += _harmonics(angle, [1 / k / (1 + (k * hz(midi) / tone_hz) ** 2) for k in range(1, count + 1)])
    rise = min(0.9, beat_s * 0.45)
    return fx.fade(out * _swell(seconds, beat_s, rise, 1.3) * force * 0.11, 0.01, 0.1)


@keep
def choir(midi: float, beat_s: float, force: float = 0.7, attack_s: float = 0.4) -> fx.Sound:
    """Voices on "oo": a saw through the formants of the vowel."""
    seconds, f = beat_s + 0.8, hz(midi)
    out = np.zeros(int(seconds * RATE))
    formants = ((320, 1.0, 90), (800, 0.35, 120), (2500, 0.07, 250), (3300, 0.04, 300))
    levels = [sum(a * np.exp(-((k * f - c) / w) ** 2) for c, a, w in formants) + 0.12 / k**2
              for k in range(1, max(2, min(24, int(5000 / f))) + 1)]  # fmt: skip
    for i, cents in enumerate((-8, -1, 7)):
        out += _harmonics(_vibrato(midi + cents / 100, seconds, 11, 5.0 + 0.3 * i, 0.2, 50 + i), levels)
    return fx.fade(out * _swell(seconds, beat_s, attack_s, 0.3 + attack_s) * force * 0.2, 0.01, 0.1)


@keep
def bass(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Electric bass played with the fingers."""
    out = _partials(
        midi, 2.5, lambda k, f: abs(np.sin(np.pi * k * 0.22)) / k**1.25 / (1 + (f / 900) ** 2),
        lambda k, f: 0.9 + f * 0.004, 2e-5, 60,
    )  # fmt: skip
    return _end(fx.saturate(fx.fade(out, 0.004, 0) * force * 1.1, 1.3) * 0.8, beat_s * 0.95, 0.07)


@keep
def upright(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Double bass, plucked: a thud, a growl and a shorter note."""
    out = _partials(
        midi, 2.0, lambda k, f: abs(np.sin(np.pi * k * 0.31)) / k**1.35 / (1 + (f / 700) ** 2),
        lambda k, f: 1.5 + f * 0.006, 2e-5, 62,
    )  # fmt: skip
    thud = fx.cut(_seed(midi, 63).standard_normal(int(0.05 * RATE)), 420, "lowpass") * np.exp(
        -_time(0.05) * 80
    )
    out[: len(thud)] += thud * 0.5
    return _end(fx.fade(out, 0.005, 0) * force * 0.9, beat_s * 0.9, 0.12)


@keep
def synthbass(midi: float, beat_s: float, force: float = 0.7, tone_hz: float = 420.0) -> fx.Sound:
    """Saw bass with a filter that closes after the attack."""
    seconds, f = beat_s + 0.06, hz(midi)
    t = _time(seconds)
    dark = _harmonics(2 * np.pi * f * t, [1 / k / (1 + (k * f / tone_hz) ** 3) for k in range(1, 24)])
    open_ = _harmonics(
        2 * np.pi * f * 1.002 * t, [1 / k / (1 + (k * f / (tone_hz * 4)) ** 3) for k in range(1, 40)]
    )
    out = dark + open_ * np.exp(-t * 11) * 0.7 * force + 0.5 * np.sin(2 * np.pi * f * t)
    return fx.fade(_end(fx.saturate(out * 0.5, 1.5), beat_s * 0.92, 0.05) * force * 0.8, 0.004, 0.01)


@keep
def blip(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Plucky synthesiser for arpeggios."""
    t, f = _time(beat_s + 0.35), hz(midi)
    levels = [1 / k for k in range(1, max(2, min(20, int(9000 / f))) + 1)]
    tone = _harmonics(2 * np.pi * f * t, levels) + _harmonics(2 * np.pi * f * 1.004 * t + 1, levels)
    dull = _harmonics(2 * np.pi * f * t, levels[:2])
    out = tone * np.exp(-t * 16) * (0.35 + 0.5 * force) + dull * np.exp(-t * 5.5)
    return fx.fade(out * force * 0.24, 0.002, 0.05)


@keep
def lead(midi: float, beat_s: float, force: float = 0.7) -> fx.Sound:
    """Soft square lead with late vibrato."""
    seconds = beat_s + 0.2
    phase = _vibrato(midi, seconds, 14, 5.2, 0.22, 70)
    count = max(2, min(15, int(5000 / hz(midi))))
    levels = [(1 / k if k % 2 else 0.25 / k) / (1 + (k * hz(midi) / 2300) ** 2) for k in range(1, count + 1)]
    return fx.fade(
        _harmonics(phase, levels) * _swell(seconds, beat_s, 0.03, 0.16) * force * 0.28, 0.003, 0.02
    )
