"""What the library knows of one playable file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from radio.units import Decibels, DurationMs, Lufs


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One audio file that was understood, and measured unless it says otherwise.

    ``id`` is made of the file's content when it is first seen and then kept, so that a rename or a new tag
    keeps it. ``root`` is the absolute folder that was scanned, ``path`` the POSIX path below it, ``category``
    the first folder of that path (empty for files directly in the root). ``cue_in_ms`` and ``cue_out_ms`` bound
    the sound that is heard; the air length is their difference. ``artwork`` is the id of a picture.

    ``intro_ms`` is how long the item sounds before its voice, ``outro_ms`` where its ending starts, both from
    the start of the file; ``problems`` are short words such as ``clipping``. ``inode`` is the file's number
    in its file system, 0 where it is not known. What a person corrected stands here in place of what the
    file says (:mod:`radio.library.corrections`).

    An item that is not ``measured`` yet is never aired: it has the words of its tags and the length that its
    container claims (0: none), and no loudness.
    """

    id: str
    root: str
    path: str
    size_bytes: int
    mtime_ns: int
    content_hash: str
    category: str
    title: str
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    date: str | None = None
    composer: str | None = None
    duration_ms: DurationMs
    cue_in_ms: DurationMs
    cue_out_ms: DurationMs
    loudness_lufs: Lufs | None = None
    true_peak_db: Decibels | None = None
    artwork: str | None = None
    album_artist: str | None = None
    conductor: str | None = None
    label: str | None = None
    isrc: str | None = None
    language: str | None = None
    explicit: bool | None = None
    bpm: float | None = None
    musical_key: str | None = None
    work: str | None = None
    movement: str | None = None
    ensemble: str | None = None
    loudness_range_lu: float | None = None
    intro_ms: DurationMs | None = None
    outro_ms: DurationMs | None = None
    problems: tuple[str, ...] = ()
    inode: int = 0
    measured: bool = True

    @property
    def air_ms(self) -> DurationMs:
        """How long the item sounds on the air when nothing cuts it."""
        return DurationMs(self.cue_out_ms - self.cue_in_ms)

    @property
    def file(self) -> Path:
        """The absolute path of the file."""
        return Path(self.root) / self.path

    def gain_db(self, target_lufs: float, ceiling_dbtp: float = -1.0) -> float:
        """The static gain that brings the item to ``target_lufs`` without its true peak passing the ceiling.

        Zero where the loudness is unknown. Loudness as of EBU R 128; limits of -20 and +20 dB.
        """
        if self.loudness_lufs is None:
            return 0.0
        gain = target_lufs - self.loudness_lufs
        if self.true_peak_db is not None:
            gain = min(gain, ceiling_dbtp - self.true_peak_db)
        return round(max(-20.0, min(20.0, gain)), 2)


class RejectedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that cannot be aired, and why in words for an operator."""

    root: str
    path: str
    reason: str
    size_bytes: int
    mtime_ns: int
