"""Programs that the tests drive and that Python packages do not bring: found, or installed where that is easy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path


class ProgramMissing(Exception):
    """A program is not there and cannot be installed from here; the message says what to do."""


def find_programs(names: Sequence[str]) -> list[str]:
    """Paths of all ``names``, each also the name of its package. Raises ProgramMissing."""
    missing = [name for name in names if not shutil.which(name)]
    if missing and not (may_install() and install(*missing)):
        raise ProgramMissing(f"missing: {', '.join(missing)}. Install with: {install_words(*missing)}")
    return [shutil.which(name) or name for name in names]


def install_words(*packages: str) -> str:
    """What a person types to install ``packages``."""
    if sys.platform == "darwin":
        return f"brew install {' '.join(packages)}"
    return f"sudo apt-get install {' '.join(packages)} (or your system's own way)"


def may_install() -> bool:
    """Whether this is root on Debian or Ubuntu."""
    release = Path("/etc/os-release")
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not release.exists() or not shutil.which("apt-get"):
        return False
    words = release.read_text(encoding="utf-8").replace('"', "").split()
    families = {word.partition("=")[2] for word in words if word.startswith(("ID=", "ID_LIKE="))}
    return bool(families & {"debian", "ubuntu"})


@cache
def install(*packages: str) -> bool:
    """Install Debian packages, tried once in a session; True when that worked."""
    sys.__stderr__ and sys.__stderr__.write(
        f"\nInstalling {' '.join(packages)} with apt-get for the tests.\n"
    )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"]
    steps = ([*quiet, "update"], [*quiet, "install", "--yes", "--no-install-recommends", *packages])
    done = [_step(step, environment) for step in steps]
    return done[-1]


def _step(command: list[str], environment: dict[str, str]) -> bool:
    try:
        result = subprocess.run(
            command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=600, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0
