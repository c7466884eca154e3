"""Runs commands as a shell would, in this process, and a folder with a station to run them in."""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import structlog

from radio.cli import main

CONFIG = """\
[network]
name = "Port Ellery"

[[stations]]
id = "wxyz"
name = "WXYZ"
timezone = "America/New_York"
library = ["sounds"]

[[stations]]
id = "other"
name = "Other [bold]Radio[/bold] :smile:"
library = ["elsewhere"]
enabled = false
"""


class Done(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """A shell whose commands use one configuration file."""

    def __init__(self, capsys: pytest.CaptureFixture[str], config: Path) -> None:
        self._capsys = capsys
        self.config = config

    def radio(self, *arguments: str) -> Done:
        """Run ``radio`` with ``--config`` behind the arguments."""
        return self.plain(*arguments, "--config", str(self.config))

    def plain(self, *arguments: str) -> Done:
        """Run ``radio`` with just the arguments."""
        self._capsys.readouterr()
        before, sys.argv = sys.argv, ["radio", *arguments]
        status: Any = 0
        try:
            main()
        except SystemExit as end:
            status = end.code
        finally:
            sys.argv = before
            structlog.reset_defaults()
        return Done(status or 0, *self._capsys.readouterr())


def lay_out(folder: Path, config: str = CONFIG) -> Path:
    """A folder with a configuration and empty folders of sound; the path of the configuration."""
    for name in ("sounds", "elsewhere", "schedules"):
        (folder / name).mkdir(parents=True)
    path = folder / "config.toml"
    path.write_text(config)
    return path


def sound(path: Path, seconds: float = 3.0, hz: float = 440.0) -> Path:
    """Write a sine tone as WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(int(8_000 * seconds)) / 8_000
    samples = (np.sin(2 * np.pi * hz * time_s) * 8_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(samples.tobytes())
    return path
