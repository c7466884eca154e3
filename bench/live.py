"""A station on the air in real time: hard rows against their times, and how soon a command is told to everyone.

One service with two stations. At one a hard row stands every ten seconds, each with a tone of its own: planned and
actual start in the as-run log, and where the tone begins in what a listener receives (MP3; stream time of the first
byte is told by the push). At the other an operator skips and puts items in: the time from the call to the update at a
WebSocket client. Meanwhile a probe in the service's event loop says how late it was. ``--minutes 5 --commands 200``.

Then the demo's three stations, one of which gets another schedule again and again: ``--edits 25``. Either part is left
out with 0.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
from websockets.asyncio.client import connect

from bench import _live_edits

EVERY_S = 10
TONES = [600 + 200 * n for n in range(8)]
RATE_HZ = 48_000


START_S = 120


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(prog="bench live")
    reader.add_argument("--minutes", type=float, default=5.0)
    reader.add_argument("--commands", type=int, default=200)
    reader.add_argument("--edits", type=int, default=25)
    options = reader.parse_args()
    if options.minutes:
        _play(options)
    if options.edits:
        _edit(options.edits)
    print(f"load when it ended: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _edit(count: int) -> None:
    edits, service = _live_edits.measured(count)
    _report("schedule saved: call to update at a subscriber, ms", [one.told_ms for one in edits])
    _report("schedule saved: call to answer, ms", [one.answered_ms for one in edits])
    for name, after_s in (("until the answer", 0.0), ("in the second after it", 1.0)):
        late = _live_edits.lateness(edits, service["samples"], after_s)
        _report(f"  lateness of the event loop {name}, ms", late)
        print(f"{'    over 10 ms, of all samples':<58}{sum(one > 10 for one in late):>8}{len(late):>8}")
    before_kb, after_kb = service["rss_kb"]
    print(
        f"{'  memory of the service before and after, MB':<58}{before_kb / 1024:>8.1f}{after_kb / 1024:>8.1f}"
    )


def _play(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="nextup-live-") as name:
        folder = Path(name)
        _write(folder, options.minutes)
        service = subprocess.Popen(
            [sys.executable, "-m", "bench._live_server", str(folder / "config.toml")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
            cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        try:
            assert service.stdout is not None
            said = json.loads(service.stdout.readline())
            asyncio.run(_measure(service, said["port"], said["token"], options, folder))
        finally:
            if service.poll() is None:
                service.kill()
            service.wait(20)


async def _measure(
    service: subprocess.Popen[str], port: int, token: str, options: argparse.Namespace, folder: Path
) -> None:
    base = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {token}"}) as session:
        await _on_air(session)
        assert service.stdin is not None
        service.stdin.write("begin\n")
        service.stdin.flush()
        listening = asyncio.create_task(_listen(session, port, options.minutes * 60))
        took, refused = await _command(session, port, options.commands)
        heard_from_ms, audio, wall_ms = await listening
    service.send_signal(signal.SIGTERM)
    assert service.stdout is not None
    late = json.loads(await asyncio.to_thread(service.stdout.readline))
    await asyncio.to_thread(service.wait, 20)
    starts = _as_run(folder / "data/nextup.db", heard_from_ms)
    _report("call to update at a subscriber, ms", took)
    print(f"{'commands refused':<58}{refused:>6}")
    _report("hard rows: as-run start against plan, ms", [abs(at - due) for _, due, at in starts])
    onsets = _onsets(audio, heard_from_ms, starts)
    _report("hard rows: tone in the received sound against plan, ms", [abs(off) for off in onsets])
    print(f"{'  of them median with its sign, and spread around it':<58}{np.median(onsets):>+8.1f}"
          f"{max(abs(off - np.median(onsets)) for off in onsets):>8.1f}")  # fmt: skip
    print(f"{'first byte came after the moment that it is of, ms':<58}{wall_ms - heard_from_ms:>8.0f}")
    print(
        f"{'lateness of the event loop, p99 and worst, ms':<58}{late['p99_ms']:>8.1f}{late['max_ms']:>8.1f}"
    )
    print(f"  the eight worst: {[round(one, 1) for one in late['over']]}")


def _report(name: str, values: list[float]) -> None:
    found = sorted(values)
    middle, near = found[len(found) // 2], found[min(len(found) - 1, int(len(found) * 0.99))]
    print(f"{name:<58}{middle:>8.1f}{near:>8.1f}{found[-1]:>8.1f}   (p50, p99, worst of {len(found)})")


async def _on_air(session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(START_S):
        for station in ("hard", "desk"):
            while True:
                async with session.get(f"/api/stations/{station}") as answer:
                    state = await answer.json()
                if state["availability"]["status"] == "on_air" and state["now"] and state["next"]:
                    break
                await asyncio.sleep(0.2)
    await asyncio.sleep(3)


async def _command(session: aiohttp.ClientSession, port: int, count: int) -> tuple[list[float], int]:
    """Skip and put in by turns; each time wait for the update that shows what the answer says."""
    async with session.get("/api/console/library/items?limit=50") as answer:
        items = [one["id"] for one in (await answer.json())["items"] if one["path"].startswith("songs/song-")]
    seen: dict[tuple[str, int], float] = {}
    chance = random.Random(7)
    took: list[float] = []
    refused = 0
    async with connect(f"ws://127.0.0.1:{port}/api/ws", max_size=1 << 20) as socket:
        await socket.send(json.dumps({"type": "subscribe", "id": 1, "stations": ["desk"]}))
        watching = asyncio.create_task(_watch(socket, seen))
        for number in range(count):
            await asyncio.sleep(chance.uniform(0.6, 0.9))
            called_s = time.monotonic()
            change = await _order(session, number, chance.choice(items))
            if change is None:
                refused += 1
                continue
            shown = change["on_air"] if number % 2 == 0 else change["next"]
            key = shown["id"], shown["starts_at_ms"]
            async with asyncio.timeout(5):
                while key not in seen:  # noqa: ASYNC110 - it must not be told of anything else
                    await asyncio.sleep(0.001)
            took.append((seen[key] - called_s) * 1000)
        watching.cancel()
    return took, refused


async def _order(session: aiohttp.ClientSession, number: int, item: str) -> dict[str, Any] | None:
    command, body = ("skip", {}) if number % 2 == 0 else ("insert", {"item": item, "when": "next"})
    async with session.post(f"/api/console/stations/desk/{command}", json=body) as answer:
        found: dict[str, Any] = await answer.json()
        return found if answer.status == 200 else None


async def _watch(socket: Any, seen: dict[tuple[str, int], float]) -> None:
    async for text in socket:
        came_s = time.monotonic()
        for row in json.loads(text).get("patch", {}).get("next") or ():
            seen.setdefault((row["id"], row["starts_at_ms"]), came_s)


async def _listen(session: aiohttp.ClientSession, port: int, seconds: float) -> tuple[int, bytes, float]:
    """What a listener receives in that time, the stream time of its first byte, and when that came."""
    name = str(uuid.uuid4())
    audio = bytearray()
    wall_ms = 0.0
    async with connect(f"ws://127.0.0.1:{port}/api/ws") as socket:
        await socket.send(json.dumps({"type": "listen", "id": 1, "station": "hard", "session": name}))
        async with session.get(f"/listen/hard/live.mp3?session={name}", timeout=None) as answer:
            until_s = time.monotonic() + seconds
            async for piece in answer.content.iter_any():
                wall_ms = wall_ms or time.time() * 1000
                audio += piece
                if time.monotonic() > until_s:
                    break
        async with asyncio.timeout(5):
            while (told := json.loads(await socket.recv()))["type"] != "listening":
                pass
    return told["stream_time_ms"], bytes(audio), wall_ms


def _as_run(database: Path, from_ms: int) -> list[tuple[str, int, int]]:
    """Item, planned and actual start of the hard rows that were heard from then on."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        rows = db.execute(
            "SELECT body, started_at_ms FROM as_run WHERE station = 'hard' AND started_at_ms > ? ORDER BY at_ms",
            (from_ms + 1_000,),
        ).fetchall()
    found = [(json.loads(body), at) for body, at in rows]
    return [
        (row["title"], row["due_ms"] or row["starts_at_ms"], at)
        for row, at in found
        if row["anchor"] == "hard"
    ]


