"""Liquidsoap at the same work as playout's benchmark: the same files, crossfaded, encoded once to MP3, no clock."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

LIMIT_S = 600

_SCRIPT = """
settings.init.allow_root.set(true)
settings.log.stdout.set(false)
settings.log.file.set(false)
settings.frame.audio.samplerate.set(48000)
s = playlist(mode="normal", loop=false, reload_mode="never", "{list}")
s = crossfade(duration={crossfade_s}, fade_in={crossfade_s}, fade_out={crossfade_s}, s)
clock.assign_new(sync="none", [s])
output.file(fallible=true, on_stop=shutdown, %mp3(bitrate=128, samplerate=48000, stereo=true), "{out}", s)
"""

# Told to stop while it still starts, Liquidsoap 2.1 may never end.
_EMPTY = """
settings.init.allow_root.set(true)
output.dummy(fallible=true, blank())
thread.run(delay=0.5, shutdown)
"""


def version() -> str | None:
    """What Liquidsoap calls itself; None where it is not installed."""
    if shutil.which("liquidsoap") is None:
        return None
    said = subprocess.run(
        ["liquidsoap", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    return said.stdout.splitlines()[0] if said.stdout else None


def cpu_s_per_hour(files: list[Path], crossfade_ms: int) -> float:
    """CPU seconds per hour of stream, its start-up left out. Raises OSError, CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="nextup-liquidsoap-") as folder:
        base = Path(folder)
        (base / "list.m3u").write_text("".join(f"{path}\n" for path in files))
        script = base / "bench.liq"
        out = base / "out.mp3"
        script.write_text(
            _SCRIPT.format(list=base / "list.m3u", out=out, crossfade_s=f"{crossfade_ms / 1000:.1f}")
        )
        start_s = _cpu_s([_script_of(base / "empty.liq", _EMPTY)])
        spent_s = _cpu_s([str(script)]) - start_s
        return spent_s / (out.stat().st_size / 16_000 / 3600)


def _script_of(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def _cpu_s(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["liquidsoap", *arguments], check=True, timeout=LIMIT_S, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
