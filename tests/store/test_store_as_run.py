from __future__ import annotations

import pytest
from sqlalchemy import update

from radio.errors import InvalidRequest, StoreError
from radio.log import ItemKind, Outcome
from radio.store import as_run, tables

NOON = 1_800_000_000_000


async def cue_and_start(store, row, attempt: int = 1) -> None:
    await store.write(as_run.intent, row, attempt, row.starts_at_ms - 10_000)
    await store.write(as_run.start, row.id, attempt, row.starts_at_ms)


async def air(store, row, attempt: int = 1, outcome: Outcome = Outcome.AIRED) -> bool:
    await cue_and_start(store, row, attempt)
    return await store.write(
        as_run.end, row.id, attempt, row.ends_at_ms, row.duration_ms, outcome, "played to its end"
    )


async def test_an_attempt_is_followed_from_cue_to_end(store, make_row, sponsor_message):
    row = make_row(kind=ItemKind.SPONSOR, sponsor=sponsor_message, gain_db=-3.25, legal_id=True)

    await store.write(as_run.intent, row, 1, NOON - 9_000)
    [cued] = await store.read(as_run.history, "harbor")
    assert cued == as_run.Aired(row, 1, NOON - 9_000, None, None, 0, None, "")
    assert cued.at_ms == NOON - 9_000

    await store.write(as_run.start, row.id, 1, NOON + 40)
    await store.write(as_run.checkpoint, row.id, 1, NOON + 5_040, 5_000)
    [playing] = await store.read(as_run.history, "harbor")
    assert playing == as_run.Aired(row, 1, NOON - 9_000, NOON + 40, None, 5_000, None, "")
    assert playing.at_ms == NOON + 40

    assert await store.write(as_run.end, row.id, 1, NOON + 30_040, 30_000, Outcome.AIRED, "end of file")
    [aired] = await store.read(as_run.history, "harbor")
    assert aired == as_run.Aired(
        row, 1, NOON - 9_000, NOON + 40, NOON + 30_040, 30_000, Outcome.AIRED, "end of file"
    )


async def test_an_attempt_ends_once(store, make_row):
    await air(store, make_row())
    before = await store.read(as_run.history, "harbor")
    assert not await store.write(as_run.end, "row-0", 1, NOON + 99_000, 1, Outcome.SKIPPED, "too late")
    assert not await store.write(as_run.checkpoint, "row-0", 1, NOON + 99_000, 2)
    assert not await store.write(as_run.start, "row-0", 1, NOON + 99_000)
    assert await store.read(as_run.history, "harbor") == before


async def test_a_row_counts_once_however_often_it_is_played(store, make_row):
    row = make_row()
    assert await air(store, row, 1, Outcome.TRUNCATED)
    assert not await air(store, row, 2, Outcome.AIRED)
    second, first = await store.read(as_run.history, "harbor")
    assert (first.attempt, first.outcome) == (1, Outcome.TRUNCATED)
    assert (second.attempt, second.outcome, second.played_ms) == (2, None, 30_000)
    assert second.ended_at_ms == row.ends_at_ms
    assert second.cause == "played to its end; aired, but another attempt counts"


async def test_the_database_itself_refuses_to_count_a_row_twice(store, make_row):
    row = make_row()
    await air(store, row, 1)
    await cue_and_start(store, row, 2)
    force = update(tables.as_run).values(outcome="late").where(tables.as_run.c.attempt == 2)
    with pytest.raises(StoreError, match="refused"):
        await store.write(lambda conn: conn.execute(force).rowcount)


async def test_missed_and_skipped_attempts_do_not_keep_a_row_from_counting(store, make_row):
    row = make_row()
    assert await air(store, row, 1, Outcome.MISSED)
    assert await air(store, row, 2, Outcome.SKIPPED)
    assert await air(store, row, 3, Outcome.LATE)
    history = await store.read(as_run.history, "harbor")
    assert [entry.outcome for entry in history] == [Outcome.LATE, Outcome.SKIPPED, Outcome.MISSED]


