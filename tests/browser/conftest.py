"""One service and one browser for all tests in this folder, and pages that fail a test by their own errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from listening import Complaints
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright
from programs import ProgramMissing, install, may_install
from radio_process import REPO, WEB, RadioProcess, end_shared_service, shared_service

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # a page that a test makes up comes from no address, and so from outside this machine
    "--disable-features=LocalNetworkAccessChecks",
]
FIRST_TEST_MAY_INSTALL_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here share one event loop with the browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(FIRST_TEST_MAY_INSTALL_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """The service ends with this folder: while others are tested it would go on encoding for nobody."""
    yield
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        end_shared_service()


@pytest.fixture(scope="session")
def web_built() -> None:
    """radio/web/dist is there and made from the sources that are there now."""
    sys.path.insert(0, str(REPO))
    from hatch_build import compile_web, up_to_date

    if not up_to_date(WEB):
        compile_web(WEB)


@pytest.fixture(scope="session")
def radio_at(tmp_path_factory: pytest.TempPathFactory, web_built: None) -> Iterator[RadioProcess]:
    """The running service that most tests share."""
    yield shared_service(tmp_path_factory.mktemp("network"))
    end_shared_service()


@pytest.fixture(scope="session")
def origin(radio_at: RadioProcess) -> str:
    """The shared service's address, without a slash at its end."""
    return radio_at.address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        try:
            path = chromium(playwright)
        except ProgramMissing as missing:
            pytest.fail(str(missing), pytrace=False)
        running = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        await running.close()


def chromium(playwright: Playwright) -> str:
    """A Chrome or Chromium that starts; installed first where that is allowed. Raises ProgramMissing."""
    chosen = os.environ.get("RADIO_CHROMIUM")
    if chosen:
        if not _starts(chosen):
            raise ProgramMissing(f"RADIO_CHROMIUM is {chosen!r}, and that does not start.")
        return chosen
    found = _found(playwright) or (_found(playwright) if may_install() and install("chromium") else None)
    if found is None:
        raise ProgramMissing(
            "The browser tests need Chrome or Chromium. Install it (Debian: sudo apt-get install chromium; "
            "elsewhere: python -m playwright install --with-deps chromium), or name it in RADIO_CHROMIUM."
        )
    return found


def _found(playwright: Playwright) -> str | None:
    own = playwright.chromium.executable_path
    places = [*(shutil.which(name) for name in NAMES), *APPLICATIONS, own]
    return next((place for place in places if place and Path(place).exists() and _starts(place)), None)


def _starts(path: str) -> bool:
    # Ubuntu's package is a stub that asks for snap, which containers do not have
    try:
        result = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    watched = Complaints()
    yield watched
    assert watched.expected or not watched.found


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, complaints: Complaints) -> AsyncIterator[BrowserContext]:
    """A visitor with an empty store, wide window, light colours, who can hear."""
    async with await browser.new_context(
        viewport={"width": 1440, "height": 900}, timezone_id="UTC", reduced_motion="reduce"
    ) as visitor:
        visitor.set_default_timeout(15_000)
        await visitor.add_init_script(path=HERE / "ear.js")
        visitor.on("page", lambda opened: complaints.watch(opened))
        yield visitor


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()
