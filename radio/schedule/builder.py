"""Compiles a schedule into log rows (pure): same inputs, same rows, to the byte.

Total: it never raises for what the library holds or lacks. Where nothing can be played the rows are bed. Rows
are contiguous, and every hard anchor is met to the millisecond: items are chosen by fit to time, joints
stretch, and only then is a row faded out before its end, music or fill rather than speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from radio.library.items import Item
from radio.log import Anchor, ItemKind, LogRow
from radio.schedule.builtin import with_default_clock
from radio.schedule.clocks import Span, filled_with, spans_of
from radio.schedule.drafts import Batch, Draft, Placed, settle
from radio.schedule.filling import Filler
from radio.schedule.model import HourClock, Position, Schedule
from radio.schedule.occurrences import Segment
from radio.schedule.playbook import Play
from radio.schedule.pool import Pool
from radio.schedule.positions import Placer, closing, pending
from radio.schedule.shelves import Shelves
from radio.schedule.timetable import timetable
from radio.schedule.wallclock import local_time
from radio.sponsors.campaigns import SponsorBook
from radio.sponsors.weektime import HOUR_MS
from radio.units import DurationMs, UtcMs


class StationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the builder must know of a station. ``roots`` are the absolute folders of its library."""

    id: str
    name: str
    timezone: str
    roots: tuple[str, ...]
    target_lufs: float = -16.0
    crossfade_ms: int = 2_000


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a log is made of.

    ``history`` is what was heard, or will be before the moment to compile from, in the order of time.
    ``kept`` are the rows of the log of the hour or two before that moment, so that a clock goes on where it
    stands. ``seed`` chooses between equals.
    """

    station: StationPlan
    schedule: Schedule
    pool: Pool
    sponsors: SponsorBook = SponsorBook()
    history: tuple[Play, ...] = ()
    kept: tuple[LogRow, ...] = ()
    seed: str = ""


def compile_log(inputs: Inputs, from_ms: int, to_ms: int, *, seam_by_ms: int = 0) -> list[LogRow]:
    """The rows from exactly ``from_ms`` on to ``to_ms`` or past it, up to the end of an anchored span.

    With ``seam_by_ms`` up to the first hard anchor from ``to_ms`` on, if it comes by then: rows are fitted to a hard
    anchor as a whole only where none of them are compiled apart.
    Contiguous and without overlap (:func:`radio.log.first_fault` finds nothing). Empty where ``to_ms`` is not
    after ``from_ms``. Takes some tens of milliseconds for each hour; run it in a thread for more.
    """
    return _Compiler(inputs).run(from_ms, to_ms, seam_by_ms) if to_ms > from_ms else []


def revision_of(inputs: Inputs) -> str:
    """A short hash of all that the plan is made of, history aside: equal revisions need no new log."""
    items = [
        (item.id, item.path, item.category, item.title, item.artist, item.cue_in_ms, item.cue_out_ms)
        for item in inputs.pool.items
    ]
    loudness = [
        (item.loudness_lufs, item.true_peak_db, item.artwork, item.album, item.intro_ms, item.outro_ms)
        for item in inputs.pool.items
    ]
    found = [
        [item.id for item in inputs.pool.of_category(category.folders, (), category.where)]
        for category in inputs.schedule.categories.values()
        if category.where is not None
    ]
    parts = (inputs.station, inputs.schedule, inputs.sponsors, items, loudness, found, inputs.seed)
    return blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


class _Compiler:
    def __init__(self, inputs: Inputs) -> None:
        station = inputs.station
        self._station = station
        self._zone = ZoneInfo(station.timezone)
        self._schedule = with_default_clock(
            inputs.schedule, inputs.pool, has_sponsors=bool(inputs.sponsors.campaigns)
        )
        self._programmes = self._schedule.by_id()
        self._kept = inputs.kept
        seed = f"{inputs.seed}/{station.id}"
        plays = list(inputs.history)
        self._shelves = Shelves(self._schedule, inputs.pool, plays, seed, self._zone)
        self._placer = Placer(
            self._shelves, inputs.sponsors, station.id, self._zone, plays, seed, schedule=self._schedule
        )
        self._filler = Filler(self._shelves, self._zone, station.name, station.crossfade_ms)
        self._rows: list[LogRow] = []
        self._batch = Batch(0, 0)

    def run(self, from_ms: int, to_ms: int, seam_by_ms: int) -> list[LogRow]:
        self._batch = Batch(from_ms, self._station.crossfade_ms)
        for span, following in pairwise(self._spans(from_ms, to_ms)):
            if following.starts_at_ms <= from_ms:
                continue
            self._span(span, following, from_ms)
            if following.anchor is Anchor.HARD:
                self._flush(following.starts_at_ms, self._leading_kind(following))
            is_seam = following.anchor is Anchor.HARD or following.starts_at_ms >= seam_by_ms
            if is_seam and following.starts_at_ms >= to_ms and self._batch.ends_at_ms() >= to_ms:
                break
        self._flush(None, None)
        return self._rows

    def _spans(self, from_ms: int, to_ms: int) -> Iterator[Span]:
        start_ms, end_ms = from_ms - 2 * HOUR_MS, to_ms + 4 * HOUR_MS
        for segment in timetable(self._schedule, self._zone, start_ms, end_ms):
            yield from spans_of(segment, self._clock_of, self._zone)

    def _clock_of(self, segment: Segment, local: datetime) -> HourClock:
        occurrence = segment.occurrence
        if occurrence and occurrence.change and occurrence.change.clock:
            return self._schedule.clocks[occurrence.change.clock]
        programme = self._programmes[occurrence.programme] if occurrence else None
        clock = self._schedule.clocks[self._schedule.clock_name(programme, local) or ""]
        return filled_with(clock, segment.early_end) if segment.early_end else clock

    def _span(self, span: Span, following: Span, from_ms: int) -> None:
        todo = (
            pending(span, self._kept, from_ms, self._shelves.find)
            if span.starts_at_ms <= from_ms
            else _all(span)
        )
        before, rotate, after = _around_rotation(todo)
        ends_at_ms = following.starts_at_ms
        is_hard = following.anchor is Anchor.HARD
        window_ms = 0 if is_hard else following.window_ms
        missed: list[tuple[int, str]] = []
        next_kind = self._leading_kind(following)
        first, ordered = _ordered(before, span.head) if rotate is None and is_hard else (before, [])
        for position in first:
            self._place(position, span, ends_at_ms + window_ms, missed)
        if self._filler.in_order(self._batch, ordered, span, following, next_kind):
            return
        for position in before[len(first) :]:
            self._place(position, span, ends_at_ms + window_ms, missed)
        tail = [] if rotate is None else self._tail(after, span, ends_at_ms)
        names = rotate.rotate if rotate else self._closing(span)
        self._filler.fill(self._batch, names, span, following, tail=tail, next_kind=next_kind)
        for index, text in missed:
            if index < len(self._batch.drafts):
                self._batch.drafts[index].reason += f"; in place of {text}"

    def _closing(self, span: Span) -> tuple[str, ...]:
        """What fills where nothing rotates: what a programme names for its early end, else what the clock has."""
        usual = closing(self._shelves, span.clock)
        if any(position.episode or position.stream for position in _all(span)):
            return self._placer.recordings.fill_names(span, usual)
        return usual

    def _place(self, position: Position, span: Span, limit_ms: int, missed: list[tuple[int, str]]) -> None:
        for _ in range(position.count):
            at_ms = self._batch.ends_at_ms()
            room_ms = None if position is span.head or position.legal_id else limit_ms - at_ms
            if position.stream is not None or position.episode is not None:
                room_ms = limit_ms - at_ms
            drafts = self._placer.place(position, span, at_ms, room_ms)
            if not drafts and (text := self._placer.why_not(position, at_ms, room_ms)):
                missed.append((len(self._batch.drafts), text))
            if drafts and position is span.head:
                drafts[0].anchor, drafts[0].window_ms = span.anchor, span.window_ms
            for draft in drafts:
                self._batch.append(draft)

    def _tail(self, positions: Sequence[Position], span: Span, ends_at_ms: int) -> list[Draft]:
        found: list[Draft] = []
        for position in positions:
            for _ in range(position.count):
                room_ms = ends_at_ms - self._batch.ends_at_ms() - sum(draft.air_ms for draft in found)
                found.extend(self._placer.place(position, span, ends_at_ms - min(room_ms, 60_000), room_ms))
        return found

    def _leading_kind(self, span: Span) -> ItemKind | None:
        for position in _all(span):
            if position.break_name is not None:
                return ItemKind.SPONSOR
            names = position.rotate or ((position.category,) if position.category else ())
            for name in self._shelves.stocked(names):
                return self._shelves.leading_kind(name)
        return None

    def _flush(self, ends_at_ms: int | None, next_kind: ItemKind | None) -> None:
        until = "" if ends_at_ms is None else local_time(ends_at_ms, self._zone).strftime("%H:%M:%S")
        placed = settle(self._batch, ends_at_ms, next_kind, until=until)
        start_ms = placed[-1].ends_at_ms if placed else self._batch.starts_at_ms
        self._rows.extend(self._row(one) for one in placed)
        if ends_at_ms is not None and start_ms < ends_at_ms:
            span = placed[-1].draft.span if placed else None
            self._rows.append(self._bed(start_ms, ends_at_ms, span, until))
            start_ms = ends_at_ms
        self._batch = Batch(start_ms, self._station.crossfade_ms)

    def _bed(self, starts_at_ms: int, ends_at_ms: int, span: Span | None, until: str) -> LogRow:
        length_ms = ends_at_ms - starts_at_ms
        row = LogRow(
            id="",
            station=self._station.id,
            starts_at_ms=UtcMs(starts_at_ms),
            ends_at_ms=UtcMs(ends_at_ms),
            kind=ItemKind.FILL,
            title=self._station.name,
            reason=f"bed: {length_ms / 1000:.1f} s were left before {until}",
            **_owner(span),
        )
        return _with_id(row)

    def _row(self, placed: Placed) -> LogRow:
        draft = placed.draft
        item = draft.item
        reason = "; ".join(part for part in (draft.reason, placed.note) if part)
        row = LogRow(
            id="",
            station=self._station.id,
            starts_at_ms=UtcMs(placed.starts_at_ms),
            ends_at_ms=UtcMs(placed.ends_at_ms),
            kind=draft.kind,
            title=draft.title,
            reason=reason,
            category=draft.category,
            overlap_ms=DurationMs(placed.overlap_ms if item else 0),
            fade_out_ms=DurationMs(placed.fade_out_ms if item else 0),
            break_id=draft.break_id,
            sponsor=draft.sponsor,
            legal_id=draft.legal_id,
            anchor=draft.anchor,
            anchor_window_ms=DurationMs(draft.window_ms),
            **_of_item(item, self._station.target_lufs, draft.skip_ms),
            **_owner(draft.span),
        )
        return _with_id(row)


def _all(span: Span) -> list[Position]:
    return [position for position in (span.head, *span.positions) if position is not None]


def _around_rotation(todo: Sequence[Position]) -> tuple[list[Position], Position | None, list[Position]]:
    index = next((index for index, position in enumerate(todo) if position.rotate), None)
    if index is None:
        return list(todo), None, []
    return list(todo[:index]), todo[index], list(todo[index + 1 :])


def _ordered(positions: Sequence[Position], head: Position | None) -> tuple[list[Position], list[str]]:
    """The positions up to the last that is anchored or of no category, and the categories of two or more behind."""
    index = len(positions)
    while index and (one := positions[index - 1]) is not head and one.category and not one.legal_id:
        index -= 1
    names = [one.category for one in positions[index:] for _ in range(one.count) if one.category]
    return (list(positions[:index]), names) if len(names) > 1 else (list(positions), [])


def _of_item(item: Item | None, target_lufs: float, skip_ms: int) -> dict[str, Any]:
    if item is None:
        return {}
    return {
        "item": item.id,
        "artist": item.artist,
        "album": item.album,
        "artwork": item.artwork,
        "cue_in_ms": item.cue_in_ms + skip_ms,
        "gain_db": item.gain_db(target_lufs),
    }


def _owner(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {}
    occurrence = span.segment.occurrence
    return {
        "programme": occurrence.programme if occurrence else None,
        "occurrence": occurrence.id if occurrence else None,
        "clock": span.clock.name,
    }


def _with_id(row: LogRow) -> LogRow:
    """An id of station, moment and content: a row compiled anew with other content is another row."""
    content = blake2b(msgspec.json.encode(row), digest_size=4).hexdigest()
    return msgspec.structs.replace(row, id=f"{row.station}-{row.starts_at_ms}-{content}")
