"""Scanning folders: 10,000 small files read anew, and 100,000 that did not change.

Equal work: a scan's first phase, from an empty database to files that a search finds, beside ``mpd``'s update and
``beet import -A`` (in an environment of its own) on the same files, where they are installed. All three walk the
folders, read tags and length, and write their database; Next Up also hashes every file. What only Next Up does,
decoding and measuring, comes after that and is a row of its own.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import msgspec
from mutagen.id3 import ID3, TALB, TIT2, TPE1
from mutagen.mp3 import MP3

from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.items import Item
from radio.library.query import parse
from radio.library.scan import Scanner
from radio.library.scan_report import MEASURING, ScanProgress
from radio.library.search import Search, search
from radio.library.tag_reading import read_tags
from radio.library.walk import inode_of
from radio.store import Store, sqlite_url
from radio.units import DurationMs

FILES = 10_000
MEASURED = 1_000
UNCHANGED = 100_000
RUNS = 3
LIMIT_S = 170


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="nextup-scan-") as folder:
        base = Path(folder)
        print(f"{'what':<46}{'files/s':>10}{'seconds':>10}")
        root = base / "audio"
        _make(root, FILES)
        _rate("Next Up, tags alone", FILES, lambda: _tags(root))
        _peers(base, root)
        few = base / "few"
        _make(few, MEASURED)
        _rate("Next Up, whole: tags, sound, fingerprint", MEASURED, lambda: _scan(base / "few.db", few))
        _unchanged(base)


def _peers(base: Path, root: Path) -> None:
    """Next Up and mpd in turn, the best of each counts, since both are as fast as the machine is quiet."""
    ours: list[float] = []
    theirs: list[float | None] = []
    for number in range(RUNS):
        ours.append(_row("Next Up, walk to searchable", _catalogue(base / f"first-{number}.db", root)))
        theirs.append(_mpd(base / f"mpd-{number}", root))
        if (took_s := theirs[-1]) is not None:
            _row("mpd, update", took_s)
    for name, best in (("mpd, update", _best(theirs)), ("beets, import -A", _beets(base, root))):
        if best is None:
            print(f"{name} is not to be had here: no comparison.")
        else:
            _row(f"{name}{', the best' if name.startswith('mpd') else ''}", best)
            print(f"{'':<46}{'':>20}   Next Up's best: x {best / min(ours):.2f}")


def _best(runs: list[float | None]) -> float | None:
    return min((took_s for took_s in runs if took_s is not None), default=None)


def _row(name: str, took_s: float) -> float:
    print(f"{name:<46}{FILES / took_s:>10.0f}{took_s:>10.1f}")
    return took_s


def _rate(name: str, files: int, work: object) -> float:
    started_s = time.perf_counter()
    work()  # type: ignore[operator]
    took_s = time.perf_counter() - started_s
    print(f"{name:<46}{files / took_s:>10.0f}{took_s:>10.1f}")
    return took_s


def _make(root: Path, count: int) -> None:
    sound = _mp3(root.parent / "sound.mp3")
    for number in range(count):
        file = root / f"{number // 100:03}" / f"{number}.mp3"
        file.parent.mkdir(parents=True, exist_ok=True)
        tag = ID3()
        tag.add(TIT2(encoding=3, text=[f"Title {number}"]))
        tag.add(TPE1(encoding=3, text=[f"Artist {number % 97}"]))
        tag.add(TALB(encoding=3, text=[f"Album {number // 12}"]))
        # every file is a little longer than the one before, so that none is taken for a copy
        file.write_bytes(sound * (1 + number % 2))
        tag.save(file)


def _mp3(path: Path) -> bytes:
    if not path.exists():
        silence = path.with_suffix(".wav")
        with wave.open(str(silence), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(48_000)
            out.writeframes(bytes(range(256)) * 375)
        _encode(silence, path)
    return path.read_bytes()


def _encode(source: Path, target: Path) -> None:
    import av

    with av.open(str(source)) as read, av.open(str(target), "w") as write:
        stream = write.add_stream("libmp3lame", rate=48_000)
        for frame in read.decode(audio=0):
            write.mux(stream.encode(frame))
        write.mux(stream.encode(None))
    tag = MP3(str(target))
    tag.delete()


def _tags(root: Path) -> None:
    for file in sorted(root.rglob("*.mp3")):
        read_tags(file)


def _scan(database: Path, root: Path) -> None:
    async def work() -> None:
        async with Store.open(sqlite_url(database)) as store:
            report = await Scanner(store, [root]).scan()
            assert report.added == MEASURED, report

    asyncio.run(work())


def _catalogue(database: Path, root: Path) -> float:
    """The seconds of a scan until every file can be found; the scan is ended then."""

    async def work() -> float:
        async with Store.open(sqlite_url(database)) as store:
            catalogued = asyncio.Event()

            def tell(step: ScanProgress) -> None:
                if step.phase == MEASURING:
                    catalogued.set()

            started_s = time.perf_counter()
            scan = asyncio.create_task(Scanner(store, [root]).scan(tell))
            await catalogued.wait()
            took_s = time.perf_counter() - started_s
            scan.cancel()
            await asyncio.gather(scan, return_exceptions=True)
            last = Search(query=parse(f'title:"title {FILES - 1}"'))
            assert (await store.read(search, last)).total == 1
            assert len(await store.read(catalog.load_items)) == FILES
            return took_s

    return asyncio.run(work())


def _beets(base: Path, root: Path) -> float | None:
    home = base / "beets"
    try:
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            [str(home / "bin/pip"), "install", "-q", "beets"],
        ):
            subprocess.run(command, check=True, timeout=LIMIT_S, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return None
    (home / "config.yaml").write_text("import:\n  copy: no\n  write: no\n  quiet: yes\nplugins: []\n")
    command = [str(home / "bin/beet"), "import", "-A", "-q", "-C", str(root)]
    return _timed(command, {**os.environ, "BEETSDIR": str(home)})


def _mpd(base: Path, root: Path) -> float | None:
    if shutil.which("mpd") is None:
        return None
    home = base
    home.mkdir()
    socket = home / "socket"
    (home / "mpd.conf").write_text(
        f'music_directory "{root}"\ndb_file "{home}/db"\nbind_to_address "{socket}"\n'
        f'log_file "{home}/log"\nauto_update "no"\n'
        'audio_output {\n  type "null"\n  name "none"\n}\n'
    )
    process = subprocess.Popen(["mpd", "--no-daemon", str(home / "mpd.conf")], stderr=subprocess.DEVNULL)
    try:
        return _mpd_update(socket)
    except OSError:
        return None
    finally:
        process.terminate()
        process.wait()


def _mpd_update(address: Path) -> float | None:
    import socket

    for _ in range(100):
        if address.exists():
            break
        time.sleep(0.1)
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(address))
        lines = link.makefile("rw", newline="\n")
        lines.readline()
        started_s = time.perf_counter()
        _say(lines, "update")
        while time.perf_counter() - started_s < LIMIT_S:
            if not any(line.startswith("updating_db") for line in _say(lines, "status")):
                return time.perf_counter() - started_s
            time.sleep(0.02)
    return None


def _say(lines: object, command: str) -> list[str]:
    lines.write(command + "\n")  # type: ignore[attr-defined]
    lines.flush()  # type: ignore[attr-defined]
    said: list[str] = []
    while not (line := lines.readline()).startswith(("OK", "ACK")) and line:  # type: ignore[attr-defined]
        said.append(line)
    return said


def _timed(command: list[str], environment: dict[str, str]) -> float | None:
    started_s = time.perf_counter()
    try:
        subprocess.run(command, env=environment, check=True, timeout=LIMIT_S, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return time.perf_counter() - started_s


def _unchanged(base: Path) -> None:
    """A library that is known and did not change; its items are written to the database without a probe."""
    root = base / "many"
    for number in range(UNCHANGED):
        folder = root / f"{number // 500:03}"
        if number % 500 == 0:
            folder.mkdir(parents=True)
        (folder / f"{number}.mp3").write_bytes(b"x")

    async def work() -> None:
        async with Store.open(sqlite_url(base / "many.db")) as store:
            scanner = Scanner(store, [root])
            files = sorted(root.rglob("*.mp3"))
            for first in range(0, UNCHANGED, 5_000):
                items = [_known(root, file) for file in files[first : first + 5_000]]
                await store.write(catalog.apply, Batch(items=items))
            memory: list[float] = []
            for _ in range(3):
                started_s = time.perf_counter()
                report = await scanner.scan()
                took_s = time.perf_counter() - started_s
                assert report.unchanged == UNCHANGED, msgspec.structs.replace(report, problems=())
                memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
                print(f"{'Next Up, nothing changed':<46}{UNCHANGED / took_s:>10.0f}{took_s:>10.1f}")
            print(f"memory at most, after each of the three: {', '.join(f'{mb:.0f}' for mb in memory)} MB")

    asyncio.run(work())


def _known(root: Path, file: Path) -> Item:
    status = file.stat()
    path = file.relative_to(root).as_posix()
    return Item(
        id=path, root=str(root), path=path, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns,
        content_hash=path, category=path[:3], title=file.stem, duration_ms=DurationMs(1000),
        cue_in_ms=DurationMs(0), cue_out_ms=DurationMs(1000), inode=inode_of(status),
    )  # fmt: skip
