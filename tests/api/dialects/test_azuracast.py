"""AzuraCast's now-playing object: every field with its type, and its quirks."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from dialects_house import NOON, heard, sight, state
from hypothesis import given
from hypothesis import strategies as st

from radio.api.dialects.azuracast import HISTORY, OFFLINE, now_playing, triggers
from radio.stations.shapes import StationState

SONG = {
    "id": str,
    "art": str,
    "custom_fields": list,
    "text": str,
    "artist": str,
    "title": str,
    "album": str,
    "genre": str,
    "isrc": str,
    "lyrics": str,
}
LISTENERS = {"total": int, "unique": int, "current": int}
PAST = {
    "sh_id": int,
    "played_at": int,
    "duration": int,
    "playlist": (str, type(None)),
    "streamer": str,
    "is_request": bool,
    "song": SONG,
}
MOUNT = {
    "path": str,
    "is_default": bool,
    "id": int,
    "name": str,
    "url": str,
    "bitrate": int,
    "format": str,
    "listeners": LISTENERS,
}
SHAPE: dict[str, Any] = {
    "station": {
        "id": int,
        "name": str,
        "shortcode": str,
        "description": str,
        "frontend": str,
        "backend": str,
        "timezone": str,
        "listen_url": str,
        "url": str,
        "public_player_url": str,
        "playlist_pls_url": str,
        "playlist_m3u_url": str,
        "is_public": bool,
        "requests_enabled": bool,
        "mounts": [MOUNT],
        "remotes": list,
        "hls_enabled": bool,
        "hls_is_default": bool,
        "hls_url": (str, type(None)),
        "hls_listeners": int,
    },
    "listeners": LISTENERS,
    "live": {
        "is_live": bool,
        "streamer_name": str,
        "broadcast_start": (int, type(None)),
        "art": (str, type(None)),
    },
    "now_playing": {**PAST, "elapsed": int, "remaining": int},
    "playing_next": {
        "cued_at": int,
        "played_at": int,
        "duration": float,
        "playlist": (str, type(None)),
        "is_request": bool,
        "song": SONG,
    },
    "song_history": [PAST],
    "is_online": bool,
    "cache": str,
}


def check(value: Any, shape: Any, place: str = "np") -> None:
    """Whether ``value`` has exactly the members of ``shape``, in its order, each of its type."""
    if isinstance(shape, dict):
        assert list(value) == list(shape), place
        for name, inner in shape.items():
            check(value[name], inner, f"{place}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for one in value:
            check(one, shape[0], f"{place}[]")
    else:
        assert isinstance(value, shape), place
        assert not isinstance(value, bool) or shape is bool, place


def told(*arguments: Any, **changes: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(now_playing(sight(*arguments, **changes))))
    return decoded


def test_every_field_is_there_with_its_type_and_in_its_place() -> None:
    check(told(), SHAPE)


def test_moments_are_seconds_and_addresses_are_whole() -> None:
    np = told()
    now = np["now_playing"]
    assert (now["played_at"], now["duration"]) == (NOON // 1000 - 30, 180)
    assert (now["elapsed"], now["remaining"]) == (30, 150)
    assert now["song"]["text"] == "The Bay - Tide"
    assert now["song"]["art"] == "http://radio.example/api/stations/wxyz/artwork/abc"
    assert now["playlist"] == "Morning <Bells>"
    assert np["station"]["listen_url"] == "http://radio.example/listen/wxyz/live.mp3"
    assert np["station"]["playlist_pls_url"] == "http://radio.example/listen/wxyz/live.mp3.pls"
    assert [mount["listeners"]["current"] for mount in np["station"]["mounts"]] == [2, 1]
    assert np["playing_next"]["duration"] == 180.5
    assert np["playing_next"]["song"]["art"].endswith("/api/stations/wxyz/artwork/def")
    assert np["song_history"][0]["song"]["title"] == "Foam"
    assert np["listeners"] == {"total": 3, "unique": 3, "current": 3}
    assert np["cache"] == "event"


def test_a_station_that_is_off_the_air_still_has_a_song() -> None:
    np = told(
        state(availability={"status": "off_air", "since_ms": NOON, "reason": "gone"}, now=None, next=[])
    )
    check(np, {**SHAPE, "playing_next": type(None)})
    assert not np["is_online"]
    assert (np["now_playing"]["sh_id"], np["now_playing"]["song"]["title"]) == (0, OFFLINE)


def test_live_names_who_presents() -> None:
    np = told(state(source="live"))
    assert np["live"]["is_live"]
    assert np["live"]["streamer_name"] == np["now_playing"]["streamer"] == "The Harbor news desk"
    assert np["live"]["broadcast_start"] == NOON // 1000 - 30


def test_a_sponsor_is_told_as_the_stream_tells_it() -> None:
    support = {
        "sponsor": "Ellery Bakers", "message": "Bread.", "link": None, "image": None,
        "starts_at_ms": NOON, "ends_at_ms": NOON + 1,
    }  # fmt: skip
    now = {**state()["now"], "kind": "sponsor", "title": "spot 14"}
    np = told(state(now=now, supported_by=support))
    assert np["now_playing"]["song"]["text"] == "Supported by Ellery Bakers"


def test_without_an_item_the_programme_stands_in() -> None:
    np = told(state(now=None))
    check(np, SHAPE)
    assert np["now_playing"]["song"]["title"] == "Morning <Bells>"
    assert np["now_playing"]["duration"] == np["now_playing"]["elapsed"] == 0


def test_next_is_the_programme_where_no_titles_are_shown_ahead() -> None:
    programme = {**state()["programme"], "id": "noon", "title": "Noon", "image": "/media/artwork/noon.png"}
    coming = {
        "id": "noon", "kind": "programme", "title": "Noon", "artist": None,
        "starts_at_ms": NOON, "basis": "scheduled",
    }  # fmt: skip
    np = told(state(next=[coming], next_programme=programme))
    assert np["playing_next"]["playlist"] == "Noon"
    assert np["playing_next"]["duration"] == 3600.0
    assert np["playing_next"]["song"]["art"] == "http://radio.example/media/artwork/noon.png"


def test_history_is_bounded_and_numbers_stay() -> None:
    many = tuple(heard(f"row-{n}", ago_s=200 + n) for n in range(30))
    first, again = told(heard=many), told(heard=many)
    assert len(first["song_history"]) == HISTORY
    assert first == again
    assert len({one["sh_id"] for one in first["song_history"]}) == HISTORY


@given(seconds=st.integers(-100_000, 100_000))
def test_elapsed_and_remaining_never_leave_the_song(seconds: int) -> None:
    now = told(at_ms=NOON + seconds * 1000)["now_playing"]
    assert 0 <= now["elapsed"] <= now["duration"]
    assert now["elapsed"] + now["remaining"] == now["duration"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"id_": "row-2"}, ["song_changed"]),
        ({"listeners": 4}, ["listener_gained"]),
        ({"listeners": 2}, ["listener_lost"]),
        ({"source": "live"}, ["live_connect"]),
        ({"source": "live", "id_": "row-2"}, ["song_changed", "song_changed_live", "live_connect"]),
        ({"availability": {"status": "off_air", "since_ms": NOON, "reason": "gone"}}, ["station_offline"]),
        ({"now": None}, ["song_changed"]),
    ],
)
def test_triggers_say_what_happened(changes: dict[str, Any], expected: list[str]) -> None:
    before, after = (msgspec.convert(one, StationState) for one in (state(), state(**changes)))
    assert triggers(before, after) == expected
    back = {
        "listener_gained": "listener_lost",
        "station_offline": "station_online",
        "live_connect": "live_disconnect",
    }
    if len(expected) == 1 and expected[0] in back:
        assert triggers(after, before) == [back[expected[0]]]
    assert triggers(None, after) == []
