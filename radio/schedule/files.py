"""Reads ``schedules/<station>.toml``; every fault is told with file, line, key and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from radio.errors import ScheduleError, did_you_mean
from radio.schedule.category_files import read_category
from radio.schedule.clock_files import read_clock
from radio.schedule.model import (
    KIND_OF_FOLDER,
    MAX_CLOCKS,
    MAX_PROGRAMMES,
    Airs,
    Layer,
    Programme,
    Schedule,
)
from radio.schedule.pool import Pool
from radio.schedule.shapes import AirsTable, ProgrammeTable, ScheduleFile
from radio.schedule.week import Slot, first_clash, open_hours
from radio.sponsors.campaigns import ID_ALLOWED, SponsorBook
from radio.sponsors.weektime import (
    DAYS_ALLOWED,
    NOMINAL_DAY_MS,
    TIME_ALLOWED,
    parse_days,
    parse_wall_time,
)
from radio.toml_source import TomlDocument
from radio.units import DurationMs

LAYERS: Final = {"programme": Layer.PROGRAMME, "special": Layer.SPECIAL}
HOURS_ALLOWED: Final = 'hours of the day such as "7" or "10-14", 0 to 23'
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_HOURS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")

Key = tuple[str | int, ...]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is odd though not wrong. ``line`` is None where it has no place in the file."""

    text: str
    line: int | None = None


class ReadSchedule(NamedTuple):
    """A schedule and what is odd in it."""

    schedule: Schedule
    notices: tuple[Notice, ...]


def read_schedule(
    path: Path, *, sponsors: SponsorBook | None = None, pool: Pool | None = None
) -> ReadSchedule:
    """The schedule in ``path``; an empty one, which plays the whole library, where there is no such file.

    ``sponsors`` are those a programme may name (None takes any); with ``pool``, categories and items that
    the library does not have are noticed. Limits: 1 MB, 500 programmes, 200 clocks of 200 positions. Raises
    ScheduleError with file, line, key and what is allowed.
    """
    if TomlDocument.is_missing(path):
        return ReadSchedule(Schedule(), ())
    return schedule_of(TomlDocument.read(path, error=ScheduleError), sponsors=sponsors, pool=pool)


def schedule_of(
    document: TomlDocument, *, sponsors: SponsorBook | None = None, pool: Pool | None = None
) -> ReadSchedule:
    """The same of a document that was read already."""
    reader = _Reader(document, document.into(ScheduleFile), sponsors)
    schedule = reader.schedule()
    notices = (*reader.open_hours(), *(_not_in_library(document, schedule, pool) if pool else ()))
    return ReadSchedule(schedule, notices)


