"""Icecast beside us: its configuration, and a source that feeds it our bytes at our pace.

``python -m bench._icecast PORT FILE`` is the source.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

from bench._listener_sound import BYTES_PER_S, TITLE_EVERY_S, title_at

MOUNT = "/live.mp3"
PASSWORD = "bench"
STEP_S = 0.1


def configuration(folder: Path, port: int) -> Path:
    """Write a configuration for up to 19,800 listeners of one mount, logs in ``folder``."""
    owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>" if not os.getuid() else ""
    path = folder / "icecast.xml"
    path.write_text(f"""<icecast>
<limits>
  <clients>19800</clients><sources>2</sources><queue-size>524288</queue-size>
  <burst-on-connect>1</burst-on-connect><burst-size>65535</burst-size>
</limits>
<authentication>
  <source-password>{PASSWORD}</source-password>
  <admin-user>admin</admin-user><admin-password>{PASSWORD}</admin-password>
</authentication>
<hostname>localhost</hostname>
<listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<fileserve>0</fileserve>
<paths><basedir>/usr/share/icecast2</basedir><logdir>{folder}</logdir><webroot>/usr/share/icecast2/web</webroot>
<adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
<security><chroot>0</chroot>{owner}</security>
</icecast>
""")
    return path


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()


def feed(port: int, sound: bytes) -> None:
    """Send ``sound`` round and round in real time."""
    source = socket.create_connection(("127.0.0.1", port))
    source.sendall(
        f"SOURCE {MOUNT} HTTP/1.0\r\nAuthorization: {basic('source')}\r\nContent-Type: audio/mpeg\r\n"
        "ice-name: Bench Radio\r\nice-bitrate: 128\r\n\r\n".encode()
    )
    if b" 200 " not in source.recv(4096):
        raise SystemExit("Icecast does not take the source")
    threading.Thread(target=tell_titles, args=(port,), daemon=True).start()
    began_s, sent = time.monotonic(), 0
    while True:
        end = int((time.monotonic() - began_s + STEP_S) * BYTES_PER_S)
        while sent < end:
            at = sent % len(sound)
            piece = sound[at : at + end - sent]
            source.sendall(piece)
            sent += len(piece)
        time.sleep(STEP_S)


def tell_titles(port: int) -> None:
    began_s = time.monotonic()
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        song = quote(title_at(time.monotonic() - began_s))
        path = f"/admin/metadata?mount={MOUNT}&mode=updinfo&song={song}"
        connection.request("GET", path, headers={"Authorization": basic("admin")})
        connection.getresponse().read()
        connection.close()
        time.sleep(TITLE_EVERY_S)


if __name__ == "__main__":
    feed(int(sys.argv[1]), Path(sys.argv[2]).read_bytes())
