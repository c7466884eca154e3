from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from radio.log import Anchor, ItemKind, LogRow, first_fault
from radio.schedule.resume import RESUME_WITHIN_MS, Interrupted, resumed
from radio.units import DurationMs, UtcMs

NOON = 1_800_000_000_000


def log(*rows: tuple[str, int] | tuple[str, int, dict[str, Any]]) -> list[LogRow]:
    """Rows one after the other from noon on: kind and seconds, and what else is said of them."""
    made: list[LogRow] = []
    at_ms = NOON
    for number, (kind, seconds, *more) in enumerate(rows):
        values: dict[str, Any] = {
            "id": f"r{number}", "station": "wxyz", "starts_at_ms": at_ms, "ends_at_ms": at_ms + seconds * 1_000,
            "kind": ItemKind(kind), "title": f"{kind} {number}", "reason": "test", "item": f"i{number}",
        }  # fmt: skip
        made.append(LogRow(**(values | (more[0] if more else {}))))
        at_ms = made[-1].ends_at_ms
    return made


HARD = {"anchor": Anchor.HARD}


def cut(row: LogRow, after_s: float) -> Interrupted:
    return Interrupted(
        row.id, DurationMs(round(after_s * 1_000)), UtcMs(row.starts_at_ms + round(after_s * 1_000))
    )


def course(rows: Sequence[LogRow]) -> list[tuple[str, float, float]]:
    return [(row.id, (row.starts_at_ms - NOON) / 1_000, (row.ends_at_ms - NOON) / 1_000) for row in rows]


def at(seconds: float) -> UtcMs:
    return UtcMs(NOON + round(seconds * 1_000))


def test_music_is_joined_where_the_present_is() -> None:
    rows = log(("music", 180), ("music", 180))
    for seconds in (62, 181):
        assert resumed(rows, at(seconds), cut(rows[0], 60))[:2] == (rows, None)


def test_speech_goes_on_where_it_broke_off_and_what_follows_comes_later() -> None:
    rows = log(("music", 60), ("speech", 120), ("ident", 10), ("music", 180), ("speech", 60))
    again = resumed(rows, at(93), cut(rows[1], 30))
    assert course(again.rows) == [
        ("r0", 0, 63), ("r1", 63, 183), ("r2", 183, 193), ("r3", 193, 373), ("r4", 373, 433)
    ]  # fmt: skip
    assert again.changed_ms == NOON
    assert at(93) - again.rows[1].starts_at_ms == 30_000


def test_music_before_a_fixed_row_gives_what_the_speech_needs() -> None:
    rows = log(("speech", 120), ("ident", 10), ("music", 180), ("speech", 60, HARD), ("music", 9))
    again = resumed(rows, at(34), cut(rows[0], 30))
    assert course(again.rows) == [
        ("r0", 4, 124), ("r1", 124, 134), ("r2", 134, 310), ("r3", 310, 370), ("r4", 370, 379)
    ]  # fmt: skip
    assert again.rows[2].fade_out_ms > 0
    assert list(again.rows[3:]) == rows[3:]


def test_the_first_fill_that_is_long_enough_gives_and_all_behind_it_stays() -> None:
    rows = log(
        ("speech", 120), ("music", 100), ("fill", 3), ("fill", 20), ("music", 60), ("speech", 60, HARD)
    )
    again = resumed(rows, at(34), cut(rows[0], 30))
    assert course(again.rows)[:4] == [("r0", 4, 124), ("r1", 124, 224), ("r2", 224, 227), ("r3", 227, 243)]
    assert list(again.rows[4:]) == rows[4:]
    assert "restart" in again.rows[3].reason


def test_rows_that_would_get_too_short_give_nothing() -> None:
    rows = log(("speech", 120), ("promo", 40), ("promo", 5), ("ident", 5), ("speech", 60, HARD))
    again = resumed(rows, at(34), cut(rows[0], 30))
    assert course(again.rows)[1:3] == [("r1", 124, 160), ("r2", 160, 165)]
    assert resumed(rows[:1] + rows[2:], at(34), cut(rows[0], 30)).changed_ms is None


def test_where_nothing_can_give_the_log_is_joined() -> None:
    for between in ("speech", "sponsor", "ident"):
        rows = log(("speech", 120), (between, 30), ("speech", 60, HARD))
        assert resumed(rows, at(33), cut(rows[0], 30))[:2] == (rows, None)
    rows = log(("speech", 120), ("music", 30, {"legal_id": True}), ("speech", 60, HARD))
    assert resumed(rows, at(33), cut(rows[0], 30))[:2] == (rows, None)


def test_a_soft_row_comes_later_within_its_window_alone() -> None:
    soft = {"anchor": Anchor.SOFT, "anchor_window_ms": 5_000}
    rows = log(("speech", 120), ("sponsor", 30, soft), ("music", 60))
    assert resumed(rows, at(34), cut(rows[0], 30)).rows[1].starts_at_ms == at(124)
    assert resumed(rows, at(36), cut(rows[0], 30))[:2] == (rows, None)


