from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import msgspec
import pytest
from schedule_doubles import utc_ms, written
from test_moves import BY, a_row, at, log_of, shown

from radio.errors import InvalidRequest, NotFound
from radio.log import Anchor, ItemKind, LogRow, Outcome, first_fault
from radio.schedule.airings import airings
from radio.schedule.clocks import filled_with
from radio.schedule.emergencies import LONGEST_EMERGENCY_MS, emergency
from radio.schedule.laying import is_emergency
from radio.schedule.moves import held, inserted, resumed, skipped
from radio.schedule.overruns import ended, extended, with_ends
from radio.schedule.rearranging import moved_to, removed
from radio.schedule.timetable import timetable
from radio.sponsors import SponsorBook
from radio.units import DurationMs, UtcMs

HARD, SOFT = Anchor.HARD, Anchor.SOFT


def soft(rows: list[LogRow], id_: str, window_ms: int) -> list[LogRow]:
    """``rows``, of which one starts softly, within that window."""
    return changed(rows, id_, anchor=SOFT, anchor_window_ms=DurationMs(window_ms))


def changed(rows: list[LogRow], id_: str, **fields: object) -> list[LogRow]:
    return [msgspec.structs.replace(one, **fields) if one.id == id_ else one for one in rows]


def five() -> list[LogRow]:
    return log_of(("a", 60_000), ("b", 40_000), ("c", 30_000), ("d", 20_000), ("news", 60_000, HARD))


def test_a_row_changes_places_and_all_behind_it_stays() -> None:
    sooner = moved_to(five(), at(20), row="d", to="before", other="c", by=BY)
    assert shown(sooner.rows) == [
        ("a", 0, 60),
        ("b", 60, 100),
        ("d", 100, 120),
        ("c", 120, 150),
        ("news", 150, 210),
    ]
    assert sooner.settled_ms == at(150)
    assert sooner.rows[2].reason == f"test; moved by {BY}"
    later = moved_to(five(), at(20), row="b", to="after", other="c", by=BY)
    assert shown(later.rows) == [
        ("a", 0, 60),
        ("c", 60, 90),
        ("b", 90, 130),
        ("d", 130, 150),
        ("news", 150, 210),
    ]
    following = moved_to(five(), at(20), row="d", to="next", by=BY)
    assert [name for name, *_ in shown(following.rows)] == ["a", "d", "b", "c", "news"]
    assert [row.id for row in following.vacated] == ["d"]


def test_a_hard_row_is_only_made_next_and_then_waits_for_the_row_on_the_air() -> None:
    rows = five()
    made = moved_to(rows, at(20), row="news", to="next", by=BY)
    assert shown(made.rows) == [
        ("a", 0, 60),
        ("news", 60, 120),
        ("b", 120, 160),
        ("c", 160, 190),
        ("d", 190, 210),
    ]
    assert made.rows[1].anchor is Anchor.FLOAT
    assert made.settled_ms == at(210)
    with pytest.raises(InvalidRequest, match="fixed time"):
        moved_to(rows, at(20), row="news", to="before", other="c", by=BY)


