from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_span import FACE, SIX, airing
from spi_shape import NS, checked

from radio.config import Config, MountConfig, StationConfig
from radio.interchange.face import faces, picture
from radio.interchange.spi import programme_information, service_information, service_paths, shortened
from radio.units import UtcMs

DAY = 24 * 3_600_000
MIDNIGHT = SIX - 6 * 3_600_000


def pi(*airings: Any, face: Any = FACE) -> Any:
    text = programme_information(face, airings, UtcMs(MIDNIGHT), UtcMs(MIDNIGHT + DAY), UtcMs(SIX))
    return checked(text, "epg")


def test_programme_information_of_a_day() -> None:
    told = airing(
        host="The desk",
        description="News of the bay. " * 20,
        image="first.png",
        link="https://wxyz.example/a b",
    )
    root = pi(told, airing("tides", 4, 0.5))
    scope = root.find(f".//{NS}scope")
    assert (scope.get("startTime"), scope.get("stopTime")) == (
        "2026-01-12T00:00:00-05:00",
        "2026-01-13T00:00:00-05:00",
    )
    assert [one.get("id") for one in scope] == ["fm:ce1.c479.09580", FACE.streams[0].url]
    first, second = root.findall(f".//{NS}programme")
    assert first.get("id") == "crid://wxyz.example/wxyz/first-light/20260112T110000Z"
    assert [first.findtext(f"{NS}{name}Name") for name in ("short", "medium", "long")] == [
        "First",
        "First Light",
        "First Light",
    ]
    time = first.find(f".//{NS}time")
    assert (time.get("time"), time.get("duration")) == ("2026-01-12T06:00:00-05:00", "PT4H")
    assert second.find(f".//{NS}time").get("duration") == "PT30M"
    assert first.find(f".//{NS}shortDescription").text.startswith("With The desk. News of the bay.")
    assert first.find(f".//{NS}link").get("uri") == "https://wxyz.example/a%20b"
    assert first.get("shortId") != second.get("shortId")


def test_an_empty_day_is_a_document_too() -> None:
    assert pi().findall(f".//{NS}programme") == []


def test_service_information_of_all_stations() -> None:
    root = checked(service_information([FACE, FACE], "Ellery Sound", UtcMs(SIX)), "serviceInformation")
    one, _ = root.findall(f".//{NS}service")
    assert one.findtext(f"{NS}mediumName") == "WXYZ Public"
    assert one.findtext(f".//{NS}shortDescription") == 'News <and> "music"'
    assert [(each.get("id"), each.get("bitrate")) for each in one.findall(f"{NS}bearer")] == [
        ("fm:ce1.c479.09580", None),
        ("https://wxyz.example/listen/wxyz/live.mp3", "128"),
    ]
    assert one.find(f"{NS}radiodns").attrib == {"fqdn": "wxyz.example", "serviceIdentifier": "wxyz"}


def test_where_a_receiver_asks() -> None:
    assert service_paths(FACE) == ("id/wxyz.example/wxyz", "fm/ce1/c479/09580")


@given(st.text(max_size=300), st.text(max_size=2_000))
def test_any_words_make_a_document_of_that_shape(title: str, text: str) -> None:
    face = msgspec.structs.replace(FACE, name=f"W{title}", tagline=text, genre=title)
    pi(airing(title=f"A{title}", description=text, host=title, link=text), face=face)
    checked(service_information([face], f"W{title}", UtcMs(SIX)), "serviceInformation")


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("First Light", 8, "First"),
        ("First Light", 11, "First Light"),
        ("Nachtprogramm", 8, "Nachtpro"),
        ("A Nachtprogramm", 8, "A Nachtp"),
        ("  two\nlines ", 16, "two lines"),
    ],
)
def test_names_are_cut_between_words(text: str, most: int, expected: str) -> None:
    assert shortened(text, most) == expected


def test_faces_are_the_enabled_stations_with_services_that_differ() -> None:
    names = ["a-very-long-station-name", "a-very-long-station-nam", "off", "w-x"]
    stations = tuple(
        StationConfig(
            id=name, name=name, library=("x",), enabled=name != "off", mounts=(MountConfig(name="live.aac"),)
        )
        for name in names
    )
    found = faces(Config(stations=stations), "https://[::1]:8000/", {"aac": "audio/aac"})
    assert {one.id: one.service for one in found.values()} == {
        names[0]: "averylongstation",
        names[1]: "averylongstatio2",
        "w-x": "wx",
    }
    assert found["w-x"].host == "::1"
    assert found["w-x"].streams[0].url == "https://[::1]:8000/listen/w-x/live.aac"


def test_pictures_have_whole_addresses() -> None:
    assert picture("https://x.example", "a/b.png") == "https://x.example/media/artwork/a/b.png"
    assert picture("https://x.example", "/media/c.png") == "https://x.example/media/c.png"
    assert picture("https://x.example", "https://y.example/d.png") == "https://y.example/d.png"
    assert picture("https://x.example", None) is None


def test_moments_are_those_of_the_stations_day() -> None:
    scope = pi().find(f".//{NS}scope")
    start = datetime.fromisoformat(scope.get("startTime"))
    assert start.timestamp() * 1000 == MIDNIGHT
