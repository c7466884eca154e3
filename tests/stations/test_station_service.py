from __future__ import annotations

import asyncio
from typing import Any

import pytest
from station_doubles import NOON, LogOfRows, Studio, airing, on_the_desk, row, settle

from radio.config import SoundConfig
from radio.events import FallbackStarted, RowCued, RowEnded, RowStarted
from radio.log import LogRow, Outcome
from radio.units import DurationMs, UtcMs


def started(row: LogRow, at_ms: int | None = None) -> RowStarted:
    return RowStarted(row, UtcMs(row.starts_at_ms if at_ms is None else at_ms))


def ended(row: LogRow, outcome: Outcome = Outcome.AIRED) -> RowEnded:
    return RowEnded(row, row.ends_at_ms, row.duration_ms, outcome, "as planned")


async def test_a_station_is_published_at_once_as_starting() -> None:
    studio = Studio()
    (station, state, at_ms), *more = studio.published
    assert (station, at_ms, more) == ("wxyz", NOON, [])
    assert state["availability"] == {"status": "starting", "since_ms": NOON, "reason": None}
    assert state == studio.state


async def test_a_row_is_shown_at_the_moment_it_is_heard_and_not_before() -> None:
    studio = Studio()
    coming = row(0, starts_at_ms=NOON + 5_000)
    async with on_the_desk(studio):
        studio.service.on_event(RowCued(coming, NOON))
        studio.service.on_event(started(coming))
        await studio.pass_time(4.75)
        studio.clock.advance(0.249)
        await settle()
        assert studio.shown is None
        assert [type(event) for event in studio.notebook.events] == [RowCued]
        before = len(studio.published)
        studio.clock.advance(0.001)
        await settle()
        assert studio.shown == "row-0"
        assert [at_ms for _, _, at_ms in studio.published[before:]] == [NOON + 5_000]
        assert [type(event) for event in studio.notebook.events] == [RowCued, RowStarted]


async def test_one_row_follows_the_other_without_a_moment_of_nothing() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        for number in range(3):
            studio.service.on_event(started(row(number)))
            studio.service.on_event(ended(row(number)))
        await studio.pass_time(85)
    shown = [state["now"] and state["now"]["id"] for _, state, _ in studio.published]
    course = [name for index, name in enumerate(shown) if not index or name != shown[index - 1]]
    assert course == [None, "row-0", "row-1", "row-2"]
    moments = {state["now"]["id"]: at_ms for _, state, at_ms in reversed(studio.published) if state["now"]}
    assert moments == {f"row-{number}": row(number).starts_at_ms for number in range(3)}


async def test_a_hole_in_the_log_clears_what_is_shown() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(ended(row(0)))
        await studio.pass_time(30)
        assert studio.shown == "row-0"
        await studio.pass_time(3)
        assert studio.shown is None
        assert studio.state["now"] is None


async def test_next_by_item_moves_on_with_the_row() -> None:
    log = LogOfRows([row(number) for number in range(10)])
    studio = Studio(log, next_shows="item")
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(started(row(1)))
        await settle()
        assert [entry["id"] for entry in studio.state["next"]] == [f"row-{n}" for n in range(1, 6)]
        await studio.pass_time(30)
        assert [entry["id"] for entry in studio.state["next"]] == [f"row-{n}" for n in range(2, 7)]


async def test_an_edit_of_the_log_is_published_at_once() -> None:
    log = LogOfRows([row(0), row(1)])
    studio = Studio(log, next_shows="item")
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        await settle()
        log.rows[1] = row(1, id="row-1b", title="Another piece")
        before = len(studio.published)
        studio.service.log_changed()
        assert [state["next"][0]["title"] for _, state, _ in studio.published[before:]] == ["Another piece"]
        assert studio.shown == "row-0"
        studio.service.log_changed()
        assert len(studio.published) == before + 1


async def test_the_programme_changes_when_the_clock_says_so() -> None:
    log = LogOfRows(airings=[airing(0, ends_at_ms=NOON + 10_000), airing(1, starts_at_ms=NOON + 10_000)])
    studio = Studio(log)
    async with on_the_desk(studio):
        assert studio.state["programme"]["id"] == "programme-0"
        assert studio.state["next"][0]["id"] == "programme-1"
        await studio.pass_time(11)
        assert studio.state["programme"]["id"] == "programme-1"
        assert (studio.state["next_programme"], studio.state["next"]) == (None, [])


async def test_the_first_pulse_puts_the_station_on_the_air() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.clock.advance(0.3)
        await settle()
        studio.pulse()
        assert studio.state["availability"] == {
            "status": "on_air",
            "since_ms": NOON + 300,
            "reason": None,
        }


