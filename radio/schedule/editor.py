"""Edits of schedules: each is checked, written into the station's file, kept as a revision, and put in force.

The file stays the truth of what is on the air. What somebody changes in it with another program becomes a revision
too, so that nothing is ever lost; a faulty file does not, and the last good schedule stays on the air.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import structlog

from radio.clock import Clock
from radio.errors import ConfigurationError, NotFound, RadioError, ScheduleError, UnknownStation
from radio.schedule.in_force import Reading
from radio.schedule.model import Programme
from radio.schedule.planner import Planner
from radio.schedule.revisions import Conflict, EditConflict, EditRefused, Saved, Side
from radio.schedule.schedule_source import Source, read_source, remove_source, write_source
from radio.schedule.texts import Diff, diff, packed, unpacked, version_of
from radio.schedule.verdict import Told, Verdict, clash_errors, first_verdict_on, told_fault, verdict_on
from radio.store import Store
from radio.store import schedule_revisions as kept
from radio.store.schedule_revisions import Revision
from radio.toml_source import LIMIT_BYTES, TomlDocument
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

T = TypeVar("T")

BY_FILE: Final = "file"
"""The name in the place of an operator's where the file itself was changed."""

Rewrite = Callable[[str], str]
"""An edit: the text as it is to the text as it is to be."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """An edit of the text with the version ``base``: who makes it, how (``action``) and why."""

    base: str
    rewrite: Rewrite
    operator: str
    action: str = "edit"
    why: str = ""


class _New(NamedTuple):
    """A text that is to be kept, with what is kept beside it."""

    text: str
    diff: Diff
    data: bytes


class Present(NamedTuple):
    """A schedule file as it is: its text, the revision of that text, why it is not in force, what the checks say."""

    source: Source
    revision: Revision | None
    in_force: str | None
    problem: ConfigurationError | None
    findings: tuple[Told, ...]


class ScheduleEditor:
    """The schedules of all stations as they are edited. Methods are called in the event loop.

    ``files`` are the schedule files by station. Edits of one station take their turns. ``on_revision`` is told of
    every revision that was made.
    """

    def __init__(self, files: Mapping[str, Path], planner: Planner, store: Store, clock: Clock) -> None:
        self._files = files
        self._planner = planner
        self._store = store
        self._clock = clock
        self._turns = {station: asyncio.Lock() for station in files}
        self._after: dict[str, asyncio.Task[None]] = {}
        self.on_revision: Callable[[str, Revision], None] = lambda station, revision: None

    def file(self, station: str) -> Path:
        """The station's schedule file. Raises UnknownStation."""
        if station not in self._files:
            raise UnknownStation(station, self._files)
        return self._files[station]

    async def present(self, station: str) -> Present:
        """The file as it is now. Raises UnknownStation, ScheduleError where it cannot be read."""
        source = await asyncio.to_thread(read_source, self.file(station))
        revision = await self._store.read(kept.with_version, station, source.version)
        problem, in_force = self._planner.problem(station), self._planner.version(station)
        return Present(source, revision, in_force, problem, tuple(self._planner.findings(station)))

    async def verdict(self, station: str, text: str) -> Verdict:
        """What the checks say of a text that is not saved. Raises UnknownStation."""
        file, now_ms = self.file(station), UtcMs(self._clock.now_ms())
        return await asyncio.to_thread(verdict_on, text, file, self._planner.inputs(station), now_ms)

    async def save(self, station: str, edit: Edit) -> Saved:
        """Take an edit: when this returns it is in the file and in the store, and its first rows are in the log.

        Raises UnknownStation, EditConflict where the file has another version than the edit is meant for,
        EditRefused for a text with errors that the file had not before, NotWritten and StoreError, after which
        everything is as it was.
        """
        file = self.file(station)
        return await _to_its_end(self._save(station, file, edit))

    async def take_in(self, station: str) -> Revision | None:
        """Keep what the file says as a revision where it is good and new; the revision, if one was made.

        Raises UnknownStation, StoreError.
        """
        file = self.file(station)
        async with self._turns[station]:
            try:
                source = await asyncio.to_thread(read_source, file)
            except ScheduleError:
                return None
            return await self._take_in(station, source, await self._store.read(kept.latest, station))

    async def begin(self) -> None:
        """Keep as revisions what was changed in the files while nobody looked."""
        for station in self._files:
            try:
                await self.take_in(station)
            except RadioError as fault:
                _journal.error("revision_not_kept", station=station, reason=fault.message)

    async def files_changed(self) -> None:
        """After files were written by another program: put them in force, and keep them as revisions."""
        await asyncio.gather(*(self._take_up(station) for station in self._files))
        await self.begin()
        for station in self._files:
            self._follow_up(station)

    async def _take_up(self, station: str) -> None:
        async with self._turns[station]:  # or what is just being saved would be put in force over it
            await self._planner.take_up(station)

    async def text_of(self, station: str, number: int) -> str:
        """The text of a revision. Raises NotFound where there is none, or where it is no longer kept."""
        data = await self._store.read(kept.text_of, station, number)
        if data is None:
            known = await self._store.read(kept.get, station, number)
            raise NotFound(
                f"The text of revision {number} is no longer kept."
                if known
                else f"There is no revision {number}."
            )
        return await asyncio.to_thread(unpacked, data)

    async def text_with(self, station: str, version: str) -> tuple[str | None, Revision | None]:
        """The text that has a version, and its newest revision; None where it is not known."""
        revision = await self._store.read(kept.with_version, station, version)
        if revision is None:
            return ("", None) if version == version_of("") else (None, None)
        return await self.text_of(station, revision.number), revision

    async def settled(self) -> None:
        """Wait until the logs are compiled on after the last edits."""
        await asyncio.gather(*self._after.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Let go of what is still to be compiled after an edit."""
        for task in self._after.values():
            task.cancel()
        await self.settled()

    async def _save(self, station: str, file: Path, edit: Edit) -> Saved:
        async with self._turns[station]:
            source, latest = await asyncio.gather(
                asyncio.to_thread(read_source, file), self._store.read(kept.latest, station)
            )
            await self._take_in(station, source, latest)
            if edit.base != source.version:
                raise EditConflict(await self._conflict(station, source, edit))
            new, reading = await self._planner.lane.run_first(
                self._checked, station, source, edit, self._programmes(station, source)
            )
            if new.text == source.text and source.exists:
                revision = await self._store.read(kept.latest, station)
                return await self._saved(station, new, revision, False)

            async def keep() -> Revision:
                await asyncio.to_thread(partial(write_source, file, new.text, instead_of=source))
                return await self._keep(station, file, source, new, edit)

            revision = await self._planner.put_in_force(station, reading, keep)
        _journal.info(
            "schedule_edited",
            station=station,
            operator=edit.operator,
            action=edit.action,
            revision=revision.number,
            added_lines=new.diff.added,
            removed_lines=new.diff.removed,
        )
        saved = await self._saved(station, new, revision, True)
        self._follow_up(station)
        return saved

    def _programmes(self, station: str, source: Source) -> tuple[Programme, ...] | None:
        """The programmes of the file as it is, if it is what is in force."""
        if source.version != self._planner.version(station):
            return None
        return self._planner.schedule(station).programmes

    def _checked(
        self, station: str, source: Source, edit: Edit, programmes: tuple[Programme, ...] | None
    ) -> tuple[_New, Reading]:
        """The new text and what it means, in a thread. Raises EditRefused for errors that the old one has not."""
        file, now_ms = self._files[station], UtcMs(self._clock.now_ms())
        text = rewritten(source.text, edit.rewrite, file)
        try:
            reading, document = self._planner.read_as(station, text)
        except ConfigurationError as fault:
            raise EditRefused((told_fault(fault),)) from fault
        inputs = reading.inputs
        if inputs.schedule.programmes != programmes:  # all errors are theirs
            errors = clash_errors(document, inputs.schedule, inputs, now_ms)
            old = first_verdict_on(source.text, file, inputs, now_ms).errors if errors else ()
            if {one.text for one in errors} - {one.text for one in old}:
                raise EditRefused(errors)
        return _New(text, diff(source.text, text), packed(text)), reading

    async def _keep(self, station: str, file: Path, source: Source, new: _New, edit: Edit) -> Revision:
        """Keep the revision; where the store refuses, the file is put back as it was."""
        try:
            return await self._add(station, new, edit.operator, edit.action, edit.why)
        except Exception:
            if source.exists:
                await asyncio.to_thread(write_source, file, source.text)
            else:
                await asyncio.to_thread(remove_source, file)
            raise

    async def _add(self, station: str, new: _New, operator: str, action: str, why: str) -> Revision:
        revision = Revision(
            number=0,
            parent=None,
            at_ms=UtcMs(self._clock.now_ms()),
            operator=operator,
            action=action,
            why=why,
            version=version_of(new.text),
            size_bytes=len(new.text.encode()),
            added_lines=new.diff.added,
            removed_lines=new.diff.removed,
        )
        made = await self._store.write(kept.add, station, revision, new.data)
        self.on_revision(station, made)
        return made

    async def _take_in(self, station: str, source: Source, latest: Revision | None) -> Revision | None:
        if latest.version == source.version if latest else not source.exists:
            return None
        now_ms, inputs = UtcMs(self._clock.now_ms()), self._planner.inputs(station)
        file, old = self._files[station], await self._old_text(station, latest)

        def work() -> _New | None:
            is_good = first_verdict_on(source.text, file, inputs, now_ms).schedule is not None
            return _New(source.text, diff(old, source.text), packed(source.text)) if is_good else None

        new = await self._planner.lane.run_first(work)
        if new is None:
            return None
        action, why = "file" if source.exists else "removed", "" if latest else "as it was found"
        made = await self._add(station, new, BY_FILE, action, why)
        _journal.info("schedule_file_changed", station=station, revision=made.number)
        return made

    async def _old_text(self, station: str, latest: Revision | None) -> str:
        if latest is None or not latest.has_text:
            return ""
        return await self.text_of(station, latest.number)

    async def _conflict(self, station: str, source: Source, edit: Edit) -> Conflict:
        base, origin = await self.text_with(station, edit.base)
        _, newest = await self.text_with(station, source.version)
        file = self._files[station]

        def made() -> Conflict:
            yours = None if base is None else _tried(base, edit.rewrite, file)
            if base is None and edit.action != "part":
                yours = _tried(source.text, edit.rewrite, file)
            return Conflict(
                base=_side(base, edit.base, origin, None),
                yours=_side(yours, None if yours is None else version_of(yours), None, base)
                if yours is not None
                else Side(text=None, version=None),
                theirs=_side(source.text, source.version, newest, base),
                between=None if yours is None else diff(source.text, yours),
            )

        return await asyncio.to_thread(made)

    async def _saved(self, station: str, new: _New, revision: Revision | None, is_new: bool) -> Saved:
        version, problem = version_of(new.text), self._planner.problem(station)
        in_force = self._planner.version(station) == version
        if in_force:
            await self._planner.judge(station)
            findings = tuple(self._planner.findings(station))
        else:
            findings = (await self.verdict(station, new.text)).findings
        return Saved(
            version=version,
            revision=revision,
            is_new=is_new,
            in_force=in_force,
            problem=problem.message if problem else None,
            findings=findings,
            diff=new.diff,
        )

    def _follow_up(self, station: str) -> None:
        """Have the rest of the log compiled, beside the answer to the operator."""
        before = self._after.get(station)

        async def work() -> None:
            if before is not None:
                await asyncio.gather(before, return_exceptions=True)
            try:
                await self._planner.follow_up(station)
            except Exception:
                _journal.exception("log_not_followed", station=station)

        self._after[station] = asyncio.create_task(work())


def rewritten(text: str, rewrite: Rewrite, file: Path) -> str:
    """The text after an edit. Raises ScheduleError where it is too large, or a part was edited of what is no TOML."""
    try:
        new = rewrite(text)
    except tomllib.TOMLDecodeError:
        TomlDocument.parse(text, file, error=ScheduleError)  # says it with the line
        raise
    if len(new.encode()) > LIMIT_BYTES:
        raise ScheduleError("would be too large", file=file, allowed="1 MB of TOML")
    return new


def _tried(text: str, rewrite: Rewrite, file: Path) -> str | None:
    try:
        return rewritten(text, rewrite, file)
    except RadioError:
        return None


def _side(text: str | None, version: str | None, revision: Revision | None, base: str | None) -> Side:
    return Side(
        text=text,
        version=version,
        revision=revision.number if revision else None,
        operator=revision.operator if revision else None,
        at_ms=revision.at_ms if revision else None,
        why=revision.why if revision else None,
        diff=diff(base, text) if base is not None and text is not None else None,
    )


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` whole, even where the one who asked for it is gone."""
    return await asyncio.shield(asyncio.ensure_future(work))
