"""The edits of ``bench live``: the demo's service in a temporary copy, and one station's schedule saved over and over.

Each edit puts other categories into the rotation of every clock of a 10 kB file, with ``PUT`` and ``If-Match``. It is
timed from the call to the update at a WebSocket subscriber in which a row stands that only the new text brings.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from websockets.asyncio.client import connect

STATION = "harbor"
TEXT = f"/api/console/stations/{STATION}/schedule"
ROOT = Path(__file__).parent.parent
SETTLE_S = 8.0
"""After the start, so that the day ahead is compiled."""

BETWEEN_S = 1.5
"""Between two edits: what follows one, and what the watcher of files makes of it, is over by then."""

WAIT_S = 10.0
START_S = 120.0

Row = tuple[str, int]


class Watching:
    """What a subscriber has been told is next, with the moment at which it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, frozenset[Row]]] = []

    async def follow(self, socket: Any) -> None:
        """Read frames until the connection ends."""
        async for text in socket:
            came_s = time.monotonic()
            frame = json.loads(text)
            if rows := (frame.get("patch") or frame.get("state") or {}).get("next"):
                self.told.append((came_s, frozenset((row["id"], row["starts_at_ms"]) for row in rows)))

    def first(self, shown: Row, after_s: float) -> float | None:
        """When a row was first told of after that moment."""
        return next((came_s for came_s, rows in self.told if came_s > after_s and shown in rows), None)


class Edit(NamedTuple):
    """One edit: when it was called (monotonic), and how long it was to the update and to the answer."""

    called_s: float
    told_ms: float
    answered_ms: float


def measured(count: int) -> tuple[list[Edit], dict[str, Any]]:
    """The edits, and what the service says of its loop and its memory."""
    with tempfile.TemporaryDirectory(prefix="nextup-edits-") as name:
        folder = Path(name)
        _copy(folder)
        service = subprocess.Popen(
            [sys.executable, "-m", "bench._live_server", str(folder / "config.toml")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, cwd=ROOT,
        )  # fmt: skip
        try:
            assert service.stdout is not None
            said = json.loads(service.stdout.readline())
            edits = asyncio.run(_edits(service, said["port"], said["token"], count))
            service.send_signal(signal.SIGTERM)
            late = json.loads(service.stdout.readline())
        finally:
            if service.poll() is None:
                service.terminate()
            service.wait(20)
    return edits, late


async def _edits(service: subprocess.Popen[str], port: int, token: str, count: int) -> list[Edit]:
    base = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {token}"}) as session:
        await _on_air(session)
        await asyncio.sleep(SETTLE_S)
        async with connect(f"ws://127.0.0.1:{port}/api/ws", max_size=1 << 20) as socket:
            await socket.send(json.dumps({"type": "subscribe", "id": 1, "stations": [STATION]}))
            watching = Watching()
            following = asyncio.create_task(watching.follow(socket))
            assert service.stdin is not None
            service.stdin.write("begin\n")
            service.stdin.flush()
            edits = [await _edit(session, watching, number) for number in range(count)]
            following.cancel()
    return [one for one in edits if one is not None]


async def _edit(session: aiohttp.ClientSession, watching: Watching, number: int) -> Edit | None:
    await asyncio.sleep(BETWEEN_S + number % 7 / 10)
    async with session.get(TEXT, headers={"Accept": "application/toml"}) as answer:
        version, text = answer.headers["ETag"], await answer.text()
    _, before = watching.told[-1]
    head = {"If-Match": version, "Content-Type": "application/toml"}
    called_s = time.monotonic()
    async with session.put(TEXT, data=_other(text).encode(), headers=head) as answer:
        found = await answer.json()
        answered_ms = (time.monotonic() - called_s) * 1000
        assert found.get("in_force"), found
    async with session.get(f"/api/stations/{STATION}") as answer:
        rows = [(row["id"], row["starts_at_ms"]) for row in (await answer.json())["next"]]
    shown = next((row for row in rows if row not in before), None)
    if shown is None:
        return None
    async with asyncio.timeout(WAIT_S):
        while (came_s := watching.first(shown, called_s)) is None:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.001)
    return Edit(called_s, (came_s - called_s) * 1000, answered_ms)


def _other(text: str) -> str:
    """The same schedule with each rotation the other way round, and other items before it; or back."""
    one, other = '{ category = "news"', '{ category = "promos"'
    swapped = text.replace(one, other) if one in text else text.replace(other, one)
    return re.sub(r"rotate = \[(.*?)\]", lambda found: f"rotate = [{_turned(found[1])}]", swapped)


def _turned(names: str) -> str:
    return ", ".join(reversed(names.split(", ")))


def lateness(edits: Sequence[Edit], samples: Sequence[tuple[float, float]], after_s: float) -> list[float]:
    """How late the loop was between call and answer of any edit, or with ``after_s`` in so long a time after it."""
    spans = [
        (one.called_s + one.answered_ms / 1000, after_s)
        if after_s
        else (one.called_s, one.answered_ms / 1000)
        for one in edits
    ]
    return [late for due_s, late in samples if any(0 <= due_s - from_s <= span_s for from_s, span_s in spans)]


async def _on_air(session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(START_S):
        while True:
            async with session.get(f"/api/stations/{STATION}") as answer:
                state = await answer.json()
            if state["availability"]["status"] == "on_air" and len(state["next"]) > 2:
                return
            await asyncio.sleep(0.2)


def _copy(folder: Path) -> None:
    """The demo: its own schedules, and its sounds where they are."""
    shutil.copytree(ROOT / "schedules", folder / "schedules")
    os.symlink(ROOT / "audio_fixtures", folder / "audio_fixtures")
    text = (ROOT / "config.toml").read_text()
    name = f'id = "{STATION}"\n'
    (folder / "config.toml").write_text(text.replace(name, f'{name}next_shows = "item"\n'))
