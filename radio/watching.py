"""Says when something in a folder changed. The system tells watchfiles, whose waiting is done in a thread of our own.

``watchfiles.awatch`` would do the same through anyio, which holds 6 MB for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from watchfiles import Change, watch

_LOOK_MS: Final = 1_000


async def watch_folders(
    folders: Iterable[str | Path],
    changed: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
    *,
    wanted: Callable[[Change, str], bool],
    debounce_ms: int,
    deep: bool = True,
) -> None:
    """Await ``changed`` after each burst of changes with one that is ``wanted``, until ``stop`` is set.

    A burst ends when 50 ms bring nothing new, and ``debounce_ms`` after its begin at the latest. ``deep`` watches
    what lies below the folders too, and passes over what is missing or may not be read. ``wanted`` is called in
    another thread, with an absolute path.
    Raises OSError where the system cannot watch, or a folder is missing that is not watched ``deep``; RuntimeError
    where a folder went away.
    """
    ended = threading.Event()
    bursts = watch(
        *folders,
        watch_filter=wanted,
        debounce=debounce_ms,
        stop_event=_Either(ended, stop),
        rust_timeout=_LOOK_MS,
        raise_interrupt=False,
        ignore_permission_denied=deep,
        recursive=deep,
    )
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
    try:
        while await loop.run_in_executor(thread, next, bursts, None) is not None:
            await changed()
    finally:
        ended.set()
        thread.shutdown(wait=False)


class _Either:
    """Set when one of the two is; asked in the watching thread, where only reading is safe."""

    def __init__(self, ended: threading.Event, stop: asyncio.Event) -> None:
        self._ended = ended
        self._stop = stop

    def is_set(self) -> bool:
        return self._ended.is_set() or self._stop.is_set()
