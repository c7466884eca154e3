"""Guesses at how an item begins and ends, from its momentary loudness. Pure.

The heuristic is our own. A piece's **body** is all that is no more than 6 dB below its integrated loudness
(music keeps to that for most of its length, a sparse start or a fade does not). Loudness is the power of
windows of one second.

* The intro ends where the body is first reached and kept for three of the next four seconds. An intro of less
  than 2 s is none, and one of more than a minute or more than half of the item is no intro but its form.
* The ending starts where the body is last left. Where the body reaches up to the last 4 s, it is **cold**, be
  it cut or rung out. Where it goes down from there by 12 dB or more, over 2.5 s or more, and never rises by more
  than 4 dB, it is a **fade**, whose start is then looked for further back, where the level was last that of
  the ten seconds before. Anything else (a quiet coda) has a start but no name.

It knows nothing of voices: where a song's words begin is for a person to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from radio.units import DurationMs

STEP_MS: Final = 100
"""The distance of the values of momentary loudness."""

MIN_INTRO_MS: Final = 2_000
MAX_INTRO_MS: Final = 60_000
COLD_WITHIN_MS: Final = 4_000
MIN_FADE_MS: Final = 2_500

_BODY_DB: Final = 6.0
_FADE_DB: Final = 12.0
_RISE_DB: Final = 4.0
_FADE_STARTS_DB: Final = 1.5
_BEFORE_FADE_MS: Final = 10_000
_SHORTEST_MS: Final = 8_000
_SMOOTHED: Final = 7  # windows of 400 ms every 100 ms, which together span a second
_KEPT: Final = (30, 40)

Ending: TypeAlias = Literal["fade", "cold"]


@dataclass(frozen=True, slots=True)
class Shape:
    """``intro_ms`` is where the intro ends, ``outro_ms`` where the ending starts; both from the start of the
    file."""

    intro_ms: DurationMs | None = None
    outro_ms: DurationMs | None = None
    ending: Ending | None = None


def shape_of(
    momentary_lufs: NDArray[np.float32], lufs: float | None, cue_in_ms: int, cue_out_ms: int
) -> Shape:
    """The shape of a sound of at least 8 s; anything shorter, or with no loudness, has none."""
    if lufs is None or cue_out_ms - cue_in_ms < _SHORTEST_MS:
        return Shape()
    levels = _levels(momentary_lufs)
    first, last = cue_in_ms // STEP_MS, min(len(levels), cue_out_ms // STEP_MS)
    heard = levels[first:last]
    body = np.flatnonzero(heard >= lufs - _BODY_DB)
    if not len(body):
        return Shape()
    intro = _intro(heard, lufs - _BODY_DB)
    outro, ending = _ending(heard, int(body[-1]) + 1)
    return Shape(
        None if intro is None else DurationMs((first + intro) * STEP_MS),
        DurationMs(min(cue_out_ms, (first + outro) * STEP_MS)),
        ending,
    )


def _levels(momentary: NDArray[np.float32]) -> NDArray[np.float64]:
    # Level k is that of the second around 100 k ms: the windows that lie in it end 400 to 1000 ms after its start.
    power = 10.0 ** (momentary.astype(np.float64) / 10)
    padded = np.pad(power, (1, _SMOOTHED + 1), mode="edge")
    return np.asarray(10 * np.log10(sliding_window_view(padded, _SMOOTHED).mean(axis=1)))[: len(momentary)]


def _intro(heard: NDArray[np.float64], body_lufs: float) -> int | None:
    enough, of = _KEPT
    if len(heard) < of:
        return None
    in_body = heard >= body_lufs
    kept = sliding_window_view(in_body, of).sum(axis=1) >= enough
    starts = np.flatnonzero(kept & in_body[: len(kept)])
    limit = min(MAX_INTRO_MS // STEP_MS, len(heard) // 2)
    if not len(starts) or not MIN_INTRO_MS // STEP_MS <= starts[0] <= limit:
        return None
    return int(starts[0])


def _ending(heard: NDArray[np.float64], left: int) -> tuple[int, Ending | None]:
    rest = heard[left:]
    if _is_fade(rest):
        return _fade_start(heard, left), "fade"
    return left, "cold" if len(rest) <= COLD_WITHIN_MS // STEP_MS else None


def _is_fade(rest: NDArray[np.float64]) -> bool:
    if len(rest) < MIN_FADE_MS // STEP_MS:
        return False
    rises = (rest - np.minimum.accumulate(rest)).max()
    return bool(rest[0] - rest[-1] >= _FADE_DB and rises <= _RISE_DB)


def _fade_start(heard: NDArray[np.float64], left: int) -> int:
    before = heard[max(0, left - 2 * _BEFORE_FADE_MS // STEP_MS) : left]
    usual = np.median(before[: _BEFORE_FADE_MS // STEP_MS])
    full = np.flatnonzero(before >= usual - _FADE_STARTS_DB)
    return left - len(before) + int(full[-1]) if len(full) else left
