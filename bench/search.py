"""Search in a library of 100,000 generated items: the time from the question to the page, on SQLite."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.items import Item
from radio.library.query import parse
from radio.library.search import Search, search
from radio.store import Store, sqlite_url
from radio.units import DurationMs, Lufs

ITEMS = 100_000
QUESTIONS = 600
BATCH = 5_000
BOUND_MS = 30.0


def main() -> None:
    """Print the table."""
    rng = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder) / "radio.db", rng))


async def _measure(database: Path, rng: random.Random) -> None:
    words = _vocabulary(rng)
    async with Store.open(sqlite_url(database)) as store:
        started_s = time.perf_counter()
        for first in range(0, ITEMS, BATCH):
            items = [_item(number, words, rng) for number in range(first, first + BATCH)]
            await store.write(catalog.apply, Batch(items=items))
        print(f"{ITEMS} items taken in and indexed in {time.perf_counter() - started_s:.0f} s")
        print(f"{'question':<34}{'p50 ms':>10}{'p95 ms':>10}{'CPU p50':>10}{'CPU p95':>10}")
        everything: list[tuple[float, float]] = []
        for name, ask in _questions(words, rng).items():
            times = [await _asked(store, *ask()) for _ in range(QUESTIONS // 8)]
            everything += times
            _line(name, times)
        _line(f"all (bound: p95 {BOUND_MS:.0f} ms)", everything)


async def _asked(store: Store, text: str, sort: str) -> tuple[float, float]:
    """Milliseconds on the wall, and of a processor: on a busy machine the second says more."""
    started_s = time.perf_counter()
    cpu_s = await store.read(_timed, Search(query=parse(text), sort=sort, roots=["/audio"]))
    return (time.perf_counter() - started_s) * 1000, cpu_s * 1000


def _timed(connection: Connection, wanted: Search) -> float:
    started_s = time.thread_time()
    search(connection, wanted)
    return time.thread_time() - started_s


def _questions(words: list[str], rng: random.Random) -> dict[str, Callable[[], tuple[str, str]]]:
    def rare() -> str:
        return rng.choice(words)

    sorts = ("title", "title", "artist", "-date", "length")
    return {
        "one word": lambda: (rare(), rng.choice(sorts)),
        "the beginning of a word": lambda: (rare()[:4], "title"),
        "two words": lambda: (f"{_common(words, rng)} {_common(words, rng)}", rng.choice(sorts)),
        "a phrase": lambda: (f'"{_common(words, rng)} {_common(words, rng)}"', "title"),
        "artist and length": lambda: (f"artist:{rare()} length>=3:30", "artist"),
        "genre, year, without a word": lambda: (f"genre:jazz date:1990 -{_common(words, rng)}", "title"),
        "a common genre": lambda: ("genre:jazz", "title"),
        "everything, a page far on": lambda: ("", rng.choice(("title", "artist"))),
    }


def _vocabulary(rng: random.Random) -> list[str]:
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in "aeiou"]
    return sorted({"".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(22_000)})


def _common(words: list[str], rng: random.Random) -> str:
    """Words come up as in a language: the n-th most frequent 1/n as often (Zipf)."""
    return words[min(len(words) - 1, int(len(words) ** rng.random()))]


def _item(number: int, words: list[str], rng: random.Random) -> Item:
    said = [_common(words, rng) for _ in range(8)]
    return Item(
        id=f"{number:020x}",
        root="/audio",
        path=f"music/{said[0]}/{number}.mp3",
        size_bytes=1,
        mtime_ns=number,
        content_hash=f"{number:040x}",
        category="music",
        title=" ".join(said[:4]).capitalize(),
        artist=" ".join(said[4:6]).title(),
        album=" ".join(said[6:]),
        genre=rng.choice(("Jazz", "Classical", "Rock", "Folk", "Blues", "Spoken word")),
        date=str(rng.randint(1950, 2024)),
        duration_ms=DurationMs(600_000),
        cue_in_ms=DurationMs(0),
        cue_out_ms=DurationMs(rng.randint(60_000, 600_000)),
        loudness_lufs=Lufs(-8 - 20 * rng.random()),
    )


def _line(name: str, times: list[tuple[float, float]]) -> None:
    cells = ""
    for ranked in (sorted(wall for wall, _ in times), sorted(cpu for _, cpu in times)):
        cells += f"{ranked[len(ranked) // 2]:>10.1f}{ranked[int(len(ranked) * 0.95)]:>10.1f}"
    print(f"{name:<34}{cells}")
