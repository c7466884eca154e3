from __future__ import annotations

import pytest
from stream_house import make_mount

from radio.clock import ManualClock
from radio.errors import UnknownMount, UnknownStation
from radio.streaming.mounts import ListenerLimits, Mounts, address_group
from radio.streaming.sessions import Sessions
from radio.streaming.stream_heads import StationFace, TooManyListeners


class Guest:
    def __init__(self, mounts: Mounts) -> None:
        self.mounts = mounts

    def hang_up(self) -> None:
        self.mounts.exit(self)


def open_mounts(**limits: int) -> Mounts:
    clock = ManualClock()
    mounts = Mounts(clock, Sessions(clock), ListenerLimits(**limits))
    mounts.add(StationFace("wxyz", "WXYZ"), make_mount())
    return mounts


def test_mounts_are_found_and_near_names_offered():
    mounts = open_mounts()
    face, mount = mounts.find("wxyz", "live.mp3")
    assert (face.name, mount.name, list(mounts)) == ("WXYZ", "live.mp3", [mount])
    with pytest.raises(UnknownStation, match="Did you mean `wxyz`"):
        mounts.find("wxyy", "live.mp3")
    with pytest.raises(UnknownMount, match="Did you mean `live.mp3`"):
        mounts.find("wxyz", "live.mp4")
    assert (mounts.listeners("wxyz"), mounts.listeners("none")) == (0, 0)


def test_room_in_all_and_for_one_address():
    mounts = open_mounts(total=3, per_address=2)
    guests = [Guest(mounts) for _ in range(4)]
    mounts.enter(guests[0], "198.51.100.7")
    mounts.enter(guests[1], "::ffff:198.51.100.7")
    with pytest.raises(TooManyListeners) as caught:
        mounts.enter(guests[2], "198.51.100.7")
    assert caught.value.status == 429
    mounts.enter(guests[2], "198.51.100.8")
    with pytest.raises(TooManyListeners) as caught:
        mounts.enter(guests[3], "198.51.100.9")
    assert caught.value.status == 503
    mounts.exit(guests[0])
    mounts.exit(guests[0])
    mounts.enter(guests[3], "198.51.100.7")
    assert mounts.occupied == 3


def test_close_ends_all_and_takes_no_more():
    mounts = open_mounts()
    for _ in range(5):
        mounts.enter(Guest(mounts), "198.51.100.7")
    mounts.close()
    assert mounts.occupied == 0
    with pytest.raises(TooManyListeners):
        mounts.enter(Guest(mounts), "198.51.100.7")


def test_one_user_has_a_whole_64_of_ipv6():
    assert address_group("2001:db8:1:2:3:4:5:6") == address_group("2001:db8:1:2::1") == "2001:db8:1:2::"
    assert address_group("fe80::1%eth0") == "fe80::"
    assert address_group("198.51.100.7") == "198.51.100.7"
    assert address_group("") == ""
