from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_house import NOON, Answer, House, open_house

from radio.api.artwork import artwork_routes
from radio.api.library_api import LibraryApi, Stations
from radio.library.artwork import dimensions
from radio.library.items import Item
from radio.library.keeper import LibraryKeeper
from radio.library.shrinker import Shrinker
from radio.log import ItemKind, LogRow, Outcome
from radio.schedule.model import HourClock, Position, Schedule, default_category
from radio.sponsors.campaigns import Campaign, SponsorBook
from radio.store import as_run, log_rows
from radio.store.operators import Role

sys.path.insert(0, str(Path(__file__).parent.parent / "library"))
from library_sounds import id3_words, png, tone, with_picture
from tagged_files import unwritable

pytestmark = pytest.mark.asyncio(loop_scope="module")


def schedule(_: str) -> Schedule:
    position = Position(at_ms=None, anchor="float", window_ms=0, category="music")  # type: ignore[arg-type]
    return Schedule(
        categories={"music": default_category("music")},
        clocks={"day": HourClock(name="day", positions=(position,))},
    )


def sponsors() -> SponsorBook:
    campaign = Campaign(id="ferry", sponsor="the-ferry", message="The Ferry.", audio="music/a")
    return SponsorBook(campaigns=(campaign,))


class Desk:
    """A house with a scanned library of two stations, and an operator for each role."""

    def __init__(self, house: House, library: LibraryKeeper, folder: Path) -> None:
        self.house = house
        self.library = library
        self.folder = folder
        self.tokens: dict[str, str] = {}

    async def ask(
        self, target: str, *fields: str, method: str = "GET", role: str = "operator", body: Any = None
    ) -> Answer:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        token = f"Authorization: Bearer {self.tokens[role]}"
        return await self.house.ask(f"/api/console/library{target}", token, *fields, method=method, body=data)

    def item(self, path: str) -> Item:
        return next(item for item in self.library.current if item.path == path)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm_desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk for all tests that leave the library as it is: a scan takes most of a second."""
    async with open_desk(tmp_path_factory.mktemp("calm")) as desk:
        yield desk


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    roots = {"wxyz": [str(folder / "harbor")], "other": [str(folder / "tide")]}
    with_picture(id3_words(), png(64, 64)).save(tone(folder / "harbor/music/a.mp3"))
    tone(folder / "harbor/news/b.wav", hz=300)
    (folder / "harbor/broken.mp3").write_text("words")
    tone(folder / "tide/c.wav", hz=500)
    made: list[Any] = []

    def routes(house: House) -> Any:
        library = LibraryKeeper(house.store, [Path(root) for root in (*roots["wxyz"], *roots["other"])])
        pictures = Shrinker(house.store)
        made.extend((library, pictures))
        api = LibraryApi(house.store, library, Stations(roots, schedule, sponsors), house.clock)
        return [*artwork_routes(pictures, {"wxyz"}), *api.routes()]

    async with open_house(folder, routes) as house, made[1]:
        desk = Desk(house, made[0], folder)
        await desk.library.scan()
        for role in Role:
            desk.tokens[role] = await house.token(role)
        desk.tokens["elsewhere"] = await house.token(Role.OPERATOR, ["other"])
        yield desk


async def test_items_are_searched_sorted_and_paged(calm_desk: Desk) -> None:
    everything = (await calm_desk.ask("/items?sort=-path&limit=2", role="viewer")).json
    assert [item["path"] for item in everything["items"]] == ["news/b.wav", "music/a.mp3"]
    assert (everything["total"], everything["total_is_exact"], everything["offset"]) == (3, True, 0)
    rest = (await calm_desk.ask("/items?sort=-path&limit=2&offset=2")).json
    assert [item["path"] for item in rest["items"]] == ["c.wav"]
    found = (await calm_desk.ask("/items?q=artist:tern%20length%3C0:05")).json["items"]
    assert [item["title"] for item in found] == ["Harbour lights"]
    for filter_, paths in {
        "category=news": ["news/b.wav"],
        "kind=speech": ["news/b.wav"],
        "kind=music&category=news": ["music/a.mp3", "news/b.wav"],
        f"root={calm_desk.folder}/tide": ["c.wav"],
        "problem=no-such": [],
    }.items():
        page = (await calm_desk.ask(f"/items?sort=path&{filter_}")).json
        assert [item["path"] for item in page["items"]] == paths, filter_


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=artst:x", "q"), ("sort=size", "sort"), ("limit=0", "limit"), ("limit=x", "limit"),
        ("offset=-1", "offset"), ("kind=noise", "kind"), ("root=/etc", "root"),
    ],
)  # fmt: skip
async def test_a_question_that_cannot_be_is_answered_with_its_field(
    calm_desk: Desk, query: str, field: str
) -> None:
    answer = await calm_desk.ask(f"/items?{query}")
    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", field)
    assert "Allowed: " in answer.json["detail"]


async def test_roles_and_stations_bound_what_a_token_may(desk: Desk) -> None:
    item = desk.item("music/a.mp3")
    assert (await desk.house.ask("/api/console/library/items")).status == 401
    for role, status in (("viewer", 403), ("traffic", 403), ("operator", 200), ("admin", 200)):
        body = {"corrections": {"bpm": 100}}
        assert (await desk.ask(f"/items/{item.id}", method="PATCH", role=role, body=body)).status == status
        assert (await desk.ask(f"/items/{item.id}", role=role)).status == 200
    for target in ("", "/history", "/uses", "/peaks", "/duplicates"):
        answer = await desk.ask(f"/items/{item.id}{target}", role="elsewhere")
        assert (answer.status, answer.code) == (404, "unknown_item"), target
    for target, method in ((f"/items/{item.id}", "PATCH"), (f"/items/{item.id}/undo", "POST")):
        assert (await desk.ask(target, method=method, role="elsewhere", body={})).status == 404
    paths = [one["path"] for one in (await desk.ask("/items", role="elsewhere")).json["items"]]
    assert paths == ["c.wav"]
    assert (await desk.ask("/rejected", role="elsewhere")).json == {"total": 0, "rejected": []}
    assert (await desk.ask("/rescan", method="POST", role="viewer")).status == 403


async def test_a_correction_is_made_seen_and_taken_back(desk: Desk) -> None:
    item = desk.item("music/a.mp3")
    before = await desk.ask(f"/items/{item.id}")
    assert before.json["item"]["title"] == "Harbour lights"
    assert before.json["tags"]["artists"] == ["The Tern Trio", "Ada Quay"]
    assert before.json["sound"]["duration_ms"] == item.duration_ms
    etag = before.headers["etag"]
    body = {"corrections": {"title": "Night boats", "cue_in_ms": 20}}
    done = await desk.ask(f"/items/{item.id}", f"If-Match: {etag}", method="PATCH", body=body)
    assert done.status == 200
    assert (done.json["item"]["title"], done.json["item"]["cue_in_ms"]) == ("Night boats", 20)
    assert done.json["measured"] == {"cue_in_ms": item.cue_in_ms, "title": "Harbour lights"}
    assert {one["field"]: one["operator"] for one in done.json["corrections"]} == {
        "cue_in_ms": "operator-1",
        "title": "operator-1",
    }
    assert desk.item("music/a.mp3").title == "Night boats"
    again = await desk.ask(f"/items/{item.id}", f"If-Match: {etag}", method="PATCH", body=body)
    assert (again.status, again.code, again.json["field"]) == (412, "changed_meanwhile", "If-Match")
    body = {"corrections": {"title": None, "cue_in_ms": None}}
    back = await desk.ask(f"/items/{item.id}", method="PATCH", body=body)
    assert back.headers["etag"] == etag
    assert back.json["corrections"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "corrections"),
        ({"corrections": {"bpm": "fast"}}, "bpm"),
        ({"corrections": {"root": "/"}}, "root"),
        ({"corrections": {"cue_out_ms": 999_999}}, "cue_out_ms"),
        ({"corrections": []}, "corrections"),
        ({"title": "x"}, "body"),
        (b"{", "body"),
        ({"tags": {"no such tag": "x"}}, None),
    ],
)
async def test_a_change_that_cannot_be_names_its_field(calm_desk: Desk, body: Any, field: str | None) -> None:
    item = calm_desk.item("music/a.mp3")
    answer = await calm_desk.ask(f"/items/{item.id}", method="PATCH", body=body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert field is None or answer.json["field"] == field
    assert calm_desk.item("music/a.mp3") == item


async def test_tags_are_written_to_the_file_and_taken_back(desk: Desk) -> None:
    item = desk.item("music/a.mp3")
    original = await asyncio.to_thread(item.file.read_bytes)
    body = {"tags": {"title": "Night boats", "artists": ["Ada Quay"]}}
    done = await desk.ask(f"/items/{item.id}", method="PATCH", body=body)
    assert done.status == 200
    assert (done.json["item"]["title"], done.json["item"]["artist"]) == ("Night boats", "Ada Quay")
    assert await asyncio.to_thread(item.file.read_bytes) != original
    back = await desk.ask(f"/items/{item.id}/undo", method="POST")
    assert back.json["item"]["title"] == "Harbour lights"
    assert await asyncio.to_thread(item.file.read_bytes) == original
    nothing = await desk.ask(f"/items/{item.id}/undo", method="POST")
    assert (nothing.status, nothing.code) == (404, "not_found")


@pytest.mark.parametrize(("name", "why"), [("w.wma", "Windows Media"), ("f.m4a", "fragmented MP4")])
async def test_tags_that_cannot_be_written_say_why_and_what_to_do(desk: Desk, name: str, why: str) -> None:
    await asyncio.to_thread(unwritable, desk.folder / "harbor/music" / name)
    await desk.library.scan()
    item = desk.item(f"music/{name}")
    body = {"corrections": {"bpm": 100}, "tags": {"title": "Night boats"}}
    answer = await desk.ask(f"/items/{item.id}", method="PATCH", body=body)
    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", "tags")
    assert f"The tags of '{name}' cannot be written: " in answer.json["detail"]
    assert why in answer.json["detail"]
    assert "Allowed: a correction of the item, which leaves the file as it is; or" in answer.json["detail"]
    assert (await desk.ask(f"/items/{item.id}")).json["corrections"] == []
    assert desk.item(f"music/{name}") == item


async def test_history_uses_and_the_plan(desk: Desk) -> None:
    item = desk.item("music/a.mp3")
    row = LogRow(
        id="r1", station="wxyz", starts_at_ms=NOON, ends_at_ms=NOON + 500, kind=ItemKind.MUSIC, title="A",
        reason="rotation", item=item.id,
    )  # type: ignore[arg-type]  # fmt: skip
    store = desk.house.store
    await store.write(as_run.intent, row, 1, NOON)
    await store.write(as_run.start, "r1", 1, NOON)
    await store.write(as_run.end, "r1", 1, NOON + 400, 400, Outcome.TRUNCATED, "cut")
    await store.write(log_rows.replace_from, "wxyz", NOON, [row], "revision")
    (aired,) = (await desk.ask(f"/items/{item.id}/history")).json["history"]
    assert (aired["station"], aired["outcome"], aired["played_ms"]) == ("wxyz", "truncated", 400)
    assert (await desk.ask(f"/items/{item.id}/history?before_ms={NOON}")).json["history"] == []
    used = (await desk.ask(f"/items/{item.id}/uses")).json
    assert used["uses"] == [
        {"station": "wxyz", "kind": "category", "name": "music", "by": "folder"},
        {"station": "wxyz", "kind": "clock", "name": "day", "by": "music"},
        {"station": "wxyz", "kind": "campaign", "name": "ferry", "by": "item"},
    ]
    assert [planned["row"] for planned in used["planned"]] == ["r1"]


async def test_the_waveform_and_duplicates(desk: Desk) -> None:
    item = desk.item("news/b.wav")
    peaks = (await desk.ask(f"/items/{item.id}/peaks")).json
    assert len(b64decode(peaks["data"])) == 2 * peaks["points"] > 0
    copy = desk.folder / "harbor/news/copy.wav"
    await asyncio.to_thread(copy.write_bytes, await asyncio.to_thread(item.file.read_bytes))
    await desk.library.scan()
    for target in ("/duplicates", f"/items/{item.id}/duplicates"):
        (group,) = (await desk.ask(target)).json["duplicates"]
        assert (group["kind"], group["similarity"]) == ("exact", 1)
        assert [one["path"] for one in group["items"]] == ["news/b.wav", "news/copy.wav"]
    assert (await desk.ask("/duplicates", role="elsewhere")).json == {"duplicates": []}


async def test_rejected_files_and_a_rescan(desk: Desk) -> None:
    (refused,) = (await desk.ask("/rejected")).json["rejected"]
    assert refused["path"] == "broken.mp3"
    assert refused["reason"]
    assert refused["advice"].startswith("Play it elsewhere.")
    started = await desk.ask("/rescan", method="POST", body={"q": "harbour", "rejected": True})
    assert (started.status, started.json) == (202, {"items": 1, "rejected": True})
    state: Any = {"running": True}
    for _ in range(500):
        if not state["running"]:
            break
        await asyncio.sleep(0.02)
        state = (await desk.ask("/rescan")).json
    assert (state["last"]["report"]["changed"], state["last"]["report"]["rejected"]) == (1, 1)
    unknown = await desk.ask("/rescan", method="POST", body={"items": ["nobody"]})
    assert (unknown.status, unknown.code) == (404, "unknown_item")


@pytest.mark.parametrize("form", ["m3u", "xspf", "jspf"])
async def test_playlists_go_out_and_come_in(calm_desk: Desk, form: str) -> None:
    out = await calm_desk.ask(f"/playlists/export?format={form}&sort=path", role="viewer")
    assert out.status == 200
    back = await calm_desk.ask(
        f"/playlists/import?format={form}", method="POST", role="viewer", body=out.body
    )
    assert [item["path"] for item in back.json["items"]] == ["c.wav", "music/a.mp3", "news/b.wav"]
    assert back.json["missing"] == []
    narrow = await calm_desk.ask(
        f"/playlists/import?format={form}", method="POST", role="elsewhere", body=out.body
    )
    assert [item["path"] for item in narrow.json["items"]] == ["c.wav"]
    assert len(narrow.json["missing"]) == 2
    wrong = await calm_desk.ask("/playlists/import?format=pls", method="POST", body=b"x")
    assert (wrong.status, wrong.json["field"]) == (400, "format")


async def test_cover_art_is_made_anew_for_everyone(calm_desk: Desk) -> None:
    address = f"/api/stations/wxyz/artwork/{calm_desk.item('music/a.mp3').artwork}"
    jpeg = await calm_desk.house.ask(f"{address}?size=96")
    assert (jpeg.status, jpeg.headers["content-type"]) == (200, "image/jpeg")
    assert dimensions(jpeg.body) == ("image/jpeg", 64, 64)
    webp = await calm_desk.house.ask(address, "Accept: image/avif,image/webp,*/*")
    assert dimensions(webp.body) == ("image/webp", 64, 64)
    assert "immutable" in webp.headers["cache-control"]
    assert webp.headers["vary"] == "Accept"
    assert webp.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert webp.headers["access-control-allow-origin"] == "*"
    known = await calm_desk.house.ask(address, "Accept: image/webp", f"If-None-Match: {webp.headers['etag']}")
    assert known.status == 304
    wrong = await calm_desk.house.ask(f"{address}?size=5000")
    assert (wrong.status, wrong.json["field"]) == (400, "size")
    for id_ in ("abcdef", "nothing", "..", "%2e%2e%2fetc", "%00", "'%20OR%201=1--", "%ff", "a" * 2000):
        assert (await calm_desk.house.ask(f"/api/stations/wxyz/artwork/{id_}")).status == 404
    assert (await calm_desk.house.ask(address.replace("wxyz", "nowhere"))).code == "unknown_station"
