from __future__ import annotations

from pathlib import Path

import pytest
from cli_desk import Shell, lay_out, sound


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
