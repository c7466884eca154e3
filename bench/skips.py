"""A skip while the disk is slow: how long the engine stands still for the next file, and whether that is heard at all.

Every open of a file takes as long as the first column says. The skip comes ten seconds before the row's end or
more, so that nothing but the file kept ready for it can help; where a second one follows at once, its file is
still being opened.
"""

from __future__ import annotations

import tempfile
import time
import wave
from pathlib import Path
from statistics import median

import numpy as np

from radio.events import FallbackStarted, PlayoutEvent
from radio.log import ItemKind, LogRow
from radio.playout import Engine, ThreadLoader
from radio.schedule import StationLog
from radio.units import SAMPLE_RATE_HZ, Samples, UtcMs

OPENS_S = (0.0, 0.6, 2.0)
REPEATS = 5
BLOCK = Samples(4_032)
ROW_MS = 20_000


def main() -> None:
    """Print the table."""
    print(f"{'open takes':<12}{'skips':>7}{'engine waits, ms':>18}{'worst':>8}{'item missed':>14}")
    with tempfile.TemporaryDirectory(prefix="nextup-skips-") as folder:
        file = Path(folder) / "tone.wav"
        _tone(file)
        for open_s in OPENS_S:
            for skips in (1, 2):
                found = [_case(file, open_s, skips) for _ in range(REPEATS)]
                waits = [wait_ms for wait_ms, _ in found]
                missed = sum(missed for _, missed in found)
                line = f"{median(waits):>18.0f}{max(waits):>8.0f}{f'{missed} of {REPEATS}':>14}"
                print(f"{f'{open_s:g} s':<12}{skips:>7}{line}", flush=True)


def _case(file: Path, open_s: float, skips: int) -> tuple[float, bool]:
    def slow(row: LogRow) -> Path:
        time.sleep(open_s)
        return file

    missed: list[PlayoutEvent] = []
    log = StationLog("bench", "Bench")
    log.replace_from(UtcMs(0), [_row(number) for number in range(8)])
    engine = Engine(
        log,
        ThreadLoader(slow, "bench"),
        epoch_ms=UtcMs(0),
        station="bench",
        on_event=lambda event: missed.append(event) if isinstance(event, FallbackStarted) else None,
        patience_s=max(0.8, open_s + 1.0),
    )
    engine.render(BLOCK)
    engine._patience_s = 0.8
    time.sleep(open_s + 0.3)
    for _ in range(skips):
        engine.skip("the desk")
        began = time.perf_counter()
        engine.render(BLOCK)
        waited_ms = (time.perf_counter() - began) * 1000
    engine.close()
    return waited_ms, bool(missed)


def _row(number: int) -> LogRow:
    return LogRow(
        id=f"r{number}",
        station="bench",
        starts_at_ms=UtcMs(number * ROW_MS),
        ends_at_ms=UtcMs((number + 1) * ROW_MS),
        kind=ItemKind.SPEECH,
        title=f"Row {number}",
        reason="bench",
        item=f"item-{number}",
    )


def _tone(file: Path) -> None:
    time_s = np.arange(60 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        out.writeframes((np.sin(time_s * 2 * np.pi * 440) * 8_000).astype("<i2").tobytes())