async def test_a_fallback_degrades_the_station_with_its_reason_and_is_over_with_the_next_sound() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.pulse()
        studio.service.on_event(started(row(0)))
        studio.service.on_event(FallbackStarted(row(0), NOON, "a.wav: it is no sound file"))
        studio.pulse(on_bed=True)
        await studio.pass_time(1, pulses=False)
        availability = studio.state["availability"]
        assert (availability["status"], studio.state["source"]) == ("degraded", "fallback")
        assert availability["reason"] == "Piece 0 cannot be played: a.wav: it is no sound file."
        assert studio.shown == "row-0"
        studio.pulse()
        assert studio.state["availability"]["status"] == "on_air"
        assert studio.state["availability"]["since_ms"] == studio.clock.now_ms()
        studio.pulse(on_bed=True)
        await studio.pass_time(1, pulses=False)
        assert studio.state["availability"]["reason"] == "Nothing can be played; the bed stands in."


async def test_a_row_without_a_title_falls_back_with_a_whole_sentence() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(FallbackStarted(row(0, title=""), NOON, "gone."))
        studio.pulse(on_bed=True)
    assert studio.state["availability"]["reason"] == "An item cannot be played: gone."


async def test_silence_is_told_after_the_stations_own_time() -> None:
    studio = Studio(sound=SoundConfig(silence_after_s=4))
    async with on_the_desk(studio):
        studio.pulse()
        studio.pulse(silent_ms=3_999)
        await studio.pass_time(1, pulses=False)
        assert studio.state["availability"]["status"] == "on_air"
        studio.pulse(silent_ms=4_000)
        await studio.pass_time(1, pulses=False)
        assert studio.state["availability"]["status"] == "silent"
        studio.pulse()
        assert studio.state["availability"]["status"] == "on_air"


async def test_without_a_pulse_the_station_is_off_the_air_after_three_seconds() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.pulse()
        await studio.pass_time(3, pulses=False)
        assert studio.state["availability"]["status"] == "on_air"
        await studio.pass_time(1.25, pulses=False)
        assert studio.state["availability"]["status"] == "off_air"
        assert studio.state["availability"]["reason"] == "The stream has stopped."
        studio.pulse()
        assert studio.state["availability"]["status"] == "on_air"


async def test_a_station_that_never_sounds_is_off_the_air_after_fifteen_seconds() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        await studio.pass_time(15, pulses=False)
        assert studio.state["availability"]["status"] == "starting"
        await studio.pass_time(1.25, pulses=False)
        assert studio.state["availability"]["status"] == "off_air"


async def test_a_station_that_is_switched_off_says_so() -> None:
    studio = Studio(enabled=False)
    async with on_the_desk(studio):
        await studio.pass_time(30, pulses=False)
        assert len(studio.published) == 1
        assert studio.state["availability"]["status"] == "off_air"
        assert "switched off" in studio.state["availability"]["reason"]


async def test_nothing_is_published_when_nothing_changed() -> None:
    studio = Studio(LogOfRows([row(0, ends_at_ms=NOON + 600_000)], [airing(0)]))
    async with on_the_desk(studio):
        studio.pulse()
        studio.service.on_event(started(row(0, ends_at_ms=NOON + 600_000)))
        await settle()
        before = len(studio.published)
        await studio.pass_time(60)
        assert len(studio.published) == before


async def test_listeners_are_counted_every_five_seconds_and_published_when_they_change() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.pulse()
        before = len(studio.published)
        for second in range(10):
            studio.listeners = second // 5 * 40 + 2
            await studio.pass_time(1)
        assert [state["listeners"]["current"] for _, state, _ in studio.published[before:]] == [2, 42]


async def test_checkpoints_say_each_second_how_much_was_heard() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0), NOON + 2_000))
        await studio.pass_time(5)
    assert [(each, played) for each, _, played in studio.notebook.checkpoints][-3:] == [
        ("row-0", 1_000),
        ("row-0", 2_000),
        ("row-0", 3_000),
    ]


async def test_signing_off_writes_a_truncated_end_with_what_was_heard() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        # what playout has made ahead of the clock, and nobody will hear
        studio.service.on_event(
            RowEnded(row(0), UtcMs(NOON + 12_000), DurationMs(12_000), Outcome.TRUNCATED, "the engine closed")
        )
        await studio.pass_time(7)
    assert studio.notebook.events[-1] == RowEnded(
        row(0), UtcMs(NOON + 7_000), DurationMs(7_000), Outcome.TRUNCATED, "the station stopped"
    )
    assert len([event for event in studio.notebook.events if isinstance(event, RowEnded)]) == 1
    assert len(asyncio.all_tasks()) == 1


async def test_the_bed_in_place_of_a_row_is_not_claimed_as_the_rows_sound() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(FallbackStarted(row(0), UtcMs(NOON + 3_000), "damaged"))
        await studio.pass_time(7)
    assert [played for _, _, played in studio.notebook.checkpoints] == [
        1_000, 2_000, 3_000, 3_000, 3_000, 3_000, 3_000
    ]  # fmt: skip
    end = studio.notebook.events[-1]
    assert isinstance(end, RowEnded)
    assert (end.played_ms, end.outcome, end.cause) == (3_000, Outcome.TRUNCATED, "damaged")


