"""Drums: each function gives one stroke as mono sound; `take` varies the noise so that no two are alike."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from . import effects as fx

RATE = fx.RATE
keep = lru_cache(maxsize=512)


def _time(seconds: float) -> fx.Sound:
    return np.arange(int(seconds * RATE)) / RATE


def _noise(seconds: float, salt: int) -> fx.Sound:
    return np.random.default_rng(salt).standard_normal(int(seconds * RATE))


@keep
def kick(soft: bool = False, take: int = 0) -> fx.Sound:
    """Bass drum: a sine that falls from 130 to 48 Hz."""
    t = _time(0.4)
    f = 48 + (60 if soft else 95) * np.exp(-t * 38)
    out = np.sin(2 * np.pi * np.cumsum(f) / RATE) * np.exp(-t * (8.5 if soft else 7.5))
    click = fx.cut(_noise(0.4, 900 + take % 3), 3000, "lowpass") * np.exp(-t * 260) * (0.12 if soft else 0.25)
    return fx.fade((out + click) * 0.95, 0.001, 0.04)


@keep
def snare(take: int = 0) -> fx.Sound:
    """Snare drum: two shell modes and wires."""
    t = _time(0.32)
    shell = 0.5 * np.sin(2 * np.pi * 188 * t) * np.exp(-t * 24) + 0.25 * np.sin(2 * np.pi * 331 * t) * np.exp(
        -t * 32
    )
    wires = fx.bell(fx.cut(_noise(0.32, 910 + take % 4), 1100, "highpass"), 3600, 4) * np.exp(-t * 17) * 0.3
    return fx.fade(shell + fx.cut(wires, 10_500, "lowpass"), 0.001, 0.04) * 0.8


@keep
def rim(take: int = 0) -> fx.Sound:
    """Side stick."""
    t = _time(0.08)
    out = np.sin(2 * np.pi * 1680 * t) * np.exp(-t * 90) + 0.6 * np.sin(2 * np.pi * 540 * t) * np.exp(-t * 70)
    return fx.fade(
        out * 0.4 + fx.cut(_noise(0.08, 920 + take % 3), 2000, "highpass") * np.exp(-t * 220) * 0.2,
        0.0005,
        0.01,
    )


@keep
def brush(take: int = 0, long: bool = False) -> fx.Sound:
    """A brush on the snare: a tap, or a long sweep."""
    seconds = 0.42 if long else 0.22
    t = _time(seconds)
    body = fx.cut(fx.cut(_noise(seconds, 930 + take % 5), 900, "highpass"), 7000, "lowpass")
    shape = np.sin(np.pi * np.clip(t / seconds, 0, 1)) ** 1.4 * 0.35 if long else np.exp(-t * 20)
    return fx.fade(body * shape * 0.32, 0.004, 0.03)


@keep
def hat(take: int = 0, open_: bool = False) -> fx.Sound:
    """Hi-hat: metal partials and air."""
    seconds = 0.34 if open_ else 0.09
    t = _time(seconds)
    metal = sum(np.sign(np.sin(2 * np.pi * f * t + i)) for i, f in enumerate((3170, 4210, 5430, 6790, 8210)))
    out = fx.cut(np.asarray(metal) * 0.12 + _noise(seconds, 940 + take % 6) * 0.3, 7200, "highpass", 3)
    return fx.fade(fx.cut(out, 14_000, "lowpass") * np.exp(-t * (9 if open_ else 55)), 0.0008, 0.02) * 0.75


@keep
def shaker(take: int = 0) -> fx.Sound:
    """Shaker: noise with a rounded start."""
    t = _time(0.11)
    shape = np.minimum(1, t / 0.025) * np.exp(-np.maximum(0, t - 0.025) * 45)
    return fx.fade(fx.cut(_noise(0.11, 950 + take % 7), 5200, "highpass") * shape * 0.22, 0.001, 0.02)


@keep
def ride(take: int = 0) -> fx.Sound:
    """Ride cymbal, played lightly."""
    t = _time(1.1)
    tones = (2310, 3420, 4630, 5270, 6890, 8840)
    ping = sum(np.sin(2 * np.pi * f * t + i) * np.exp(-t * (3 + i)) for i, f in enumerate(tones))
    wash = fx.cut(_noise(1.1, 960 + take % 3), 5000, "highpass") * np.exp(-t * 5) * 0.3
    return fx.fade(np.asarray(ping) * 0.05 + wash * 0.22, 0.001, 0.2)


@keep
def tom(midi: int = 45) -> fx.Sound:
    """Tom-tom."""
    t = _time(0.5)
    f = 440 * 2 ** ((midi - 69) / 12) * (1 + 0.35 * np.exp(-t * 22))
    return fx.fade(np.sin(2 * np.pi * np.cumsum(f) / RATE) * np.exp(-t * 8) * 0.7, 0.001, 0.05)


@keep
def swell(seconds: float = 1.6) -> fx.Sound:
    """A cymbal that grows into the next section."""
    t = _time(seconds)
    return fx.fade(fx.cut(_noise(seconds, 970), 4500, "highpass") * (t / seconds) ** 3 * 0.2, 0.01, 0.03)


@keep
def crash(take: int = 0) -> fx.Sound:
    """A soft crash cymbal."""
    t = _time(2.4)
    air = fx.cut(_noise(2.4, 980 + take), 3200, "highpass") * (np.exp(-t * 2.2) * 0.7 + np.exp(-t * 9) * 0.5)
    return fx.fade(air * 0.2, 0.002, 0.3)
