from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from api_house import House, open_house

from radio.api import site
from radio.api.site import site_routes
from radio.config import NetworkConfig

DEMO = NetworkConfig(site="demo")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
SECRET = b"the secret of the house"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built site and a folder of pictures, with secrets beside both of them and links that lead there."""
    for name, content in {
        "dist/index.html": b"<!doctype html><title>Next Up</title>",
        "dist/embed.html": b"<!doctype html><title>Player</title>",
        "dist/player.js": b"export {}",
        "dist/assets/favicon-1a2b.svg": b"<svg/>",
        "dist/assets/index-1a2b.js": b"console.debug(1)",
        "dist/secret.png": SECRET,
        "pictures/harbor.png": PNG,
        "pictures/programmes/tide.JPG": PNG,
        "pictures/a/b/deep.webp": PNG,
        "pictures/drawn.svg": b"<svg><script>alert(1)</script></svg>",
        "pictures/notes.txt": SECRET,
        "pictures/.hidden.png": SECRET,
        "pictures/a/b/c/too-deep.png": SECRET,
        "secret.png": SECRET,
        "outside/secret.png": SECRET,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "pictures/folder.png").mkdir()
    (tmp_path / "pictures/link-out.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "pictures/folder-out").symlink_to(tmp_path / "outside")
    (tmp_path / "pictures/link-in.png").symlink_to("harbor.png")
    (tmp_path / "pictures/loop.png").symlink_to("loop.png")
    (tmp_path / "dist/assets/out.js").symlink_to(tmp_path / "secret.png")
    monkeypatch.setattr(site, "DIST", tmp_path / "dist")
    return tmp_path


@pytest.fixture
async def house(folder: Path, tmp_path: Path) -> AsyncIterator[House]:
    def routes(_: House) -> object:
        return site_routes(DEMO, folder / "pictures", frozenset({"wxyz"}))

    async with open_house(tmp_path, routes) as opened:
        yield opened


async def test_the_page_may_not_be_framed_and_runs_only_its_own_scripts(house: House) -> None:
    answer = await house.ask("/")
    policy = answer.headers["content-security-policy"]
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"


async def test_the_embedded_player_may_be_framed_by_any_site(house: House) -> None:
    answer = await house.ask("/embed/wxyz")
    policy = answer.headers["content-security-policy"]
    assert (answer.status, b"Player" in answer.body) == (200, True)
    assert "frame-ancestors *" in policy
    assert "frame-ancestors 'none'" not in policy
    assert "x-frame-options" not in answer.headers


async def test_an_unknown_station_has_no_embedded_player(house: House) -> None:
    for name in ("nowhere", "WXYZ", "wxyz%00", "%3Cscript%3E", "..", "%2e%2e%2findex.html"):
        answer = await house.ask(f"/embed/{name}")
        assert (answer.status, answer.code) == (404, "not_found")
        assert b"script>" not in answer.body


async def test_the_players_script_and_the_assets_are_open_to_any_site(house: House) -> None:
    script = await house.ask("/player.js")
    assert "javascript" in script.headers["content-type"]
    assert (script.headers["access-control-allow-origin"], script.body) == ("*", b"export {}")
    asset = await house.ask("/assets/index-1a2b.js")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in asset.headers["content-type"]
    assert (await house.ask("/favicon.svg")).headers["content-type"] == "image/svg+xml"


async def test_pictures_are_served_with_their_type_and_can_do_nothing(house: House) -> None:
    for name, mime in {
        "harbor.png": "image/png",
        "programmes/tide.JPG": "image/jpeg",
        "a/b/deep.webp": "image/webp",
        "drawn.svg": "image/svg+xml",
        "link-in.png": "image/png",
    }.items():
        answer = await house.ask(f"/media/artwork/{name}")
        assert (answer.status, answer.headers["content-type"]) == (200, mime), name
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_picture_that_a_reader_has_is_not_sent_again(house: House) -> None:
    etag = (await house.ask("/media/artwork/harbor.png")).headers["etag"]
    again = await house.ask("/media/artwork/harbor.png", f"If-None-Match: {etag}")
    assert (again.status, again.body) == (304, b"")
    part = await house.ask("/media/artwork/harbor.png", "Range: bytes=0-3")
    assert (part.status, part.body) == (206, PNG[:4])
    assert (await house.ask("/media/artwork/harbor.png", "Range: bytes=900-")).status == 416


UPWARD = [
    "../secret.png",
    "..%2fsecret.png",
    "%2e%2e/secret.png",
    "%2e%2e%2fsecret.png",
    "%252e%252e%252fsecret.png",
    "..%5csecret.png",
    "..\\secret.png",
    "a/../../secret.png",
    "a/%2e%2e/%2e%2e/secret.png",
    "....//secret.png",
    "./../secret.png",
    "..;/secret.png",
    "%c0%ae%c0%ae/secret.png",
    "\xc0\xae\xc0\xae/secret.png",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "{absolute}",
    "C:/secret.png",
    "C%3a%5csecret.png",
    "~/secret.png",
    "harbor.png%00.txt",
    "%00harbor.png",
    "notes.txt%00.png",
    "harbor.png%0a",
    "harbor.png/",
    "harbor.png/.",
    "harbor.png%20",
    "harbor.png::$DATA",
    ".hidden.png",
    "a/b/c/too-deep.png",
    "notes.txt",
    "folder.png",
    "programmes",
    "programmes/",
    "loop.png",
    "link-out.png",
    "folder-out/secret.png",
    "nothing.png",
    "a" * 300 + ".png",
    "a/" * 100 + "x.png",
    "%ff.png",
    "?name=harbor.png",
]


@pytest.mark.parametrize("below", ["/media/artwork/", "/assets/", "/", "/embed/"])
async def test_nothing_outside_the_folders_can_be_had(house: House, folder: Path, below: str) -> None:
    for name in UPWARD:
        target = below + name.replace("{absolute}", str(folder / "secret.png"))
        if target == "/?name=harbor.png":
            continue
        answer = await house.ask(target)
        assert SECRET not in answer.body, target
        assert b"root:" not in answer.body, target
        if answer.status != 400:  # aiohttp itself turns down what is no HTTP
            assert (answer.status, answer.code) == (404, "not_found"), target


async def test_a_link_out_of_the_assets_is_not_followed(house: House) -> None:
    assert (await house.ask("/assets/out.js")).status == 404


async def test_no_refusal_tells_where_the_folders_are(house: House, folder: Path) -> None:
    for target in ("/media/artwork/nothing.png", "/media/artwork/link-out.png", "/assets/nothing.js"):
        assert str(folder).encode() not in (await house.ask(target)).body


async def test_a_service_without_pictures_or_a_built_site_answers_404(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "DIST", tmp_path / "nowhere")
    async with open_house(tmp_path, lambda _: site_routes(DEMO, None, frozenset({"wxyz"}))) as house:
        for target in ("/", "/embed/wxyz", "/player.js", "/assets/a.js", "/media/artwork/harbor.png"):
            assert (await house.ask(target)).code == "not_found", target


async def test_a_folder_of_pictures_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    os.symlink(folder / "pictures", tmp_path / "linked")
    async with open_house(tmp_path, lambda _: site_routes(DEMO, tmp_path / "linked", frozenset())) as house:
        assert (await house.ask("/media/artwork/harbor.png")).status == 200
        assert (await house.ask("/media/artwork/link-out.png")).status == 404


async def test_a_network_of_its_own_has_its_stations_for_a_page_and_its_name_is_text(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "dist/home.html").write_text("<h1>{{network.name}}</h1><p>{{network.tagline}}</p>")
    network = NetworkConfig(name="<script>alert(1)</script> & Sons", tagline='"near" you')
    async with open_house(tmp_path, lambda _: site_routes(network, None, frozenset())) as house:
        answer = await house.ask("/")
    assert answer.status == 200
    assert answer.body.decode() == (
        "<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; Sons</h1><p>&quot;near&quot; you</p>"
    )
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_the_page_carries_what_search_engines_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "home.html").write_text("<head><title>{{network.name}}</title></head><p></head></p>")
    monkeypatch.setattr(site, "DIST", folder)

    async def linked(request: web.Request) -> str:
        return f"<script>{request.path}</script>"

    def routes(_: House) -> Any:
        return site_routes(NetworkConfig(name="Ellery"), None, frozenset(), linked)

    async with open_house(tmp_path, routes) as house:
        answer = await house.ask("/")
    assert answer.body == b"<head><title>Ellery</title><script>/</script></head><p></head></p>"
