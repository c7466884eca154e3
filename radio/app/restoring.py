"""What a running service still knows is written into a database file that was taken into use meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from sqlalchemy import Connection, func, select

from radio.app.housekeeping import Housekeeping
from radio.app.parts import Parts
from radio.library import catalog
from radio.library.catalog import Batch
from radio.schedule.persistence import replace_stored
from radio.store import tables


def keep_what_is_known(parts: Parts, housekeeping: Housekeeping) -> None:
    """See to it that a database that is restored or begun anew has the library and the logs that are in force.

    Otherwise the stations would be left with an empty library for as long as a scan takes. Older as-run files are
    taken in afterwards, beside the sound.
    """
    loop = asyncio.get_running_loop()

    def restore(conn: Connection) -> None:
        if conn.execute(select(func.count()).select_from(tables.items)).scalar() == 0:
            catalog.apply(conn, Batch(items=list(parts.library.current)))
        for station in parts.station_ids:
            log, now_ms = parts.planner.log(station), parts.clock.now_ms()
            on_air = log.peek(now_ms)
            from_ms = on_air.starts_at_ms if on_air else now_ms
            replace_stored(conn, log, from_ms, parts.planner.revision(station))

    def restored() -> None:
        with suppress(RuntimeError):  # the loop is closing
            loop.call_soon_threadsafe(
                lambda: housekeeping.background(parts.recorder.take_in_all(parts.station_ids))
            )

    parts.store.restorers.append(restore)
    parts.store.on_restored = restored
