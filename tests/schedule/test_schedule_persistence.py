from __future__ import annotations

from pathlib import Path

from schedule_doubles import DAY_MS, HOUR_MS, inputs, music_library, utc_ms

from radio.log import Outcome
from radio.schedule import StoredLogs, compile_log
from radio.schedule.laying import Gone
from radio.schedule.remains import Remains
from radio.store import Store, as_run, sqlite_url
from radio.units import DurationMs, UtcMs

NOW = utc_ms("2026-11-23 14:20")


async def test_the_database_keeps_rows_revisions_and_what_was_heard(tmp_path: Path) -> None:
    rows = compile_log(inputs(music_library()), NOW, NOW + 2 * HOUR_MS)
    async with Store.open(sqlite_url(tmp_path / "radio.db")) as store:
        logs = StoredLogs(store)
        assert await logs.revision("wxyz") is None
        await logs.replace_from("wxyz", NOW, rows, "r1", Remains())
        assert await logs.remains("wxyz") == Remains()
        later = rows[5].starts_at_ms
        known = Remains(
            told=(Gone(rows[0], Outcome.SKIPPED, "taken out by the desk"),),
            displaced=(Gone(rows[7], Outcome.MISSED, "no room"),),
            beneath=tuple(rows[5:7]),
            ends={"talk@2026-11-23T09:00": (UtcMs(NOW), later)},
        )
        await logs.replace_from("wxyz", later, rows[5:], "r2", known)
        assert await logs.load("wxyz", NOW, UtcMs(NOW + DAY_MS)) == rows
        assert await logs.revision("wxyz") == "r2"
        assert await logs.remains("wxyz") == known
        assert await logs.remains("other") == Remains()
        first = next(row for row in rows if row.item)
        await store.write(as_run.intent, first, 1, first.starts_at_ms)
        await store.write(as_run.start, first.id, 1, first.starts_at_ms, station="wxyz")
        await store.write(
            as_run.end,
            first.id,
            1,
            first.ends_at_ms,
            DurationMs(9),
            Outcome.AIRED,
            "as planned",
            station="wxyz",
        )
        (play,) = await logs.plays("wxyz", NOW)
        assert (play.item, play.started_ms) == (first.item, first.starts_at_ms)
        assert (play.title, play.artist, play.category) == (first.title, first.artist, first.category)
        await logs.prune(later)
        assert await logs.load("wxyz", NOW, UtcMs(NOW + DAY_MS)) == rows[5:]