def test_speech_whose_end_came_meanwhile_still_goes_on_unless_a_fixed_row_began() -> None:
    rows = log(("speech", 32), ("music", 60), ("music", 60))
    assert resumed(rows, at(34), cut(rows[0], 30)).rows[0].ends_at_ms == at(36)
    rows = log(("speech", 32), ("music", 60, HARD), ("music", 60))
    assert resumed(rows, at(34), cut(rows[0], 30))[:2] == (rows, None)


def test_speech_that_should_have_begun_meanwhile_begins_now() -> None:
    rows = log(("music", 30), ("speech", 60), ("music", 60))
    assert course(resumed(rows, at(32), cut(rows[0], 29)).rows) == [
        ("r0", 0, 32), ("r1", 32, 92), ("r2", 92, 152)
    ]  # fmt: skip
    rows = log(("music", 30), ("speech", 60, HARD), ("music", 60))
    assert resumed(rows, at(32), cut(rows[0], 29))[:2] == (rows, None)


def test_a_message_that_broke_off_is_not_heard_again() -> None:
    rows = log(("speech", 30), ("sponsor", 20), ("music", 60), ("speech", 30, HARD))
    again = resumed(rows, at(43), cut(rows[1], 10))
    assert course(again.rows)[:3] == [("r0", 0, 30), ("r1", 30, 43), ("r2", 43, 103)]
    assert again.rows[-1] == rows[-1]
    assert first_fault(again.rows) is None


def test_a_message_that_has_not_begun_is_heard_whole_or_not_at_all() -> None:
    rows = log(("speech", 30), ("sponsor", 20), ("music", 60))
    assert course(resumed(rows, at(31), cut(rows[0], 29.95)).rows)[1] == ("r1", 31, 51)
    rows = log(("music", 30), ("sponsor", 20), ("speech", 60, HARD))
    again = resumed(rows, at(31), cut(rows[0], 29))
    assert [row.id for row in again.rows if row.starts_at_ms >= at(31)][-1] == "r2"
    assert all(row.id != "r1" for row in again.rows if row.starts_at_ms >= at(31))


def test_after_a_long_absence_and_without_one_the_log_is_joined() -> None:
    rows = log(("speech", 600), ("music", 60))
    assert resumed(rows, UtcMs(at(30) + RESUME_WITHIN_MS + 1), cut(rows[0], 30))[:2] == (rows, None)
    assert resumed(rows, at(40), None)[:2] == (rows, None)
    assert resumed(rows, at(29), cut(rows[0], 30))[:2] == (rows, None)
    assert resumed(rows, at(40), Interrupted("gone", DurationMs(5), at(39)))[0][-1] == rows[-1]
    assert resumed([], at(40), cut(rows[0], 30)) == ([], None, [])


def test_a_second_crash_in_the_same_speech_goes_on_from_the_second_place() -> None:
    rows = log(("speech", 120), ("music", 60), ("music", 60))
    once = resumed(rows, at(33), cut(rows[0], 30))
    twice = resumed(once.rows, at(45), Interrupted("r0", DurationMs(39_000), at(42)))
    assert at(45) - twice.rows[0].starts_at_ms == 39_000
    assert twice.rows[0].duration_ms == 120_000


KINDS = st.sampled_from(["music", "speech", "sponsor", "ident", "promo", "fill"])
ROWS = st.lists(st.tuples(KINDS, st.integers(1, 300), st.booleans()), min_size=1, max_size=12)


@given(rows=ROWS, place=st.floats(0, 1), absent_ms=st.integers(0, 90_000), heard=st.floats(0, 1))
def test_a_log_stays_a_log_and_fixed_rows_stay_where_they_are(
    rows: list[tuple[str, int, bool]], place: float, absent_ms: int, heard: float
) -> None:
    made = log(*((kind, seconds, HARD if is_hard else {}) for kind, seconds, is_hard in rows))
    broken = made[min(int(place * len(made)), len(made) - 1)]
    played_ms = int(broken.duration_ms * heard)
    ended_ms = broken.starts_at_ms + played_ms
    again = resumed(
        made, UtcMs(ended_ms + absent_ms), Interrupted(broken.id, DurationMs(played_ms), UtcMs(ended_ms))
    )
    assert first_fault(again.rows) is None
    now_ms = ended_ms + absent_ms
    later = [row for row in made if row.anchor is Anchor.HARD and row.starts_at_ms > now_ms]
    assert [row for row in again.rows if row.anchor is Anchor.HARD and row.starts_at_ms > now_ms] == later
    if broken.kind is ItemKind.SPONSOR:
        assert not any(row.id == broken.id and row.ends_at_ms > now_ms for row in again.rows) or (
            absent_ms > RESUME_WITHIN_MS
        )


def test_what_passed_while_the_station_was_away_is_told() -> None:
    rows = log(("music", 60), ("promo", 5), ("sponsor", 10), ("music", 180))
    away = resumed(rows, at(90), cut(rows[0], 50))
    assert [row.id for row in away.missed] == ["r1", "r2"]
    assert resumed(rows, at(90), None).missed == ()
    assert resumed(rows, at(62), cut(rows[0], 59)).missed == []
