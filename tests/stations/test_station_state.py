from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from station_doubles import NOON, airing, row, sponsor, station

from radio.config import MountConfig
from radio.events import Availability
from radio.log import ItemKind
from radio.stations import OnAir, Status, picture_url, state_of
from radio.stations.shapes import NextState, StationState

TOP = {
    "station",
    "availability",
    "source",
    "programme",
    "now",
    "next",
    "next_programme",
    "supported_by",
    "listeners",
}
STATION = {"id", "name", "tagline", "timezone", "logo", "streams"}
STREAM = {"mount", "url", "format", "bitrate_kbps"}
PROGRAMME = {"id", "title", "host", "description", "image", "starts_at_ms", "ends_at_ms"}
NOW = {"id", "kind", "title", "artist", "album", "artwork", "starts_at_ms", "ends_at_ms", "duration_ms"}
NEXT = {"id", "kind", "title", "artist", "starts_at_ms", "basis"}
SUPPORT = {"sponsor", "message", "link", "image", "starts_at_ms", "ends_at_ms"}


def seen(**changes: Any) -> OnAir:
    values: dict[str, Any] = {
        "status": Status(status=Availability.ON_AIR, since_ms=NOON),
        "source": "schedule",
        "row": None,
        "coming": (),
        "programme": None,
        "next_programme": None,
        "listeners": 0,
    }
    return OnAir(**(values | changes))


def full() -> OnAir:
    return seen(
        row=row(0, album="Bay", artwork="abc123"),
        coming=[row(1), row(2)],
        programme=airing(0, host="The news desk", description="News.", image="p.png", supported_by=sponsor()),
        next_programme=airing(1),
        listeners=7,
    )


@pytest.mark.parametrize("shows", ["programme", "item"])
def test_a_full_state_has_exactly_the_published_keys(shows: str) -> None:
    state = state_of(station(next_shows=shows, logo="logo.png"), full())
    assert set(state) == TOP
    assert set(state["station"]) == STATION
    assert [set(stream) for stream in state["station"]["streams"]] == [STREAM]
    assert set(state["availability"]) == {"status", "since_ms", "reason"}
    assert set(state["programme"]) == set(state["next_programme"]) == PROGRAMME
    assert set(state["now"]) == NOW
    assert state["next"]
    assert all(set(entry) == NEXT for entry in state["next"])
    assert set(state["supported_by"]) == SUPPORT
    assert state["listeners"] == {"current": 7}


def test_an_empty_state_has_the_same_keys_with_null_in_them() -> None:
    state = state_of(station(), seen())
    assert set(state) == TOP
    assert [name for name in state if state[name] is None] == [
        "programme",
        "now",
        "next_programme",
        "supported_by",
    ]
    assert state["next"] == []
    assert state["availability"] == {"status": "on_air", "since_ms": NOON, "reason": None}
    assert (state["source"], state["listeners"]) == ("schedule", {"current": 0})
    assert state["station"]["logo"] is None


def test_a_state_is_plain_json_and_moments_are_integers() -> None:
    state = state_of(station(), full())
    assert msgspec.json.decode(msgspec.json.encode(state)) == state

    def check(value: Any, name: str = "") -> int:
        if isinstance(value, dict):
            return sum(check(inner, key) for key, inner in value.items())
        if isinstance(value, list):
            return sum(check(inner) for inner in value)
        assert not name.endswith("_ms") or type(value) is int
        return name.endswith("_ms")

    assert check(state) == 11


def test_what_is_on_the_air() -> None:
    now = state_of(station(), full())["now"]
    assert now == {
        "id": "row-0",
        "kind": "music",
        "title": "Piece 0",
        "artist": "The Quartet",
        "album": "Bay",
        "artwork": "/api/stations/wxyz/artwork/abc123",
        "starts_at_ms": NOON,
        "ends_at_ms": NOON + 30_000,
        "duration_ms": 30_000,
    }
    bare = state_of(station(), seen(row=row(0, artist=None)))["now"]
    assert (bare["artist"], bare["album"], bare["artwork"]) == (None, None, None)


def test_the_sponsor_of_the_row_comes_before_the_sponsor_of_the_programme() -> None:
    programme = airing(0, supported_by=sponsor("The Ferry"))
    spot = row(3, kind=ItemKind.SPONSOR, sponsor=sponsor("Lantern & Oar Books"))
    shown = state_of(station(), seen(row=spot, programme=programme))["supported_by"]
    assert shown == {
        "sponsor": "Lantern & Oar Books",
        "message": "Lantern & Oar Books, on Chandler Street.",
        "link": "https://lantern-and-oar.example",
        "image": "/media/artwork/sponsors/lantern.png",
        "starts_at_ms": spot.starts_at_ms,
        "ends_at_ms": spot.ends_at_ms,
    }
    between = state_of(station(), seen(row=row(0), programme=programme))["supported_by"]
    assert (between["sponsor"], between["starts_at_ms"], between["ends_at_ms"]) == (
        "The Ferry",
        programme.starts_at_ms,
        programme.ends_at_ms,
    )
    assert state_of(station(), seen(row=row(0), programme=airing(0)))["supported_by"] is None
    nothing_plays = state_of(station(), seen(programme=programme))["supported_by"]
    assert nothing_plays["sponsor"] == "The Ferry"


