"""What a previewed log says of its rotation, as tables and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from radio.cli.output import note, out, table
from radio.errors import InvalidRequest
from radio.interchange.preview_page import length_words, preview_page
from radio.log import LogRow
from radio.schedule import Inputs
from radio.schedule.statistics import Gap, Rule, Statistics, statistics
from radio.schedule.wallclock import label
from radio.units import DurationMs

MOST_PRINTED = 20


def statistics_of(rows: Sequence[LogRow], inputs: Inputs, zone: ZoneInfo) -> Statistics:
    """The numbers of compiled rows, held against the rules of their categories."""
    rules = {}
    for name in {row.category for row in rows if row.category}:
        category = inputs.schedule.category(name)
        found = inputs.pool.of_category(category.folders, category.items, category.where)
        rules[name] = Rule(
            items=len(found),
            title_ms=DurationMs(category.separation_ms),
            artist_ms=DurationMs(category.artist_separation_ms),
        )
    return statistics(rows, zone, rules)


def write_page(path: Path, rows: Sequence[LogRow], numbers: Statistics, zone: ZoneInfo, name: str) -> None:
    """Write the page. Raises InvalidRequest where the file cannot be written."""
    try:
        path.write_text(preview_page(rows, numbers, zone, name), encoding="utf-8")
    except OSError as fault:
        problem = f"{path} cannot be written: {fault.strerror or fault}."
        raise InvalidRequest(problem, field="--html") from fault
    note(f"{path}: {len(rows):,} rows.")


def print_statistics(numbers: Statistics, zone: ZoneInfo) -> None:
    """Tables on standard output."""
    out()
    table(
        ("category", "items", "plays", "turnover", "nearest title", "nearest artist", "below their rules"),
        [
            (
                one.name,
                "?" if one.items is None else str(one.items),
                str(one.plays),
                "" if one.turnover_ms is None else length_words(one.turnover_ms),
                _gap(one.nearest_title),
                _gap(one.nearest_artist),
                str(one.short_of_title + one.short_of_artist),
            )
            for one in numbers.categories
        ],
    )
    out(f"\nSame hour again: {numbers.same_hour_repeats:,}")
    told = ", ".join(f"{count:,} {kind}" for kind, count in numbers.exceptions.items()) or "none"
    out(f"Exceptions: {told}")
    if numbers.oddities:
        rows = [
            (label(one.at_ms, zone), one.kind, one.title, one.reason)
            for one in numbers.oddities[:MOST_PRINTED]
        ]
        table(("when", "what", "title", "why"), rows)


def _gap(gap: Gap | None) -> str:
    return f"{length_words(gap.gap_ms)} ({gap.of})" if gap else ""
