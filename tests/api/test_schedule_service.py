"""Schedules are edited in the whole running service: over HTTP, and in the file with another program."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from api_house import Answer, ask_raw
from whole_service import Station, configuration, load, tone, until

from radio.app import on_air
from radio.clock import SystemClock
from radio.store import operators
from radio.store import schedule_revisions as kept
from radio.store.operators import Role

ROOT = "/api/console/stations/wxyz/schedule"
TEXT = """\
# what airs
default_clock = "rest"

[clocks.rest]   # long pieces
positions = [{ rotate = ["features"] }]

[clocks.short]
positions = [{ rotate = ["music"] }]
"""


async def test_an_edit_by_http_and_one_in_the_file_are_both_in_force_and_both_kept(tmp_path: Path) -> None:
    for name, hertz in (("features/rest", 300.0), ("music/tide", 440.0)):
        tone(tmp_path / f"wxyz/{name}.wav", hertz, seconds=40, rate_hz=8_000)
    config = configuration(tmp_path, "wxyz")
    file = tmp_path / "schedules/wxyz.toml"
    file.write_text(TEXT)
    async with on_air(load(config)) as service:
        station = Station(service, "wxyz", tmp_path)
        token = await service.store.write(operators.add, "desk", Role.OPERATOR, None, SystemClock().now_ms())

        async def ask(method: str, below: str = "", body: Any = None, *fields: str) -> Answer:
            data = b"" if body is None else json.dumps(body).encode()
            head = [f"{method} {ROOT}{below} HTTP/1.1", "Host: localhost", "Connection: close",
                    f"Authorization: Bearer {token}", f"Content-Length: {len(data)}", *fields]  # fmt: skip
            return await ask_raw(service.port, ("\r\n".join(head) + "\r\n\r\n").encode() + data)

        await until(lambda: station.coming()[:1] == ["features"], 30)
        found = await ask("GET", "/clocks/rest")
        clock = {"positions": [{"rotate": ["music"]}]}
        saved = await ask("PUT", "/clocks/rest", clock, f"If-Match: {found.headers['etag']}")
        assert (saved.status, saved.json["in_force"]) == (200, True)
        assert set(station.coming()) == {"music"}
        assert file.read_text() == TEXT.replace('["features"]', '["music"]')

        file.write_text(TEXT)
        async with asyncio.timeout(20):  # two seconds, but for a machine that is busy
            while len(await service.store.read(kept.page, "wxyz")) < 3:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.05)
        newest = await service.store.read(kept.latest, "wxyz")
        assert newest is not None
        assert (newest.operator, newest.action) == ("file", "file")
        # the revision may come of the look that followed the edit by HTTP, and the log of the next look
        await until(lambda: station.coming()[:1] == ["features"], 20)
        stale = await ask("PUT", "/clocks/rest", clock, f"If-Match: {saved.headers['etag']}")
        assert (stale.status, stale.json["conflict"]["theirs"]["text"]) == (412, TEXT)
