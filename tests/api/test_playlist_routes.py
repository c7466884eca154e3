from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_house import House, ask_raw, open_house, station

from radio.api.playlists import playlist_routes
from radio.config import MountConfig

STATIONS = {
    "wxyz": station(
        "wxyz",
        name="WXYZ & <friends>\n",
        mounts=(MountConfig(), MountConfig(name="low.mp3", bitrate_kbps=64)),
    )
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, lambda _: playlist_routes(STATIONS, "")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("ending", "mime"),
    [("m3u", "audio/x-mpegurl"), ("pls", "audio/x-scpls"), ("xspf", "application/xspf+xml")],
)
async def test_a_playlist_stands_beside_each_mount_by_both_names(
    house: House, ending: str, mime: str
) -> None:
    for mount in ("live", "low"):
        address = f"http://radio.example/listen/wxyz/{mount}.mp3"
        answers = [await house.ask(f"/listen/wxyz/{name}.{ending}") for name in (f"{mount}.mp3", mount)]
        assert answers[0].body == answers[1].body
        assert address in answers[0].body.decode()
        for answer in answers:
            assert (answer.status, answer.headers["content-type"]) == (200, f"{mime}; charset=utf-8")
            assert answer.headers["content-disposition"] == f'attachment; filename="wxyz.{ending}"'
            assert answer.headers["access-control-allow-origin"] == "*"


async def test_an_odd_name_breaks_no_playlist(house: House) -> None:
    lines = (await house.ask("/listen/wxyz/live.m3u")).body.decode().splitlines()
    assert lines == [
        "#EXTM3U",
        "#EXTINF:-1,WXYZ & <friends>",
        "http://radio.example/listen/wxyz/live.mp3",
    ]
    tree = ElementTree.fromstring((await house.ask("/listen/wxyz/live.xspf")).body)
    assert [title.text for title in tree.iter("{http://xspf.org/ns/0/}title")] == ["WXYZ & <friends>"]


async def test_mounts_of_one_name_are_told_apart_by_their_format(tmp_path: Path) -> None:
    mounts = (MountConfig(), MountConfig(name="live.aac", bitrate_kbps=96), MountConfig(name="live.opus"))
    stations = {"wxyz": station("wxyz", name="WXYZ", mounts=mounts)}
    async with open_house(tmp_path, lambda _: playlist_routes(stations, "")) as opened:
        lines = (await opened.ask("/listen/wxyz/live.m3u")).body.decode().splitlines()
        assert lines[1::2] == [
            "#EXTINF:-1,WXYZ (MP3, 128 kbit/s)",
            "#EXTINF:-1,WXYZ (AAC, 96 kbit/s)",
            "#EXTINF:-1,WXYZ (Opus, 128 kbit/s)",
        ]
        assert lines[2::2] == [f"http://radio.example/listen/wxyz/{mount.name}" for mount in mounts]
        assert "(AAC" not in (await opened.ask("/listen/wxyz/live.aac.m3u")).body.decode()


async def test_the_public_address_is_used_where_one_is_configured(tmp_path: Path) -> None:
    def routes(_: House) -> object:
        return playlist_routes(STATIONS, "https://stream.example/")

    async with open_house(tmp_path, routes) as house:
        body = (await house.ask("/listen/wxyz/live.m3u")).body
    assert b"\nhttps://stream.example/listen/wxyz/live.mp3\n" in body


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/listen/nowhere/live.m3u", "unknown_station"),
        ("/listen/wxyz/other.m3u", "unknown_mount"),
        ("/listen/wxyz/live.mp3.mp3.m3u", "unknown_mount"),
        ("/listen/wxyz/.m3u", "not_found"),
        ("/listen/wxyz/live%2e.m3u", "unknown_mount"),
        ("/listen/wxyz/%3Cscript%3E.m3u", "unknown_mount"),
        ("/listen/%00/live.m3u", "unknown_station"),
        ("/listen/wxyz/a/live.m3u", "not_found"),
    ],
)
async def test_what_is_not_there_is_404(house: House, target: str, code: str) -> None:
    answer = await house.ask(target)
    assert (answer.status, answer.code) == (404, code)


@pytest.mark.parametrize("host", ["evil host", 'a"b', "a\tb", "", "\xff", "radio.example/\x00"])
async def test_a_host_that_is_no_host_goes_into_no_playlist(house: House, host: str) -> None:
    request = f"GET /listen/wxyz/live.m3u HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answer = await ask_raw(house.port, request.encode("latin-1"))
    assert answer.status == 400
    assert b"#EXTM3U" not in answer.body


async def test_a_request_without_a_host_gets_an_address_all_the_same(house: House) -> None:
    answer = await ask_raw(house.port, b"GET /listen/wxyz/live.m3u HTTP/1.0\r\n\r\n")
    assert answer.status == 200
    assert answer.body.decode().splitlines()[2].startswith("http://")
