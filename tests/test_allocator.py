from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from radio.allocator import give_back, settle

SERVICE = """
from radio.allocator import be_frugal
be_frugal()
import radio.cli.run, sys
print(*sorted(sys.modules))
import rich.console
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that a service loads before it starts; that rich can be had afterwards is seen too."""
    ended = subprocess.run(
        [sys.executable, "-c", SERVICE], capture_output=True, text=True, timeout=60, check=True
    )
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    "heavy",
    [
        "alembic",
        "anyio._backends._asyncio",
        "apscheduler",
        "mutagen.flac",
        "mutagen.id3",
        "mutagen.mp4",
        "nats",
        "numpy.fft",
        "numpy.random",
        "pydub",
        "pygments",
        "rich",
        "sqlalchemy.dialects.postgresql",
        "tomlkit",
        "typer",
    ],
)
def test_a_service_starts_without_what_it_may_never_need(loaded: set[str], heavy: str) -> None:
    assert "radio.app.service" in loaded
    assert heavy not in loaded


def test_what_is_settled_is_not_looked_through_again() -> None:
    try:
        settle()
        give_back()
        assert gc.get_freeze_count() > 1_000
    finally:
        gc.unfreeze()
