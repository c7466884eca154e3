"""Says when a schedule or sponsors file was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Final

import structlog
from watchfiles import Change

from radio.watching import watch_folders

_journal = structlog.get_logger(__name__)

DEBOUNCE_MS: Final = 300
RETRY_S: Final = 10.0


async def watch_files(
    files: Collection[Path], changed: Callable[[], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Await ``changed`` whenever one of ``files`` is written, made or removed, until ``stop`` is set.

    Their folders are watched, so that a file that an editor replaces is seen too; a folder that is missing is
    looked for again every ten seconds.
    """
    names = {str(path) for path in files}
    while not stop.is_set():
        folders = {path.parent for path in files if path.parent.is_dir()}
        if folders:
            await _watch(folders, names, changed, stop)
        if not stop.is_set():
            await _pause(stop)


async def _watch(
    folders: Collection[Path],
    names: Collection[str],
    changed: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    def ours(_: Change, path: str) -> bool:
        return path in names

    try:
        await watch_folders(folders, changed, stop, wanted=ours, debounce_ms=DEBOUNCE_MS, deep=False)
    except (OSError, RuntimeError) as fault:  # RuntimeError: how watchfiles says that a folder went away
        _journal.warning("schedules_not_watched", reason=str(fault))


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), RETRY_S)
    except TimeoutError:
        return
