"""The load of ``bench.listeners``: many HTTP listeners in one epoll loop.

Says when it begins to measure, and then one JSON object.

``python -m bench._listener_load PORT PATH N AT_ONCE SECONDS SERVER_PID``. Counts audio bytes, looks at every block,
and sees how far each listener falls behind real time. Client addresses rotate over 127.0.0.2 to 127.0.0.9, so that
the ports of one address do not run out.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import sys
import time

from bench._listener_sound import BYTES_PER_S
from radio.parking import raise_descriptor_limit

WARM_S = 4.0
TOO_FAR_S = 2.0
EVERY_S = 0.25
CONNECT_LIMIT_S = 120.0

_BUFFER = bytearray(1 << 18)
_VIEW = memoryview(_BUFFER)


class Listener:
    """One connection, as far as it is counted."""

    __slots__ = (
        "audio",
        "bad",
        "base",
        "blocks",
        "head",
        "metaint",
        "socket",
        "text_left",
        "until_block",
        "worst",
    )

    def __init__(self, number: int, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.socket.bind((f"127.0.0.{2 + number % 8}", 0))
        self.socket.connect_ex(("127.0.0.1", port))
        self.head: bytearray | None = bytearray()
        self.metaint = self.until_block = self.text_left = 0
        self.audio = self.base = self.blocks = self.bad = 0
        self.worst = 0.0

    def take(self) -> bool:
        """Read what there is; False where the connection has ended."""
        try:
            size = os.readv(self.socket.fileno(), [_BUFFER])
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not size:
            return False
        if self.head is None:
            self._count(0, size)
        else:
            self._read_head(size)
        return True

    def _read_head(self, size: int) -> None:
        assert self.head is not None
        before = len(self.head)
        self.head += _VIEW[:size]
        end = self.head.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        text = self.head[:end].decode("latin-1").lower()
        if " 200 " not in text.partition("\r\n")[0] + " ":
            raise SystemExit(f"the server says {text!r}")
        if "icy-metaint:" in text:
            self.metaint = self.until_block = int(text.partition("icy-metaint:")[2].partition("\r\n")[0])
        self.head = None
        self._count(end - before, size)

    def _count(self, at: int, size: int) -> None:
        if not self.metaint:
            self.audio += size - at
            return
        while at < size:
            if self.text_left:
                step = min(self.text_left, size - at)
                self.text_left -= step
                if not self.text_left:
                    self.until_block = self.metaint
            elif self.until_block:
                step = min(self.until_block, size - at)
                self.until_block -= step
                self.audio += step
            else:
                step = 1
                self._open_block(at, size)
            at += step

    def _open_block(self, at: int, size: int) -> None:
        self.blocks += 1
        self.text_left = 16 * _BUFFER[at]
        if not self.text_left:
            self.until_block = self.metaint
        elif size - at > 12 and _BUFFER[at + 1 : at + 13] != b"StreamTitle=":
            self.bad += 1


class Crowd:
    """All the listeners, and the loop that serves them."""

    make = Listener

    def __init__(self, port: int, path: str, count: int, at_once: int) -> None:
        self.at_once = at_once
        self.port = port
        self.count = count
        self.request = (
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: bench\r\nIcy-MetaData: 1\r\n\r\n"
        )
        self.epoll = select.epoll()
        self.here: dict[int, Listener] = {}
        self.opening = 0
        self.made = 0
        self.lost = 0

    def open_all(self) -> None:
        give_up = time.monotonic() + CONNECT_LIMIT_S
        while (self.made < self.count or self.opening) and time.monotonic() < give_up:
            while self.made < self.count and self.opening < self.at_once:
                listener = self.make(self.made, self.port)
                self.here[listener.socket.fileno()] = listener
                self.epoll.register(listener.socket.fileno(), select.EPOLLOUT)
                self.made += 1
                self.opening += 1
            self.pump(0.1)

    def pump(self, seconds: float) -> None:
        for fd, events in self.epoll.poll(seconds, 2_000):
            listener = self.here[fd]
            if events & select.EPOLLOUT:
                self._ask(listener)
                continue
            was_opening = listener.head is not None
            if not listener.take():
                self.lost += 1
                self.opening -= was_opening
                self.epoll.unregister(fd)
                del self.here[fd]
                listener.socket.close()
            elif was_opening and listener.head is None:
                self.opening -= 1

    def _ask(self, listener: Listener) -> None:
        fault = listener.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if fault:
            raise SystemExit(f"a connection was refused: {os.strerror(fault)}")
        listener.socket.send(self.request.encode())
        self.epoll.modify(listener.socket.fileno(), select.EPOLLIN)

    def measure(self, seconds: float) -> float:
        """Listen for so long, looking at who is behind; the seconds that it took."""
        began_s = look_s = time.monotonic()
        for listener in self.here.values():
            listener.base = listener.audio
        while (now_s := time.monotonic()) < began_s + seconds:
            if now_s >= look_s:
                look_s = now_s + EVERY_S
                due = (now_s - began_s) * BYTES_PER_S
                for listener in self.here.values():
                    listener.worst = max(listener.worst, due - listener.audio + listener.base)
            self.pump(0.02)
        return time.monotonic() - began_s


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kb(pid: int) -> float:
    """What a process has in memory, in units of 1,024 bytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(float(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    raise_descriptor_limit()
    port, path, count, at_once, seconds, pid = sys.argv[1:]
    server = int(pid)
    crowd = Crowd(int(port), path, int(count), int(at_once))
    rss_before_kb, began_s = rss_kb(server), time.monotonic()
    crowd.open_all()
    opened_s = time.monotonic() - began_s
    warm_until = time.monotonic() + WARM_S
    while time.monotonic() < warm_until:
        crowd.pump(0.02)
    print("the window opens", flush=True)
    before, own_before = cpu_s(server), own_cpu_s()
    window_s = crowd.measure(float(seconds))
    spent, own = cpu_s(server) - before, own_cpu_s() - own_before
    here = list(crowd.here.values())
    result = {
        "open": len(here),
        "lost": crowd.lost,
        "opened_s": opened_s,
        "us": spent / window_s / max(1, len(here)) * 1e6,
        "cpu": spent / window_s,
        "load_cpu": own / window_s,
        "kb": (rss_kb(server) - rss_before_kb) / max(1, len(here)),
        "behind_s": max((listener.worst for listener in here), default=0.0) / BYTES_PER_S,
        "starved": sum(listener.worst > TOO_FAR_S * BYTES_PER_S for listener in here) + crowd.lost,
        "bad": sum(listener.bad for listener in here),
        "blocks": sum(listener.blocks for listener in here),
    }
    print(json.dumps(result), flush=True)
    # stay, so that connections can be timed beside the crowd
    os.set_blocking(0, False)
    while os.isatty(0) or not _told_to_go():
        crowd.pump(0.02)


def _told_to_go() -> bool:
    try:
        return os.read(0, 1) is not None
    except BlockingIOError:
        return False


if __name__ == "__main__":
    main()
