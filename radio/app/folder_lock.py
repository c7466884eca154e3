"""One service for each data folder: two would write each other's as-run log to an end."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import IO, Final

import structlog

from radio.errors import AddressInUse

try:
    import fcntl
except ImportError:  # Windows has no such lock; there the port alone keeps a second service away
    fcntl = None  # type: ignore[assignment]

_journal = structlog.get_logger(__name__)

FILE_NAME: Final = "nextup.lock"
RETRY_S: Final = 0.2
TRIES: Final = 150


class FolderLock:
    """The lock of ``folder``, held from :meth:`take` to :meth:`release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Lock the folder. Raises AddressInUse where another process has done so.

        A folder that cannot be written is left to the store, which says what to do about it.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a+")
        except OSError:
            return
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            file.seek(0)
            owner = file.read(20).strip() or "unknown"
            file.close()
            raise AddressInUse(
                f"Another service (process {owner}) runs on the data folder {self._path.parent}. Stop it, choose "
                "another folder with --data-dir, or go on with it: radio run --takeover"
            ) from fault
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    async def take_when_free(self) -> None:
        """Lock the folder as soon as the process that was taken over has left."""
        for _ in range(TRIES):
            try:
                self.take()
            except AddressInUse:
                await asyncio.sleep(RETRY_S)
            else:
                return
        _journal.warning("data_folder_not_locked", folder=str(self._path.parent))

    def release(self) -> None:
        """Let another service have the folder."""
        if self._file is not None:
            self._file.close()
            self._file = None