@pytest.mark.parametrize(
    ("row", "to", "other", "error", "told"),
    [
        ("a", "next", None, InvalidRequest, "on the air already"),
        ("z", "next", None, NotFound, "'z'"),
        ("b", "after", "news", InvalidRequest, "fixed time"),
        ("b", "before", None, InvalidRequest, "No other row"),
        ("b", "before", "a", InvalidRequest, "on the air already"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_the_reason(
    row: str, to: str, other: str | None, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        moved_to(five(), at(20), row=row, to=to, other=other, by=BY)  # type: ignore[arg-type]


def test_a_break_stays_together_and_is_put_off_within_its_window_alone() -> None:
    rows = five()
    for id_ in ("b", "c"):
        rows = changed(rows, id_, break_id="one", kind=ItemKind.SPONSOR)
    for move in (
        partial(moved_to, row="b", to="after", other="d"),
        partial(moved_to, row="d", to="after", other="b"),
    ):
        with pytest.raises(InvalidRequest, match="break"):
            move(rows, at(20), by=BY)
    wide = soft(rows, "b", 20_000)
    assert [name for name, *_ in shown(moved_to(wide, at(20), row="d", to="next", by=BY).rows)][:2] == [
        "a",
        "d",
    ]
    with pytest.raises(InvalidRequest, match="20 s off its time, and may be 19 s"):
        moved_to(soft(rows, "b", 19_000), at(20), row="d", to="next", by=BY)


def test_a_row_that_is_taken_out_ends_as_skipped_and_what_follows_comes_sooner() -> None:
    gone = removed(five(), at(20), row="c", by=BY)
    assert shown(gone.rows) == [
        ("a", 0, 60),
        ("b", 60, 100),
        ("d", 100, 120),
        ("bridge", 120, 150),
        ("news", 150, 210),
    ]
    assert [(one.row.id, one.outcome, one.cause) for one in gone.taken_out] == [
        ("c", Outcome.SKIPPED, f"taken out by {BY}")
    ]
    assert gone.settled_ms == at(120)
    with pytest.raises(InvalidRequest):
        removed(five(), at(20), row="a", by=BY)
    with pytest.raises(InvalidRequest, match="bed"):
        removed(held(five(), at(20), by=BY).rows, at(20), row=held(five(), at(20), by=BY).rows[1].id, by=BY)


def test_a_soft_row_waits_and_then_comes_first() -> None:
    rows = soft(log_of(("a", 30_000), ("b", 30_000), ("spot", 10_000), ("c", 30_000)), "spot", 5_000)
    put = inserted(rows, at(10), row=a_row("x", length_ms=90_000), when="now", by=BY)
    assert [name for name, *_ in shown(put.rows)] == ["a", "x", "spot", "b", "c"]
    assert (put.rows[2].due_ms, put.settled_ms) == (at(60), at(110))
    near = inserted(rows, at(10), row=a_row("x", length_ms=3_000), when="next", by=BY)
    assert shown(near.rows) == [("a", 0, 30), ("x", 30, 33), ("b", 33, 63), ("spot", 63, 73), ("c", 73, 103)]


def test_a_soft_row_does_not_come_before_its_window() -> None:
    rows = soft(log_of(("a", 30_000), ("b", 30_000), ("spot", 10_000), ("c", 30_000)), "spot", 5_000)
    early = skipped(rows, at(10), by=BY)
    assert shown(early.rows) == [
        ("a", 0, 10),
        ("b", 10, 40),
        ("bridge", 40, 60),
        ("spot", 60, 70),
        ("c", 70, 100),
    ]
    within = skipped(rows, at(26), by=BY)
    assert shown(within.rows)[2] == ("spot", 56, 66)


def test_a_sponsors_message_is_heard_whole_or_not_at_all() -> None:
    rows = changed(
        log_of(("a", 30_000), ("spot", 10_000), ("news", 9_000, HARD)), "spot", kind=ItemKind.SPONSOR
    )
    put = inserted(rows, at(20), row=a_row("x", length_ms=5_000), when="now", by=BY)
    assert [name for name, *_ in shown(put.rows)] == ["a", "x", "spot", "bridge", "news"]
    put = inserted(rows, at(20), row=a_row("x", length_ms=11_000), when="now", by=BY)
    assert [name for name, *_ in shown(put.rows)] == ["a", "x", "bridge", "news"]


def show() -> list[LogRow]:
    """Two programmes, the second with a fixed time of its own."""
    rows = log_of(
        ("a", 60_000), ("b", 60_000), ("q", 60_000, HARD), ("r", 60_000), ("t", 240_000), ("s", 9_000, HARD)
    )
    for id_ in ("a", "b"):
        rows = changed(rows, id_, programme="talk", occurrence="talk@2027-01-15T08:00")
    for id_ in ("q", "r", "t", "s"):
        rows = changed(rows, id_, programme="songs", occurrence="songs@2027-01-15T09:00")
    return rows


def test_a_programme_goes_on_and_what_follows_gives_way_up_to_the_next_fixed_time() -> None:
    longer = extended(show(), at(20), length_ms=120_000, by=BY)
    assert shown(longer.rows) == [
        ("a", 0, 60), ("b", 60, 120), ("bridge", 120, 240),
        ("q", 240, 300), ("r", 300, 360), ("t", 360, 480), ("s", 480, 489),
    ]  # fmt: skip
    assert longer.rows[2].programme == "talk"
    assert longer.airing == ("talk@2027-01-15T08:00", at(240))
    assert longer.settled_ms == at(60)
    with pytest.raises(InvalidRequest) as refused:
        extended(show(), at(20), length_ms=420_000, by=BY)
    assert refused.value.allowed == "up to 6"
    with pytest.raises(InvalidRequest, match="No programme"):
        extended(five(), at(20), length_ms=1_000, by=BY)


def test_a_programme_is_ended_before_its_time_and_past_it() -> None:
    early = ended(show(), at(20), planned=lambda _: at(120), by=BY)
    assert shown(early.rows)[:3] == [("a", 0, 20), ("bridge", 20, 120), ("q", 120, 180)]
    assert [one.row.id for one in early.taken_out] == ["b"]
    over = list(extended(show(), at(20), length_ms=120_000, by=BY).rows)
    late = ended(over, at(130), planned=lambda _: at(120), by=BY)
    assert shown(late.rows)[2:5] == [("bridge", 120, 130), ("q", 130, 190), ("r", 190, 250)]
    assert first_fault(late.rows) is None
    assert late.airing == ("talk@2027-01-15T08:00", at(130))


def test_an_emergency_goes_before_fixed_times_and_the_log_is_joined_by_the_clock() -> None:
    message = emergency(five(), at(20), row=a_row("alert", length_ms=30_000), by=BY)
    assert [name for name, *_ in shown(message.rows)][:4] == ["a", "alert", "alert-2", "alert-3"]
    assert message.rows[-1].ends_at_ms == at(20) + LONGEST_EMERGENCY_MS
    assert all(is_emergency(row) for row in message.rows[1:])
    assert first_fault(message.rows) is None
    assert message.why == (Outcome.SKIPPED, f"emergency by {BY}")
    for move in (partial(skipped, by=BY), partial(held, by=BY), partial(removed, row="alert-2", by=BY)):
        with pytest.raises(InvalidRequest, match="emergency"):
            move(message.rows, at(25))
    back = resumed(message.rows, at(165), by=BY, beneath=message.beneath)
    assert shown(back.rows)[-2:] == [("alert-5", 140, 165), ("news", 165, 210)]
    assert (back.rows[-1].cue_in_ms, back.rows[-1].due_ms) == (15_000, at(150))
    soon = resumed(message.rows, at(30), by=BY, beneath=message.beneath)
    assert shown(soon.rows)[1:3] == [("alert", 20, 30), (f"a-rest-{at(20)}", 30, 60)]
    assert soon.rows[2].cue_in_ms == 30_000


def test_an_emergency_is_heard_once_with_the_bed_behind_it_and_may_follow_another() -> None:
    once = emergency(five(), at(20), row=a_row("alert", length_ms=30_000), repeat=False, by=BY)
    assert shown(once.rows)[1:] == [("alert", 20, 50), ("emergency", 50, 20 + LONGEST_EMERGENCY_MS / 1000)]
    again = emergency(
        once.rows, at(60), row=a_row("new", length_ms=30_000), repeat=False, by=BY, beneath=once.beneath
    )
    assert [name for name, *_ in shown(again.rows)] == ["a", "alert", "emergency", "new", "emergency"]
    assert [row.id for row in again.beneath] == ["b", "c", "d", "news"]
    assert shown(resumed(again.rows, at(70), by=BY, beneath=again.beneath).rows)[-4] == ("b", 70, 100)


def test_an_airing_has_the_end_that_it_was_given() -> None:
    schedule = written(
        """
        [clocks.hour]
        positions = [{ rotate = ["music"] }]
        [[programmes]]
        id = "talk"
        title = "Talk"
        clock = "hour"
        airs = [{ days = "daily", from = "08:00", to = "09:00" }]
        [[programmes]]
        id = "songs"
        title = "Songs"
        clock = "hour"
        airs = [{ days = "daily", from = "09:00", to = "10:00" }]
        """
    )
    zone = ZoneInfo("America/New_York")
    from_ms, to_ms = utc_ms("2027-01-15 13:00"), utc_ms("2027-01-15 15:00")
    until_ms = UtcMs(utc_ms("2027-01-15 14:07") + 500)
    amended = with_ends(schedule, {"talk@2027-01-15T08:00": until_ms, "gone@2027-01-15T08:00": until_ms})
    told = airings(amended, SponsorBook(), "wxyz", zone, from_ms, to_ms)
    assert [(one.id, one.starts_at_ms, one.ends_at_ms) for one in told] == [
        ("talk", from_ms, until_ms), ("songs", until_ms, to_ms),
    ]  # fmt: skip
    assert with_ends(schedule, {}) is schedule


def test_what_an_operator_leaves_of_a_programme_is_filled_up_to_its_planned_end() -> None:
    schedule = written(
        """
        default_clock = "rest"
        [clocks.rest]
        positions = [
          { at = "00:00", item = "legal-id/a", legal_id = true },
          { rotate = ["music"] },
          { at = "30:00", anchor = "hard", category = "news" },
        ]
        [[programmes]]
        id = "talk"
        title = "Talk"
        early_end = ["promos"]
        airs = [{ days = "daily", from = "08:00", to = "09:30" }]
        [[programmes]]
        id = "short"
        title = "Short"
        airs = [{ days = "daily", from = "09:00", to = "09:05" }]
        layer = "special"
        """
    )
    zone = ZoneInfo("America/New_York")
    from_ms, to_ms = utc_ms("2027-01-15 13:00"), utc_ms("2027-01-15 16:00")
    at_ms = utc_ms("2027-01-15 13:40")
    amended = with_ends(schedule, {"talk@2027-01-15T08:00": at_ms})
    found = [
        ((one.starts_at_ms - from_ms) // 60_000, one.occurrence and one.occurrence.programme, one.early_end)
        for one in timetable(amended, zone, from_ms, to_ms)
    ]
    assert found == [
        (0, "talk", ()), (40, None, ("promos",)), (60, "short", ()), (65, None, ("promos",)), (90, None, ()),
    ]  # fmt: skip
    clock = filled_with(schedule.clocks["rest"], ("promos",))
    assert [(one.at_ms, one.legal_id, one.rotate) for one in clock.positions] == [
        (0, True, ()), (None, False, ("promos",)),
    ]  # fmt: skip
    later = with_ends(schedule, {"talk@2027-01-15T08:00": UtcMs(from_ms + 7_200_000)})
    assert not any(one.early_end for one in timetable(later, zone, from_ms, to_ms))


def test_a_programme_extended_across_a_repeated_hour_ends_at_the_second_of_the_two_times() -> None:
    schedule = written(
        """
        default_clock = "hour"
        [clocks.hour]
        positions = [{ rotate = ["music"] }]
        [[programmes]]
        id = "night"
        title = "Night"
        clock = "hour"
        on_repeat = "fallback"
        airs = [{ days = "daily", from = "00:30", to = "01:15" }]
        """
    )
    zone = ZoneInfo("America/New_York")
    from_ms, to_ms = utc_ms("2026-11-01 04:00"), utc_ms("2026-11-01 09:00")
    for until in ("2026-11-01 05:20", "2026-11-01 06:20", "2026-11-01 07:05"):
        amended = with_ends(schedule, {"night@2026-11-01T00:30": utc_ms(until)})
        (told,) = airings(amended, SponsorBook(), "wxyz", zone, from_ms, to_ms)
        assert (told.starts_at_ms, told.ends_at_ms) == (utc_ms("2026-11-01 04:30"), utc_ms(until))
