"""The log: the compiled plan of a station, and what may stand in it.

One log is shared by everything: the builder writes it, playout pops its rows, "Next Up" shows them, and the
as-run log records what became of them. Rows are contiguous: each starts where the one before it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from radio.units import DurationMs, UtcMs


class ItemKind(StrEnum):
    """What a row plays."""

    MUSIC = "music"
    SPEECH = "speech"
    SPONSOR = "sponsor"
    IDENT = "ident"
    PROMO = "promo"
    LIVE = "live"
    FILL = "fill"


class Anchor(StrEnum):
    """How firmly a row is tied to its time: exactly, within a window, or after what stands before it."""

    HARD = "hard"
    SOFT = "soft"
    FLOAT = "float"


class Outcome(StrEnum):
    """What became of a row; every row that was reached ends as exactly one of these."""

    AIRED = "aired"
    LATE = "late"
    TRUNCATED = "truncated"
    MISSED = "missed"
    SKIPPED = "skipped"


class SponsorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays for a row, and what a listener is told and shown."""

    campaign: str
    sponsor: str
    name: str
    message: str
    link: str | None = None
    image: str | None = None


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """One position of the log: an item on the air from ``starts_at_ms`` up to ``ends_at_ms`` (UTC).

    The file sounds from ``cue_in_ms``. At ``ends_at_ms`` the next row starts; where ``overlap_ms`` is more
    than zero the item goes on beneath it for that long, faded out with equal power. ``fade_out_ms`` is a
    fade inside the row that ends at ``ends_at_ms``, for an item that is cut to meet a time.
    ``item`` is None for a row that no library item fills: playout then plays the built-in bed. ``due_ms`` is when an
    anchored row was planned to start, where a change on the air has given it another start.
    """

    id: str
    station: str
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    kind: ItemKind
    title: str
    reason: str
    item: str | None = None
    artist: str | None = None
    album: str | None = None
    artwork: str | None = None
    category: str | None = None
    cue_in_ms: DurationMs = DurationMs(0)
    overlap_ms: DurationMs = DurationMs(0)
    fade_out_ms: DurationMs = DurationMs(0)
    gain_db: float = 0.0
    programme: str | None = None
    occurrence: str | None = None
    clock: str | None = None
    break_id: str | None = None
    sponsor: SponsorMessage | None = None
    legal_id: bool = False
    anchor: Anchor = Anchor.FLOAT
    anchor_window_ms: DurationMs = DurationMs(0)
    due_ms: UtcMs | None = None

    @property
    def duration_ms(self) -> DurationMs:
        """The row's air length: from its start to the start of the next row."""
        return DurationMs(self.ends_at_ms - self.starts_at_ms)


def first_fault(rows: Sequence[LogRow]) -> str | None:
    """Why ``rows`` are no log: the first gap, overlap, empty row or repeated id; None where sound."""
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row.duration_ms <= 0:
            return f"row {row.id} lasts {row.duration_ms} ms"
        if row.id in seen:
            return f"row id {row.id} stands twice"
        seen.add(row.id)
        if index and rows[index - 1].ends_at_ms != row.starts_at_ms:
            gap_ms = row.starts_at_ms - rows[index - 1].ends_at_ms
            return f"row {row.id} starts {gap_ms} ms after its forerunner ends"
    return None
