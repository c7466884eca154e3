from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from desk_house import desk_state, ended, pulse, revision
from hypothesis import given
from hypothesis import strategies as st

from radio.api.desk_feed import DeskFeed
from radio.api.desk_messages import DeskState
from radio.api.desk_outbox import MOST_UPDATES, MOST_WAITING, Note, Outbox, Sort
from radio.clock import ManualClock
from radio.push.patch import apply, prune


class Desk:
    """A desk that keeps all it is told."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def tell(self, note: Note) -> None:
        self.notes.append(note)

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(note.payload) for note in self.notes]


class Studio:
    """A feed over stations that are what a test says they are, and a loop that turns when it is told to."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.states: dict[str, DeskState] = {station: desk_state() for station in ("harbor", "kday")}
        self.looks = 0
        self.later: list[Callable[[], None]] = []
        self.feed = DeskFeed(self.clock, soon=self.later.append)
        self.feed.look = self.look

    def look(self, station: str) -> DeskState:
        self.looks += 1
        return self.states[station]

    def turn(self) -> None:
        later, self.later[:] = list(self.later), []
        for call in later:
            call()

    def snapshot(self, station: str) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.feed.snapshot(station, None))
        return decoded


def test_a_station_that_nobody_watches_is_not_looked_at() -> None:
    studio = Studio()
    studio.feed.touch("harbor")
    studio.feed.pulse("harbor", pulse())
    studio.feed.ended(ended())
    studio.feed.revised("harbor", revision())
    studio.feed.tick(1.0)
    assert (studio.looks, studio.later, studio.feed.stations) == (0, [], frozenset())
    assert studio.feed.newest == {"harbor": pulse()}


def test_what_changes_in_one_turn_is_looked_at_once_and_encoded_once_for_all() -> None:
    studio, desks = Studio(), [Desk(), Desk()]
    for desk in desks:
        studio.feed.watch(desk, ["harbor"])
    looks = studio.looks
    assert looks == 1
    studio.states["harbor"] = desk_state(2)
    for _ in range(5):
        studio.feed.touch("harbor")
    studio.turn()
    assert studio.looks == looks + 1
    (first,), (second,) = desks[0].notes, desks[1].notes
    assert first.payload is second.payload
    assert desks[0].heard[0]["changed"] == ["on_air", "stream_row", "next"]


def test_nothing_is_told_where_nothing_changed() -> None:
    studio, desk = Studio(), Desk()
    studio.feed.watch(desk, ["harbor", "kday"])
    studio.feed.touch("kday")
    studio.turn()
    studio.feed.tick(1.0)
    assert desk.notes == []


def test_levels_come_five_times_a_second_at_most() -> None:
    studio, desk = Studio(), Desk()
    studio.feed.watch(desk, ["harbor"])
    for _ in range(100):
        studio.feed.pulse("harbor", pulse())
        studio.clock.advance(0.02)
    assert 9 <= len(desk.notes) <= 10
    assert {note.sort for note in desk.notes} == {Sort.LEVELS}


def test_a_desk_that_has_left_is_told_nothing_and_the_numbers_go_on() -> None:
    studio, desk = Studio(), Desk()
    studio.feed.watch(desk, ["harbor"])
    assert studio.snapshot("harbor")["seq"] == 1
    studio.feed.leave(desk)
    studio.feed.leave(desk)
    studio.feed.ended(ended())
    assert (desk.notes, studio.feed.stations) == ([], frozenset())
    studio.feed.watch(desk, ["harbor"])
    assert studio.snapshot("harbor")["seq"] == 2


def test_a_station_that_cannot_be_looked_at_leaves_the_others_alone() -> None:
    studio, desk = Studio(), Desk()
    studio.feed.watch(desk, ["harbor", "kday"])
    del studio.states["harbor"]
    studio.states["kday"] = desk_state(3)
    studio.feed.tick(1.0)
    assert [heard["station"] for heard in desk.heard] == ["kday"]


def test_a_saved_schedule_is_told_and_the_station_looked_at() -> None:
    studio, desk = Studio(), Desk()
    studio.feed.watch(desk, ["harbor"])
    studio.feed.revised("harbor", revision())
    assert desk.heard[0]["type"] == "revision"
    assert len(studio.later) == 1


# The outbox


def note(number: int, sort: Sort = Sort.NEWS, station: str = "harbor") -> Note:
    return Note(sort, station, str(number).encode())