async def test_a_row_that_never_sounded_is_signed_off_as_missed() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(FallbackStarted(row(0), row(0).starts_at_ms, "gone"))
        await studio.pass_time(2)
    end = studio.notebook.events[-1]
    assert isinstance(end, RowEnded)
    assert (end.played_ms, end.outcome, end.cause) == (0, Outcome.MISSED, "gone")


async def test_signing_off_with_nothing_on_the_air_writes_nothing() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        await studio.pass_time(2)
    assert studio.notebook.events == []


async def test_a_row_that_ended_on_time_is_not_ended_again_by_signing_off() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(ended(row(0)))
        await studio.pass_time(30.5)
    ends = [event for event in studio.notebook.events if isinstance(event, RowEnded)]
    assert ends == [ended(row(0))]


async def test_a_failing_recorder_harms_nothing() -> None:
    studio = Studio()
    studio.notebook.broken = True
    async with on_the_desk(studio):
        studio.service.on_event(RowCued(row(0), NOON))
        for number in range(2):
            studio.service.on_event(started(row(number)))
            studio.service.on_event(ended(row(number)))
        await studio.pass_time(2)
        assert (studio.shown, studio.state["availability"]["status"]) == ("row-0", "on_air")
        await studio.pass_time(30)
        assert studio.shown == "row-1"
        await studio.pass_time(6, pulses=False)
        assert studio.state["availability"]["status"] == "off_air"
    studio.notebook.broken = False


async def test_a_log_that_cannot_be_read_once_does_not_stop_the_ticks() -> None:
    class Fragile(LogOfRows):
        def __init__(self) -> None:
            super().__init__()
            self.faults = 0

        def programmes(self, at_ms: int) -> Any:
            if self.faults:
                self.faults -= 1
                raise RuntimeError("unforeseen")
            return super().programmes(at_ms)

    log = Fragile()
    studio = Studio(log)
    async with on_the_desk(studio):
        studio.pulse()
        log.faults = 2
        await studio.pass_time(3)
        assert log.faults == 0
        await studio.pass_time(5, pulses=False)
        assert studio.state["availability"]["status"] == "off_air"


async def test_publishing_that_fails_is_made_good_by_the_next_tick() -> None:
    studio = Studio()
    seen: list[dict[str, Any]] = []
    faults: list[Exception] = []

    def publish(station: str, state: dict[str, Any], at_ms: UtcMs) -> None:
        if faults:
            raise faults.pop()
        seen.append(state)

    studio.service._publish = publish
    async with on_the_desk(studio):
        studio.pulse()
        await studio.pass_time(1)
        before = len(seen)
        faults.append(RuntimeError("the hub is full"))
        studio.service.on_event(started(row(0)))
        await settle()
        assert not faults
        assert len(seen) == before
        await studio.pass_time(2)
    assert [state["now"]["id"] for state in seen[before:]] == ["row-0"]


async def test_a_wall_clock_that_steps_back_neither_holds_rows_up_nor_takes_back_what_was_heard() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(started(row(1)))
        await studio.pass_time(10)
        studio.clock.step_wall(-60)
        await studio.pass_time(5)
        assert studio.shown == "row-0"
        played = [played for _, _, played in studio.notebook.checkpoints]
        assert played[-1] == max(played) >= 10_000
        await studio.pass_time(16)
        assert studio.shown == "row-1"


async def test_what_was_cued_and_not_heard_is_withdrawn_at_a_clean_stop() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        for number in (0, 1):
            studio.service.on_event(RowCued(row(number), UtcMs(NOON)))
            studio.service.on_event(started(row(number)))
        await studio.pass_time(28)
    assert studio.notebook.withdrawn == [("row-1", NOON + 28_000)]
    assert isinstance(studio.notebook.events[-1], RowEnded)


async def test_what_was_cued_and_passed_over_is_withdrawn_when_its_time_is_over() -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(RowCued(row(0), UtcMs(NOON)))
        studio.service.on_event(RowCued(row(1), UtcMs(NOON)))
        studio.service.on_event(started(row(1)))
        await studio.pass_time(29)
        assert studio.notebook.withdrawn == []
        await studio.pass_time(2)
        assert studio.notebook.withdrawn == [("row-0", NOON + 30_000)]


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_every_outcome_is_counted_and_recorded(outcome: Outcome) -> None:
    studio = Studio()
    async with on_the_desk(studio):
        studio.service.on_event(started(row(0)))
        studio.service.on_event(ended(row(0), outcome))
        await studio.pass_time(31)
        assert studio.notebook.events[1] == ended(row(0), outcome)
        counted = studio.service._metrics.rows_ended.labels("wxyz", str(outcome))._value.get()
        assert counted == 1
