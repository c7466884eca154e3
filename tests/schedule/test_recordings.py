"""Positions for recorded episodes and streams, hours in a fixed order, and the policies of a programme's edges."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_doubles import DAY_MS, HOUR_MS, folder, inputs, item, music_library, utc_ms, written

from radio.log import Anchor, LogRow, first_fault
from radio.schedule import compile_log
from radio.schedule.beam import Candidate, ordered_fit

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = utc_ms("2026-11-23 05:00")
MINUTE = 60_000

TALK = """
default_clock = "music"
[clocks.music]
positions = [{ rotate = ["music"] }]
[clocks.talk]
positions = [
  { at = "00:00", anchor = "hard", episode = "talks/tides" },
]
[[programmes]]
id = "tides"
title = "Tides"
clock = "talk"
POLICY
airs = [{ days = "daily", from = "01:30", to = "02:30" }, { days = "daily", from = "09:00", to = "10:00" }]
"""


def rows_of(text: str, from_ms: int, to_ms: int, *more: object) -> list[LogRow]:
    rows = compile_log(inputs([*music_library(), *more], written(text)), from_ms, to_ms)  # type: ignore[list-item]
    assert first_fault(rows) is None
    assert rows[-1].ends_at_ms >= to_ms
    return rows


def recording(day: str, minutes: float = 58) -> object:
    return item(f"talks/tides/{day}-part.mp3", int(minutes * MINUTE), title=f"Tides of {day}")


def test_the_recording_of_the_day_airs_and_what_it_leaves_is_filled_as_the_programme_says() -> None:
    text = TALK.replace("POLICY", 'early_end = ["promos", "idents", "fill"]')
    nine = MONDAY + 9 * HOUR_MS
    rows = rows_of(text, nine, nine + HOUR_MS, recording("2026-11-23"), recording("2026-11-24"))
    assert (rows[0].title, rows[0].anchor, rows[0].starts_at_ms) == ("Tides of 2026-11-23", Anchor.HARD, nine)
    assert rows[0].reason == "episode talks/tides: the recording of 2026-11-23"
    rest = [row for row in rows[1:] if row.starts_at_ms < nine + HOUR_MS]
    assert rest
    assert {row.category for row in rest} <= {"promos", "idents", "fill"}


def test_a_missing_recording_and_a_stream_that_is_not_there_are_filled_and_told() -> None:
    nine = MONDAY + 9 * HOUR_MS
    rows = rows_of(TALK.replace("POLICY", ""), nine, nine + HOUR_MS)
    assert rows[0].reason.startswith("episode talks/tides: there is no recording of 2026-11-23; ")
    text = """
    default_clock = "net"
    [clocks.net]
    fill = ["music"]
    positions = [
      { at = "00:00", anchor = "hard", stream = "network-news", length = "5:00" },
      { at = "20:00", anchor = "hard", category = "news" },
    ]
    """
    rows = rows_of(text, nine, nine + HOUR_MS)
    told = [row for row in rows if row.reason.startswith("stream network-news: it is not connected")]
    assert sum(row.duration_ms for row in told) >= 5 * MINUTE
    assert rows[0] is told[0]
    assert [row for row in rows if row.starts_at_ms == nine + 20 * MINUTE]


def test_a_recording_that_was_broken_is_joined_where_it_would_be() -> None:
    special = """
    [[programmes]]
    id = "news"
    title = "News"
    layer = "special"
    clock = "music"
    airs = [{ dates = [2026-11-23], from = "09:20", to = "09:40" }]
    """
    nine = MONDAY + 9 * HOUR_MS
    for policy, joined_min in (("join", 40), ("resume", 20), ("restart", 0)):
        text = TALK.replace("POLICY", f'on_return = "{policy}"') + special
        rows = rows_of(text, nine, nine + HOUR_MS, recording("2026-11-23"))
        back = next(row for row in rows if row.starts_at_ms == nine + 40 * MINUTE)
        assert (back.title, back.cue_in_ms) == ("Tides of 2026-11-23", 100 + joined_min * MINUTE)
        assert ("joined after" in back.reason) == bool(joined_min)


@pytest.mark.parametrize(("policy", "plays"), [("extend", 1), ("repeat", 2)])
def test_the_repeated_hour_has_the_recording_again_only_if_it_says_so(policy: str, plays: int) -> None:
    text = (
        TALK.replace("POLICY", f'on_repeat = "{policy}"').replace("01:30", "01:00").replace("02:30", "02:00")
    )
    start = utc_ms("2026-11-01 05:00")
    rows = rows_of(text, start, start + 2 * HOUR_MS, recording("2026-11-01"))
    assert sum(row.title == "Tides of 2026-11-01" for row in rows) == plays


def test_a_recording_whose_beginning_the_clocks_skip_is_joined_if_it_says_so() -> None:
    text = TALK.replace("01:30", "02:30").replace('to = "02:30"', 'to = "04:00"')
    start = utc_ms("2027-03-14 07:00")
    for policy, skipped_min in (("truncate_end", 0), ("join", 30)):
        rows = rows_of(
            text.replace("POLICY", f'on_gap = "{policy}"'), start, start + HOUR_MS, recording("2027-03-14")
        )
        assert rows[0].cue_in_ms == 100 + skipped_min * MINUTE


def test_what_may_finish_is_not_cut_by_the_programme_that_follows() -> None:
    text = """
    default_clock = "music"
    [clocks.music]
    positions = [{ rotate = ["music"] }]
    [[programmes]]
    id = "songs"
    title = "Songs"
    on_overrun = "finish"
    airs = [{ days = "daily", from = "09:00", to = "10:00" }]
    [[programmes]]
    id = "more"
    title = "More"
    airs = [{ days = "daily", from = "10:00", to = "11:00" }]
    """
    songs = folder("music", 8, 290_000, 300_000)
    rows = compile_log(inputs(songs, written(text)), MONDAY + 9 * HOUR_MS, MONDAY + 11 * HOUR_MS)
    first = next(row for row in rows if row.programme == "more")
    assert 0 < abs(first.starts_at_ms - MONDAY - 10 * HOUR_MS) <= 5 * MINUTE
    assert not [row for row in rows if row.fade_out_ms and row.programme == "songs"]


def test_a_position_that_airs_nothing_is_told_on_the_row_in_its_place() -> None:
    text = """
    default_clock = "hour"
    [clocks.hour]
    positions = [{ at = "00:00", anchor = "hard", item = "talks/none" }, { rotate = ["music"] }]
    """
    rows = rows_of(text, MONDAY, MONDAY + HOUR_MS)
    assert rows[0].reason.endswith("; in place of talks/none, which the library does not have")


def test_an_hour_in_a_fixed_order_keeps_it_and_ends_in_time() -> None:
    order = [
        "news",
        "music",
        "talk",
        "music",
        "music",
        "promos",
        "music",
        "music",
        "talk",
        "music",
        "music",
        "music",
    ]
    text = 'default_clock = "hour"\n[clocks.hour]\npositions = [\n'
    text += '{ at = "00:00", anchor = "hard", item = "legal-id" },\n'
    text += "".join(f'{{ category = "{name}" }},\n' for name in order)
    text += "]\n"
    items = [
        *folder("news", 30, 60_000, 120_000),
        *folder("music", 200, 200_000, 420_000, artists=80),
        *folder("talk", 30, 200_000, 500_000),
        *folder("promos", 20, 15_000, 40_000),
        item("legal-id/legal-id.wav", 7_480),
    ]
    rows = compile_log(inputs(items, written(text)), MONDAY, MONDAY + 6 * HOUR_MS + 1)
    hours = [MONDAY + hour * HOUR_MS for hour in range(7)]
    starts = [row.starts_at_ms for row in rows]
    assert set(hours) <= set(starts)
    ordered = 0
    for at_ms in hours[:6]:
        index = starts.index(at_ms)
        names = [row.category for row in rows[index + 1 : index + 1 + len(order)]]
        ordered += names == order and rows[index + 1 + len(order)].starts_at_ms == at_ms + HOUR_MS
    assert ordered == 6
    assert not [row for row in rows if row.fade_out_ms or row.item is None]


def test_compiling_on_in_the_middle_of_named_items_plays_none_twice() -> None:
    text = """
    default_clock = "hour"
    [clocks.hour]
    positions = [
      { at = "00:00", anchor = "hard", item = "legal-id" },
      { item = "news/news-001" },
      { item = "news/news-002" },
      { rotate = ["music"] },
    ]
    """
    plan = written(text)
    rows = compile_log(inputs(music_library(), plan), MONDAY, MONDAY + HOUR_MS)
    kept, cut_ms = rows[:2], rows[2].starts_at_ms
    again = compile_log(inputs(music_library(), plan, kept=kept), cut_ms, MONDAY + HOUR_MS)
    assert [row.title for row in again][:1] == ["news-002"]
    assert "news-001" not in [row.title for row in again]


CANDIDATES = st.lists(
    st.lists(st.tuples(st.integers(5_000, 300_000), st.integers(0, 5)), min_size=1, max_size=12), max_size=6
)


@settings(max_examples=150, deadline=None)
@given(CANDIDATES, st.integers(1, 1_200_000), st.integers(0, 2_000), st.integers(0, 2_000))
def test_an_ordered_fit_fits_and_takes_no_key_twice(
    lengths: list[list[tuple[int, int]]], target_ms: int, under_ms: int, over_ms: int
) -> None:
    positions = [
        [Candidate(ms, rank, frozenset((f"{key}",))) for rank, (ms, key) in enumerate(one)] for one in lengths
    ]
    chosen = ordered_fit(positions, target_ms, under_ms=under_ms, over_ms=over_ms)
    if chosen is not None:
        taken = [positions[at][index] for at, index in enumerate(chosen)]
        assert len(taken) == len(positions)
        assert -under_ms <= sum(one.length_ms for one in taken) - target_ms <= over_ms
        assert len({key for one in taken for key in one.keys}) == len(taken)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(20, 300), min_size=1, max_size=8), min_size=1, max_size=5), st.data())
def test_one_position_or_one_choice_is_always_met(lengths: list[list[int]], data: st.DataObject) -> None:
    positions = [[Candidate(s * 1_000, 0.0, frozenset((f"{at}/{n}",))) for n, s in enumerate(one)]
                 for at, one in enumerate(lengths)]  # fmt: skip
    target_ms = sum(data.draw(st.sampled_from(one)).length_ms for one in positions)
    chosen = ordered_fit(positions, target_ms, under_ms=0, over_ms=0)
    assert chosen is not None
    assert sum(positions[at][index].length_ms for at, index in enumerate(chosen)) == target_ms


def test_a_day_of_recordings_and_streams_is_the_same_when_built_again() -> None:
    text = TALK.replace("POLICY", "")
    assert rows_of(text, MONDAY, MONDAY + DAY_MS) == rows_of(text, MONDAY, MONDAY + DAY_MS)
