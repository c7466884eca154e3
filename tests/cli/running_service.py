"""``radio run`` as a process of its own, for tests of commands that talk to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import radio


class Running:
    """``radio run`` as a process of its own, on a free port."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "radio", "run", "--config", str(config), "--port", "0"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(radio.__file__).parent.parent)},
        )
        said = self.until("Listen at")
        self.port = int(re.search(r":(\d+)/", said)[1])  # type: ignore[index]
        self.address = f"http://127.0.0.1:{self.port}"

    def until(self, words: str) -> str:
        """Read what it says on standard error up to the line with ``words``."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"it never said {words!r}: {''.join(self.lines)}")

    def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(self.address + path)
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def stop(self, sign: int = signal.SIGTERM) -> int:
        self.process.send_signal(sign)
        out, err = self.process.communicate(timeout=15)
        self.lines.append(err)
        assert out == ""
        return self.process.returncode
