"""A worker whose behaviour the name of the file decides; otherwise it is the real one.

``hang``: never answers. ``die``: kills itself at every attempt; ``die-once``: at the first. ``slow``: takes
some time more. Each attempt leaves an empty file in the folder that the first argument names.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from radio.library.worker import glance_job, probe_job, run
from radio.library.worker_messages import Glance, Job, Reply


def behave(job: Job) -> Reply:
    name = Path(job.path).name
    notes = Path(sys.argv[1])
    attempts = len(list(notes.glob(f"{name}.*")))
    (notes / f"{name}.{attempts}").touch()
    if name.startswith("hang"):
        child = subprocess.Popen(["sleep", "600"])
        (notes / f"pid-{child.pid}").touch()
        time.sleep(600)
    if name.startswith("die") and not (name.startswith("die-once") and attempts):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("slow"):
        time.sleep(0.4)
    return probe_job(job)


def behave_at_a_glance(job: Glance) -> Reply:
    names = [Path(path).name for path in job.paths]
    (Path(sys.argv[1]) / f"glance.{len(names)}").touch()
    if any(name.startswith("die") for name in names):
        os.kill(os.getpid(), signal.SIGKILL)
    return glance_job(job)


if __name__ == "__main__":
    run(behave, behave_at_a_glance)
