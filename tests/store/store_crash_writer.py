"""Run by test_store_crash.py: writes rows and prints each one's number once it is acknowledged."""

from __future__ import annotations

import asyncio
import sys

from radio.log import ItemKind, LogRow
from radio.store import Store, as_run

NOON = 1_800_000_000_000


def row(number: int) -> LogRow:
    starts = NOON + number * 30_000
    return LogRow(
        id=f"row-{number}",
        station="harbor",
        starts_at_ms=starts,
        ends_at_ms=starts + 30_000,
        kind=ItemKind.MUSIC,
        title=f"Piece {number}",
        reason="rotation",
        item=f"item-{number}",
    )


async def main(url: str) -> None:
    async with Store.open(url) as store:
        for number in range(100_000):
            planned = row(number)
            await store.write(as_run.intent, planned, 1, planned.starts_at_ms)
            await store.write(as_run.start, planned.id, 1, planned.starts_at_ms)
            await store.write(as_run.checkpoint, planned.id, 1, planned.starts_at_ms + 1000, 1000)
            sys.stdout.write(f"acknowledged {number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
