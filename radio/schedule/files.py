"""Reads ``schedules/<station>.toml``; every fault is told with file, line, key and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from radio.errors import ScheduleError
from radio.schedule.category_files import Key, check_ladders, check_name, read_category
from radio.schedule.clock_files import read_clock
from radio.schedule.grid_files import read_dayparts, read_grid, read_item_rules
from radio.schedule.model import (
    KIND_OF_FOLDER,
    MAX_CLOCKS,
    MAX_PROGRAMMES,
    Layer,
    Programme,
    Schedule,
)
from radio.schedule.pool import Pool
from radio.schedule.programme_files import Known, read_programme
from radio.schedule.shapes import ProgrammeTable, ScheduleFile
from radio.schedule.week import Slot, first_clash, first_dated_clash, open_hours
from radio.sponsors.campaigns import ID_ALLOWED, SponsorBook
from radio.toml_source import TomlDocument

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


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
        self._grid: tuple[str | None, ...] = ()

    def schedule(self) -> Schedule:
        document, file = self._document, self._file
        self._bound("programmes", len(file.programmes), MAX_PROGRAMMES)
        self._bound("clocks", len(file.clocks), MAX_CLOCKS)
        categories = {name: read_category(document, name, table) for name, table in file.categories.items()}
        known = tuple(sorted({*categories, *KIND_OF_FOLDER}))
        dayparts = read_dayparts(document, file.dayparts)
        check_ladders(document, categories, known, dayparts)
        clocks = {name: read_clock(document, name, table, known) for name, table in file.clocks.items()}
        if file.default_clock is not None:
            check_name(document, ("default_clock",), "clock", file.default_clock, clocks)
        self._grid = read_grid(document, file.grid, clocks, dayparts)
        programmes = [
            self._programme(index, table, Known(clocks, known)) for index, table in enumerate(file.programmes)
        ]
        self._check_clashes()
        return Schedule(
            categories=categories,
            clocks=clocks,
            programmes=tuple(programmes),
            default_clock=file.default_clock,
            grid=self._grid,
            dayparts=dayparts,
            item_rules=read_item_rules(document, file.item_rules, dayparts),
        )

    def open_hours(self) -> Iterable[Notice]:
        if not self._slots:
            return
        clock = self._file.default_clock
        instead = f"the clock {clock}" if clock else "the built-in clock"
        for text in open_hours(self._slots, self._grid):
            yield Notice(text=f"No programme airs {text}: {instead} is used.")

    def _programme(self, index: int, table: ProgrammeTable, known: Known) -> Programme:
        key: Key = ("programmes", index)
        self._check_id((*key, "id"), table.id, [one.id for one in self._file.programmes[:index]])
        if table.supported_by is not None and self._sponsors is not None:
            sponsors = self._sponsors.sponsors
            check_name(self._document, (*key, "supported_by"), "sponsor", table.supported_by, sponsors)
        programme = read_programme(self._document, key, table, known)
        for at, airs in enumerate(programme.airs):
            changed = frozenset(change.starts for change in programme.changes)
            self._slots.append(
                Slot(table.id, table.title, programme.layer, airs, (*key, "airs", at), changed)
            )
        return programme

    def _check_clashes(self) -> None:
        slots = [slot for slot in self._slots if slot.layer <= Layer.ONE_OFF]
        clash = first_clash(slots) or first_dated_clash(slots)
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