class _Reader:
    def __init__(self, document: TomlDocument, file: ScheduleFile, sponsors: SponsorBook | None) -> None:
        self._document = document
        self._file = file
        self._sponsors = sponsors
        self._slots: list[Slot] = []

    def schedule(self) -> Schedule:
        document, file = self._document, self._file
        self._bound("programmes", len(file.programmes), MAX_PROGRAMMES)
        self._bound("clocks", len(file.clocks), MAX_CLOCKS)
        categories = {name: read_category(document, name, table) for name, table in file.categories.items()}
        known = tuple(sorted({*categories, *KIND_OF_FOLDER}))
        clocks = {name: read_clock(document, name, table, known) for name, table in file.clocks.items()}
        if file.default_clock is not None:
            self._known(("default_clock",), "clock", file.default_clock, clocks)
        programmes = [self._programme(index, table) for index, table in enumerate(file.programmes)]
        self._check_clashes()
        return Schedule(
            categories=categories,
            clocks=clocks,
            programmes=tuple(programmes),
            default_clock=file.default_clock,
        )

    def open_hours(self) -> Iterable[Notice]:
        if not self._slots:
            return
        clock = self._file.default_clock
        instead = f"the clock {clock}" if clock else "the built-in clock"
        for text in open_hours(self._slots):
            yield Notice(text=f"No programme airs {text}: {instead} is used.")

    def _programme(self, index: int, table: ProgrammeTable) -> Programme:
        key: Key = ("programmes", index)
        self._check_id((*key, "id"), table.id, [one.id for one in self._file.programmes[:index]])
        if table.clock is not None:
            self._known((*key, "clock"), "clock", table.clock, self._file.clocks)
        if table.supported_by is not None and self._sponsors is not None:
            self._known((*key, "supported_by"), "sponsor", table.supported_by, self._sponsors.sponsors)
        if table.layer not in LAYERS:
            raise self._document.fault((*key, "layer"), f"is {table.layer!r}", allowed=", ".join(LAYERS))
        return Programme(
            id=table.id,
            title=table.title,
            host=table.host,
            description=table.description,
            image=table.image,
            link=table.link,
            supported_by=table.supported_by,
            clock=table.clock,
            clocks=self._clocks((*key, "clocks"), table.clocks),
            airs=tuple(self._airs(key, at, table, airs) for at, airs in enumerate(table.airs)),
            layer=LAYERS[table.layer],
            on_repeat=table.on_repeat,
            on_gap=table.on_gap,
        )

    def _clocks(self, key: Key, table: dict[str, str]) -> dict[int, str]:
        hours: dict[int, str] = {}
        for text, clock in table.items():
            found = _HOURS.fullmatch(text)
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (24, 24)
            if not first <= last <= 23:
                raise self._document.fault((*key, text), "names no hours", allowed=HOURS_ALLOWED)
            self._known((*key, text), "clock", clock, self._file.clocks)
            for hour in range(first, last + 1):
                if hour in hours:
                    raise self._document.fault((*key, text), f"names hour {hour} a second time")
                hours[hour] = clock
        return hours

    def _airs(self, programme: Key, index: int, table: ProgrammeTable, airs: AirsTable) -> Airs:
        key: Key = (*programme, "airs", index)
        try:
            days = parse_days(airs.days)
        except ValueError as fault:
            raise self._document.fault((*key, "days"), str(fault), allowed=DAYS_ALLOWED) from fault
        from_ms, to_ms = (
            self._time((*key, "from"), airs.from_),
            self._time((*key, "to"), airs.to, is_end=True),
        )
        if from_ms == to_ms:
            allowed = 'an end that differs from the start, or from = "00:00" and to = "24:00" for a whole day'
            raise self._document.fault(key, f"lasts no time ({airs.from_} to {airs.to})", allowed=allowed)
        to_ms = to_ms if to_ms > from_ms else to_ms + NOMINAL_DAY_MS
        found = Airs(days=days, from_ms=DurationMs(from_ms), to_ms=DurationMs(to_ms))
        self._slots.append(Slot(table.id, table.title, LAYERS[table.layer], found, key))
        return found

    def _time(self, key: Key, text: str, *, is_end: bool = False) -> int:
        try:
            return parse_wall_time(text, is_end=is_end)
        except ValueError as fault:
            raise self._document.fault(key, str(fault), allowed=TIME_ALLOWED) from fault

    def _check_clashes(self) -> None:
        clash = first_clash(self._slots)
        if clash is None:
            return
        one, other, when = clash
        line = self._document.line(one.key)
        raise self._document.fault(
            other.key,
            f'"{other.title}" overlaps "{one.title}" (line {line}) on {when}',
            allowed='one programme of a layer at a time; give one of them layer = "special"',
        )

    def _check_id(self, key: Key, id_: str, before: Sequence[str]) -> None:
        if not _ID.fullmatch(id_):
            raise self._document.fault(key, f"{id_!r} is not an id", allowed=ID_ALLOWED)
        if id_ in before:
            raise self._document.fault(key, f"{id_!r} stands twice", allowed="each id once")

    def _known(self, key: Key, noun: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        if name not in names:
            problem = f"there is no {noun} {name!r}.{did_you_mean(name, names)}"
            allowed = ", ".join(names) or f"none: no {noun} is declared"
            raise self._document.fault(key, problem, allowed=allowed)

    def _bound(self, key: str, count: int, limit: int) -> None:
        if count > limit:
            raise self._document.fault((key,), f"there are {count:,}", allowed=f"at most {limit:,}")


def _not_in_library(document: TomlDocument, schedule: Schedule, pool: Pool) -> Iterable[Notice]:
    used: dict[str, int | None] = {}
    for name, clock in schedule.clocks.items():
        for index, position in enumerate(clock.positions):
            line = document.line(("clocks", name, "positions", index))
            for category in (*position.rotate, *((position.category,) if position.category else ())):
                used.setdefault(category, line)
            if position.item is not None and pool.find(position.item) is None:
                yield Notice(text=f"The library has no item {position.item}.", line=line)
    for name, line in used.items():
        category = schedule.category(name)
        if not pool.of_category(category.folders, category.items, category.where):
            rule = (category.where,) if category.where else ()
            wanted = ", ".join((*category.folders, *category.items, *rule))
            yield Notice(text=f"The category {name} has no items ({wanted}).", line=line)
