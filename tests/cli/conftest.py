from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_desk import Shell, lay_out, sound
from running_service import Running


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's reaches a command, and what is printed has no colours and is wide."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    """A shell with an empty library of its own."""
    return Shell(capsys, lay_out(tmp_path / "radio"))


@pytest.fixture(scope="module")
def scanned_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose library has sounds; the first command that scans it does so for the module."""
    config = lay_out(tmp_path_factory.mktemp("scanned"))
    for number, name in enumerate(("music/tide.wav", "music/[red]rope[/red].wav", "speech/news.wav")):
        sound(config.parent / "sounds" / name, 40.0 + number, 330.0 + 110 * number)
    (config.parent / "sounds/music/broken.wav").write_bytes(b"RIFF, but not really")
    return config


@pytest.fixture
def library(capsys: pytest.CaptureFixture[str], scanned_config: Path) -> Shell:
    """A shell at the module's library."""
    return Shell(capsys, scanned_config)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service of one station that is on the air, for the module."""
    config = lay_out(tmp_path_factory.mktemp("running"))
    sound(config.parent / "sounds/music/tide.wav", 40)
    made = Running(config)
    try:
        deadline_s = time.monotonic() + 15
        while made.get("/readyz")[0] != 200:
            assert time.monotonic() < deadline_s, made.get("/readyz")
            time.sleep(0.1)
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        for pipe in (made.process.stdout, made.process.stderr):
            assert pipe is not None
            pipe.close()
