"""What the library's routes take and answer, as types: these shapes are released.

Values of the library are sent as they are; a member that one of them gains is in the contract by itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from radio.library.details import Correction
from radio.library.history import MAX_ROWS, Airing, Planned
from radio.library.items import Item, RejectedFile
from radio.library.playlists import Entry
from radio.library.scan_report import ScanProgress, ScanReport
from radio.library.search import MAX_OFFSET, MAX_PAGE, ORDERS
from radio.log import ItemKind
from radio.schedule.uses import Use
from radio.units import DurationMs, UtcMs

Words = Annotated[
    str, Meta(max_length=500, description="Words, `artist:bach`, `length>=3:30`, `missing:artist`, …")
]
Order = Annotated[str, Meta(description=f"{', '.join(ORDERS)}; with `-` before it the other way round.")]
Form = Literal["m3u", "xspf", "jspf"]
Names = Annotated[
    list[str], Meta(description="Ids of items, joined by commas.", extra_json_schema={"x-commas": True})
]


class FilterQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which items; a filter may stand several times."""

    q: Words = ""
    category: list[str] | UnsetType = UNSET
    kind: list[ItemKind] | UnsetType = UNSET
    root: str | UnsetType = UNSET
    problem: list[str] | UnsetType = UNSET
    sort: Order = "title"


class ItemsQuery(FilterQuery, frozen=True, kw_only=True):
    """Which items, and which page of them."""

    offset: Annotated[int, Meta(ge=0, le=MAX_OFFSET)] = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50


class AirHistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of an item's airings."""

    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50
    before_ms: Annotated[int, Meta(ge=0, le=1 << 53)] | UnsetType = UNSET


class RejectedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the rejected files."""

    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class ExportQuery(FilterQuery, frozen=True, kw_only=True):
    """These items, or those of a search, as a playlist of that form."""

    format: Form = "m3u"
    title: Annotated[str, Meta(max_length=200)] = "Playlist"
    items: Names | UnsetType = UNSET


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the playlist in the body."""

    format: Form = "m3u"


class VersionHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """The item as the operator saw it."""

    version: (
        Annotated[str, Meta(description="The ETag of the item; 412 where it changed since.")] | UnsetType
    ) = msgspec.field(default=UNSET, name="If-Match")


class ItemView(Item, frozen=True, kw_only=True, gc=False):
    """An item of the library as lists show it; ``air_ms`` is how long it sounds."""

    air_ms: DurationMs


class ItemsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a search. ``total_is_exact`` is false where more were found than were counted."""

    items: list[ItemView]
    total: int
    total_is_exact: bool
    offset: int
    limit: int
    sort: str


class SoundView(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured in the file: levels, silences, ending, stereo; null where it was not."""

    duration_ms: DurationMs
    cue_in_ms: DurationMs
    cue_out_ms: DurationMs
    loudness_lufs: float | None
    true_peak_db: float | None
    source_rate_hz: int | None
    source_channels: int | None
    loudness_range_lu: float | None
    max_momentary_lufs: float | None
    sample_peak_db: float | None
    clipped_samples: int | None
    clipped_runs: int | None
    silences: Annotated[list[tuple[int, int]], Meta(description="Beginning and end of each, in ms.")]
    intro_ms: DurationMs | None
    outro_ms: DurationMs | None
    ending: str | None
    is_mono: bool | None
    phase_correlation: float | None
    worst_phase_correlation: float | None
    dc_offset: float | None
    pcm_hash: str | None
    peaks_step_ms: DurationMs


class ItemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one item: as it is used, as it was measured, and who corrected what."""

    item: ItemView
    measured: Annotated[dict[str, Any], Meta(description="What the corrected fields are in the file.")]
    corrections: list[Correction]
    tags: Annotated[dict[str, Any], Meta(description="The file's own words, by their names.")]
    sound: SoundView


class ItemHistory(msgspec.Struct, frozen=True, kw_only=True):
    """When an item aired, newest first."""

    item: str
    history: list[Airing]


class StationUse(Use, frozen=True, kw_only=True):
    """A place of a station's schedule, or a campaign, that can put the item on the air."""

    station: str


class ItemUses(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item is used, and when it is planned."""

    item: str
    uses: list[StationUse]
    planned: list[Planned]


class ItemPeaks(msgspec.Struct, frozen=True, kw_only=True):
    """The waveform: in ``data`` pairs of signed bytes (lowest, highest) in base64, one for each ``step_ms``."""

    item: str
    duration_ms: DurationMs
    step_ms: DurationMs
    points: int
    data: str


class DuplicateGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Items with the same sound: to the sample, or nearly."""

    kind: Literal["exact", "near"]
    similarity: float
    items: list[ItemView]


class DuplicateList(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of items with the same sound."""

    duplicates: list[DuplicateGroup]


class RejectedView(RejectedFile, frozen=True, kw_only=True):
    """A file that cannot be aired, why, and what to do."""

    advice: str


class RejectedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Files that cannot be aired."""

    total: int
    rejected: list[RejectedView]


class LastRescan(msgspec.Struct, frozen=True, kw_only=True):
    """How the last rescan ended: with a report or with a problem."""

    at_ms: UtcMs
    report: ScanReport | UnsetType = UNSET
    problem: str | UnsetType = UNSET


class RescanProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rescan is; null where none runs, and where none ran yet."""

    running: bool
    progress: ScanProgress | None
    last: LastRescan | None


class RescanBegun(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured again: so many items, and rejected files or not."""

    items: int
    rejected: bool


class ImportedPlaylist(msgspec.Struct, frozen=True, kw_only=True):
    """The items of a playlist in its order, and what was not found in the library."""

    items: list[ItemView]
    missing: list[Entry]
