"""What a station shows when a command changes its log."""

from __future__ import annotations

from station_doubles import NOON, LogOfRows, Studio, on_the_desk, row, settle

from radio.events import RowCued, RowEnded, RowStarted
from radio.log import Outcome
from radio.units import DurationMs, UtcMs


async def test_a_row_that_ends_sooner_and_what_comes_then_are_shown_at_once() -> None:
    log = LogOfRows([row(0), row(1), row(2)])
    studio = Studio(log, next_shows="item")
    async with on_the_desk(studio):
        studio.service.on_event(RowCued(log.rows[0], UtcMs(NOON)))
        studio.service.on_event(RowStarted(log.rows[0], UtcMs(NOON)))
        await settle()
        assert studio.state["next"][0]["starts_at_ms"] == NOON + 30_000
        log.rows = [
            row(0, ends_at_ms=NOON + 9_000),
            row(1, starts_at_ms=NOON + 9_000, ends_at_ms=NOON + 39_000),
        ]
        studio.service.log_changed()
        assert (studio.shown, studio.state["now"]["ends_at_ms"]) == ("row-0", NOON + 9_000)
        assert [(each["id"], each["starts_at_ms"]) for each in studio.state["next"]] == [
            ("row-1", NOON + 9_000)
        ]


async def test_a_row_that_is_ended_before_it_is_heard_is_shown_as_short_as_it_is() -> None:
    whole, log = row(0), LogOfRows([row(0, ends_at_ms=NOON + 2_000)])
    studio = Studio(log)
    async with on_the_desk(studio):
        studio.service.on_event(RowStarted(whole, UtcMs(NOON)))
        await settle()
        assert studio.state["now"]["ends_at_ms"] == NOON + 2_000
        assert studio.state["now"]["duration_ms"] == 2_000


async def test_a_row_that_was_skipped_before_its_first_sample_is_never_shown() -> None:
    studio = Studio(LogOfRows([row(0)]))
    async with on_the_desk(studio):
        studio.service.on_event(RowCued(row(1), UtcMs(NOON)))
        studio.service.on_event(
            RowEnded(row(1), UtcMs(NOON), DurationMs(0), Outcome.SKIPPED, "skipped by the desk")
        )
        await settle()
        assert studio.shown is None
        assert [type(event) for event in studio.notebook.events] == [RowCued, RowEnded]
