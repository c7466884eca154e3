"""The odd and broken files that mutagen is tested with: each is read, and written or refused, and none harmed."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radio.errors import TagsNotWritten
from radio.library.tag_reading import read_tags
from radio.library.tag_writing import undo, write_tags

ROOT = Path(__file__).parents[2]
READ_LIMIT_S = 2.0
ASKED = {"title": "Slack water — première", "artists": ["Ada Quay", "Борис Риф"]}


def _pinned() -> tuple[str, set[str]]:
    """The version of mutagen and the hashes of its distributions that are locked."""
    lock = (ROOT / "requirements.lock").read_text()
    entry = re.search(r"^mutagen==(\S+) \\\n((?:    --hash=\S+(?: \\)?\n)+)", lock, re.MULTILINE)
    assert entry, "requirements.lock does not pin mutagen"
    return entry[1], set(re.findall(r"sha256:([0-9a-f]{64})", entry[2]))


@pytest.fixture(scope="module")
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked test files of mutagen's source distribution, downloaded once and checked by its hash."""
    version, hashes = _pinned()
    kept = request.config.cache.mkdir(f"mutagen-{version}") if request.config.cache else None
    folder = kept or tmp_path_factory.mktemp("download")
    archive = folder / f"mutagen-{version}.tar.gz"
    if not archive.exists() or _sha256(archive) not in hashes:
        _download(version, folder)
    if _sha256(archive) not in hashes:
        pytest.fail(
            "mutagen's source distribution has another hash than requirements.lock says", pytrace=False
        )
    target = tmp_path_factory.mktemp("corpus")
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")
    return target / f"mutagen-{version}" / "tests" / "data"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _download(version: str, folder: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--dest",
        str(folder),
    ]
    try:
        subprocess.run([*pip, f"mutagen=={version}"], check=True, capture_output=True, timeout=110)
    except (subprocess.SubprocessError, OSError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else str(error)
        pytest.fail(f"mutagen's test files could not be downloaded with pip: {reason}", pytrace=False)


def _files(corpus: Path) -> Iterator[Path]:
    found = sorted(file for file in corpus.iterdir() if file.is_file())
    assert len(found) >= 90
    for file in found:
        file.chmod(0o644)
        yield file


def test_every_file_is_read_in_time(corpus: Path) -> None:
    slow = {}
    for file in _files(corpus):
        began_s = time.perf_counter()
        assert read_tags(file).title
        slow[file.name] = time.perf_counter() - began_s
    assert max(slow.values()) < READ_LIMIT_S, max(slow, key=lambda name: slow[name])


def test_what_is_known_of_some_files(corpus: Path) -> None:
    def words(name: str) -> tuple[str, str | None, str | None]:
        tags = read_tags(corpus / name)
        return tags.title, tags.artist, tags.date

    assert words("silence-44-s.mp3") == ("Silence", "piman, jzig", "2004")
    assert words("silence-44-s.flac") == ("Silence", "piman, jzig", "2004")
    assert words("id3v22-test.mp3") == ("cosmic american", "Anais Mitchell", "2004")
    assert words("silence-44-s-v1.mp3") == ("Silence", "piman", "2004")
    assert words("silence-2s-PCM-16000-08-ID3v23.wav") == ("Silence", "piman / jzig", "2004")
    assert words("audacious-trailing-id32-apev2.mp3")[0] == "audacious-trailing-id32-apev2"


def test_every_file_is_written_or_refused_with_a_reason(corpus: Path) -> None:
    written, refused = [], {}
    for file in _files(corpus):
        old, mtime_ns = file.read_bytes(), file.stat().st_mtime_ns
        before = read_tags(file)
        try:
            record = write_tags(file, ASKED)
        except TagsNotWritten as error:
            refused[file.name] = error.reason
            assert file.read_bytes() == old
            continue
        after = read_tags(file)
        assert (after.title, after.artists) == (ASKED["title"], tuple(ASKED["artists"]))
        assert (after.album, after.genres, after.date) == (before.album, before.genres, before.date)
        assert record is not None
        undo(record)
        assert file.read_bytes() == old, file.name
        assert file.stat().st_mtime_ns == mtime_ns
        written.append(file.name)
    assert all(refused.values())
    assert len(written) >= 60, refused
    assert not list(corpus.glob(".nextup-*"))
