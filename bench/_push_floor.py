"""Nothing but the sends: a server that writes one frame to each subscriber per publication, and does no more.

What it costs is the price of the system's ``send`` on this machine. ``python -m bench._push_floor``; it talks as
``bench._push_server`` does.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys

from radio.parking import raise_descriptor_limit

FRAME = b"\x81\x7e\x02\x58" + b"x" * 600


def main() -> None:
    raise_descriptor_limit()
    door = socket.create_server(("127.0.0.1", 0), backlog=4096)
    intake = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": door.getsockname()[1], "intake": intake.getsockname()[1]}), flush=True)
    here: list[int] = []
    poll = select.poll()
    for waited in (door, intake, sys.stdin):
        poll.register(waited, select.POLLIN)
    publisher = None
    while True:
        for fd, _ in poll.poll():
            if fd == door.fileno():
                here.append(welcomed(door))
            elif fd == intake.fileno():
                publisher, _ = intake.accept()
                poll.register(publisher, select.POLLIN)
            elif publisher is not None and fd == publisher.fileno():
                said = publisher.recv(65_536)
                if not said:
                    poll.unregister(publisher)
                for _ in range(said.count(b"\n")):
                    send(here)
            elif not sys.stdin.readline():
                return
            else:
                print(json.dumps({"subscribers": len(here)}), flush=True)


def welcomed(door: socket.socket) -> int:
    connection, _ = door.accept()
    connection.settimeout(5)
    connection.recv(4096)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    connection.setblocking(False)
    return connection.detach()


def send(here: list[int]) -> None:
    write = os.write
    for fd in here:
        try:
            write(fd, FRAME)
        except OSError:
            continue


main()
