"""The subscribers of ``bench beside``: they follow one station, are cut off all at once, and come back.

``python -m bench._beside_subscribers PORT INTAKE N``. Says one JSON object for each line on standard input:
``connect``; ``publish COUNT PER_SECOND``, single messages and when the first and the last subscriber had each; ``storm
SPREAD_S``, all connections are reset, one message is published, and everyone comes back after a random pause of up to
so many seconds (full jitter; after a refusal the bound doubles) and asks for what it missed. Pings are answered.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time
from typing import Any

from websockets.sync.client import connect

from bench._listener_load import own_cpu_s
from bench._push_load import FRAME_BYTES, HELLO, LIMIT_S, Publisher, Subscribers, wait
from radio.parking import raise_descriptor_limit
from radio.push.frames import PING

PONG = b"\x8a\x80\0\0\0\0"
STATION = "wxyz"
WORST_PAUSE_S = 60.0


class Town(Subscribers):
    """Subscribers that answer pings and can be cut off."""

    epoch = ""

    def take(self, timeout_s: float) -> None:
        size = self.size
        for fd, _ in self.epoll.poll(timeout_s, 4096):
            if fd not in size:
                continue
            try:
                said = os.read(fd, 262_144)
            except BlockingIOError:
                continue
            except OSError:
                said = b""
            if not said:
                self.epoll.unregister(fd)
                del size[fd]
                self.closed += 1
                continue
            if len(said) % FRAME_BYTES and (said[:2] == PING or said[-2:] == PING):
                os.write(fd, PONG)
                said = said.removeprefix(PING).removesuffix(PING)
            before = size[fd]
            size[fd] = after = before + len(said)
            if before // FRAME_BYTES != after // FRAME_BYTES:
                self._note(before // FRAME_BYTES, after // FRAME_BYTES)

    def cut(self) -> None:
        """Reset every connection."""
        for peer in self.sockets.values():
            peer.close()
        self.epoll.close()
        self.epoll = select.epoll()
        self.sockets, self.open, self.size = {}, set(), {}


class Returning:
    """One subscriber on its way back."""

    __slots__ = ("asked_s", "attempts", "heard", "number", "sock", "stage")

    def __init__(self, number: int) -> None:
        self.number = number
        self.attempts = 0
        self.asked_s = 0.0
        self.heard = b""
        self.stage = ""
        self.sock: socket.socket | None = None


class Storm:
    """Everyone comes back to ``port`` and asks for what came after ``seq``; served is who has ``seq`` + 1."""

    def __init__(self, town: Town, count: int, spread_s: float, seq: int) -> None:
        self.town = town
        self.spread_s = spread_s
        self.began_s = time.perf_counter()
        self.mark = b'"seq":%d,' % (seq + 1)
        since = {"epoch": town.epoch, "seq": seq}
        hello = json.dumps(
            {"type": "subscribe", "id": 1, "stations": [STATION], "since": {STATION: since}}
        ).encode()
        self.hello = struct.pack("!BBH", 0x81, 0xFE, len(hello)) + bytes(4) + hello
        self.due = [(self._pause_s(0), number, Returning(number)) for number in range(count)]
        heapq.heapify(self.due)
        self.coming: dict[int, Returning] = {}
        self.served_s: list[float] = []
        self.took_s: list[float] = []
        self.refused = 0
        self.snapshots = 0

    def _pause_s(self, attempts: int) -> float:
        bound_s = min(WORST_PAUSE_S, self.spread_s * 2**attempts) if self.spread_s else attempts * 1.0
        return random.uniform(0, bound_s)

    def run(self) -> dict[str, Any]:
        """Until everyone is served."""
        count, end_s = len(self.due), self.began_s + LIMIT_S
        while len(self.served_s) < count and time.perf_counter() < end_s:
            now_s = time.perf_counter() - self.began_s
            for _ in range(256):
                if not self.due or self.due[0][0] > now_s:
                    break
                self._set_out(heapq.heappop(self.due)[2])
            pause_s = 0.0 if self.due and self.due[0][0] <= now_s else 0.01
            for fd, events in self.town.epoll.poll(pause_s, 1024):
                if fd in self.coming:
                    self._go_on(fd, self.coming[fd], events)
        if len(self.served_s) < count:
            raise SystemExit(f"only {len(self.served_s)} of {count} subscribers came back")
        self.served_s.sort()
        self.took_s.sort()
        return {
            "back_s": self.served_s[-1],
            "back_p50_s": quantile(self.served_s, 0.5),
            "served_p50_ms": quantile(self.took_s, 0.5) * 1000,
            "served_p99_ms": quantile(self.took_s, 0.99) * 1000,
            "refused": self.refused,
            "snapshots": self.snapshots,
        }

    def _set_out(self, one: Returning) -> None:
        self.town._begin(one.number)
        fd = next(reversed(self.town.sockets))
        one.sock, one.stage, one.heard = self.town.sockets[fd], "connecting", b""
        one.asked_s = time.perf_counter()
        self.coming[fd] = one

    def _go_on(self, fd: int, one: Returning, events: int) -> None:
        assert one.sock is not None
        try:
            if events & select.EPOLLOUT:
                one.sock.send(self.town.request)
                self.town.epoll.modify(fd, select.EPOLLIN)
                return
            said = one.sock.recv(65_536)
            if not said:
                raise ConnectionResetError
            one.heard += said
            if one.stage == "connecting" and b'"welcome"' in one.heard:
                one.stage = "asking"
                one.sock.send(self.hello)
        except OSError:
            self._turned_away(fd, one)
            return
        if self.mark in one.heard:
            self._served(fd, one)

    def _served(self, fd: int, one: Returning) -> None:
        now_s = time.perf_counter()
        self.served_s.append(now_s - self.began_s)
        self.took_s.append(now_s - one.asked_s)
        self.snapshots += b'"snapshot"' in one.heard
        self.town.open.add(fd)
        del self.coming[fd]

    def _turned_away(self, fd: int, one: Returning) -> None:
        self.refused += 1
        one.attempts += 1
        del self.coming[fd], self.town.sockets[fd]
        assert one.sock is not None
        one.sock.close()
        again_s = time.perf_counter() - self.began_s + self._pause_s(one.attempts)
        heapq.heappush(self.due, (again_s, one.number, one))


def quantile(values: list[float], part: float) -> float:
    return values[min(len(values) - 1, int(len(values) * part))]


def published(town: Town, publisher: Publisher, messages: int, per_s: float) -> dict[str, Any]:
    """Single messages at a pace, each when everyone has the one before."""
    town.begin_to_count()
    began_s = time.perf_counter()
    sent_s: list[float] = []
    while len(sent_s) < messages:
        due_s = began_s + len(sent_s) / per_s
        if time.perf_counter() >= due_s and town.done(len(sent_s)):
            sent_s.append(time.perf_counter())
            publisher.publish()
        else:
            town.take(max(0.0, min(0.02, due_s - time.perf_counter())))
    wait(town, messages)
    first = sorted((at - sent) * 1000 for at, sent in zip(town.first_s, sent_s, strict=True))
    last = sorted((at - sent) * 1000 for at, sent in zip(town.last_s, sent_s, strict=True))
    return {
        "first_p50_ms": quantile(first, 0.5),
        "first_p99_ms": quantile(first, 0.99),
        "last_p50_ms": quantile(last, 0.5),
        "last_p99_ms": quantile(last, 0.99),
        "closed": town.closed,
    }


def stormed(town: Town, publisher: Publisher, count: int, spread_s: float) -> dict[str, Any]:
    """All are cut off at once and come back; one message is published while nobody is there."""
    town.cut()
    storm = Storm(town, count, spread_s, publisher.number)
    publisher.publish()
    found = storm.run()
    town.begin_to_count()
    return found


def epoch_of(port: int) -> str:
    """The epoch of the station's channel, from a snapshot."""
    with connect(f"ws://127.0.0.1:{port}/api/ws") as client:
        client.send(HELLO.decode())
        while (message := json.loads(client.recv(LIMIT_S)))["type"] != "snapshot":
            pass
        return str(message["epoch"])


def main() -> None:
    raise_descriptor_limit()
    port, intake, count = map(int, sys.argv[1:])
    town, publisher = Town("ours", port), Publisher("ours", intake)
    town.epoch = epoch_of(port)
    told = select.poll()
    told.register(0, select.POLLIN | select.POLLHUP)
    while True:
        town.take(0.02)
        if not told.poll(0):
            continue
        command, *numbers = os.read(0, 100).decode().split() or [""]
        if not command:
            return
        own_s, began_s = own_cpu_s(), time.perf_counter()
        found = obeyed(town, publisher, count, command, *map(float, numbers))
        found["took_s"] = time.perf_counter() - began_s
        found["subscribers_cpu"] = (own_cpu_s() - own_s) / found["took_s"]
        print(json.dumps(found), flush=True)


def obeyed(town: Town, publisher: Publisher, count: int, command: str, *numbers: float) -> dict[str, Any]:
    """Do what a line of standard input says."""
    if command == "publish":
        return published(town, publisher, int(numbers[0]), numbers[1])
    if command == "storm":
        return stormed(town, publisher, count, numbers[0])
    town.connect(count)
    town.begin_to_count()
    return {}


if __name__ == "__main__":
    main()
