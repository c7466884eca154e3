from __future__ import annotations

from stream_house import Ear, Turns

from radio.streaming.fanout import FanOut


def make(count: int, turn: int = 3) -> tuple[FanOut, Turns, list[Ear]]:
    turns = Turns()
    fan = FanOut(turns, turn)
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
    assert fan.send(buffer) == 3
    assert all(written is buffer for written in got)
    assert not turns.waiting


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
    text = b"abcdefghijklmnopqrst"
    for index in range(len(text)):
        fan.send(text[index : index + 1])
    assert all(len(ear.heard) >= len(text) - 5 for ear in ears)
    turns.run_all()
    assert all(bytes(ear.heard) == text for ear in ears)
    fan.send(b"!")
    turns.run_all()
    assert all(ear.heard.endswith(b"t!") for ear in ears)


def test_a_closed_transport_does_not_keep_the_others_waiting():
    def closed(buffer: bytes) -> None:
        raise RuntimeError("unable to perform operation; the handler is closed")

    fan, _, ears = make(2)
    fan.discard(ears[1])
    fan.add("closed", closed)
    fan.add(ears[1], ears[1].write)
    fan.send(b"a")
    assert [ear.heard for ear in ears] == [b"a", b"a"]
