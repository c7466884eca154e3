from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from radio.api.contract import described
from radio.api.contract_routes import documents, operations_of
from radio.api.docs_page import POLICY, curl
from radio.api.docs_style import DARK_TOKENS, TOKENS
from radio.api.shapes import STATION_EXAMPLE, EventsQuery, KnownHeaders, StationList
from radio.api.sign_in import needs
from radio.store.operators import Role

SHEET = Path(__file__).parents[2] / "radio/web/src/tokens.css"
VOID = {"meta", "link", "br", "img"}
HOSTILE = '<script>alert("1")</script>&'


class Note(msgspec.Struct):
    """What is <b>noted</b>."""

    text: str
    inner: Note | None = None
    when: int = 0


class Page(HTMLParser):
    """Fails on a tag that is not closed in its order; keeps ids, links and texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert not set(values) & {"src", "style"}
        assert tag not in ("script", "iframe", "img")
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def made() -> tuple[dict[str, Any], str]:
    """An OpenAPI document of a few routes, and the page."""
    application = web.Application()

    @described(
        "Every state",
        reply=StationList,
        headers=KnownHeaders,
        example=StationList(stations=[STATION_EXAMPLE]),
    )
    async def states(request: web.Request) -> web.Response:
        raise NotImplementedError

    @needs(Role.OPERATOR)
    @described(f"Note {HOSTILE}", body=Note, reply=Note, statuses=(201, 404), more=f"More {HOSTILE} `code`.")
    async def note(request: web.Request) -> web.Response:
        raise NotImplementedError

    @described("Events", query=EventsQuery, media="text/event-stream")
    async def events(request: web.Request) -> web.Response:
        raise NotImplementedError

    @described("Push", statuses=(101,))
    async def push(request: web.Request) -> web.Response:
        raise NotImplementedError

    application.router.add_get("/api/stations", states)
    application.router.add_post("/api/console/stations/{station}/note", note)
    application.router.add_get("/api/events", events)
    application.router.add_get("/api/ws", push)
    written = documents(list(operations_of(application.router)), "")
    return json.loads(written.openapi), written.page.decode()


@pytest.fixture(scope="module")
def page() -> Page:
    parser = Page()
    parser.feed(made()[1])
    assert parser.open == []
    return parser


def test_it_is_well_formed_and_every_link_leads_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert (
            link in ("/", "/favicon.svg", "/api/openapi.json", "/api/asyncapi.json") or link[1:] in page.ids
        ), link


def test_every_operation_and_frame_has_an_anchor(page: Page) -> None:
    wanted = {"get_api_stations", "post_api_console_stations_station_note", "frame-subscribe", "frame-update"}
    assert wanted <= set(page.ids)
    assert {"errors", "close-codes", "push-protocol", "status-404"} <= set(page.ids)


def test_nothing_of_a_text_becomes_markup(page: Page) -> None:
    assert HOSTILE in page.text
    assert "What is <b>noted</b>" in made()[1] or "What is &lt;b&gt;noted&lt;/b&gt;" in made()[1]
    assert "<b>" not in made()[1]


def test_it_fetches_nothing_and_allows_nothing() -> None:
    text = made()[1]
    assert re.findall(r"(?:src|url\(|@import)", text) == []
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")


def test_shapes_are_told_once_and_then_linked(page: Page) -> None:
    assert page.ids.count("shape-StationState") == 1
    assert "#shape-Note" in page.links or "#shape-NoteSent" in page.links
    assert "may be absent" not in page.text.split("Every state")[2].split("Note ")[0]


def test_examples_are_commands_for_a_shell() -> None:
    http = made()[0]

    def command(method: str, path: str) -> str:
        return curl(http, path, method.upper(), http["paths"][path][method], "https://radio.example")

    assert command("get", "/api/stations") == "curl https://radio.example/api/stations"
    assert command("get", "/api/events") == "curl 'https://radio.example/api/events?stations=harbor'"
    assert command("get", "/api/ws") == "curl --no-buffer wss://radio.example/api/ws"
    assert command("post", "/api/console/stations/{station}/note") == (
        "curl -X POST \\\n"
        '  -H "Authorization: Bearer $NEXTUP_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"text": "…"}\' \\\n'
        "  https://radio.example/api/console/stations/harbor/note"
    )


def test_the_page_wears_the_sites_tokens() -> None:
    sheet = SHEET.read_text()
    light, dark = sheet.split("@media (prefers-color-scheme: dark)")
    for tokens, part in ((TOKENS, light), (DARK_TOKENS, dark)):
        for name, value in tokens.items():
            assert f"--radio-{name}: {value};" in part, name
