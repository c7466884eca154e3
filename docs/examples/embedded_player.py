"""Follows one station from a small device: what is on, what is next, who supports it.

It runs on Python and on MicroPython, on nothing but a plain socket and JSON: no threads, no library, and never
more in memory than one line of the stream and one state. Usage:

    embedded_player.py HOST PORT STATION [CHANGES]

One line is printed for each change; it ends after CHANGES of them, or never. Server-sent events (WHATWG HTML)
are asked for over HTTP/1.0, so that the answer is lines and nothing else. When the connection breaks, it comes
back after a random pause and names the last event that it has, so it misses nothing.
"""

import json
import random
import socket
import sys
import time

LINE_LIMIT = 16384  # bytes; a longer line is given up, with its connection
SILENCE_S = 60  # the server says something each 25 s
PAUSE_LIMIT_S = 60


def merged(target, patch):
    """RFC 7396: a patch that is no object takes the target's place, and null takes a member out."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for name in patch:
        if patch[name] is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), patch[name])
    return target


def line_of(link):
    """The next line without its end. Raises OSError where the stream ends or a line is too long."""
    line = link.readline(LINE_LIMIT)
    if not line.endswith(b"\n"):
        raise OSError("the stream ended" if len(line) < LINE_LIMIT else "a line is too long")
    return line.rstrip(b"\r\n")


def opened(host, port, station, last_id):
    """A connection whose head is read, as a file of lines. Raises OSError; ValueError where the server refuses."""
    connection = socket.socket()
    try:
        connection.settimeout(SILENCE_S)
        connection.connect(socket.getaddrinfo(host, port)[0][-1])
        lines = [
            "GET /api/events?stations=" + station + " HTTP/1.0",
            "Host: " + host + ":" + str(port),
            "Accept: text/event-stream",
        ]
        if last_id:
            lines.append("Last-Event-ID: " + last_id)
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        link = connection.makefile("rb")
        status = line_of(link).split(b" ")[1]
        while line_of(link):
            pass
        if status != b"200":
            raise (ValueError if status[:1] == b"4" and status != b"429" else OSError)(status.decode())
        return connection, link
    except Exception:
        connection.close()
        raise


def events(link):
    """Pairs of an event's id (None where it has none) and its object."""
    event_id = data = None
    while True:
        line = line_of(link)
        if line.startswith(b"id:"):
            event_id = line[3:].strip().decode()
        elif line.startswith(b"data:"):
            data = line[5:]
        elif not line and data is not None:
            yield event_id, json.loads(data)
            event_id = data = None


def shown(state):
    """A state as one line."""
    now = state.get("now") or {}
    coming = state.get("next") or [{}]
    words = [now.get("title") or "-"]
    if now.get("artist"):
        words.append("by " + now["artist"])
    if coming[0].get("title"):
        words.append("| next: " + coming[0]["title"])
    if state.get("supported_by"):
        words.append("| supported by " + state["supported_by"]["sponsor"])
    return " ".join(words)


def follow(host, port, station, changes):
    """Print each change; ``changes`` of them, or for ever with 0."""
    state, last_id, said, pause_s = {}, None, None, 1
    while True:
        try:
            connection, link = opened(host, port, station, last_id)
            try:
                for event_id, message in events(link):
                    pause_s = 1
                    last_id = event_id or last_id
                    if message["type"] == "snapshot":
                        state = message["state"]
                    elif message["type"] == "update":
                        state = merged(state, message["patch"])
                    line = shown(state)
                    if state and line != said:
                        said = line
                        print(line)
                        changes -= 1
                        if changes == 0:
                            return
            finally:
                connection.close()
        except OSError:
            time.sleep(random.random() * pause_s)
            pause_s = min(2 * pause_s, PAUSE_LIMIT_S)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        print("usage: embedded_player.py HOST PORT STATION [CHANGES]")
        sys.exit(2)
    try:
        follow(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]) if len(sys.argv) == 5 else 0)
    except ValueError as refusal:
        print("the server refuses: " + str(refusal))
        sys.exit(1)
