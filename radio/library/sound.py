"""What was measured in a file: the values that depend on nothing but its bytes (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from radio.library.items import Item
from radio.units import Decibels, DurationMs, Lufs

OUT_OF_PHASE: Final = -0.3
DC_OFFSET: Final = 0.01


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an item that takes long to find. The measurement's fields keep their names and meaning.

    Each means what :class:`radio.audio.measure.Measurement` says of it; fields are None or empty where the
    file was measured by an earlier release.
    """

    content_hash: str
    duration_ms: DurationMs
    cue_in_ms: DurationMs
    cue_out_ms: DurationMs
    loudness_lufs: Lufs | None
    true_peak_db: Decibels | None
    source_rate_hz: int | None = None
    source_channels: int | None = None
    loudness_range_lu: float | None = None
    max_momentary_lufs: float | None = None
    sample_peak_db: float | None = None
    clipped_samples: int | None = None
    clipped_runs: int | None = None
    silences: tuple[tuple[int, int], ...] = ()
    intro_ms: DurationMs | None = None
    outro_ms: DurationMs | None = None
    ending: str | None = None
    is_mono: bool | None = None
    phase_correlation: float | None = None
    worst_phase_correlation: float | None = None
    dc_offset: float | None = None
    pcm_hash: str | None = None
    peaks_step_ms: DurationMs = DurationMs(100)
    peaks: bytes = b""
    fingerprint: bytes = b""

    @classmethod
    def of(cls, item: Item) -> Sound:
        """What an item itself says of its measurement."""
        return cls(**_shared(cls, item))

    @classmethod
    def measured(cls, content_hash: str, measurement: Any) -> Sound:
        """The sound of a file with that content; of ``measurement`` every field that bears one of our names."""
        return cls(**{**_shared(cls, measurement), "content_hash": content_hash})

    def for_item(self) -> dict[str, Any]:
        """The fields that an item takes over, with its problems."""
        own = {name: value for name, value in _shared(Item, self).items() if name in self.__struct_fields__}
        return {**own, "problems": problems_of(self)}


def _shared(type_: type[msgspec.Struct], value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type_.__struct_fields__ if hasattr(value, name)}


def problems_of(sound: Sound) -> tuple[str, ...]:
    """Short words for what an operator may want to look at; none of them keeps an item off the air."""
    return tuple(_problems(sound))


def _problems(sound: Sound) -> Iterator[str]:
    if sound.clipped_runs:
        yield "clipping"
    if sound.is_mono:
        yield "mono"
    if sound.phase_correlation is not None and sound.phase_correlation < OUT_OF_PHASE:
        yield "out of phase"
    if sound.silences:
        yield "silence inside"
    if sound.dc_offset is not None and abs(sound.dc_offset) > DC_OFFSET:
        yield "dc offset"
    if sound.loudness_lufs is None:
        yield "no loudness"
