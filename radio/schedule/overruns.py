"""Programmes that go on past their end, or end before it, as an operator says (pure).

The change is twofold: what stands in the log now gives way, with bed where nothing is compiled yet; and the airing has
another end from then on, with which the log is compiled anew (:func:`with_ends`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from radio.errors import InvalidRequest
from radio.log import Anchor, LogRow, Outcome
from radio.schedule.laying import Gone, Moved, bed, change_of, ended_at, hard_ms, laid, on_air_index
from radio.schedule.model import Change, Programme, Schedule
from radio.units import UtcMs

LONGEST_EXTENSION_MS: Final = 2 * 3_600_000
NOTHING_ON: Final = "No programme is on the air."
_MINUTE_MS: Final = 60_000


def extended(rows: Sequence[LogRow], at_ms: int, *, length_ms: int, by: str, title: str = "") -> Moved:
    """The programme on the air ends ``length_ms`` later; what follows comes later, up to the next hard row.

    The bed stands in the time that was gained until that is compiled. Raises InvalidRequest where no programme is on
    the air, something goes before a part of it, or a hard row within the next programme would have to move.
    """
    index = on_air_index(rows, at_ms)
    on_air = rows[index]
    if on_air.occurrence is None:
        raise InvalidRequest(NOTHING_ON)
    end = _end_index(rows, index)
    if any(row.occurrence == on_air.occurrence for row in rows[end:]):
        raise InvalidRequest("Another programme comes before the rest of this one.", field="minutes")
    ends_at_ms = rows[end - 1].ends_at_ms
    until_ms = UtcMs(ends_at_ms + length_ms)
    limit_ms = hard_ms(rows[end + 1 :])
    if limit_ms is not None and limit_ms < until_ms:
        most = (limit_ms - ends_at_ms) // _MINUTE_MS
        raise InvalidRequest("The next fixed time comes sooner.", field="minutes", allowed=f"up to {most}")
    gained = bed(on_air.station, ends_at_ms, until_ms, "bridge", title)
    gained = msgspec.structs.replace(gained, programme=on_air.programme, occurrence=on_air.occurrence)
    after = laid(_floated(rows[end:]), until_ms, title)
    change = change_of(rows[: index + 1], (*rows[index + 1 : end], gained, *after), on_air.ends_at_ms)
    return change._replace(airing=(on_air.occurrence, until_ms))


def ended(
    rows: Sequence[LogRow],
    at_ms: int,
    *,
    planned: Callable[[str], UtcMs | None],
    by: str,
    fade_ms: int = 300,
    title: str = "",
) -> Moved:
    """The programme on the air ends now. Past its planned end the next one begins; before it, what is compiled
    fills the time.

    ``planned`` says when an occurrence was planned to end. Raises InvalidRequest where no programme is on the air.
    """
    index = on_air_index(rows, at_ms)
    on_air = rows[index]
    if on_air.occurrence is None:
        raise InvalidRequest(NOTHING_ON)
    end = _end_index(rows, index)
    before = ended_at(rows, index, at_ms, fade_ms, f"ended by {by}")
    next_ms = max(at_ms, planned(on_air.occurrence) or rows[end - 1].ends_at_ms)
    after = laid(_floated(rows[end:]), next_ms, title)
    gap = [bed(on_air.station, at_ms, next_ms, "bridge", title)] if at_ms < next_ms else []
    if gap and after and after[0].starts_at_ms > next_ms:
        gap = [bed(on_air.station, at_ms, after[0].starts_at_ms, "bridge", title)]
    left = [row for row in rows[index + 1 : end] if row.item is not None]
    return Moved(
        (*before, *gap, *after),
        UtcMs(at_ms),
        taken_out=[Gone(row, Outcome.SKIPPED, f"its programme was ended by {by}") for row in left],
        airing=(on_air.occurrence, UtcMs(at_ms)),
    )


def with_ends(schedule: Schedule, ends: Mapping[str, UtcMs]) -> Schedule:
    """``schedule``, in which the occurrences of these ids end at these moments."""
    if not ends:
        return schedule
    programmes = [_with_ends(programme, ends) for programme in schedule.programmes]
    return msgspec.structs.replace(schedule, programmes=tuple(programmes))


def _with_ends(programme: Programme, ends: Mapping[str, UtcMs]) -> Programme:
    changes = {change.starts: change for change in programme.changes}
    for id_, ends_at_ms in ends.items():
        name, _, planned = id_.rpartition("@")
        starts = _starts_of(programme, datetime.fromisoformat(planned)) if name == programme.id else None
        if starts is None:
            continue
        change = changes.get(starts, Change(starts=starts))
        changes[starts] = msgspec.structs.replace(change, ends_at_ms=ends_at_ms)
    return msgspec.structs.replace(programme, changes=tuple(changes.values()))


def _starts_of(programme: Programme, planned: datetime) -> datetime | None:
    """The planned start to the second, of which an occurrence's id has the minute."""
    minute = planned.hour * 60 + planned.minute
    from_ms = next((airs.from_ms for airs in programme.airs if airs.from_ms // _MINUTE_MS == minute), None)
    if from_ms is None:
        return None
    return datetime.combine(planned.date(), datetime.min.time()) + timedelta(milliseconds=from_ms)


def _end_index(rows: Sequence[LogRow], index: int) -> int:
    """Where the first row of something else stands; past the end where there is none."""
    mine = rows[index].occurrence
    return next((at for at in range(index + 1, len(rows)) if rows[at].occurrence != mine), len(rows))


def _floated(rows: Sequence[LogRow]) -> Sequence[LogRow]:
    """``rows``, of which the first may move, however firmly it stood."""
    if not rows or rows[0].anchor is not Anchor.HARD:
        return rows
    first = msgspec.structs.replace(rows[0], anchor=Anchor.FLOAT, due_ms=None)
    return (first, *rows[1:])
