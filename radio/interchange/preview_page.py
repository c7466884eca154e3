"""A previewed log as one page for people: rows by the hour, and what they say of the rotation (pure).

Self-contained: no script, nothing fetched. Times are the station's; an hour that the clocks repeat is told apart by
its offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from radio.library.words import cleaned
from radio.log import LogRow
from radio.schedule.statistics import CategoryUse, Gap, Statistics
from radio.schedule.wallclock import local_time
from radio.sponsors.weektime import MINUTE_MS

Cell = tuple[str, str]
"""A class and a text."""

STYLE: Final = """
:root{--ink:#1b1b1b;--paper:#fff;--quiet:#5c5c5c;--line:#d9d9d9;--mark:#a1260d;--band:#f5f3ef}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#161616;--quiet:#a8a8a8;--line:#3a3a3a;--mark:#ff9a80;
--band:#202020}}
body{margin:0 auto;padding:32px 24px;max-width:1120px;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,sans-serif}
h1,h2{font-family:Georgia,"Times New Roman",serif;font-weight:600;line-height:1.2}
h1{font-size:32px;margin:0 0 8px}h2{font-size:22px;margin:40px 0 8px}h3{font-size:15px;margin:24px 0 8px}
p{margin:0 0 8px;color:var(--quiet)}
table{border-collapse:collapse;width:100%;margin:0 0 16px}
th,td{text-align:left;vertical-align:top;padding:4px 16px 4px 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--quiet)}
.n{font-variant-numeric:tabular-nums;white-space:nowrap}.r{text-align:right}
.why{color:var(--quiet)}.bad{color:var(--mark)}
tr.hard td:first-child{font-weight:700}
nav a{color:inherit;margin-right:12px;white-space:nowrap}
@media print{nav{display:none}body{max-width:none;padding:0}}
"""


def preview_page(rows: Sequence[LogRow], numbers: Statistics, zone: ZoneInfo, station: str) -> str:
    """The page as HTML. ``rows`` are contiguous and in order; ``numbers`` are theirs."""
    title = f"{station}: log preview"
    span = f"{_day(numbers.from_ms, zone)} to {_day(numbers.to_ms - 1, zone)}" if rows else "nothing"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_text(title)}</h1>\n<p>{_text(span)}, {len(rows):,} rows, times of {_text(zone.key)}. "
        "A bold time is a fixed one.</p>\n"
        f"{_numbers(numbers, zone)}{_log(rows, zone)}</body>\n</html>\n"
    )


def _numbers(numbers: Statistics, zone: ZoneInfo) -> str:
    parts = [
        "<h2>What airs</h2>\n",
        _kinds(numbers),
        "<h2>Rotation</h2>\n",
        _rotation(numbers.categories, zone),
    ]
    parts.append(f"<h2>Same hour again: {numbers.same_hour_repeats:,}</h2>\n")
    if numbers.repeats:
        parts.append(
            _table(
                ("title", "airs", "aired before"),
                (
                    (("", one.title), ("n", _when(one.at_ms, zone)), ("n", _when(one.before_ms, zone)))
                    for one in numbers.repeats
                ),
            )
        )
    counts = ", ".join(f"{count:,} {kind}" for kind, count in numbers.exceptions.items()) or "none"
    parts.append(f"<h2>Exceptions: {_text(counts)}</h2>\n")
    if numbers.oddities:
        parts.append(
            _table(
                ("when", "what", "title", "why"),
                (
                    (("n", _when(one.at_ms, zone)), ("bad", one.kind), ("", one.title), ("why", one.reason))
                    for one in numbers.oddities
                ),
            )
        )
    return "".join(parts)


def _kinds(numbers: Statistics) -> str:
    whole = max(1, sum(numbers.kinds.values()))
    rows = (
        (("", kind), ("n r", length_words(length)), ("n r", f"{100 * length / whole:.1f} %"))
        for kind, length in sorted(numbers.kinds.items(), key=lambda one: -one[1])
    )
    return _table(("kind", ">air time", ">share"), rows)


def _rotation(uses: Iterable[CategoryUse], zone: ZoneInfo) -> str:
    heads = (
        *("category", ">items", ">plays", ">aired", ">turnover"),
        *("nearest title", ">below rule", "nearest artist", ">below rule"),
    )
    return _table(heads, (_use(one, zone) for one in uses))


def _use(one: CategoryUse, zone: ZoneInfo) -> Iterator[Cell]:
    yield "", one.name
    yield "n r", "?" if one.items is None else f"{one.items:,}"
    yield "n r", f"{one.plays:,}"
    yield "n r", f"{one.distinct:,}"
    yield "n r", "" if one.turnover_ms is None else length_words(one.turnover_ms)
    yield "", _gap(one.nearest_title, zone)
    yield "n r bad" if one.short_of_title else "n r", f"{one.short_of_title:,}"
    yield "", _gap(one.nearest_artist, zone)
    yield "n r bad" if one.short_of_artist else "n r", f"{one.short_of_artist:,}"


def _gap(gap: Gap | None, zone: ZoneInfo) -> str:
    return f"{length_words(gap.gap_ms)}: {gap.of}, {_when(gap.at_ms, zone)}" if gap else ""


def length_words(length_ms: int) -> str:
    """A length in words: ``4 min``, ``3 h 20 min``, ``2 d 4 h``."""
    minutes = round(length_ms / MINUTE_MS)
    if minutes < 1:
        return f"{length_ms / 1000:.0f} s"
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _log(rows: Sequence[LogRow], zone: ZoneInfo) -> str:
    days = groupby(rows, key=lambda row: local_time(row.starts_at_ms, zone).date())
    told = [(day, list(of_day)) for day, of_day in days]
    links = "".join(f'<a href="#d{day:%Y%m%d}">{day:%a %d %b}</a>' for day, _ in told)
    parts = [f"<nav>{links}</nav>\n"]
    for day, of_day in told:
        parts.append(f'<h2 id="d{day:%Y%m%d}">{day:%A, %d %B %Y}</h2>\n')
        # an hour that comes twice is two: the real hour counts, not its label
        for _, of_hour in groupby(of_day, key=lambda row: _hour(row, zone)):
            parts.append(_hour_table(list(of_hour), zone))
    return "".join(parts)


def _hour(row: LogRow, zone: ZoneInfo) -> tuple[int, int]:
    local = local_time(row.starts_at_ms, zone)
    return local.hour, local.fold


def _hour_table(rows: Sequence[LogRow], zone: ZoneInfo) -> str:
    first = local_time(rows[0].starts_at_ms, zone)
    is_odd = first.replace(fold=0).utcoffset() != first.replace(fold=1).utcoffset()
    head = f"{first:%H}:00" + (f" {first:%Z}" if is_odd else "")
    programmes = ", ".join(dict.fromkeys(row.programme for row in rows if row.programme))
    lines = "".join(_row(row, zone) for row in rows)
    return (
        f"<h3>{head}{' ' + _text(programmes) if programmes else ''}</h3>\n<table>\n"
        '<tr><th>time</th><th class="r">length</th><th>kind</th>'
        "<th>title</th><th>why</th></tr>\n" + lines + "</table>\n"
    )


def _row(row: LogRow, zone: ZoneInfo) -> str:
    title = f"{row.artist}: {row.title}" if row.artist else row.title
    minutes, seconds = divmod(round(row.duration_ms / 1000), 60)
    bad = row.item is None or row.fade_out_ms or "relaxed " in row.reason
    cells = (
        ("n", local_time(row.starts_at_ms, zone).strftime("%H:%M:%S")),
        ("n r", f"{minutes}:{seconds:02}"),
        ("", str(row.kind)),
        ("", title),
        ("why bad" if bad else "why", row.reason),
    )
    return f'<tr class="{row.anchor}">{"".join(map(_cell, cells))}</tr>\n'


def _table(heads: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    head = "".join(_head(name) for name in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}</table>\n"


def _head(name: str) -> str:
    """The head of a column; a leading ``>`` means one of numbers."""
    return f'<th class="r">{_text(name[1:])}</th>' if name.startswith(">") else f"<th>{_text(name)}</th>"


def _cell(cell: Cell) -> str:
    kind, text = cell
    return f'<td class="{kind}">{_text(text)}</td>' if kind else f"<td>{_text(text)}</td>"


def _text(text: str) -> str:
    return escape(cleaned(text, 2_000))


def _when(at_ms: int, zone: ZoneInfo) -> str:
    return local_time(at_ms, zone).strftime("%a %d %b %H:%M %Z")


def _day(at_ms: int, zone: ZoneInfo) -> str:
    return local_time(at_ms, zone).strftime("%A, %d %B %Y")
