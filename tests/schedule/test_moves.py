from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import InvalidRequest, NotFound
from radio.log import Anchor, ItemKind, LogRow, first_fault
from radio.schedule.laying import spoken_out
from radio.schedule.moves import (
    CUT_FADE_MS,
    FADE_MS,
    LONGEST_HOLD_MS,
    Moved,
    held,
    inserted,
    is_bridge,
    is_hold,
    resumed,
    skipped,
)
from radio.units import DurationMs, UtcMs

EPOCH_MS = 1_800_000_000_000
BY = "the evening desk"


def log_of(*parts: tuple[str, int] | tuple[str, int, Anchor]) -> list[LogRow]:
    """Rows of music with these ids and lengths, one after the other."""
    rows, at_ms = [], EPOCH_MS
    for id_, length_ms, *anchor in parts:
        rows.append(a_row(id_, at_ms, length_ms, anchor=anchor[0] if anchor else Anchor.FLOAT))
        at_ms += length_ms
    return rows


def a_row(id_: str, at_ms: int = EPOCH_MS, length_ms: int = 20_000, **more: object) -> LogRow:
    fields = {"kind": ItemKind.MUSIC, "title": id_, "item": f"item-{id_}", "reason": "test", **more}
    return LogRow(  # type: ignore[arg-type]
        id=id_, station="wxyz", starts_at_ms=UtcMs(at_ms), ends_at_ms=UtcMs(at_ms + length_ms), **fields
    )


def shown(rows: Sequence[LogRow]) -> list[tuple[str, int, int]]:
    """Ids with starts and ends in seconds since the first row; beds by what they are."""

    def name(row: LogRow) -> str:
        return row.id.rpartition("-")[2] if row.item is None else row.id

    return [(name(row), *((at - EPOCH_MS) / 1000 for at in (row.starts_at_ms, row.ends_at_ms)))  # type: ignore[misc]
            for row in rows]  # fmt: skip


def at(seconds: float) -> UtcMs:
    return UtcMs(EPOCH_MS + round(seconds * 1000))


def test_a_skip_ends_the_row_on_the_air_and_all_that_follows_comes_sooner() -> None:
    moved = skipped(log_of(("a", 100_000), ("b", 50_000), ("c", 60_000)), at(30), by=BY)
    assert shown(moved.rows) == [("a", 0, 30), ("b", 30, 80), ("c", 80, 140)]
    assert moved.settled_ms == at(30)
    ended = moved.rows[0]
    assert (ended.overlap_ms, ended.fade_out_ms) == (FADE_MS, 0)
    assert ended.reason == f"test; skipped by {BY}"


def test_a_skip_leaves_a_hard_row_where_it_is_and_bridges_what_is_open_before_it() -> None:
    rows = log_of(("a", 100_000), ("b", 50_000), ("news", 60_000, Anchor.HARD), ("c", 9_000))
    moved = skipped(rows, at(30), by=BY, title="WXYZ")
    assert shown(moved.rows) == [
        ("a", 0, 30),
        ("b", 30, 80),
        ("bridge", 80, 150),
        ("news", 150, 210),
        ("c", 210, 219),
    ]
    assert is_bridge(moved.rows[2])
    assert (moved.rows[2].kind, moved.rows[2].title) == (ItemKind.FILL, "WXYZ")
    again = skipped(moved.rows, at(40), by=BY)
    assert shown(again.rows) == [
        ("a", 0, 30),
        ("b", 30, 40),
        ("bridge", 40, 150),
        ("news", 150, 210),
        ("c", 210, 219),
    ]


def test_a_row_that_has_not_sounded_yet_is_left_out_by_a_skip() -> None:
    moved = skipped(log_of(("a", 10_000), ("b", 20_000), ("c", 5_000)), at(10), by=BY)
    assert shown(moved.rows) == [("a", 0, 10), ("c", 10, 15)]


