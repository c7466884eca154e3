from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import radio
from radio.log import Outcome
from radio.store import as_run

NOON = 1_800_000_000_000
WRITER = Path(__file__).with_name("store_crash_writer.py")
PATHS = os.environ | {"PYTHONPATH": str(Path(radio.__file__).parents[1])}


async def written_until_killed(url: str, at_least: int) -> list[int]:
    """The numbers that the process acknowledged before SIGKILL ended it in the middle of its work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WRITER), url, env=PATHS, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        seen = [await asyncio.wait_for(process.stdout.readline(), 30) for _ in range(at_least)]
    finally:
        process.kill()
    rest = await process.stdout.read()
    assert await process.wait() == -9
    # The last line may be cut: its number was then not acknowledged in full.
    whole = (b"".join(seen) + rest).rpartition(b"\n")[0]
    return [int(line.split()[1]) for line in whole.splitlines() if line.startswith(b"acknowledged")]


async def test_what_was_acknowledged_outlives_kill_9_and_is_closed_as_truncated(database, open_store):
    acknowledged = await written_until_killed(database, 40)
    assert len(acknowledged) >= 39
    async with open_store(database) as store:
        if database.startswith("sqlite"):
            check = await store.read(lambda conn: conn.exec_driver_sql("PRAGMA integrity_check").scalar())
            assert check == "ok"
        closed = await store.write(as_run.close_unfinished, "harbor", NOON + 10**10)
        assert len(closed) >= len(acknowledged)
        history = {entry.row.id: entry for entry in await store.read(as_run.history, "harbor", limit=500)}
    for number in acknowledged[-400:]:
        entry = history[f"row-{number}"]
        assert (entry.played_ms, entry.outcome, entry.cause) == (1000, Outcome.TRUNCATED, "crash")
