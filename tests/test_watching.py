from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from watchfiles import Change

from radio.watching import watch_folders


def anything(_: Change, __: str) -> bool:
    return True


def watchers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("watch")]


async def until_no_watchers() -> None:
    for _ in range(100):
        if not watchers():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(watchers())


async def test_one_burst_of_changes_is_told_once_and_only_if_wanted(tmp_path: Path) -> None:
    told = asyncio.Queue[None]()
    stop = asyncio.Event()

    async def changed() -> None:
        told.put_nowait(None)

    def wanted(_: Change, path: str) -> bool:
        return path.endswith(".toml")

    watching = asyncio.create_task(watch_folders([tmp_path], changed, stop, wanted=wanted, debounce_ms=100))
    await asyncio.sleep(0.3)
    (tmp_path / "notes.txt").write_text("1")
    (tmp_path / "one.toml").write_text("1")
    (tmp_path / "two.toml").write_text("1")
    await asyncio.wait_for(told.get(), 5)
    stop.set()
    await asyncio.wait_for(watching, 5)
    assert told.empty()
    await until_no_watchers()


async def test_what_the_callback_raises_ends_the_watching_and_its_thread(tmp_path: Path) -> None:
    async def changed() -> None:
        raise LookupError

    watching = asyncio.create_task(
        watch_folders([tmp_path], changed, asyncio.Event(), wanted=anything, debounce_ms=100)
    )
    await asyncio.sleep(0.3)
    (tmp_path / "one.toml").write_text("1")
    with pytest.raises(LookupError):
        await asyncio.wait_for(watching, 5)
    await until_no_watchers()


async def test_a_cancelled_watch_leaves_no_thread(tmp_path: Path) -> None:
    async def changed() -> None: ...

    watching = asyncio.create_task(
        watch_folders([tmp_path], changed, asyncio.Event(), wanted=anything, debounce_ms=100)
    )
    await asyncio.sleep(0.2)
    assert watchers()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    await until_no_watchers()


async def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    async def changed() -> None: ...

    watching = watch_folders(
        [tmp_path / "never"], changed, asyncio.Event(), wanted=anything, debounce_ms=100, deep=False
    )
    with pytest.raises(OSError, match="never"):
        await asyncio.wait_for(watching, 5)
