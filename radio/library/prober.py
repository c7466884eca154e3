"""The scanner's side of a worker process: starts it, asks it, ends it; never blocks the loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

import radio
from radio.library.worker_messages import HEADER, MAX_FRAME, Glance, Job, Reply, Shrink

COMMAND: Final = (sys.executable, "-P", "-m", "radio.library.worker")
START_LIMIT_S: Final = 60.0

_SILENCE: Final = (EOFError, OSError, msgspec.DecodeError)

_PASSED_ON: Final = ("PATH", "SYSTEMROOT", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class WorkerDied(Exception):
    """The worker ended without an answer."""


class CannotStart(Exception):
    """No worker can be started; the message says how it failed."""


class Prober:
    """One worker process, started when first asked and again after it died. An async context manager."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._process: Process | None = None
        self._decoder = msgspec.msgpack.Decoder(Reply)

    async def __aenter__(self) -> Prober:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._process.pid if self._process else None

    async def ask(self, job: Job | Glance | Shrink) -> Reply:
        """Have ``job`` done. Raises CannotStart; WorkerDied; TimeoutError after ``job.limit_s``.

        After an error, and when cancelled, the process and all that it started are gone.
        """
        process = self._process or await self._start()
        try:
            async with asyncio.timeout(job.limit_s):
                return await self._exchange(process, job)
        except BaseException as fault:
            await self.end()
            if isinstance(fault, _SILENCE) and not isinstance(fault, TimeoutError):
                raise WorkerDied from fault
            raise

    async def end(self) -> None:
        """Kill the worker's process group and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill_group(process)
        await asyncio.shield(_reap(process))

    async def _start(self) -> Process:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as fault:
            raise CannotStart(f"{self._command[0]}: {fault.strerror or fault}") from fault
        process = self._process
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._receive(process)
        except BaseException as fault:
            await self.end()
            if isinstance(fault, _SILENCE):
                command = " ".join(self._command)
                raise CannotStart(f"`{command}` ended or was silent when it was started") from fault
            raise
        return process

    async def _exchange(self, process: Process, job: Job | Glance | Shrink) -> Reply:
        assert process.stdin is not None
        frame = msgspec.msgpack.encode(job)
        process.stdin.write(HEADER.pack(len(frame)) + frame)
        await process.stdin.drain()
        return await self._receive(process)

    async def _receive(self, process: Process) -> Reply:
        assert process.stdout is not None
        (length,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
        if length > MAX_FRAME:
            raise EOFError
        return self._decoder.decode(await process.stdout.readexactly(length))


def _environment() -> dict[str, str]:
    # What parses strangers' files gets nothing of the service's environment, where secrets may be.
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed, **_ONE_THREAD, "PYTHONPATH": str(Path(radio.__file__).parent.parent)}


def _kill_group(process: Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


async def _reap(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
