"""A hub that goes on with another process's channels: who comes back misses nothing."""

from __future__ import annotations

import json

import msgspec
from push_doubles import Follower

from radio.push.channel import ChannelBaton
from radio.push.hub import Hub
from radio.units import UtcMs

AT_MS = UtcMs(1_800_000_000_000)


def _state(number: int) -> dict[str, object]:
    return {"now": {"title": f"Piece {number}"}, "next": [], "gone": None}


def test_a_subscriber_of_the_old_hub_gets_what_it_missed_from_the_new_one() -> None:
    old = Hub(epoch="first")
    old.open("wxyz", _state(0))
    for number in range(1, 6):
        old.publish_state("wxyz", _state(number), AT_MS)
    seen = old.position("wxyz")
    old.publish_state("wxyz", _state(6), AT_MS)
    batons = msgspec.msgpack.decode(msgspec.msgpack.encode(old.hand_over()), type=list[ChannelBaton])

    new = Hub(epoch="second")
    new.adopt(batons, old.epoch)
    assert new.epoch == "first"
    new.publish_state("wxyz", _state(7), AT_MS)
    follower = Follower(new)
    follower.positions["wxyz"], follower.states["wxyz"] = seen, _state(5)
    assert new.subscribe(follower, "wxyz", since=seen)

    titles = [json.loads(p.payload)["patch"]["now"]["title"] for p in follower.received]
    assert titles == ["Piece 6", "Piece 7"]
    assert new.position("wxyz").seq == old.position("wxyz").seq + 1
    assert new.state("wxyz") == _state(7)


def test_the_same_state_published_again_is_no_change() -> None:
    old = Hub(epoch="first")
    old.open("wxyz", _state(1))
    new = Hub(epoch="first")
    new.adopt(old.hand_over(), old.epoch)
    assert new.publish_state("wxyz", _state(1), AT_MS) is None
    assert new.stations == ("wxyz",)