def test_an_item_put_in_at_once_ends_the_row_on_the_air() -> None:
    moved = inserted(log_of(("a", 60_000), ("b", 40_000)), at(20), row=a_row("x"), when="now", by=BY)
    assert shown(moved.rows) == [("a", 0, 20), ("x", 20, 40), ("b", 40, 80)]
    assert moved.settled_ms == at(40)


def test_an_item_put_in_next_waits_for_the_end_of_the_row_on_the_air() -> None:
    moved = inserted(log_of(("a", 60_000), ("b", 40_000)), at(20), row=a_row("x"), when="next", by=BY)
    assert shown(moved.rows) == [("a", 0, 60), ("x", 60, 80), ("b", 80, 120)]
    assert moved.rows[0].overlap_ms == 0


def test_a_hard_row_cuts_with_a_fade_or_drops_what_does_not_fit() -> None:
    rows = log_of(("a", 60_000), ("b", 40_000), ("c", 10_000), ("news", 60_000, Anchor.HARD))
    moved = inserted(rows, at(20), row=a_row("x"), when="next", by=BY)
    assert shown(moved.rows) == [("a", 0, 60), ("x", 60, 80), ("b", 80, 110), ("news", 110, 170)]
    assert moved.rows[2].fade_out_ms == CUT_FADE_MS
    long = inserted(rows, at(20), row=a_row("x", length_ms=600_000), when="now", by=BY)
    assert shown(long.rows) == [("a", 0, 20), ("x", 20, 110), ("news", 110, 170)]
    assert long.rows[1].fade_out_ms == CUT_FADE_MS


def test_an_item_is_refused_where_a_hard_row_leaves_no_room() -> None:
    rows = log_of(("a", 60_000), ("news", 60_000, Anchor.HARD))
    with pytest.raises(InvalidRequest, match="fixed time"):
        inserted(rows, at(20), row=a_row("x"), when="next", by=BY)
    with pytest.raises(InvalidRequest):
        inserted(rows, at(59), row=a_row("x"), when="now", by=BY)
    with pytest.raises(InvalidRequest):
        held(rows, at(20), by=BY)


def test_a_hold_begins_behind_the_row_on_the_air_and_ends_at_the_next_hard_row() -> None:
    rows = log_of(("a", 60_000), ("b", 40_000), ("c", 10_000), ("news", 60_000, Anchor.HARD))
    moved = held(rows, at(20), by=BY)
    assert shown(moved.rows) == [("a", 0, 60), ("hold", 60, 110), ("news", 110, 170)]
    assert moved.settled_ms == at(110)
    assert held(moved.rows, at(30), by=BY).rows == moved.rows
    back = resumed(moved.rows, at(70), by=BY)
    assert shown(back.rows) == [("a", 0, 60), ("hold", 60, 70), ("bridge", 70, 110), ("news", 110, 170)]


def test_a_hold_lasts_an_hour_at_most_and_then_all_goes_on() -> None:
    moved = held(log_of(("a", 60_000), ("b", 40_000)), at(20), by=BY)
    assert shown(moved.rows) == [("a", 0, 60), ("hold", 60, 3_660), ("b", 3_660, 3_700)]
    back = resumed(moved.rows, at(100.5), by=BY)
    assert shown(back.rows) == [("a", 0, 60), ("hold", 60, 100.5), ("b", 100.5, 140.5)]
    unheld = resumed(moved.rows, at(30), by=BY)
    assert shown(unheld.rows) == [("a", 0, 60), ("b", 60, 100)]
    with pytest.raises(InvalidRequest, match="held"):
        resumed(unheld.rows, at(30), by=BY)


def test_a_hold_that_comes_sooner_by_a_skip_ends_when_it_would_have() -> None:
    moved = held(log_of(("a", 60_000), ("b", 40_000), ("news", 60_000, Anchor.HARD)), at(20), by=BY)
    assert shown(skipped(moved.rows, at(40), by=BY).rows)[:3] == [
        ("a", 0, 40),
        ("hold", 40, 100),
        ("news", 100, 160),
    ]


