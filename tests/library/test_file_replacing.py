from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from library_sounds import tone

from radio.library.file_replacing import LEFT_AFTER_MS, sweep_leftovers

KILLED = """
import os, signal, sys
from pathlib import Path
from radio.library.file_replacing import replace_file, writable_status
from radio.library.tag_edits import Edit
path = Path(sys.argv[1])
replace_file(path, writable_status(path), [Edit(0, 4, b"else")], lambda *_: os.kill(os.getpid(), signal.SIGKILL), 1)
"""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def left(folder: Path) -> list[Path]:
    return sorted(folder.rglob(".nextup-*"))


def test_what_a_killed_write_left_is_swept_after_an_hour(tmp_path: Path) -> None:
    file = tone(tmp_path / "music/deep/a.mp3")
    old = file.read_bytes()
    died = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert file.read_bytes() == old
    (copy,) = left(tmp_path)
    assert copy.stat().st_mtime_ns == 1  # as old as the file that an undo restores, and yet not left over
    assert sweep_leftovers([tmp_path], now_ms()) == []
    assert sweep_leftovers([tmp_path / "none", tmp_path], now_ms() + LEFT_AFTER_MS) == [copy]
    assert left(tmp_path) == []
    assert file.read_bytes() == old


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".nextup-away.tmp").touch()
    root = tmp_path / "audio"
    (root / ".nextup-folder.tmp").mkdir(parents=True)
    kept = [root / name for name in (".nextup-a.mp3", "nextup-b.tmp", ".other.tmp", "c.mp3")]
    for path in kept:
        path.touch()
    (root / ".nextup-link.tmp").symlink_to(root / "c.mp3")
    (root / "linked").symlink_to(outside)
    os.mkfifo(root / ".nextup-fifo.tmp")
    before = sorted(tmp_path.rglob("*"))
    assert sweep_leftovers([root], now_ms() + 10 * LEFT_AFTER_MS) == []
    assert sorted(tmp_path.rglob("*")) == before
