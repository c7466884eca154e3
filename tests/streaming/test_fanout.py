from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_house import Ear, Turns

from radio.streaming.fanout import FanOut


def make(count: int, turn: int = 3) -> tuple[FanOut, Turns, list[Ear]]:
    turns = Turns()
    fan = FanOut(turns, turn=turn)
    ears = [Ear() for _ in range(count)]
    for ear in ears:
        fan.add(ear, ear.write)
    return fan, turns, ears


def test_few_members_are_written_to_at_once_with_the_very_same_buffer():
    fan, turns, _ = make(0)
    got: list[bytes] = []
    for name in "abc":
        fan.add(name, got.append)
    buffer = b"x" * 1000
    assert fan.send(buffer, over_s=0.6) == 3
    assert all(written is buffer for written in got)
    assert not turns.waiting
    assert FanOut(turns).send(buffer) == 0


def test_many_members_are_served_in_turns_and_in_order():
    fan, turns, ears = make(10)
    fan.send(b"a")
    assert sum(bool(ear.heard) for ear in ears) == 3
    fan.send(b"b")
    late = Ear()
    fan.add(late, late.write)
    fan.send(b"c")
    turns.run_all()
    assert {bytes(ear.heard) for ear in ears} == {b"abc"}
    assert late.heard == b"c"


def test_turns_are_spread_over_the_time_that_there_is():
    fan, turns, ears = make(12)
    fan.send(b"a", over_s=0.6)
    order = []
    while turns.waiting:
        order.append([index for index, ear in enumerate(ears) if ear.heard])
        turns.waiting.pop(0)()
    assert order == [list(range(3)), list(range(6)), list(range(9))]
    assert turns.pauses_s == [0.15] * 3
    fan.send(b"b", over_s=0.6)
    assert turns.pauses_s[3:] == [0.15]


def test_what_a_busy_loop_held_up_is_caught_up_with():
    now_s = [100.0]
    turns = Turns()
    fan = FanOut(turns, lambda: now_s[0], turn=3)
    ears = [Ear() for _ in range(1_800)]
    for ear in ears:
        fan.add(ear, ear.write)

    def served() -> int:
        return sum(bool(ear.heard) for ear in ears)

    fan.send(b"a", over_s=0.6)
    steps = ((0.001, 6, 0.001), (0.1001, 300, 0.001), (0.5001, 600, 0.0), (0.5001, 900, 0.0))
    for at_s, by_then, next_s in steps:
        now_s[0] = 100.0 + at_s
        turns.waiting.pop(0)()
        assert served() == by_then
        assert turns.pauses_s[-1] == pytest.approx(next_s)
    now_s[0] = 100.7
    turns.run_all()
    assert served() == 1_800


def test_no_time_is_lost_when_a_send_waits_behind_another():
    fan, turns, ears = make(9)
    fan.send(b"a", over_s=0.6)
    fan.send(b"b", over_s=0.6)
    del turns.pauses_s[:]
    turns.run_all()
    assert {bytes(ear.heard) for ear in ears} == {b"ab"}
    assert turns.pauses_s == [0.0, 0.0, 0.19999999999999998, 0.19999999999999998]


def test_who_has_left_is_written_to_no_more():
    fan, turns, ears = make(10)
    fan.send(b"a")
    silent = [ear for ear in ears if not ear.heard]
    assert all(fan.discard(ear) for ear in silent)
    assert not fan.discard(silent[0])
    turns.run_all()
    assert not any(ear.heard for ear in silent)
    assert len(fan) == 3


def test_sends_do_not_pile_up_when_the_loop_is_late():
    fan, turns, ears = make(10)
    text = bytes(range(100))
    for index in range(len(text)):
        fan.send(text[index : index + 1], over_s=0.6)
    assert all(len(ear.heard) >= len(text) - 17 for ear in ears)
    assert len(turns.waiting) == 1
    turns.run_all()
    assert all(bytes(ear.heard) == text for ear in ears)
    fan.send(b"!")
    turns.run_all()
    assert all(ear.heard.endswith(b"!") for ear in ears)


def test_everything_can_be_finished_at_once():
    fan, turns, ears = make(10)
    fan.send(b"a", over_s=0.6)
    fan.send(b"b", over_s=0.6)
    fan.finish()
    assert {bytes(ear.heard) for ear in ears} == {b"ab"}
    fan.send(b"c", over_s=0.6)
    assert len(turns.waiting) == 1
    turns.run_all()
    assert {bytes(ear.heard) for ear in ears} == {b"abc"}


STEPS = st.lists(st.sampled_from(["join", "leave", "send", "turn", "finish"]), max_size=60)


@given(STEPS, st.integers(1, 4))
def test_whatever_happens_every_member_gets_every_buffer_in_order(steps, turn):
    fan, turns, _ = make(0, turn)
    here: list[tuple[Ear, int]] = []
    sent = bytearray()
    for step in steps:
        if step == "join":
            ear = Ear()
            fan.add(ear, ear.write)
            here.append((ear, len(sent)))
        elif step == "leave" and here:
            ear, first = here.pop(len(here) // 2)
            fan.discard(ear)
            assert bytes(sent[first:]).startswith(bytes(ear.heard))
        elif step == "send":
            buffer = bytes([len(sent)])
            sent += buffer
            assert fan.send(buffer, over_s=0.6) == len(here)
        elif step == "turn" and turns.waiting:
            turns.waiting.pop(0)()
        elif step == "finish":
            fan.finish()
    turns.run_all()
    assert all(ear.heard == sent[first:] for ear, first in here)
