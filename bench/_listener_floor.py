"""Nothing but the sends: a server that writes one buffer a second to each listener, and does no more than that.

What it costs is the price of the system's ``send`` on this machine. No server that copies its bytes comes below it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from pathlib import Path

from bench._listener_sound import CHUNK_BYTES, CHUNK_S
from radio.parking import raise_descriptor_limit


def main() -> None:
    raise_descriptor_limit()
    sound = Path(sys.argv[1]).read_bytes()[:CHUNK_BYTES] + b"\0"
    door = socket.create_server(("127.0.0.1", 0), backlog=4096)
    door.setblocking(False)
    print(json.dumps({"port": door.getsockname()[1]}), flush=True)
    here: list[int] = []
    poll = select.poll()
    poll.register(door, select.POLLIN)
    poll.register(0, select.POLLIN)
    due_s = time.monotonic() + CHUNK_S
    while True:
        for fd, _ in poll.poll(max(0.0, due_s - time.monotonic()) * 1000):
            if fd == 0:
                return
            here += welcomed(door)
        if time.monotonic() >= due_s:
            due_s += CHUNK_S
            for fd in here:
                try:
                    os.write(fd, sound)
                except OSError:
                    continue


def welcomed(door: socket.socket) -> list[int]:
    connection, _ = door.accept()
    connection.settimeout(5)
    connection.recv(4096)
    connection.sendall(f"HTTP/1.0 200 OK\r\nicy-metaint: {CHUNK_BYTES}\r\n\r\n".encode())
    connection.setblocking(False)
    return [connection.detach()]


main()