def outbox(*stations: str) -> tuple[Outbox, list[None]]:
    stirred: list[None] = []
    made = Outbox(lambda station, id_: f"{station} {id_}".encode(), lambda: stirred.append(None))
    made.watch(frozenset(stations), levels=True, request_id=7)
    return made, stirred


def everything(box: Outbox) -> list[bytes]:
    taken = []
    while (payload := box.take()) is not None:
        taken.append(payload)
    return taken


def test_snapshots_come_first_with_the_requests_id() -> None:
    box, stirred = outbox("kday", "harbor")
    box.tell(note(1))
    assert everything(box) == [b"harbor 7", b"kday 7", b"1"]
    assert len(stirred) == 2


def test_of_levels_only_the_newest_waits() -> None:
    box, _ = outbox("harbor")
    for number in range(100):
        box.tell(note(number, Sort.LEVELS))
    assert everything(box) == [b"harbor 7", b"99"]


def test_too_many_updates_become_one_snapshot_and_news_stay() -> None:
    box, _ = outbox("harbor")
    everything(box)
    box.tell(note(0))
    for number in range(1, MOST_UPDATES + 5):
        box.tell(note(number, Sort.UPDATE))
    assert everything(box) == [b"harbor None", b"0"]
    box.tell(note(50, Sort.UPDATE))
    assert everything(box) == [b"50"]


def test_too_many_news_are_lost_with_a_word() -> None:
    box, _ = outbox("harbor")
    everything(box)
    for number in range(MOST_WAITING + 3):
        box.tell(note(number))
    lost, *rest = everything(box)
    assert json.loads(lost) == {"type": "lost", "station": "harbor", "count": 3}
    assert rest == [str(number).encode() for number in range(3, MOST_WAITING + 3)]


@pytest.mark.parametrize("sort", list(Sort))
def test_a_station_that_is_watched_no_more_is_forgotten(sort: Sort) -> None:
    box, _ = outbox("harbor", "kday")
    everything(box)
    box.tell(note(1, sort))
    box.watch(frozenset({"kday"}), levels=False, request_id=None)
    box.tell(note(2, sort))
    box.tell(note(3, Sort.LEVELS, "kday"))
    assert everything(box) == [b"kday None"]


Step = st.one_of(
    st.tuples(st.just("change"), st.sampled_from(["harbor", "kday"]), st.integers(1, 50)),
    st.tuples(st.just("news"), st.sampled_from(["harbor", "kday"]), st.integers(1, 50)),
    st.tuples(st.just("take"), st.just(""), st.integers(1, 30)),
    st.tuples(st.just("watch"), st.just(""), st.integers(0, 3)),
)


@given(st.lists(st.tuples(Step, st.integers(1, 30)), max_size=60))
def test_whatever_is_dropped_a_desk_that_takes_all_has_the_true_state(
    steps: list[tuple[tuple[str, str, int], int]],
) -> None:
    studio = Studio()
    box = Outbox(studio.feed.snapshot, lambda: None)

    class Watcher:
        def tell(self, note: Note) -> None:
            box.tell(note)

    watcher, states, seqs = Watcher(), {}, {}

    def watch(which: int) -> None:
        wanted = [station for bit, station in enumerate(("harbor", "kday")) if which >> bit & 1]
        studio.feed.watch(watcher, wanted)
        box.watch(frozenset(wanted), levels=True, request_id=None)

    def take() -> bool:
        payload = box.take()
        if payload is None:
            return False
        heard = json.loads(payload)
        station = heard["station"]
        if heard["type"] == "desk":
            states[station], seqs[station] = heard["state"], heard["seq"]
        elif heard["type"] == "desk_update":
            assert heard["seq"] == seqs[station] + 1
            states[station], seqs[station] = apply(states[station], heard["patch"]), heard["seq"]
        return True

    watch(3)
    for (kind, station, number), times in steps:
        for step in range(times if kind in ("change", "news") else 1):
            if kind == "change":
                studio.states[station] = desk_state(number + step, lead_s=None if step % 2 else 4.0)
                studio.feed.touch(station)
                studio.turn()
            elif kind == "news":
                studio.feed.ended(ended(number, station))
        if kind == "take":
            for _ in range(number):
                take()
        elif kind == "watch":
            watch(number)
        assert len(box) <= MOST_UPDATES + MOST_WAITING + 6
    while take():
        pass
    for station in studio.feed.stations:
        assert prune(states[station]) == prune(msgspec.to_builtins(studio.states[station]))
