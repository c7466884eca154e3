"""Icecast's, SHOUTcast's, LibreTime's and NPR Composer's shapes, made of one sight."""

from __future__ import annotations

import json
import re
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from dialects_house import BASE, DAY, NOON, STARTED, heard, sight, state
from hypothesis import given
from hypothesis import strategies as st

from radio.api.dialects import icecast, libretime, npr
from radio.log import ItemKind

NEW_YORK = ZoneInfo("America/New_York")
OFF = {"status": "off_air", "since_ms": NOON, "reason": "gone"}


def plain(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def ice(*sights: Any, mount: str | None = None) -> dict[str, Any]:
    status = icecast.status(
        sights, network="Ellery Sound", base="http://radio.example:8000", started_at_ms=STARTED, mount=mount
    )
    told: dict[str, Any] = plain(status)["icestats"]
    return told


def test_icecast_source_is_missing_an_object_or_an_array() -> None:
    assert "source" not in ice(sight(state(availability=OFF)))
    one = ice(sight(), mount="/listen/wxyz/live.aac")["source"]
    assert one["listenurl"] == "http://radio.example/listen/wxyz/live.aac"
    assert [each["bitrate"] for each in ice(sight())["source"]] == [128, 96]


def test_icecast_source_has_the_fields_of_2_4_4() -> None:
    stats = ice(sight())
    assert list(stats) == [
        "admin", "host", "location", "server_id", "server_start", "server_start_iso8601", "source",
    ]  # fmt: skip
    assert stats["host"] == "radio.example"
    assert stats["server_start"] == "Fri, 15 Jan 2027 07:00:00 +0000"
    assert stats["server_start_iso8601"] == "2027-01-15T07:00:00+0000"
    assert stats["source"][0] == {
        "audio_info": "channels=2;samplerate=48000;bitrate=128",
        "bitrate": 128,
        "channels": 2,
        "genre": "News",
        "listener_peak": 7,
        "listeners": 2,
        "listenurl": "http://radio.example/listen/wxyz/live.mp3",
        "samplerate": 48000,
        "server_description": "News and talk",
        "server_name": "WXYZ & Friends",
        "server_type": "audio/mpeg",
        "server_url": "http://radio.example/",
        "stream_start": "Fri, 15 Jan 2027 07:50:00 +0000",
        "stream_start_iso8601": "2027-01-15T07:50:00+0000",
        "title": "The Bay - Tide",
        "artist": "The Bay",
        "dummy": None,
    }


@given(title=st.text(min_size=1, max_size=40))
@pytest.mark.parametrize("known", ["-", "1999", "true", '"', "\\", "\u2028", "Ä"])
def test_icecast_titles_are_strings_in_valid_json(known: str, title: str) -> None:
    for text in (known, title):
        now = {**state()["now"], "artist": None, "title": text}
        source = ice(sight(state(now=now)), mount="/listen/wxyz/live.mp3")["source"]
        assert source["title"] == text
        assert "artist" not in source


def test_seven_values_may_be_split_at_six_commas() -> None:
    now = {**state()["now"], "title": "One, two & <three>"}
    page = icecast.seven(sight(state(now=now)))
    body = re.search("<body>(.*)</body>", page)
    assert body is not None
    assert body[1].split(",", 6) == ["3", "1", "7", "0", "3", "128", "The Bay - One, two &amp; &lt;three&gt;"]
    assert "<body>3,0,7,0,3,128,</body>" in icecast.seven(sight(state(availability=OFF)))


def info(*arguments: Any, zone: ZoneInfo = NEW_YORK, days: int = 2, shows: int = 5, **changes: Any) -> Any:
    return plain(libretime.live_info(sight(*arguments, **changes), DAY, zone=zone, days=days, shows=shows))


def test_libretime_has_its_members_and_local_times() -> None:
    told = info()
    assert list(told) == ["station", "tracks", "shows", "sources"]
    assert told["station"] == {
        "env": "production",
        "schedulerTime": "2027-01-15 03:00:00",
        "source_enabled": "Scheduled",
        "timezone": "America/New_York",
        "AIRTIME_API_VERSION": "1.1",
    }
    assert told["sources"] == {"livedj": "off", "masterdj": "off", "scheduledplay": "on"}
    current = told["tracks"]["current"]
    assert list(current) == ["starts", "ends", "type", "name", "media_item_played", "metadata", "record"]
    assert (current["starts"], current["ends"]) == ("2027-01-15 02:59:30", "2027-01-15 03:02:30")
    assert (current["type"], current["record"], current["name"]) == ("track", "0", "The Bay - Tide")
    assert current["metadata"]["length"] == "00:03:00.000"
    assert told["tracks"]["previous"]["name"] == "The Bay - Foam"
    assert told["tracks"]["next"]["ends"] == "2027-01-15 03:05:30"
    assert not told["tracks"]["next"]["media_item_played"] or told["tracks"]["next"]["name"]


def test_libretime_shows_are_around_the_present_and_escaped() -> None:
    shows = info()["shows"]
    assert [one["name"] for one in shows["previous"]] == ["Night"]
    assert shows["current"]["name"] == "Morning &lt;Bells&gt;"
    assert list(shows["current"]) == [
        "name", "id", "instance_id", "record", "url", "image_path", "starts", "ends",
        "start_timestamp", "end_timestamp",
    ]  # fmt: skip
    assert shows["current"]["start_timestamp"] == shows["current"]["starts"] == "2027-01-15 02:50:00"
    assert [one["name"] for one in shows["next"]] == ["Noon", "Evening"]
    assert [one["name"] for one in info(shows=1)["shows"]["next"]] == ["Noon"]
    assert info(shows=0)["shows"]["previous"] == []
    assert info(zone=ZoneInfo("UTC"))["shows"]["current"]["starts"] == "2027-01-15 07:50:00"


def test_libretime_without_a_programme_or_an_item() -> None:
    told = plain(
        libretime.live_info(sight(state(now=None, next=[]), heard=()), [], zone=NEW_YORK, days=2, shows=5)
    )
    assert told["shows"] == {"previous": [], "current": [], "next": []}
    assert told["tracks"] == {"previous": None, "current": None, "next": None}


def test_libretime_live_shows_the_show_alone() -> None:
    told = info(state(source="live"))
    assert told["station"]["source_enabled"] == "Live"
    assert told["sources"]["livedj"] == "on"
    assert (told["tracks"]["current"]["type"], told["tracks"]["current"]["name"]) == (
        "livestream",
        "Morning &lt;Bells&gt;",
    )


def composer(*arguments: Any, **changes: Any) -> Any:
    return plain(npr.now(sight(*arguments, **changes), DAY))


def test_composer_has_its_members_and_its_three_kinds_of_dates() -> None:
    told = composer()
    assert list(told) == ["showNow", "onNow", "nextUp", "tracklist", "ESTrelativeOffset", "params", "status"]
    on_now = told["onNow"]
    assert list(on_now) == [
        "_id", "event_id", "program_id", "date", "start_utc", "end_utc", "start_time", "end_time", "day",
        "program", "widget_config", "episode_notes", "episode_title", "playlist", "has_playlist", "song",
    ]  # fmt: skip
    assert on_now["start_utc"] == "2027-01-15T07:50:00.000Z"
    assert (on_now["date"], on_now["start_time"], on_now["end_time"], on_now["day"]) == (
        "2027-01-15", "02:50", "03:50", "Fri",
    )  # fmt: skip
    assert on_now["program"]["hosts"] == [{"name": "The Harbor news desk"}]
    assert re.fullmatch("[0-9a-f]{24}", on_now["program"]["ucs"])
    song = on_now["song"]
    assert (song["_start"], song["_date"], song["_duration"]) == ("02:59:30", "01-15-2027", 180_000)
    assert (song["_start_time"], song["_end_time"]) == ("01/15/2027 02:59:30", "01/15/2027 03:02:30")
    assert [one["trackName"] for one in on_now["playlist"]] == ["Tide", "Foam"]
    assert told["tracklist"]["results"][0]["song_start_time"] == "01-15-2027 02:59:30"
    assert [one["program"]["name"] for one in told["nextUp"]] == ["Noon", "Evening"]
    assert told["ESTrelativeOffset"] == 0
    assert told["params"] == {"ucs": npr.ucs_of("wxyz"), "format": "json"}


def test_composer_lists_music_of_this_programme_alone() -> None:
    earlier = heard("before", ago_s=700)
    talk = heard("talk", ago_s=100, kind=ItemKind.SPEECH)
    told = composer(state(now={**state()["now"], "kind": "speech"}), heard=(talk, heard(), earlier))
    assert [one["trackName"] for one in told["onNow"]["playlist"]] == ["Foam"]
    assert told["onNow"]["song"] is None
    assert told["tracklist"]["status"]


def test_composer_without_a_programme() -> None:
    told = plain(npr.now(sight(), []))
    assert (told["showNow"], told["onNow"], told["nextUp"]) == (False, None, [])
    assert told["tracklist"] == {"status": False, "results": []}


def test_every_address_is_whole() -> None:
    for told in (
        plain(libretime.live_info(sight(), DAY, zone=NEW_YORK, days=2, shows=5)),
        composer(),
        ice(sight()),
    ):
        for address in re.findall(r'"(/[^"]*)"', json.dumps(told)):
            raise AssertionError(f"{address} is not whole")
    assert BASE in json.dumps(composer())
