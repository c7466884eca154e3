from __future__ import annotations

from typing import Any

import msgspec
from dialects_house import NOON, heard, state
from hypothesis import given
from hypothesis import strategies as st

from radio.api.dialects.recent import KEPT, UNLISTED, Recent
from radio.log import ItemKind
from radio.stations.shapes import StationState
from radio.units import UtcMs


def shown(**changes: Any) -> StationState:
    return msgspec.convert(state(**changes), StationState)


def test_an_item_is_over_when_another_is_on_the_air() -> None:
    recent = Recent()
    recent.follow(shown(), UtcMs(NOON))
    assert recent.heard == ()
    recent.follow(shown(listeners=9), UtcMs(NOON + 1_000))
    assert recent.heard == ()
    recent.follow(shown(id_="row-2", title="Rope"), UtcMs(NOON + 20_000))
    (over,) = recent.heard
    assert (over.id, over.title, over.programme) == ("row-1", "Tide", "Morning <Bells>")
    assert over.duration_ms == 50_000, "it was cut after 50 of its 180 s"


def test_what_an_earlier_run_played_comes_before_and_never_twice() -> None:
    recent = Recent()
    recent.follow(shown(), UtcMs(NOON))
    recent.seed([heard("row-1", "Tide", ago_s=30), heard(), heard("older", ago_s=900)])
    assert [one.id for one in recent.heard] == ["row-0", "older"]
    recent.follow(shown(now=None), UtcMs(NOON + 150_000))
    assert [one.id for one in recent.heard] == ["row-1", "row-0", "older"]


def test_programmes_that_become_known_later_are_filled_in() -> None:
    recent = Recent()
    recent.seed([heard()])
    recent.seed([heard(programme="Morning Bells"), heard("older", ago_s=900)])
    recent.seed([heard(title="Another")])
    assert [(one.title, one.programme) for one in recent.heard] == [("Foam", "Morning Bells"), ("Foam", None)]


def test_an_item_that_comes_back_is_no_longer_over() -> None:
    recent = Recent()
    recent.follow(shown(), UtcMs(NOON))
    recent.follow(shown(now=None), UtcMs(NOON + 1_000))
    assert [one.id for one in recent.heard] == ["row-1"]
    recent.follow(shown(), UtcMs(NOON + 2_000))
    assert recent.heard == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(list(ItemKind)), st.integers(0, 100_000)), max_size=120
    )
)
def test_it_is_bounded_sorted_and_lists_each_item_once(played: list[tuple[int, ItemKind, int]]) -> None:
    recent = Recent()
    for number, kind, after_ms in played:
        now = {**state()["now"], "id": str(number), "kind": str(kind), "starts_at_ms": NOON + after_ms}
        recent.follow(shown(now=now), UtcMs(NOON + after_ms))
        starts = [one.starts_at_ms for one in recent.heard]
        ids = [one.id for one in recent.heard]
        assert starts == sorted(starts, reverse=True)
        assert len(ids) == len(set(ids)) <= KEPT
        assert str(number) not in ids
        assert not {one.kind for one in recent.heard} & UNLISTED
