"""An hour of a demo station, by its own schedule, through the real engine, limiter and encoder, measured by FFmpeg.

The log of ``--station`` is compiled, rendered flat out, limited as its mounts need it, and encoded to MP3; ffmpeg's
ebur128 says how loud that is, and for each kind of item, too; its silencedetect finds what is silent for longer
than 1.5 s.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from radio.audio.encode import Mp3Encoder
from radio.audio.headroom import ceiling_dbtp
from radio.audio.limit import Limiter
from radio.audio.mixer import DUCK_RISE
from radio.clock import SystemClock
from radio.config import load_config
from radio.library.scan import Scanner
from radio.log import ItemKind, LogRow
from radio.playout import DirectLoader, Engine
from radio.schedule import PlannedStation, Planner, StoredLogs
from radio.schedule.laying import is_over_intro
from radio.store import Store, sqlite_url
from radio.units import SAMPLES_PER_MS, Samples, UtcMs

ROOT = Path(__file__).parent.parent
FROM = datetime.fromisoformat("2027-03-02T07:30:00+00:00")
LENGTH_MS = 3_600_000
BLOCK = 4_032
BITRATE_KBPS = 128
FRAME_BYTES = 3 * BITRATE_KBPS
FRAME_S = 0.024
LEAST_MS = 1_000


def main() -> None:
    """Print the table."""
    if shutil.which("ffmpeg") is None:
        print("ffmpeg is not installed: nothing measures the hour.")
        return
    options = ArgumentParser()
    options.add_argument("--station", default="meridian")
    with tempfile.TemporaryDirectory(prefix="nextup-hour-") as folder:
        out = Path(folder) / "hour.mp3"
        rows = asyncio.run(_render(Path(folder), out, options.parse_args().station))
        whole = _measured(out)
        print(f"{'what':<22}{'LUFS':>8}{'dBTP':>8}{'seconds':>10}")
        print(f"{'the whole hour':<22}{whole['I']:>8.1f}{whole['Peak']:>8.1f}{LENGTH_MS / 1000:>10.0f}")
        for kind, spans in sorted(_spans(rows).items()):
            part = _measured(out, spans)
            length_s = sum(end - start for start, end in spans)
            print(f"{kind:<22}{part['I']:>8.1f}{part['Peak']:>8.1f}{length_s:>10.0f}")
        silences = _silences(out)
        frames = out.stat().st_size / FRAME_BYTES
        print(f"frames: {frames:.3f}, which last {frames * FRAME_S:.3f} s")
        over = [row for row in rows if is_over_intro(row)]
        print(f"idents over an intro: {len(over)}, by {[row.overlap_ms for row in over]} ms")
        print(f"silences over 1.5 s: {len(silences)} {silences[:5] or ''}; rows: {len(rows)}")


async def _render(folder: Path, out: Path, name: str) -> Sequence[LogRow]:
    config = load_config(ROOT / "config.toml")
    roots = [root for station in config.stations for root in config.roots_of(station)]
    from_ms = UtcMs(int(FROM.timestamp() * 1000))
    async with Store.open(sqlite_url(folder / "hour.db")) as store:
        scanner = Scanner(store, roots)
        await scanner.scan()
        library = await scanner.library()
        planner = Planner(
            [PlannedStation.of(config, station) for station in config.stations],
            clock=SystemClock(),
            store=StoredLogs(store),
            library=lambda: library,
            sponsors_file=config.path(config.sponsors),
        )
        await planner.reload(name)
        rows = await planner.preview(name, from_ms, UtcMs(from_ms + LENGTH_MS + 60_000))
    station = next(station for station in config.stations if station.id == name)
    ceiling_db = ceiling_dbtp((mount.format, mount.bitrate_kbps) for mount in station.mounts)
    files = {item.id: item.file for item in library.by_id.values()}
    await asyncio.to_thread(_sound, rows, from_ms, files, out, ceiling_db)
    return [row for row in rows if row.starts_at_ms < from_ms + LENGTH_MS]


def _sound(
    rows: Sequence[LogRow], from_ms: UtcMs, files: dict[str, Path], out: Path, ceiling_db: float
) -> None:
    engine = Engine(
        _Log(rows),
        DirectLoader(lambda row: files.get(row.item or "")),
        epoch_ms=from_ms,
        station="hour",
        on_event=lambda event: None,
    )
    encoder, limiter = Mp3Encoder(BITRATE_KBPS), Limiter(ceiling_db=ceiling_db)
    with out.open("wb") as file:
        left = LENGTH_MS * SAMPLES_PER_MS
        while left:
            block = engine.render(Samples(min(BLOCK, left)))
            left -= len(block)
            file.write(b"".join(encoder.encode(limiter.process(block))))
        file.write(b"".join(encoder.flush()))
    engine.close()


class _Log:
    def __init__(self, rows: Sequence[LogRow]) -> None:
        self._rows = rows

    def row_at(self, at_ms: int) -> LogRow | None:
        return next((row for row in self._rows if row.starts_at_ms <= at_ms < row.ends_at_ms), None)

    def row_after(self, row: LogRow) -> LogRow | None:
        return self.row_at(row.ends_at_ms)


def _spans(rows: Sequence[LogRow]) -> dict[str, list[tuple[float, float]]]:
    """Where each kind sounds alone, in seconds of the file: what still sounds of the row before is left out."""
    from_ms = rows[0].starts_at_ms
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    shared_ms = 0
    for row in rows:
        start_ms = row.starts_at_ms + shared_ms - from_ms
        end_ms = min(row.ends_at_ms - from_ms, LENGTH_MS)
        if end_ms - start_ms >= LEAST_MS:
            spans[row.kind].append((start_ms / 1000, end_ms / 1000))
        rise_ms = DUCK_RISE // SAMPLES_PER_MS if row.kind is ItemKind.IDENT else 0
        shared_ms = row.overlap_ms + rise_ms
    return spans


def _measured(file: Path, spans: Sequence[tuple[float, float]] = ()) -> dict[str, float]:
    chosen = "+".join(f"between(t,{start:.2f},{end:.2f})" for start, end in spans)
    select = f"aselect='{chosen}',asetpts=N/SR/TB," if spans else ""
    said = _ffmpeg(file, f"{select}ebur128=peak=true")
    summary = said[said.rindex("Summary:") :]
    return {
        name: float(re.search(rf"{name}:\s+(-?[\d.]+|-inf)", summary)[1])  # type: ignore[index]
        for name in ("I", "Peak")
    }


def _silences(file: Path) -> list[str]:
    said = _ffmpeg(file, "silencedetect=noise=-50dB:duration=1.5")
    return re.findall(r"silence_start: ([\d.]+)", said)


def _ffmpeg(file: Path, chain: str) -> str:
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(file), "-af", chain, "-f", "null", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stderr
