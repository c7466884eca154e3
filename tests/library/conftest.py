from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radio.library.scan import Scanner
from radio.store import Store, sqlite_url


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A new database."""
    async with Store.open(sqlite_url(tmp_path / "data" / "radio.db")) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty library folder."""
    folder = tmp_path / "audio"
    folder.mkdir()
    return folder


@pytest.fixture
def scanner(store: Store, root: Path) -> Scanner:
    """A scanner of one root with one true worker."""
    return Scanner(store, [root], workers=1)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the stand-in worker leaves a file for each attempt."""
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def odd_limit_s(size_bytes: int) -> float:
    """A short time for the larger files, which are those that hang."""
    return 1.0 if size_bytes > 60_000 else 60.0


@pytest.fixture
def odd_scanner(store: Store, root: Path, notes: Path) -> Scanner:
    """A scanner whose worker hangs, dies or dawdles as the names of files say."""
    command = (sys.executable, "-P", str(Path(__file__).with_name("stand_in_worker.py")), str(notes))
    return Scanner(store, [root], workers=1, command=command, limit_s=odd_limit_s)
