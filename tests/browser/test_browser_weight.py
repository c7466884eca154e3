"""What a site pays for the player: the weight of its one file, and parts that come only when they are needed."""

from __future__ import annotations

import gzip
import re

import pytest
from listening import open_page, seen
from playwright.async_api import Page, Request, expect
from radio_process import WEB

LIMIT_BYTES = 20_000
LATE = ("event-link", "stations-list")


@pytest.fixture
def script(web_built: None) -> str:
    return (WEB / "dist" / "player.js").read_text(encoding="utf-8")


async def test_the_player_weighs_no_more_than_twenty_kilobytes(script: str) -> None:
    weight = len(gzip.compress(script.encode(), 9, mtime=0))
    assert weight <= LIMIT_BYTES, f"player.js weighs {weight} bytes packed, of {LIMIT_BYTES} allowed"


async def test_the_player_is_one_file_and_names_its_late_parts_from_where_it_came(script: str) -> None:
    assert not re.search(r"""\bfrom\s*["'`]|(^|[;}])import\s*["'`{]""", script), (
        "nothing is loaded before it runs"
    )
    late = re.findall(r"import\(`\./(assets/player-([a-z-]+)-[\w-]{8}\.js)`\)", script)
    assert sorted(name for _, name in late) == sorted(LATE)
    for path, _ in late:
        part = (WEB / "dist" / path).read_text(encoding="utf-8")
        assert set(re.findall(r"""\bfrom\s*["'`]([^"'`]+)""", part)) == {"../player.js"}


async def test_a_page_with_the_player_alone_loads_one_script(page: Page, origin: str) -> None:
    scripts: list[str] = []

    def note(request: Request) -> None:
        if "/player" in request.url:
            scripts.append(request.url.removeprefix(origin))

    page.on("request", note)
    await open_page(page, f"{origin}/embed/tones")
    await expect(page.locator("radio-player .bar")).to_have_attribute("data-push", "socket")
    await expect(seen(page, "now-title")).not_to_have_text("Live radio")
    assert scripts == ["/player.js"]