async def test_an_intent_may_be_repeated_until_the_row_starts(store, make_row):
    await store.write(as_run.intent, make_row(), 1, NOON - 20_000)
    await store.write(as_run.intent, make_row(title="Piece, new take"), 1, NOON - 5_000)
    [entry] = await store.read(as_run.history, "harbor")
    assert (entry.row.title, entry.cued_at_ms) == ("Piece, new take", NOON - 5_000)
    await store.write(as_run.start, "row-0", 1, NOON)
    with pytest.raises(StoreError, match="on the air already"):
        await store.write(as_run.intent, make_row(), 1, NOON + 1)


async def test_the_next_attempt_follows_those_that_started_or_ended(store, make_row):
    assert await store.read(as_run.next_attempt, "harbor", "row-0") == 1
    await store.write(as_run.intent, make_row(), 1, NOON)
    assert await store.read(as_run.next_attempt, "harbor", "row-0") == 1
    await store.write(as_run.start, "row-0", 1, NOON)
    assert await store.read(as_run.next_attempt, "harbor", "row-0") == 2
    assert await store.read(as_run.next_attempt, "island", "row-0") == 1


async def test_nothing_goes_on_the_air_without_an_intent(store):
    steps = [
        (as_run.start, "row-0", 1, NOON),
        (as_run.checkpoint, "row-0", 1, NOON, 5),
        (as_run.end, "row-0", 1, NOON, 5, Outcome.AIRED, "end of file"),
    ]
    for step in steps:
        with pytest.raises(StoreError, match="never written down"):
            await store.write(*step)
    assert await store.read(as_run.history, "harbor") == []


async def test_two_stations_may_use_one_row_id_when_they_are_named(store, make_row):
    ours, theirs = make_row(), make_row(station="island")
    for row in (ours, theirs):
        await store.write(as_run.intent, row, 1, NOON)
    with pytest.raises(StoreError, match="the station must be named"):
        await store.write(as_run.start, "row-0", 1, NOON)
    for row in (ours, theirs):
        await store.write(as_run.start, row.id, 1, NOON, station=row.station)
        await store.write(as_run.end, row.id, 1, NOON + 9, 9, Outcome.AIRED, "", station=row.station)
    for station in ("harbor", "island"):
        [entry] = await store.read(as_run.history, station)
        assert (entry.row.station, entry.outcome) == (station, Outcome.AIRED)


async def test_a_crash_closes_what_was_on_the_air_at_its_last_checkpoint(store, make_row):
    await air(store, make_row(0))
    await cue_and_start(store, make_row(1))
    await store.write(as_run.checkpoint, "row-1", 1, NOON + 42_000, 12_000)
    await store.write(as_run.intent, make_row(2), 1, NOON + 50_000)
    await store.write(as_run.intent, make_row(9), 1, NOON + 50_000)
    await cue_and_start(store, make_row(1, id="elsewhere", station="island"))

    closed = await store.write(as_run.close_unfinished, "harbor", NOON + 95_000)
    assert [entry.row.id for entry in closed] == ["row-1", "row-2"]
    history = {entry.row.id: entry for entry in await store.read(as_run.history, "harbor")}
    on_air, cued, ahead = history["row-1"], history["row-2"], history["row-9"]
    assert (on_air.outcome, on_air.cause) == (Outcome.TRUNCATED, "crash")
    assert (on_air.played_ms, on_air.ended_at_ms) == (12_000, NOON + 42_000)
    assert (cued.outcome, cued.cause, cued.started_at_ms) == (Outcome.MISSED, "crash", None)
    assert (ahead.outcome, ahead.ended_at_ms) == (None, None)
    assert history["row-0"].outcome is Outcome.AIRED
    [elsewhere] = await store.read(as_run.history, "island")
    assert elsewhere.ended_at_ms is None
    assert await store.write(as_run.close_unfinished, "harbor", NOON + 96_000) == []


async def test_a_crash_of_a_second_attempt_does_not_count_again(store, make_row):
    await air(store, make_row(), 1, Outcome.TRUNCATED)
    await cue_and_start(store, make_row(), 2)
    assert len(await store.write(as_run.close_unfinished, "harbor", NOON + 60_000)) == 1
    second, first = await store.read(as_run.history, "harbor")
    assert (first.outcome, second.outcome) == (Outcome.TRUNCATED, None)
    assert second.cause == "crash; truncated, but another attempt counts"


