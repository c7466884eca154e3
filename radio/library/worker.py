"""The process that probes files: ``python -m radio.library.worker``, started and ended by the scanner.

Frames on standard input are jobs, on standard output replies, as :mod:`radio.library.worker_messages` has them.
The process limits its own memory and its own time for each job, so that it ends even where nobody is left to end
it; at the end of its input it leaves.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from radio.library.glance import glance
from radio.library.worker_messages import (
    HEADER,
    MAX_GLANCED_BYTES,
    WORDS,
    Glance,
    Glanced,
    Job,
    Reply,
    Shrink,
    Unsettled,
)

MEMORY_BYTES: Final = 512 << 20
"""What a worker may take on top of its own code and libraries."""

_GRACE_S: Final = 5.0


def run(probe_one: Callable[[Job], Reply], glance_at: Callable[[Glance], Reply] | None = None) -> None:
    """Serve jobs from standard input until it ends; what is not given is done by the process itself."""
    replies = _own_output()
    if WORDS not in sys.argv:
        _load()
    _limit_process()
    gc.freeze()  # what is there from the start need not be looked through after each job
    _send(replies, Reply())
    decoder = msgspec.msgpack.Decoder(Job | Glance | Shrink)
    while frame := _receive(sys.stdin.buffer):
        job = decoder.decode(frame)
        _limit_job(job.limit_s)
        if isinstance(job, Shrink):
            _send(replies, shrink(job))
        elif isinstance(job, Glance):
            _send(replies, (glance_at or glance_job)(job))
        else:
            _send(replies, probe_one(job))
        gc.collect()


def probe_job(job: Job) -> Reply:
    """Probe the job's file."""
    from radio.library.probe import Probed, probe

    root = Path(job.root)
    outcome = probe(root / job.path, root, job.known)
    if isinstance(outcome, Probed):
        return Reply(
            item=outcome.item,
            artwork=outcome.artwork,
            sound=outcome.sound,
            tags=outcome.tags,
            keys=outcome.keys,
        )
    return Reply(unsettled=outcome) if isinstance(outcome, Unsettled) else Reply(rejected=outcome)


def glance_job(job: Glance) -> Reply:
    """Read the words of the job's files; those that cannot be read, or would make the reply too long, are left
    out."""
    root, found, room = Path(job.root), list[Glanced](), MAX_GLANCED_BYTES
    for path in job.paths:
        if (one := glance(root, path)) is not None:
            size = len(msgspec.msgpack.encode(one))
            if size <= room:
                room -= size
                found.append(one)
    return Reply(glanced=tuple(found))


def shrink(job: Shrink) -> Reply:
    """Make the picture; a reply without one says that it cannot be decoded."""
    from radio.library.thumbnails import shrunk

    try:
        return Reply(picture=shrunk(job.data, job.size, job.mime))
    except Exception:  # whatever a decoder makes of a stranger's bytes must not end the worker
        return Reply()


def _load() -> None:
    # FFmpeg and NumPy come before the limit of memory is set, which is on top of them
    import radio.library.probe
    import radio.library.thumbnails  # noqa: F401


def _own_output() -> BinaryIO:
    # Whatever a library prints must not land among the replies.
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return replies


def _receive(source: BinaryIO) -> bytes:
    head = source.read(HEADER.size)
    return source.read(HEADER.unpack(head)[0]) if len(head) == HEADER.size else b""


def _send(target: BinaryIO, reply: Reply) -> None:
    frame = msgspec.msgpack.encode(reply)
    view = memoryview(HEADER.pack(len(frame)) + frame)
    while view:
        view = view[target.write(view) :]


def _limit_process() -> None:
    with suppress(OSError, AttributeError):
        os.nice(10)
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        if own := _own_memory():
            resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY_BYTES, own + MEMORY_BYTES))


def _own_memory() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _limit_job(limit_s: float) -> None:
    with suppress(AttributeError, OSError, ValueError):
        signal.setitimer(signal.ITIMER_REAL, limit_s + _GRACE_S)
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + limit_s) + 1, hard))


if __name__ == "__main__":
    run(probe_job)
