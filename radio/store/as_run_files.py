"""The as-run log as files beside the store: one line of JSON for each event, one file a day and station.

``<folder>/<station>/<YYYY-MM-DD>.jsonl``, the day in the station's zone. The files are there for the days on
which the database is locked, full, corrupt or gone, and for whoever wants to check it. A thread of its own
writes them, so that nobody waits for the disk.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import structlog

from radio.store.as_run_events import AsRunEvent
from radio.units import UtcMs

_journal = structlog.get_logger(__name__)

HELD_LIMIT: Final = 10_000
"""Events that are held while the disk takes none; beyond it the oldest are lost."""

RETRY_S: Final = 2.0
_AT_ONCE: Final = 500
_LONGEST_LINE: Final = 1_000_000

_DECODER: Final = msgspec.json.Decoder(AsRunEvent)
_ENCODER: Final = msgspec.json.Encoder()

Append = Callable[[Path, bytes], None]


def append_durably(path: Path, lines: bytes) -> None:
    """Append whole lines and wait until the disk has them; all or nothing. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(file).st_size
        # what a crash cut off in the middle of a line stays a line of its own
        torn = b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b""
        try:
            _write_all(file, torn + lines)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


class AsRunFiles:
    """Writes events to the files of their days; :meth:`append` never blocks and may be called anywhere.

    ``zones`` are the stations' time zones; files of days more than ``keep_days`` before the newest event are
    deleted. While the disk refuses, up to ``held_limit`` events are held in memory and written as soon as
    there is room again; ``fault`` is what it says. ``append`` and ``retry_s`` are there for tests.
    """

    def __init__(
        self,
        folder: Path,
        zones: Mapping[str, ZoneInfo],
        *,
        keep_days: int = 400,
        held_limit: int = HELD_LIMIT,
        append: Append = append_durably,
        retry_s: float = RETRY_S,
    ) -> None:
        self.folder = folder
        self._zones = zones
        self._keep_days = keep_days
        self._held: deque[AsRunEvent] = deque(maxlen=held_limit)
        self._append = append
        self._retry_s = retry_s
        self._news = threading.Condition()
        self._closed = False
        self._pruned: dict[str, str] = {}
        self.lost = 0
        self.failing = False
        self.fault = ""
        self._thread = threading.Thread(target=self._work, name="as-run files", daemon=True)
        self._thread.start()

    @property
    def held(self) -> int:
        """How many events are not on the disk yet."""
        return len(self._held)

    def pending(self) -> tuple[AsRunEvent, ...]:
        """The events that are not on the disk yet, oldest first."""
        with self._news:
            return tuple(self._held)

    def append(self, event: AsRunEvent) -> None:
        """Queue one event for its file."""
        with self._news:
            if len(self._held) == self._held.maxlen:
                self.lost += 1
            self._held.append(event)
            self._news.notify()

    def close(self) -> None:
        """Write what is queued, if the disk takes it, and end the thread. Blocks; may be repeated."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()

    def recent(self, station: str, days: int) -> Iterator[AsRunEvent]:
        """The events of the newest ``days`` files of ``station``, in the order in which they were written.

        What cannot be read is logged and left out.
        """
        for path in days_of(self.folder / station)[-days:]:
            yield from read_day(path)

    def _work(self) -> None:
        while True:
            with self._news:
                if not self._held and not self._closed:
                    self._news.wait()
                batch = self._of_one_file()
                lost = self.lost
                if not batch and self._closed:
                    return
            if self._write(batch):
                with self._news:
                    # what was lost meanwhile was lost from the front of the batch
                    for _ in range(max(0, len(batch) - (self.lost - lost))):
                        self._held.popleft()
                continue
            with self._news:
                if self._closed:
                    return
                self._news.wait(self._retry_s)

    def _of_one_file(self) -> Sequence[AsRunEvent]:
        if not self._held:
            return ()
        path = self._path_of(self._held[0])
        return tuple(takewhile(lambda event: self._path_of(event) == path, islice(self._held, _AT_ONCE)))

    def _write(self, batch: Sequence[AsRunEvent]) -> bool:
        if not batch:
            return True
        path = self._path_of(batch[0])
        try:
            self._append(path, b"".join(_ENCODER.encode(event) + b"\n" for event in batch))
            self._prune(path)
        except OSError as fault:
            if not self.failing:
                _journal.error(
                    "as_run_file_not_written", path=str(self.folder), reason=fault.strerror or str(fault),
                    advice="make room on the disk; events are held in memory meanwhile",
                )  # fmt: skip
            self.failing, self.fault = True, fault.strerror or str(fault)
            return False
        if self.failing:
            _journal.warning("as_run_file_written_again", path=str(self.folder), lost=self.lost)
        self.failing, self.fault = False, ""
        return True

    def _path_of(self, event: AsRunEvent) -> Path:
        zone = self._zones.get(event.station, UTC)
        return self.folder / event.station / f"{day_of(event.at_ms, zone).isoformat()}.jsonl"

    def _prune(self, newest: Path) -> None:
        if self._pruned.get(newest.parent.name) == newest.name:
            return
        self._pruned[newest.parent.name] = newest.name
        oldest = date.fromisoformat(newest.stem) - timedelta(days=self._keep_days)
        for path in days_of(newest.parent):
            if path.stem < oldest.isoformat():
                path.unlink(missing_ok=True)


def day_of(at_ms: UtcMs, zone: tzinfo) -> date:
    """The calendar day of a moment in ``zone``."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def days_of(folder: Path) -> list[Path]:
    """A station's files, oldest first; what is not one is passed over."""
    try:
        found = sorted(folder.glob("????-??-??.jsonl"))
    except OSError:
        return []
    return [path for path in found if _is_day(path.stem)]


def read_day(path: Path) -> list[AsRunEvent]:
    """The events of one file; a torn or foreign line is logged and left out."""
    events: list[AsRunEvent] = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE), b""), 1):
                try:
                    events.append(_DECODER.decode(line))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    if line.strip():
                        _journal.warning("as_run_line_unreadable", path=str(path), line=number)
    except OSError as fault:
        _journal.warning("as_run_file_unreadable", path=str(path), reason=str(fault))
    return events


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
