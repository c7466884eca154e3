"""The player on other people's sites: in a frame, and as a script beneath a strict policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from listening import Complaints, open_page, press_play, seen
from playwright.async_api import Page, expect

Publish = Callable[[str, str], str]


@pytest.fixture
def publish() -> Iterator[Publish]:
    """A site of another origin: takes a page's body and its policy, gives its address."""
    pages: dict[str, tuple[str, str]] = {}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, policy = pages.get(self.path, ("", "default-src 'none'"))
            self.send_response(200 if self.path in pages else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            if self.path in pages:
                self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()

        def add(body: str, policy: str) -> str:
            path = f"/page-{len(pages)}"
            pages[path] = (f"<!doctype html><html lang=en><title>Elsewhere</title>{body}", policy)
            return f"http://127.0.0.1:{server.server_port}{path}"

        yield add
        server.shutdown()
        thread.join()


async def test_embed_plays_in_a_frame_of_another_site(page: Page, origin: str, publish: Publish) -> None:
    body = f'<iframe src="{origin}/embed/tones" title="Radio" width=360 height=200 allow=autoplay></iframe>'
    await page.goto(publish(body, f"default-src 'none'; frame-src {origin}"))
    frame = page.frame_locator("iframe")
    await expect(frame.locator(".kicker .station")).to_have_text("Tone Radio")
    await expect(frame.get_by_test_id("stations-button")).to_have_count(0)
    await frame.get_by_test_id("play").click()
    await expect(frame.get_by_test_id("play")).to_have_attribute("data-status", "playing")
    inner = next(one for one in page.frames if "/embed/" in one.url)
    await inner.wait_for_function("() => __ear.audio.currentTime > 0.5")


async def test_player_script_works_beneath_a_strict_policy(page: Page, origin: str, publish: Publish) -> None:
    sources = f"script-src {origin}; connect-src {origin} {origin.replace('http', 'ws')}; "
    policy = f"default-src 'none'; {sources}media-src {origin}; img-src {origin}"
    body = (
        f'<script type=module src="{origin}/player.js"></script>'
        '<radio-player station="spots" layout="compact"></radio-player>'
        "<radio-sponsor><p>Nobody yet.</p></radio-sponsor><radio-stations></radio-stations>"
    )
    await open_page(page, publish(body, policy))
    await expect(page.locator(".kicker .station")).to_have_text("Spot Radio")
    await press_play(page)
    await expect(seen(page, "play")).to_have_attribute("data-status", "playing")
    assert (await page.evaluate("() => __ear.audio.currentSrc")).startswith(f"{origin}/listen/spots/")
    await expect(page.locator("radio-stations li")).to_have_count(3)
    colour = await seen(page, "play").evaluate("(element) => getComputedStyle(element).backgroundColor")
    assert colour not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"), "the player's own styles are in force"


async def test_player_without_websockets_fetches_its_events_from_where_it_came(
    page: Page, origin: str, publish: Publish, complaints: Complaints
) -> None:
    complaints.expected = True  # the page forbids the WebSocket, and the browser says so
    sources = f"script-src {origin}; connect-src {origin}; "
    policy = f"default-src 'none'; {sources}media-src {origin}; img-src {origin}"
    body = (
        f'<script type=module src="{origin}/player.js"></script><radio-player station="spots"></radio-player>'
    )
    await open_page(page, publish(body, policy))
    await expect(page.locator("radio-player .bar")).to_have_attribute("data-push", "events", timeout=6_000)
