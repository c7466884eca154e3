"""The listeners of ``bench beside``: they stay from the beginning to the end, and say what they got in between.

``python -m bench._beside_listeners PORT PATH N``. Says that all are there; after that each line on standard input
answers for the time since the line before with one JSON object.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from typing import Any

from bench._listener_load import EVERY_S, TOO_FAR_S, Crowd, Listener, own_cpu_s
from bench._listener_sound import BYTES_PER_S, CHUNK_BYTES
from radio.parking import raise_descriptor_limit

AT_ONCE = 256


class TimedListener(Listener):
    """One that knows how long it went without a byte."""

    __slots__ = ("gap_s", "last_s")

    def __init__(self, number: int, port: int) -> None:
        super().__init__(number, port)
        self.last_s = time.monotonic()
        self.gap_s = 0.0

    def take(self) -> bool:
        now_s = time.monotonic()
        self.gap_s = max(self.gap_s, now_s - self.last_s)
        self.last_s = now_s
        return super().take()


class TimedCrowd(Crowd):
    """Everyone, in windows of time that follow each other without a gap."""

    make = TimedListener
    here: dict[int, TimedListener]  # type: ignore[assignment]

    def begin(self) -> None:
        """A window begins. Who waits for a byte goes on waiting."""
        self.began_s = self.look_s = time.monotonic()
        self.own_s = own_cpu_s()
        self.lost = 0
        for listener in self.here.values():
            listener.base, listener.worst, listener.gap_s, listener.bad = listener.audio, 0.0, 0.0, 0

    def look(self) -> None:
        """Who is how far behind, four times a second."""
        now_s = time.monotonic()
        if now_s < self.look_s:
            return
        self.look_s = now_s + EVERY_S
        due = (now_s - self.began_s) * BYTES_PER_S
        for listener in self.here.values():
            listener.worst = max(listener.worst, due - listener.audio + listener.base)

    def found(self) -> dict[str, Any]:
        """What the window brought."""
        now_s = time.monotonic()
        window_s = now_s - self.began_s
        here = list(self.here.values())
        chunks = sorted((each.audio - each.base) / CHUNK_BYTES for each in here)
        return {
            "listeners": len(here),
            "lost": self.lost,
            "behind_s": max(each.worst for each in here) / BYTES_PER_S,
            "starved": sum(each.worst > TOO_FAR_S * BYTES_PER_S for each in here),
            "gap_s": max(max(each.gap_s, now_s - each.last_s) for each in here),
            "bad": sum(each.bad for each in here),
            "chunks_due": window_s * BYTES_PER_S / CHUNK_BYTES,
            "chunks_least": chunks[0],
            "chunks_most": chunks[-1],
            "listeners_cpu": (own_cpu_s() - self.own_s) / window_s,
        }


def main() -> None:
    raise_descriptor_limit()
    port, path, count = sys.argv[1:]
    crowd = TimedCrowd(int(port), path, int(count), AT_ONCE)
    began_s = time.monotonic()
    crowd.open_all()
    say({"open": len(crowd.here), "opened_s": time.monotonic() - began_s})
    crowd.begin()
    told = select.poll()
    told.register(0, select.POLLIN | select.POLLHUP)
    while True:
        crowd.pump(0.02)
        crowd.look()
        if told.poll(0):
            if not os.read(0, 100):
                return
            say(crowd.found())
            crowd.begin()


def say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
