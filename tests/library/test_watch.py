from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from radio.library.watch import Watcher


class Asked:
    """Counts the calls, and lets a test wait for them."""

    def __init__(self) -> None:
        self.times = 0
        self._called = asyncio.Event()

    def __call__(self) -> None:
        self.times += 1
        self._called.set()

    async def once_more(self, limit_s: float = 8.0) -> None:
        await asyncio.wait_for(self._called.wait(), limit_s)
        self._called.clear()


@asynccontextmanager
async def watching(roots: list[Path], asked: Callable[[], None]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Watcher(roots, asked, poll_s=0.1, debounce_ms=100).run(stop))
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def test_audio_that_comes_changes_and_goes_asks_for_a_scan(root: Path) -> None:
    asked = Asked()
    (root / "music").mkdir()
    async with watching([root], asked):
        (root / "music/a.mp3").write_bytes(b"1")
        await asked.once_more()
        (root / "music/a.mp3").unlink()
        await asked.once_more()
        (root / "cover.jpg").write_bytes(b"1")
        await asked.once_more()


async def test_other_files_ask_for_nothing(root: Path) -> None:
    asked = Asked()
    async with watching([root], asked):
        (root / "notes.txt").write_bytes(b"1")
        (root / ".a.mp3.part").write_bytes(b"1")
        await asyncio.sleep(0.6)
    assert asked.times == 0


async def test_a_root_that_comes_and_goes_is_noticed(tmp_path: Path) -> None:
    asked = Asked()
    later = tmp_path / "later"
    async with watching([later, tmp_path / "never"], asked):
        later.mkdir()
        await asked.once_more()
        await asyncio.sleep(0.3)
        (later / "a.mp3").write_bytes(b"1")
        await asked.once_more()
        later.rename(tmp_path / "gone")
        await asked.once_more()
        (tmp_path / "gone").rename(later)
        await asked.once_more()


async def test_a_watcher_can_be_cancelled(root: Path) -> None:
    task = asyncio.create_task(Watcher([root], Asked(), poll_s=0.1).run(asyncio.Event()))
    await asyncio.sleep(0.2)
    task.cancel()
    (result,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 5)
    assert isinstance(result, asyncio.CancelledError)
