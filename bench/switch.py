"""Switches on the air: the longest time without a byte at a listener, and the longest silence in what it hears.

A real service with a station for each kind of switch, and one listener each over a real socket (MP3 at 128 kbit/s). All
files are noise, and nothing is crossfaded, so that whatever is silent (10 ms under -60 dBFS) comes from the switch. The
parts looked at reach from 1 s before a switch to 2.5 s behind it. ``--repeats 20`` takes about eight minutes on a quiet
machine; ``--kinds emergency skip`` are some of them alone.

File failure, restart and takeover have benchmarks of their own: ``failures``, ``restart``, ``takeover``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from bench._switch_sound import Heard, Listening, noise

START_S = 120.0
BEFORE_MS = 1_000
AFTER_MS = 2_500
SEEN_WITHIN_S = 240.0
STATIONS = {
    "emergency": 40.0,
    "hold": 5.0,
    "skip": 60.0,
    "edit": 6.0,
    "edit-2": 6.0,
    "empty": 6.0,
    "empty-2": 6.0,
}
"""Each station's name, and how long its items are in seconds."""

EMERGENCY, BACK = "log to an emergency item at once", "  and back (resume)"
HOLD, RESUME = "log to a hold (bed)", "  and back (resume)  "
SKIP = "skip"
EDIT = "an edit of the schedule replaces what is next"
EMPTY, FILLED = "item to the bed: the library is empty", "  and back to items"


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(prog="bench switch")
    reader.add_argument("--repeats", type=int, default=20)
    reader.add_argument("--kinds", nargs="+", default=list(_SWITCHES), choices=list(_SWITCHES))
    options = reader.parse_args()
    stations = {name: item_s for name, item_s in STATIONS.items() if name.partition("-")[0] in options.kinds}
    with tempfile.TemporaryDirectory(prefix="nextup-switch-") as name:
        folder = Path(name)
        _write(folder, stations)
        service = subprocess.Popen(
            [sys.executable, "-m", "bench._live_server", str(folder / "config.toml")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        try:
            assert service.stdout is not None
            said = json.loads(service.stdout.readline())
            assert service.stdin is not None
            service.stdin.write("begin\n")
            service.stdin.flush()
            asyncio.run(_measure(folder, said["port"], said["token"], list(stations), options.repeats))
        finally:
            service.send_signal(signal.SIGTERM)
            service.communicate(timeout=60)


async def _measure(folder: Path, port: int, token: str, stations: list[str], repeats: int) -> None:
    base = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {token}"}) as session:
        desks = [Desk(session, station, folder / station) for station in stations]
        for desk in desks:
            await desk.ready()
        async with _listening(session, port, desks):
            await asyncio.gather(*(_SWITCHES[desk.kind](desk, _share(desk, repeats)) for desk in desks))
    _report(desks)


def _share(desk: Desk, repeats: int) -> int:
    """Two stations share the kinds that take longest."""
    twins = sum(name.startswith(desk.kind) for name in STATIONS)
    return repeats // twins if desk.station != desk.kind else repeats - repeats // twins * (twins - 1)


@asynccontextmanager
async def _listening(session: aiohttp.ClientSession, port: int, desks: list[Desk]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(desk.listener.run(session, port)) for desk in desks]
    await asyncio.sleep(4.0)
    yield
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()


class Desk:
    """One station, its listener, and which parts of the stream held a switch of which kind."""

    def __init__(self, session: aiohttp.ClientSession, station: str, folder: Path) -> None:
        self.session = session
        self.station = station
        self.kind = station.partition("-")[0]
        self.folder = folder
        self.listener = Listening(station)
        self.parts: list[tuple[str, float, float]] = []
        self._chance = random.Random(station)

    async def ready(self) -> None:
        """Wait for the first row of the library on the air."""
        async with asyncio.timeout(START_S):
            while not any(row["item"] for row in (await self.rows())[:1]):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.3)

    async def rows(self) -> list[dict[str, Any]]:
        async with self.session.get(f"/api/console/stations/{self.station}/rows") as answer:
            return list((await answer.json()).get("rows", ()))

    async def order(self, command: str, **body: Any) -> dict[str, Any]:
        address = f"/api/console/stations/{self.station}/{command}"
        async with self.session.post(address, json=body) as answer:
            found: dict[str, Any] = await answer.json()
            if answer.status != 200:
                raise SystemExit(f"{command} was refused: {found}")
            return found

    async def heard(self, kind: str, at_ms: float, from_ms: float | None = None) -> None:
        """Note a switch, and wait until its sound and some more has come."""
        self.parts.append((kind, (from_ms or at_ms) - BEFORE_MS, at_ms + AFTER_MS))
        await self.listener.reach(at_ms + BEFORE_MS + AFTER_MS + self._chance.uniform(0, 1_000))

    async def first(self, wanted: Callable[[dict[str, Any]], bool]) -> float:
        """When the first row that is wanted starts, once there is one within reach."""
        async with asyncio.timeout(SEEN_WITHIN_S):
            while True:
                rows = await self.rows()
                if found := next((row for row in rows[:6] if wanted(row)), None):
                    return float(found["starts_at_ms"])
                await asyncio.sleep(0.3)


async def _emergencies(desk: Desk, count: int) -> None:
    for _ in range(count):
        # one that comes is in the library; a file that the disk was slow with may be set aside
        item = next(row["item"] for row in (await desk.rows())[1:] if row["item"])
        await desk.heard(EMERGENCY, (await desk.order("emergency", item=item))["at_ms"])
        await desk.heard(BACK, (await desk.order("resume"))["at_ms"])


async def _holds(desk: Desk, count: int) -> None:
    for _ in range(count):
        await desk.heard(HOLD, (await desk.order("hold"))["next"]["starts_at_ms"])
        await desk.heard(RESUME, (await desk.order("resume"))["at_ms"])


async def _skips(desk: Desk, count: int) -> None:
    for _ in range(count):
        await desk.heard(SKIP, (await desk.order("skip"))["at_ms"])


async def _edits(desk: Desk, count: int) -> None:
    address = f"/api/console/stations/{desk.station}/schedule"
    for number in range(count):
        colour = ("blue", "red")[number % 2]
        async with desk.session.get(address, headers={"Accept": "application/toml"}) as answer:
            version = answer.headers["ETag"]
        head = {"If-Match": version, "Content-Type": "application/toml"}
        async with desk.session.put(address, data=_schedule(colour).encode(), headers=head) as answer:
            found = await answer.json()
            if not found.get("in_force"):
                raise SystemExit(f"the schedule is not in force: {found}")
        at_ms = await desk.first(lambda row, colour=colour: row["title"].startswith(colour))  # type: ignore[misc]
        await desk.heard(EDIT, at_ms)


async def _emptyings(desk: Desk, count: int) -> None:
    away = desk.folder.with_name(f"{desk.station}-away")
    # a folder without a single file counts as a disk that is not mounted
    (desk.folder / "readme.txt").write_text("The songs come back.\n")
    for _ in range(count):
        from_ms = desk.listener.until_ms
        (desk.folder / "red").rename(away)
        await desk.heard(EMPTY, await desk.first(lambda row: row["item"] is None), from_ms)
        from_ms = desk.listener.until_ms
        away.rename(desk.folder / "red")
        await desk.heard(FILLED, await desk.first(lambda row: row["item"] is not None), from_ms)


_SWITCHES: dict[str, Callable[[Desk, int], Awaitable[None]]] = {
    "emergency": _emergencies,
    "hold": _holds,
    "skip": _skips,
    "edit": _edits,
    "empty": _emptyings,
}


def _report(desks: list[Desk]) -> None:
    sounds = {desk.station: Heard(desk.listener) for desk in desks}
    print(
        f"{'switch':<48}{'times':>6}{'longest gap, ms':>17}{'worst':>8}{'longest silence, ms':>21}{'worst':>8}"
    )
    for kind in (EMERGENCY, BACK, HOLD, RESUME, SKIP, EDIT, EMPTY, FILLED):
        found = [
            (sounds[desk.station].gap_ms(*part), sounds[desk.station].silence_ms(*part))
            for desk in desks
            for name, *part in desk.parts
            if name == kind
        ]
        if not found:
            continue
        gaps, silences = zip(*found, strict=True)
        print(
            f"{kind:<48}{len(found):>6}{median(gaps):>17.0f}{max(gaps):>8.0f}{median(silences):>21.0f}{max(silences):>8.0f}"
        )
    usual = [
        gap
        for desk in desks
        for gap in sounds[desk.station].gaps_outside([(start, end) for _, start, end in desk.parts])
    ]
    print(
        f"{'between two pieces where nothing is switched':<48}{len(usual):>6}{median(usual):>17.0f}{max(usual):>8.0f}"
    )
    frames, decoded, displaced = (
        sum(getattr(sound, name) for sound in sounds.values())
        for name in ("frames", "decoded", "out_of_place")
    )
    print(
        f"frames received {frames}, decoded {decoded}, out of place {displaced}; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def _write(folder: Path, stations: dict[str, float]) -> None:
    (folder / "schedules").mkdir()
    for seed, (station, seconds) in enumerate(stations.items()):
        for colour in ("red", "blue") if station.startswith("edit") else ("red",):
            for number in range(8):
                file = folder / station / colour / f"{colour}-{number}.wav"
                noise(file, 1_000 * seed + 100 * len(colour) + number, seconds + number / 7)
        (folder / f"schedules/{station}.toml").write_text(_schedule("red"))
    (folder / "config.toml").write_text(
        "".join(
            f'[[stations]]\nid = "{name}"\nname = "{name}"\nlibrary = ["{name}"]\nnext_shows = "item"\n'
            "sound = { lead_s = 2, crossfade_ms = 0 }\n\n"
            for name in stations
        )
    )


def _schedule(colour: str) -> str:
    return (
        'default_clock = "hour"\n'
        + "".join(f'[categories.{name}]\nkind = "music"\nseparation_min = 0\n' for name in ("red", "blue"))
        + f'[clocks.hour]\npositions = [{{ rotate = ["{colour}"] }}]\n'
    )


if __name__ == "__main__":
    main()
