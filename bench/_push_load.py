"""The load of ``bench.push``: many WebSocket subscribers in one epoll loop, which publishes too.

``python -m bench._push_load KIND PORT PUBLISH_PORT N MESSAGES BURSTS SERVER_PID``, KIND ``ours``, ``nchan`` or
``floor``. Every message is a frame of 604 bytes, so that bytes tell how many have come. Says one JSON object. Client
addresses rotate over 127.0.0.2 to 127.0.0.9, so that the ports of one address do not run out.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

from radio.parking import raise_descriptor_limit

BODY_BYTES = 600
FRAME_BYTES = BODY_BYTES + 4
AT_ONCE = 256
RATE_S = 0.2
BURST = 16
LIMIT_S = 90.0
PATHS = {"ours": "/api/ws", "nchan": "/sub", "floor": "/"}
HELLO = b'{"type":"subscribe","id":1,"stations":["wxyz"]}'


class Subscribers:
    """All connections, and which message reached how many of them when."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.port = port
        self.epoll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        self.open: set[int] = set()
        self.size: dict[int, int] = {}
        self.reached: list[int] = []
        self.first_s: list[float] = []
        self.last_s: list[float] = []
        self.closed = 0
        # one for all reads: a new one for each costs more than the read
        self.room = bytearray(262_144)
        self.request = (
            f"GET {PATHS[kind]} HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()

    def connect(self, count: int) -> None:
        """Open ``count`` connections, some at a time, until each is subscribed."""
        begun, end_s = 0, time.monotonic() + LIMIT_S
        while len(self.open) < count and time.monotonic() < end_s:
            while begun < count and begun - len(self.open) < AT_ONCE:
                self._begin(begun)
                begun += 1
            for fd, events in self.epoll.poll(0.5, 1024):
                self._shake(fd, events)
        if len(self.open) < count:
            raise SystemExit(f"only {len(self.open)} of {count} subscribers came in")

    def _begin(self, number: int) -> None:
        peer = socket.socket()
        peer.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        peer.bind((f"127.0.0.{2 + number % 8}", 0))
        peer.connect_ex(("127.0.0.1", self.port))
        self.sockets[peer.fileno()] = peer
        self.epoll.register(peer.fileno(), select.EPOLLOUT)

    def _shake(self, fd: int, events: int) -> None:
        peer = self.sockets[fd]
        if events & select.EPOLLOUT:
            peer.send(self.request)
            self.epoll.modify(fd, select.EPOLLIN)
            return
        try:
            said = peer.recv(65_536)
        except ConnectionError as fault:
            raise SystemExit(f"the server cut a subscriber off after {len(self.open)}: {fault}") from None
        if b'"snapshot"' in said or (self.kind != "ours" and b" 101 " in said):
            self.open.add(fd)
        elif b" 101 " in said:
            mask = bytes(4)
            peer.send(bytes((0x81, 0x80 | len(HELLO))) + mask + HELLO)
        elif not said:
            raise SystemExit("a subscriber was turned away")

    def begin_to_count(self) -> None:
        """What comes from now on are messages."""
        self.size = dict.fromkeys(self.open, 0)
        self.reached.clear()
        self.first_s.clear()
        self.last_s.clear()

    def take(self, timeout_s: float) -> None:
        """Read what there is."""
        size, sockets, room = self.size, self.sockets, self.room
        for fd, _ in self.epoll.poll(timeout_s, 4096):
            if fd not in size:
                continue
            try:
                count = sockets[fd].recv_into(room)
            except BlockingIOError:
                continue
            if not count:
                self.epoll.unregister(fd)
                del size[fd]
                self.closed += 1
                continue
            before = size[fd]
            size[fd] = after = before + count
            if before // FRAME_BYTES != after // FRAME_BYTES:
                self._note(before // FRAME_BYTES, after // FRAME_BYTES)

    def _note(self, first: int, end: int) -> None:
        now_s, reached = time.perf_counter(), self.reached
        while len(reached) < end:
            reached.append(0)
            self.first_s.append(now_s)
            self.last_s.append(0.0)
        for number in range(first, end):
            reached[number] += 1
            if reached[number] >= len(self.size):
                self.last_s[number] = now_s

    def done(self, count: int) -> bool:
        """Whether everyone has ``count`` messages."""
        return len(self.last_s) >= count and all(self.last_s[:count])


class Publisher:
    """Publishes by the server's own way in."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0

    def publish(self, count: int = 1) -> None:
        """Publish so many messages in one go."""
        said = b""
        for _ in range(count):
            self.number += 1
            said += self._post() if self.kind == "nchan" else b"%d\n" % self.number
        self.connection.sendall(said)

    def rest(self) -> None:
        """Take the answers that lie there."""
        if self.kind == "nchan":
            self.connection.setblocking(False)
            try:
                while self.connection.recv(65_536):
                    pass
            except BlockingIOError:
                pass
            self.connection.setblocking(True)

    def _post(self) -> bytes:
        body = b'{"mark":"%010d","title":"' % self.number
        body += b"x" * (BODY_BYTES - len(body) - 2) + b'"}'
        head = b"POST /pub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % len(body) + body


def measure(
    kind: str, ports: tuple[int, int], count: int, messages: int, bursts: int, pid: int
) -> dict[str, Any]:
    subscribers = Subscribers(kind, ports[0])
    time.sleep(0.3)
    memory, cpu_s, began_s = resident_kb(pid), cpu_of(pid), time.perf_counter()
    subscribers.connect(count)
    found: dict[str, Any] = {"open": count, "connect_s": time.perf_counter() - began_s}
    time.sleep(0.3)
    found["connect_us"] = (cpu_of(pid) - cpu_s) / count * 1e6
    publisher = Publisher(kind, ports[1])
    warm(subscribers, publisher)
    found["kb"] = (resident_kb(pid) - memory) / count
    found.update(at_a_rate(subscribers, publisher, messages, pid))
    found.update(in_bursts(subscribers, publisher, bursts, pid))
    return found | {"closed": subscribers.closed}


def warm(subscribers: Subscribers, publisher: Publisher) -> None:
    subscribers.begin_to_count()
    publisher.publish(2)
    wait(subscribers, 2)
    time.sleep(0.5)
    publisher.rest()


def at_a_rate(subscribers: Subscribers, publisher: Publisher, messages: int, pid: int) -> dict[str, Any]:
    """Single messages, five a second at most, each when everyone has the one before: nothing can be joined."""
    subscribers.begin_to_count()
    cpu_s, own_s, began_s = cpu_of(pid), own_cpu_s(), time.perf_counter()
    sent_s: list[float] = []
    while len(sent_s) < messages:
        due_s = began_s + len(sent_s) * RATE_S
        if time.perf_counter() >= due_s and subscribers.done(len(sent_s)):
            sent_s.append(time.perf_counter())
            publisher.publish()
        else:
            subscribers.take(max(0.0, min(0.02, due_s - time.perf_counter())))
    wait(subscribers, messages)
    took_s = time.perf_counter() - began_s
    spent_s, used_s = cpu_of(pid) - cpu_s, own_cpu_s() - own_s
    last = sorted(last - sent for last, sent in zip(subscribers.last_s, sent_s, strict=True))
    first = sorted(first - sent for first, sent in zip(subscribers.first_s, sent_s, strict=True))
    publisher.rest()
    return {
        "us": spent_s / (messages * len(subscribers.size)) * 1e6,
        "first_p50_ms": first[len(first) // 2] * 1000,
        "last_p50_ms": last[len(last) // 2] * 1000,
        "last_p99_ms": last[int(len(last) * 0.99)] * 1000,
        "load_cpu": used_s / took_s,
    }


def in_bursts(subscribers: Subscribers, publisher: Publisher, bursts: int, pid: int) -> dict[str, Any]:
    """Sixteen messages at once, and again when everyone has them."""
    subscribers.begin_to_count()
    cpu_s, began_s = cpu_of(pid), time.perf_counter()
    for number in range(1, bursts + 1):
        publisher.publish(BURST)
        wait(subscribers, number * BURST)
        publisher.rest()
    deliveries = bursts * BURST * len(subscribers.size)
    spent_s, took_s = cpu_of(pid) - cpu_s, time.perf_counter() - began_s
    return {
        "burst_us": spent_s / deliveries * 1e6,
        "burst_per_s": deliveries / took_s,
        "burst_per_cpu_s": deliveries / max(spent_s, 0.01),
    }


def wait(subscribers: Subscribers, messages: int) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not subscribers.done(messages):
        subscribers.take(0.05)
        if time.monotonic() > end_s:
            raise SystemExit(f"message {len(subscribers.reached)} of {messages} did not reach everyone")


def cpu_of(pid: int) -> float:
    """Seconds of processor time, of all threads."""
    nanoseconds = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    raise_descriptor_limit()
    kind, *numbers = sys.argv[1:]
    port, publish_port, count, messages, bursts, pid = map(int, numbers)
    print(json.dumps(measure(kind, (port, publish_port), count, messages, bursts, pid)), flush=True)
