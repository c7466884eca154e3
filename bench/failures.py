"""Files that fail on the air: the longest silence that a listener hears, 20 random cases of each kind.

A real file is cut off, has a piece of noise bytes in it, or is gone; its row says nothing of it. What is rendered by
the real engine is looked through for its quietest stretch (10 ms windows under -50 dBFS).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from radio.audio.measure import measure
from radio.audio.pcm import Pcm
from radio.events import FallbackStarted
from radio.log import ItemKind, LogRow
from radio.playout import DirectLoader, Engine
from radio.units import SAMPLES_PER_MS, Samples, UtcMs

SOUNDS = Path(__file__).parent.parent / "audio_fixtures"
CASES = 20
BLOCK = Samples(4_032)
WINDOW = 480
QUIET_DB = -50.0


def main() -> None:
    """Print the table."""
    files = sorted(
        path for path in SOUNDS.glob("*/music/*") if path.suffix in (".mp3", ".flac", ".ogg", ".m4a")
    )
    chance = random.Random(20)
    print(f"{'what':<34}{'longest silence, ms':>22}{'worst':>8}{'replaced by the bed':>22}")
    kinds: dict[str, Callable[[bytes], bytes | None]] = {
        "the file is cut off": lambda data: data[: int(len(data) * chance.uniform(0.2, 0.8))],
        "noise in the middle of the file": lambda data: _spoiled(data, chance),
        "the file is gone": lambda data: None,
    }
    with tempfile.TemporaryDirectory(prefix="nextup-failures-") as folder:
        for name, spoil in kinds.items():
            found = [_case(Path(folder), chance.choice(files), spoil) for _ in range(CASES)]
            silences = [silence for silence, _ in found]
            bed = sum(fell_back for _, fell_back in found)
            print(f"{name:<34}{median(silences):>22.0f}{max(silences):>8.0f}{f'{bed} of {CASES}':>22}")


def _spoiled(data: bytes, chance: random.Random) -> bytes:
    at = int(len(data) * chance.uniform(0.2, 0.7))
    noise = chance.randbytes(min(20_000, len(data) - at))
    return data[:at] + noise + data[at + len(noise) :]


def _case(folder: Path, file: Path, spoil: Callable[[bytes], bytes | None]) -> tuple[float, bool]:
    length_ms = measure(file).duration_ms
    broken = folder / f"broken{file.suffix}"
    broken.unlink(missing_ok=True)
    if (data := spoil(file.read_bytes())) is not None:
        broken.write_bytes(data)
    rows = [_row("broken", 0, length_ms), _row("whole", length_ms, 20_000)]
    fell_back: list[FallbackStarted] = []
    engine = Engine(
        _Log(rows),
        DirectLoader(lambda row: broken if row.id == "broken" else file),
        epoch_ms=UtcMs(0),
        station="bench",
        on_event=lambda event: fell_back.append(event) if isinstance(event, FallbackStarted) else None,
    )
    blocks = [engine.render(BLOCK) for _ in range((length_ms + 10_000) * SAMPLES_PER_MS // BLOCK)]
    engine.close()
    return _longest_silence_ms(np.concatenate(blocks)), bool(fell_back)


def _longest_silence_ms(sound: Pcm) -> float:
    windows = sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW * 2)
    quiet = (windows.astype(np.float64) ** 2).mean(axis=1) < 10 ** (QUIET_DB / 10)
    longest = run = 0
    for one in quiet:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest * WINDOW / SAMPLES_PER_MS


def _row(name: str, starts_ms: int, length_ms: int) -> LogRow:
    return LogRow(
        id=name, station="bench", starts_at_ms=UtcMs(starts_ms), ends_at_ms=UtcMs(starts_ms + length_ms),
        kind=ItemKind.MUSIC, title=name, reason="bench", item=name,
    )  # fmt: skip


class _Log:
    def __init__(self, rows: list[LogRow]) -> None:
        self._rows = rows

    def row_at(self, at_ms: int) -> LogRow | None:
        return next((row for row in self._rows if row.starts_at_ms <= at_ms < row.ends_at_ms), None)

    def row_after(self, row: LogRow) -> LogRow | None:
        return self.row_at(row.ends_at_ms)
