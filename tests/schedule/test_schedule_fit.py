from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from radio.schedule.fit import fit

LENGTHS = st.lists(st.integers(1_000, 300_000), max_size=40)


@given(LENGTHS, st.integers(1, 3_600_000), st.integers(0, 3_000), st.integers(0, 3_000))
def test_what_is_found_fits_and_uses_nothing_twice(
    lengths: list[int], target_ms: int, under_ms: int, over_ms: int
) -> None:
    chosen = fit(lengths, target_ms, under_ms=under_ms, over_ms=over_ms)
    if chosen is not None:
        assert len(set(chosen)) == len(chosen)
        assert -under_ms <= sum(lengths[index] for index in chosen) - target_ms <= over_ms


@given(st.lists(st.integers(100, 900).map(lambda ticks: ticks * 10), min_size=1, max_size=9), st.data())
def test_what_can_be_met_is_met(lengths: list[int], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(lengths)))
    target_ms = sum(data.draw(st.sampled_from(list(combinations(lengths, size)))))
    chosen = fit(lengths, target_ms, under_ms=0, over_ms=0)
    assert chosen is not None
    assert sum(lengths[index] for index in chosen) == target_ms


def test_the_dearest_item_is_left_where_cheaper_ones_do() -> None:
    assert fit([10_000, 20_000, 30_000], 30_000, under_ms=0, over_ms=0) == [0, 1]


def test_there_is_no_fit_for_no_time_no_items_or_more_than_three_hours() -> None:
    assert fit([1_000], 0, under_ms=10, over_ms=10) is None
    assert fit([], 1_000, under_ms=10, over_ms=10) is None
    assert fit([10_800_010], 10_800_010, under_ms=0, over_ms=0) is None
