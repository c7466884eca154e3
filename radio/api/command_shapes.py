"""What commands to a station on the air take and answer, as types."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from radio.log import Anchor, ItemKind, LogRow
from radio.schedule.moves import FADE_MS, When
from radio.schedule.overruns import LONGEST_EXTENSION_MS
from radio.schedule.rearranging import Place
from radio.units import UtcMs

LONGEST_FADE_MS: Final = 5_000
LONGEST_ID: Final = 200
MOST_ROWS: Final = 500

Fade = Annotated[int, Meta(ge=0, le=LONGEST_FADE_MS)]
Id = Annotated[str, Meta(max_length=LONGEST_ID)]
Minutes = Annotated[int, Meta(ge=1, le=LONGEST_EXTENSION_MS // 60_000)]


class Skip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a skip. ``row`` is what the operator means to skip; without it, whatever is on the air."""

    fade_ms: Fade = FADE_MS
    row: Id | None = None


class Insert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an insert: an item's id, and whether it comes in at once or after the row on the air."""

    item: Id = ""
    when: When = "next"
    fade_ms: Fade = FADE_MS


class MoveRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a move: a coming row, and its new place; ``other`` is the row that it comes before or after."""

    row: Id = ""
    to: Place = "next"
    other: Id | None = None


class RemoveRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a remove: a coming row."""

    row: Id = ""


class Extend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an extend: by how many minutes the programme on the air goes on."""

    minutes: Minutes


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an end. ``programme`` is the one that is meant; without it, whatever is on the air."""

    fade_ms: Fade = FADE_MS
    programme: Id | None = None


class Emergency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an emergency: an item's id, and whether it is repeated or followed by the bed."""

    item: Id = ""
    repeat: bool = True
    fade_ms: Fade = FADE_MS


class RowsQuery(msgspec.Struct, frozen=True):
    """How many rows are wanted."""

    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = 30


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log, as an operator sees it."""

    id: str
    kind: ItemKind
    title: str
    artist: str | None
    item: str | None
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs

    @classmethod
    def of(cls, row: LogRow | None) -> RowView | None:
        """``row`` as it is shown; None where there is none."""
        if row is None:
            return None
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class ComingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is on the air or to come. ``due_ms`` is when it was planned to start, where that is not its start."""

    id: str
    kind: ItemKind
    title: str
    artist: str | None
    item: str | None
    programme: str | None
    break_id: str | None
    anchor: Anchor
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    due_ms: UtcMs | None
    reason: str

    @classmethod
    def of(cls, row: LogRow) -> ComingRow:
        """``row`` as it is shown."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """The row that is on the air in the stream, which is some seconds ahead of what is heard, and those that follow."""

    station: str
    rows: list[ComingRow]


class Commanded(msgspec.Struct, frozen=True, kw_only=True):
    """What a command made of the log: from ``at_ms`` of the stream on."""

    station: str
    command: str
    at_ms: UtcMs
    on_air: RowView | None
    next: RowView | None
