"""Streams of few bits: a browser that takes them in pieces of 32 KiB starts at once and never stands still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Page
from radio_process import RadioProcess, make_station_folder

MOUNTS = {"speech.mp3": 64, "low.aac": 48, "low.opus": 32}
PLAYS_S = 14.0
AT_HAND_AFTER_S = 6.5
"""After a start the service has no more at hand than its lead, and a second more each second."""

STARTS_WITHIN_S = 5.0

_LISTEN = """(addresses) => {
  window.heard = addresses.map((address) => {
    const audio = new Audio(address);
    const one = {audio, began_ms: performance.now(), sounded_ms: null, stood: []};
    audio.volume = 0.1;
    audio.addEventListener('timeupdate', () => {
      if (audio.currentTime > 0) one.sounded_ms ??= performance.now();
    });
    audio.addEventListener('waiting', () => {
      if (one.sounded_ms !== null) one.stood.push(audio.currentTime);
    });
    void audio.play();
    return one;
  });
}"""

_TOLD = """() => window.heard.map((one) => ({
  started_s: one.sounded_ms === null ? 1e9 : (one.sounded_ms - one.began_ms) / 1000,
  played_s: one.sounded_ms === null ? 0 : (performance.now() - one.sounded_ms) / 1000,
  heard_s: one.audio.currentTime,
  stood: one.stood,
}))"""


@pytest.fixture(scope="module")
def thin_service(tmp_path_factory: pytest.TempPathFactory, web_built: None) -> Iterator[RadioProcess]:
    """One station whose mounts are all below 64 kbit/s."""
    folder = make_station_folder(tmp_path_factory.mktemp("thin") / "stations", ("tones",))
    config = folder / "config.toml"
    lines = config.read_text(encoding="utf-8").splitlines()
    mounts = ", ".join(f'{{ name = "{name}", bitrate_kbps = {kbps} }}' for name, kbps in MOUNTS.items())
    thin = [f"mounts = [{mounts}]" if line.startswith("mounts") else line for line in lines]
    config.write_text("\n".join(thin), encoding="utf-8")
    service = RadioProcess(folder)
    service.start()
    time.sleep(AT_HAND_AFTER_S)
    yield service
    service.stop()


async def test_a_stream_of_few_bits_starts_and_does_not_stand_still(
    page: Page, thin_service: RadioProcess
) -> None:
    await page.goto(f"{thin_service.address}/embed/tones")
    addresses = [f"{thin_service.address}/listen/tones/{name}" for name in MOUNTS]
    await page.evaluate(_LISTEN, addresses)
    await asyncio.sleep(PLAYS_S)
    for name, told in zip(MOUNTS, await page.evaluate(_TOLD), strict=True):
        assert told["started_s"] < STARTS_WITHIN_S, (name, told)
        assert told["stood"] == [], (name, told)
        assert told["heard_s"] > told["played_s"] - 0.5, (name, told)
    await page.evaluate("() => window.heard.forEach((one) => { one.audio.pause(); one.audio.src = ''; })")