def test_next_by_programme_is_the_one_programme_that_follows() -> None:
    following = airing(1, host="The music desk")
    state = state_of(station(), seen(coming=[row(1)], next_programme=following))
    assert state["next"] == [
        {
            "id": "programme-1",
            "kind": "programme",
            "title": "Programme 1",
            "artist": "The music desk",
            "starts_at_ms": following.starts_at_ms,
            "basis": "scheduled",
        }
    ]
    assert state_of(station(), seen(coming=[row(1)]))["next"] == []


def test_next_by_item_passes_over_what_nobody_waits_for_and_shows_five() -> None:
    kinds = [
        ItemKind.SPONSOR,
        ItemKind.MUSIC,
        ItemKind.IDENT,
        ItemKind.SPEECH,
        ItemKind.FILL,
        ItemKind.PROMO,
        ItemKind.LIVE,
        ItemKind.MUSIC,
        ItemKind.MUSIC,
    ]
    coming = [row(number, kind=kind) for number, kind in enumerate(kinds, 1)]
    state = state_of(station(next_shows="item"), seen(coming=coming, next_programme=airing(1)))
    assert [entry["kind"] for entry in state["next"]] == ["music", "speech", "live", "music", "music"]
    assert [entry["id"] for entry in state["next"]] == ["row-2", "row-4", "row-7", "row-8", "row-9"]
    assert state_of(station(next_shows="item"), seen(next_programme=airing(1)))["next"] == []


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (None, None),
        ("", None),
        ("stations/harbor.png", "/media/artwork/stations/harbor.png"),
        ("/somewhere/else.png", "/somewhere/else.png"),
        ("https://pictures.example/a.png", "https://pictures.example/a.png"),
        ("http://pictures.example/a.png", "http://pictures.example/a.png"),
        ("javascript:alert(1)", "/media/artwork/javascript:alert(1)"),
        ("data:text/html,x", "/media/artwork/data:text/html,x"),
    ],
)
def test_pictures_are_addresses(name: str | None, address: str | None) -> None:
    assert picture_url(name) == address


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        ("", "/listen/wxyz/live.mp3"),
        ("https://radio.example", "https://radio.example/listen/wxyz/live.mp3"),
        ("https://radio.example/", "https://radio.example/listen/wxyz/live.mp3"),
        ("https://radio.example/air/", "https://radio.example/air/listen/wxyz/live.mp3"),
    ],
)
def test_streams_are_below_the_public_address(public_url: str, address: str) -> None:
    assert state_of(station(), seen(), public_url)["station"]["streams"][0]["url"] == address


def test_every_mount_is_a_stream() -> None:
    mounts = (MountConfig(), MountConfig(name="low.mp3", bitrate_kbps=64))
    streams = state_of(station(mounts=mounts), seen())["station"]["streams"]
    assert streams == [
        {"mount": "live.mp3", "url": "/listen/wxyz/live.mp3", "format": "mp3", "bitrate_kbps": 128},
        {"mount": "low.mp3", "url": "/listen/wxyz/low.mp3", "format": "mp3", "bitrate_kbps": 64},
    ]


def test_a_degraded_station_says_why() -> None:
    status = Status(status=Availability.DEGRADED, since_ms=NOON, reason="The bed stands in.")
    state = state_of(station(), seen(status=status, source="fallback"))
    assert state["availability"] == {"status": "degraded", "since_ms": NOON, "reason": "The bed stands in."}
    assert state["source"] == "fallback"


def test_streams_say_the_format_of_each_mount() -> None:
    mounts = (MountConfig(), MountConfig(name="live.aac"), MountConfig(name="low.opus", bitrate_kbps=48))
    streams = state_of(station(mounts=mounts), full())["station"]["streams"]
    assert [(stream["mount"], stream["format"], stream["bitrate_kbps"]) for stream in streams] == [
        ("live.mp3", "mp3", 128),
        ("live.aac", "aac", 128),
        ("low.opus", "opus", 48),
    ]


def test_what_comes_may_be_of_any_kind_or_a_programme() -> None:
    (kind,) = (field.type for field in msgspec.structs.fields(NextState) if field.name == "kind")
    assert set(get_args(kind)) == {"programme", *ItemKind}


def test_a_state_has_the_released_shape() -> None:
    for before in (seen(), full()):
        state = state_of(station(logo="logo.png"), before)
        assert msgspec.to_builtins(msgspec.convert(state, StationState)) == state