def test_a_hold_goes_on_behind_an_item_that_was_put_in() -> None:
    moved = held(log_of(("a", 60_000), ("b", 40_000), ("news", 60_000, Anchor.HARD)), at(20), by=BY)
    message = inserted(moved.rows, at(65), row=a_row("x", length_ms=10_000), when="now", by=BY)
    assert shown(message.rows) == [
        ("a", 0, 60), ("hold", 60, 65), ("x", 65, 75), ("hold", 75, 100), ("news", 100, 160),
    ]  # fmt: skip
    assert [is_hold(row) for row in message.rows] == [False, True, False, True, False]
    assert first_fault(message.rows) is None


def test_nothing_can_be_done_where_nothing_is_on_the_air() -> None:
    for move in (partial(skipped, by=BY), partial(held, by=BY), partial(resumed, by=BY)):
        with pytest.raises(NotFound):
            move(log_of(("a", 1_000)), at(5))


KINDS = st.sampled_from([ItemKind.MUSIC, ItemKind.SPEECH, ItemKind.IDENT, ItemKind.SPONSOR])


@st.composite
def logs(draw: st.DrawFn) -> list[LogRow]:
    """Rows of every length, now and then a hard one or a bed."""
    rows, at_ms = [], EPOCH_MS
    for index in range(draw(st.integers(1, 12))):
        length_ms = draw(st.integers(1, 20_000) | st.integers(1, 4_000_000))
        hard = draw(st.integers(0, 5)) == 0
        bed = draw(st.integers(0, 9)) == 0
        rows.append(
            a_row(
                f"row-{index}",
                at_ms,
                length_ms,
                anchor=Anchor.HARD if hard else Anchor.FLOAT,
                kind=ItemKind.FILL if bed else draw(KINDS),
                item=None if bed else f"item-{index}",
                overlap_ms=DurationMs(draw(st.integers(0, length_ms // 4))),
            )
        )
        at_ms += length_ms
    return rows


COMMANDS: dict[str, Callable[..., Moved]] = {
    "skip": skipped,
    "now": partial(inserted, when="now"),
    "next": partial(inserted, when="next"),
    "hold": held,
    "resume": resumed,
}


@settings(max_examples=300, deadline=None)
@given(
    rows=logs(),
    orders=st.lists(
        st.tuples(st.sampled_from(sorted(COMMANDS)), st.floats(0, 0.999)), min_size=1, max_size=5
    ),
    length_ms=st.integers(500, 400_000),
)
def test_whatever_is_done_the_log_is_whole_and_hard_times_are_met(
    rows: list[LogRow], orders: list[tuple[str, float]], length_ms: int
) -> None:
    at_ms = rows[0].starts_at_ms
    known = {row.id: row for row in rows}
    for number, (name, share) in enumerate(orders):
        at_ms = UtcMs(at_ms + int((rows[-1].ends_at_ms - at_ms) * share))
        more = {"row": a_row(f"new-{number}", 0, length_ms)} if name in ("now", "next") else {}
        before = list(rows)
        try:
            moved = COMMANDS[name](rows, at_ms, by=BY, **more)
        except InvalidRequest:
            continue
        except NotFound:  # a skip may leave nothing behind the last row
            assert before[-1].ends_at_ms <= at_ms
            return
        rows = list(moved.rows)
        if not rows or rows[-1].ends_at_ms <= at_ms:
            return
        assert first_fault(rows) is None
        past = [row for row in before if row.ends_at_ms <= at_ms]
        assert rows[: len(past)] == past
        hard = [row for row in before if row.anchor is Anchor.HARD and row.starts_at_ms > at_ms]
        assert [row.starts_at_ms for row in rows if row in hard] == [row.starts_at_ms for row in hard]
        for row in rows:
            was = known.get(row.id)
            if was is not None and row.starts_at_ms >= at_ms:
                assert row.duration_ms <= max(was.duration_ms, LONGEST_HOLD_MS)
                assert row.fade_out_ms + row.overlap_ms <= row.duration_ms
        assert moved.settled_ms >= at_ms
        assert moved.settled_ms in {rows[0].starts_at_ms, *(row.ends_at_ms for row in rows)}
        known.update({row.id: row for row in rows})


def test_what_was_put_in_before_stays_settled_when_something_else_is_done() -> None:
    rows = log_of(("a", 60_000), ("b", 40_000), ("c", 10_000))
    once = inserted(rows, at(20), row=a_row("x"), when="next", by=BY)
    assert once.settled_ms == at(80)
    twice = inserted(once.rows, at(30), row=a_row("y"), when="now", by=BY)
    assert shown(twice.rows)[:4] == [("a", 0, 30), ("y", 30, 50), ("x", 50, 70), ("b", 70, 110)]
    assert twice.settled_ms == at(70)
    assert skipped(twice.rows, at(40), by=BY).settled_ms == at(60)


def test_a_hold_is_found_behind_what_was_put_in_before_it() -> None:
    rows = held(log_of(("a", 60_000), ("b", 40_000)), at(10), by=BY).rows
    rows = inserted(rows, at(20), row=a_row("x"), when="next", by=BY).rows
    assert [name for name, *_ in shown(rows)] == ["a", "x", "hold", "b"]
    again = held(rows, at(30), by=BY)
    assert (again.rows, again.settled_ms) == (rows, rows[2].ends_at_ms)
    assert shown(resumed(rows, at(40), by=BY).rows) == [("a", 0, 60), ("x", 60, 80), ("b", 80, 120)]


def over_intro(length_ms: int, overlap_ms: int) -> LogRow:
    return a_row("ident", EPOCH_MS, length_ms, kind=ItemKind.IDENT, overlap_ms=DurationMs(overlap_ms))


def after(first: LogRow, *parts: tuple[str, int] | tuple[str, int, Anchor]) -> list[LogRow]:
    rows, at_ms = [first], int(first.ends_at_ms)
    for id_, length_ms, *anchor in parts:
        kind = ItemKind.SPEECH if id_.startswith("talk") else ItemKind.MUSIC
        rows.append(a_row(id_, at_ms, length_ms, kind=kind, anchor=anchor[0] if anchor else Anchor.FLOAT))
        at_ms += length_ms
    return rows


def test_an_ident_that_was_to_end_over_music_is_heard_out_where_speech_comes_in_behind_it() -> None:
    rows = after(over_intro(6_000, 3_000), ("song", 20_000), ("talk", 30_000), ("hour", 60_000, Anchor.HARD))
    moved = inserted(rows, at(1), row=a_row("talk-in", 0, 10_000, kind=ItemKind.SPEECH), when="next", by=BY)
    whole = spoken_out(moved, at(1), "")
    assert shown(whole.rows) == [
        ("ident", 0, 9), ("talk-in", 9, 19), ("song", 19, 39), ("talk", 39, 56), ("hour", 56, 116),
    ]  # fmt: skip
    assert whole.rows[0].overlap_ms == 0
    assert whole.settled_ms == at(19)


def test_an_ident_goes_on_over_music_and_where_a_hard_row_leaves_no_room() -> None:
    music = Moved(after(over_intro(6_000, 3_000), ("song", 20_000)), at(6))
    hard = Moved(after(over_intro(6_000, 3_000), ("talk", 20_000, Anchor.HARD)), at(6))
    tight = Moved(after(over_intro(6_000, 3_000), ("talk", 2_000), ("b", 9_000, Anchor.HARD)), at(6))
    for moved in (music, hard, tight):
        assert spoken_out(moved, at(1), "") == moved._replace(rows=tuple(moved.rows))


def test_a_hold_behind_an_ident_waits_for_its_last_words() -> None:
    rows = after(over_intro(6_000, 3_000), ("song", 20_000))
    whole = spoken_out(held(rows, at(1), by=BY), at(1), "")
    assert shown(whole.rows)[:2] == [("ident", 0, 9), ("hold", 9, 9 + LONGEST_HOLD_MS / 1000)]
    assert first_fault(whole.rows) is None