async def test_history_is_read_in_pages_newest_first(store, make_row):
    for number in range(7):
        await air(store, make_row(number))
    first = await store.read(as_run.history, "harbor", limit=3)
    second = await store.read(as_run.history, "harbor", limit=3, before_ms=first[-1].at_ms)
    third = await store.read(as_run.history, "harbor", limit=3, before_ms=second[-1].at_ms)
    assert [entry.row.id for entry in first + second + third] == [f"row-{n}" for n in range(6, -1, -1)]
    assert await store.read(as_run.history, "island") == []


async def test_a_page_of_what_was_heard_is_full_however_much_was_only_cued(store, make_row):
    for number in range(4):
        await air(store, make_row(number))
        await store.write(
            as_run.intent, make_row(number, id=f"cued-{number}"), 1, NOON + number * 30_000 + 10
        )
    heard = await store.read(as_run.history, "harbor", limit=3, started_only=True)
    assert [entry.row.id for entry in heard] == ["row-3", "row-2", "row-1"]


async def test_an_intent_that_was_never_started_can_be_withdrawn_and_nothing_else(store, make_row):
    await store.write(as_run.intent, make_row(0), 1, NOON)
    assert await store.write(as_run.withdraw, "row-0", 1, station="harbor")
    assert not await store.write(as_run.withdraw, "row-0", 1, station="harbor")
    await cue_and_start(store, make_row(1))
    assert not await store.write(as_run.withdraw, "row-1", 1, station="harbor")
    assert [entry.row.id for entry in await store.read(as_run.history, "harbor")] == ["row-1"]


async def test_what_was_on_the_air_at_the_end_is_known_and_only_that(store, make_row):
    async def interrupted():
        return await store.read(as_run.interrupted, "harbor", NOON)

    assert await interrupted() is None
    await air(store, make_row(0))
    assert await interrupted() is None
    await cue_and_start(store, make_row(1))
    await store.write(as_run.checkpoint, "row-1", 1, NOON + 42_000, 12_000)
    await store.write(as_run.close_unfinished, "harbor", NOON + 45_000)
    found = await interrupted()
    assert (found.row.id, found.played_ms, found.ended_at_ms) == ("row-1", 12_000, NOON + 42_000)
    assert await store.read(as_run.interrupted, "harbor", NOON + 42_001) is None
    assert await store.read(as_run.interrupted, "island", NOON) is None


async def test_a_clock_that_is_set_back_an_hour_counts_nothing_twice_and_keeps_history_in_order(
    store, make_row
):
    """The same hour comes again: every row of it is played a second time, at the moments of the first."""
    for number in range(4):
        await air(store, make_row(number), 1)
    for number in range(4):
        assert await store.write(as_run.next_attempt, "harbor", f"row-{number}") == 2
        assert not await air(store, make_row(number), 2)
    history = await store.read(as_run.history, "harbor")
    moments = [entry.at_ms for entry in history]
    assert moments == sorted(moments, reverse=True)
    assert [(entry.row.id, entry.attempt) for entry in history[:4]] == [
        ("row-3", 2), ("row-3", 1), ("row-2", 2), ("row-2", 1)
    ]  # fmt: skip
    assert [entry.row.id for entry in history if entry.outcome] == ["row-3", "row-2", "row-1", "row-0"]
    assert len(await store.read(as_run.last_played, "harbor", NOON)) == 8


async def test_a_page_has_a_limit(store):
    for limit in (0, -1, 501):
        with pytest.raises(InvalidRequest, match="1 to 500"):
            await store.read(as_run.history, "harbor", limit=limit)
    assert await store.read(as_run.history, "harbor", limit=500) == []


async def test_last_played_lists_items_that_were_heard_oldest_first(store, make_row):
    for number in range(3):
        await air(store, make_row(number))
    await store.write(as_run.intent, make_row(3), 1, NOON)
    await air(store, make_row(4, item=None, title="Bed"))
    await air(store, make_row(5, station="island"))
    played = await store.read(as_run.last_played, "harbor", NOON + 30_000)
    assert played == [
        ("item-1", "strings", NOON + 30_000, "The Quartet", "Piece 1"),
        ("item-2", "strings", NOON + 60_000, "The Quartet", "Piece 2"),
    ]
