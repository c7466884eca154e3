"""For all tests: hypothesis bounds examples, not milliseconds, as the machine may be busy; and who shares a worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# the service and its workers are started hundreds of times: without compiled modules each would compile them anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HERE = Path(__file__).parent

SHARING = ("tests/browser/", "tests/players/")
"""Folders whose tests share a service, and browsers or players."""

LONG = (*SHARING, "tests/faults/", "tests/test_takeover.py", "tests/test_restart.py", "tests/test_app.py")
"""What lasts longest, mostly waiting; begun first, so that no worker is left with it at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Each worker begins to collect elsewhere, and finds compiled what the others have collected by then."""
    worker = getattr(config, "workerinput", None)
    if worker is not None and config.args == config.getini("testpaths"):
        parts = sorted(str(path) for path in HERE.iterdir() if path.is_dir() or path.match("test_*.py"))
        first = len(parts) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args = parts[first:] + parts[:first]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_rank(item.nodeid), item.nodeid.partition("::")[0]))


def _rank(nodeid: str) -> int:
    return next((at for at, long in enumerate(LONG) if nodeid.startswith(long)), len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file run in one worker, those of some folders too, so that what they share is made once.

    Groups by mark are no way to say so: with pytest 9.2 xdist 3.8 passes them over.
    """
    from xdist.scheduler import LoadScopeScheduling

    # xdist would begin with the files that have the most tests
    config.option.loadscopereorder = False

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return next((folder for folder in SHARING if path.startswith(folder)), path)

    return ByFile(config, log)
