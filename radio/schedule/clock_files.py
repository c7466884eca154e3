"""The ``[clocks.NAME]`` tables of a schedule file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from radio.errors import did_you_mean
from radio.log import Anchor
from radio.schedule.model import CLOCK_LENGTH_MS, MAX_POSITIONS, HourClock, Position
from radio.schedule.shapes import ClockTable, PositionTable
from radio.sponsors.weektime import LENGTH_ALLOWED, MINUTE_MS, format_length, parse_length
from radio.toml_source import TomlDocument
from radio.units import DurationMs

DEFAULT_WINDOW_MS: Final = MINUTE_MS
DEFAULT_BREAK_MS: Final = MINUTE_MS
DEFAULT_UNITS: Final = 4
OFFSET_ALLOWED: Final = '"MM:SS" from "00:00" to "59:59"'
_SOURCES: Final = ("item", "category", "rotate", "break", "episode", "stream")
_BREAK_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")

Key = tuple[str | int, ...]


def read_clock(document: TomlDocument, name: str, table: ClockTable, categories: Sequence[str]) -> HourClock:
    """A clock whose positions are in order and end within the hour. Raises ScheduleError with the place."""
    key: Key = ("clocks", name, "positions")
    if not table.positions:
        raise document.fault(key, "is empty", allowed="1 to 200 positions")
    if len(table.positions) > MAX_POSITIONS:
        raise document.fault(key, f"there are {len(table.positions)}", allowed=f"at most {MAX_POSITIONS}")
    reader = _Positions(document, key, categories)
    positions = tuple(reader.read(index, position) for index, position in enumerate(table.positions))
    reader.check_end()
    for fill in table.fill or ():
        _check_category(document, ("clocks", name, "fill"), fill, categories)
    return HourClock(name=name, positions=positions, fill=table.fill or ())


class _Positions:
    """Reads positions from first to last and follows how far into the hour they must have come."""

    def __init__(self, document: TomlDocument, key: Key, categories: Sequence[str]) -> None:
        self._document = document
        self._key = key
        self._categories = categories
        self._reached_ms = 0
        self._anchored_ms = -1
        self._open_rotation = False
        self._breaks: set[str] = set()
        self._last: Key = key

    def read(self, index: int, table: PositionTable) -> Position:
        key = self._last = (*self._key, index)
        source = self._source(key, table)
        at_ms = self._anchor(key, table)
        self._check_rotation(key, table)
        length_ms = self._length(key, table, source)
        item, category = self._names(key, table)
        self._reached_ms += length_ms
        return Position(
            at_ms=at_ms,
            anchor=(table.anchor or Anchor.SOFT) if at_ms is not None else Anchor.FLOAT,
            window_ms=self._window(key, table, at_ms),
            item=item,
            category=category,
            count=table.count or 1,
            rotate=table.rotate or (),
            break_name=table.break_,
            episode=table.episode.strip("/") if table.episode else None,
            stream=table.stream,
            length_ms=DurationMs(length_ms),
            max_units=table.max_units or DEFAULT_UNITS,
            legal_id=table.legal_id,
        )

    def check_end(self) -> None:
        """Raise ScheduleError where what has a length does not fit in the hour."""
        if self._reached_ms > CLOCK_LENGTH_MS:
            text = format_length(self._reached_ms)
            raise self._document.fault(
                self._last, f"ends at {text}, after the hour", allowed="a clock of 60:00 at most"
            )

    def _source(self, key: Key, table: PositionTable) -> str:
        values = (table.item, table.category, table.rotate, table.break_, table.episode, table.stream)
        given = [name for name, value in zip(_SOURCES, values, strict=True) if value is not None]
        if len(given) != 1:
            problem = f"has {' and '.join(given)}" if given else "says nothing to play"
            raise self._document.fault(key, problem, allowed=f"one of {', '.join(_SOURCES)}")
        misplaced = {
            "count": table.count is not None and given[0] not in ("category", "item"),
            "length": table.length is not None and given[0] not in ("break", "stream"),
            "max_units": table.max_units is not None and given[0] != "break",
            "legal_id": table.legal_id and given[0] not in ("item", "category"),
            "anchor": table.anchor is not None and table.at is None,
            "window": table.window is not None and (table.at is None or table.anchor is Anchor.HARD),
        }
        needs = {"count": "category", "length": "break", "max_units": "break", "legal_id": "item"}
        for name, is_misplaced in misplaced.items():
            if is_misplaced:
                allowed = f"{name} only together with {needs.get(name, 'at')}"
                allowed = (
                    "window only together with at, and not with a hard anchor"
                    if name == "window"
                    else allowed
                )
                raise self._document.fault((*key, name), "does not belong here", allowed=allowed)
        return given[0]

    def _anchor(self, key: Key, table: PositionTable) -> DurationMs | None:
        if table.at is None:
            return None
        at_ms = self._time((*key, "at"), table.at, OFFSET_ALLOWED)
        if at_ms >= CLOCK_LENGTH_MS:
            raise self._document.fault(
                (*key, "at"), f"{table.at!r} is not within the hour", allowed=OFFSET_ALLOWED
            )
        if at_ms <= self._anchored_ms:
            before = format_length(self._anchored_ms)
            raise self._document.fault(
                (*key, "at"),
                f"{table.at!r} does not come after the position at {before}",
                allowed="positions in order",
            )
        if at_ms < self._reached_ms:
            raise self._document.fault(
                (*key, "at"),
                f"{table.at!r} comes before the break ahead of it ends at {format_length(self._reached_ms)}",
                allowed="a later time or a shorter break",
            )
        if table.anchor is Anchor.FLOAT:
            raise self._document.fault((*key, "anchor"), "is float, with a time", allowed="hard, soft")
        self._reached_ms = self._anchored_ms = at_ms
        self._open_rotation = False
        return DurationMs(at_ms)

    def _check_rotation(self, key: Key, table: PositionTable) -> None:
        if table.rotate is None:
            return
        if self._open_rotation:
            problem = "follows another rotate, which fills the time until the next position with at"
            raise self._document.fault((*key, "rotate"), problem, allowed="one rotate between two times")
        self._open_rotation = True

    def _length(self, key: Key, table: PositionTable, source: str) -> int:
        name = {"break": table.break_, "stream": table.stream}.get(source)
        if name is None:
            return 0
        if not _BREAK_NAME.fullmatch(name):
            allowed = "1 to 32 lower-case letters, digits, hyphens"
            raise self._document.fault((*key, source), f"{name!r} is not a name", allowed=allowed)
        if source == "stream":
            return 0 if table.length is None else self._given_length(key, table.length)
        if name in self._breaks:
            raise self._document.fault(
                (*key, "break"), f"{name!r} stands twice", allowed="each break of a clock once"
            )
        self._breaks.add(name)
        return DEFAULT_BREAK_MS if table.length is None else self._given_length(key, table.length)

    def _given_length(self, key: Key, text: str) -> int:
        length_ms = self._time((*key, "length"), text, LENGTH_ALLOWED)
        if not 0 < length_ms <= CLOCK_LENGTH_MS:
            raise self._document.fault((*key, "length"), f"is {text!r}", allowed="0:01 to 60:00")
        return length_ms

    def _window(self, key: Key, table: PositionTable, at_ms: int | None) -> DurationMs:
        if at_ms is None or table.anchor is Anchor.HARD:
            return DurationMs(0)
        if table.window is None:
            return DurationMs(DEFAULT_WINDOW_MS)
        window_ms = self._time((*key, "window"), table.window, LENGTH_ALLOWED)
        if not 0 < window_ms <= CLOCK_LENGTH_MS // 4:
            raise self._document.fault((*key, "window"), f"is {table.window!r}", allowed="0:01 to 15:00")
        return DurationMs(window_ms)

    def _names(self, key: Key, table: PositionTable) -> tuple[str | None, str | None]:
        """The path of an item, or the category; ``item`` may name either."""
        for name in table.rotate or ():
            _check_category(self._document, (*key, "rotate"), name, self._categories)
        if table.item is not None and "/" in table.item:
            return table.item, None
        named = table.item or table.category
        if named is not None:
            _check_category(
                self._document, (*key, "item" if table.item else "category"), named, self._categories
            )
        return None, named

    def _time(self, key: Key, text: str, allowed: str) -> int:
        try:
            return parse_length(text)
        except ValueError as fault:
            raise self._document.fault(key, str(fault), allowed=allowed) from fault


def _check_category(document: TomlDocument, key: Key, name: str, known: Sequence[str]) -> None:
    if name not in known:
        problem = f"there is no category {name!r}.{did_you_mean(name, known)}"
        raise document.fault(key, problem, allowed=", ".join(known))
