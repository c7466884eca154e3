"""Says when the folders changed, so that a scan is worth while."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from watchfiles import Change

from radio.library.artwork import FOLDER_NAMES
from radio.library.walk import SUFFIXES, root_name
from radio.watching import watch_folders

DEBOUNCE_MS: Final = 1600
POLL_S: Final = 10.0

_PICTURES: Final = frozenset(FOLDER_NAMES)
_State = tuple[tuple[int, int] | None, ...]


class Watcher:
    """Watches ``roots`` and calls ``changed`` in the loop after a change has settled for 1.6 s.

    A root that does not exist, and one that is exchanged for another folder of the same name, is noticed by
    polling every ``poll_s``. Where the system cannot watch (no more watches, no such feature) the
    watcher goes on with polling the roots alone and calls ``failed`` with the reason; regular scans find what
    it misses.
    """

    def __init__(
        self,
        roots: Sequence[str | Path],
        changed: Callable[[], None],
        *,
        failed: Callable[[str], None] | None = None,
        poll_s: float = POLL_S,
        debounce_ms: int = DEBOUNCE_MS,
    ) -> None:
        self._roots = tuple(dict.fromkeys(root_name(root) for root in roots))
        self._changed = changed
        self._failed = failed
        self._poll_s = poll_s
        self._debounce_ms = debounce_ms

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until ``stop`` is set."""
        state = await asyncio.to_thread(self._state)
        while not stop.is_set():
            pause = asyncio.Event()
            watching = asyncio.create_task(self._watch(state, pause))
            try:
                now = await self._different(state, stop)
            finally:
                pause.set()
                await watching
            if now != state:
                self._changed()
            state = now

    async def _watch(self, state: _State, pause: asyncio.Event) -> None:
        existing = [root for root, there in zip(self._roots, state, strict=True) if there]
        if not existing:
            return
        try:
            await watch_folders(
                existing, self._tell, pause, wanted=_is_worth_while, debounce_ms=self._debounce_ms
            )
        except (OSError, RuntimeError) as fault:  # RuntimeError: how watchfiles says that a root went away
            if self._failed is not None and not pause.is_set():
                self._failed(str(fault))

    async def _tell(self) -> None:
        self._changed()

    async def _different(self, state: _State, stop: asyncio.Event) -> _State:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), self._poll_s)
            except TimeoutError:
                now = await asyncio.to_thread(self._state)
                if now != state:
                    return now
        return state

    def _state(self) -> _State:
        return tuple(_folder(root) for root in self._roots)


def _folder(root: str) -> tuple[int, int] | None:
    try:
        status = os.stat(root)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if os.path.isdir(root) else None


def _is_worth_while(change: Change, path: str) -> bool:
    name = os.path.basename(path)
    ending = os.path.splitext(name)[1].lower()
    # A folder that comes or goes brings its files with it, and has no ending of its own as a rule.
    return not name.startswith(".") and (ending in SUFFIXES or name in _PICTURES or not ending)