def _onsets(audio: bytes, from_ms: int, starts: list[tuple[str, int, int]]) -> list[float]:
    """How far from its planned place each tone begins in the sound, in milliseconds."""
    codec = av.CodecContext.create("mp3", "r")
    frames = [
        frame.to_ndarray()[0]
        for packet in [*codec.parse(audio), *codec.parse(b"")]
        for frame in codec.decode(packet)
    ]
    sound = np.concatenate(frames).astype(np.float64)
    found = []
    for title, due_ms, _ in starts:
        middle = round((due_ms - from_ms) * RATE_HZ / 1000)
        first, last = middle - RATE_HZ // 2, middle + RATE_HZ // 2
        if first < 0 or last > len(sound):
            continue
        found.append((_rise(sound[first:last], float(title)) - RATE_HZ / 2) * 1000 / RATE_HZ)
    return found


def _rise(sound: Any, hertz: float) -> float:
    """The sample at which a tone comes up to half of what it is at the end."""
    phase = 2j * np.pi * hertz * np.arange(len(sound)) / RATE_HZ
    window = np.ones(480) / 480
    level = np.abs(np.convolve(sound * np.exp(-phase), window, mode="same"))
    return float(np.argmax(level > level[-5_000:-2_000].mean() / 2))


def _write(folder: Path, minutes: float) -> None:
    for hertz in TONES:
        _tone(folder / f"hard/marks/{hertz}.wav", hertz, 3.0)
    for number in range(12):
        _tone(folder / f"hard/songs/low-{number}.wav", 150 + number, 2.0 + number / 7)
    for number in range(40):
        _tone(folder / f"desk/songs/song-{number:02}.wav", 300 + 10 * number, 90 + 3 * number, rate_hz=8_000)
    (folder / "schedules").mkdir()
    (folder / "schedules/hard.toml").write_text(_clock(minutes))
    (folder / "schedules/desk.toml").write_text(
        'default_clock = "hour"\n[categories.songs]\nkind = "music"\n[clocks.hour]\n'
        'positions = [{ rotate = ["songs"] }]\n'
    )
    (folder / "config.toml").write_text(
        "".join(
            f'[[stations]]\nid = "{name}"\nname = "{name}"\nlibrary = ["{name}"]\nnext_shows = "item"\n'
            "sound = { lead_s = 2, crossfade_ms = 0 }\n\n"
            for name in ("hard", "desk")
        )
    )


def _clock(minutes: float) -> str:
    """Hard positions around the present alone: an hour of them would be too many."""
    first = int(time.time()) // 60 * 60
    seconds = sorted(
        (first + step) % 3_600 for step in range(0, min(1_900, int(minutes * 60) + 240), EVERY_S)
    )
    marks = "".join(
        f'  {{ at = "{at // 60:02}:{at % 60:02}", anchor = "hard", '
        f'item = "marks/{TONES[at // EVERY_S % len(TONES)]}" }},\n'
        '  { rotate = ["songs"] },\n' for at in seconds
    )  # fmt: skip
    return (
        'default_clock = "hour"\n[categories.songs]\nkind = "music"\nseparation_min = 0\n'
        '[categories.marks]\nkind = "promo"\nseparation_min = 0\n[clocks.hour]\npositions = [\n'
        + marks
        + "]\n"
    )


def _tone(path: Path, hertz: float, seconds: float, rate_hz: int = RATE_HZ) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = np.sin(2 * np.pi * hertz * np.arange(int(rate_hz * seconds)) / rate_hz) * 8_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None, :], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
