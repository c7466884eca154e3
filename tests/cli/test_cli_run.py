from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cli_desk import Shell, lay_out, sound
from running_service import Running

import radio


def test_the_service_says_what_is_on_the_air_and_where(running: Running) -> None:
    said = "".join(running.lines)
    assert "Next Up starts.\n" in said
    assert "On the air: WXYZ.\n" in said
    assert running.get("/healthz") == (200, {"status": "alive"})


def test_a_port_in_use_is_1_with_advice(running: Running, shell: Shell) -> None:
    done = shell.radio("run", "--port", str(running.port))
    assert (done.status, done.out) == (1, "")
    last = done.err.splitlines()[-1]
    assert last.startswith(f"radio: Another process listens at 127.0.0.1:{running.port}.")
    assert last.endswith("radio run --port 8001")


def test_watch_once_prints_one_line_for_each_station(running: Running, shell: Shell) -> None:
    done = shell.plain("watch", "--once", "--server", running.address)
    assert (done.status, done.err) == (0, "")
    ours, other = sorted(done.out.splitlines(), key=lambda line: "other" in line)
    assert re.match(r"\d\d:\d\d:\d\d  wxyz +on_air +.+ \(0:\d\d\)  \| next: ", ours)
    assert "other       off_air" in other
    one = shell.plain("watch", "wxyz", "--once", "--json", "--server", running.address).json
    assert (one["station"], one["state"]["availability"]["status"]) == ("wxyz", "on_air")


def test_each_change_comes_through_a_pipe_at_once_and_in_one_line(running: Running) -> None:
    command = [sys.executable, "-m", "radio", "watch", "wxyz", "--json", "--server", running.address]
    environment = {**os.environ, "PYTHONPATH": str(Path(radio.__file__).parent.parent)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        try:
            line = (
                watching.stdout.readline()
            )  # a line that waited for its buffer would come with the end only
            assert watching.poll() is None
        finally:
            watching.kill()
    assert json.loads(line)["station"] == "wxyz"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("watch", "wxzy", "--once"), 1, "wxzy"),
        (("watch", "--once", "--server", "ftp://nowhere"), 2, "'ftp://nowhere' is no server"),
        (("watch", "--once", "--server", "http://127.0.0.1:1"), 1, "http://127.0.0.1:1"),
        (("watch", "--once", "--server", "http://no-such-host.invalid"), 1, "no-such-host.invalid"),
    ],
)
def test_watching_what_is_not_there_is_an_error(
    running: Running, shell: Shell, words: tuple[str, ...], status: int, told: str
) -> None:
    server = () if "--server" in words else ("--server", running.address)
    done = shell.plain(*words, *server)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("radio: ")
    assert told in done.err
    assert "Traceback" not in done.err


def test_commands_work_beside_the_running_service(running: Running, capsys: Any) -> None:
    shell = Shell(capsys, running.config)
    rows = shell.radio("schedule", "show", "--station", "wxyz", "--json").json
    assert rows[0]["starts_at_ms"] <= time.time() * 1000 < rows[0]["ends_at_ms"]
    token = shell.radio("users", "add", "newsroom", "--role", "viewer").out.strip()
    assert running.get("/api/console/me", token)[1] == {
        "name": "newsroom",
        "role": "viewer",
        "stations": ["other", "wxyz"],
    }
    shell.radio("users", "remove", "newsroom")
    assert running.get("/api/console/me", token)[0] == 401
    assert shell.radio("library", "scan").status == 0


def test_a_signal_ends_it_with_0_and_the_row_is_closed(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as listener:
        listener.sendall(b"GET /listen/wxyz/live.mp3 HTTP/1.0\r\n\r\n")
        assert listener.recv(100).startswith(b"HTTP/1.")
        started_s = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - started_s < 8
        listener.settimeout(5)
        while listener.recv(65_536):
            pass
    said = "".join(running.lines)
    assert "Going off the air.\n" in said
    assert "Traceback" not in said
    assert "rror" not in said


def test_a_signal_while_it_starts_ends_it_with_0(tmp_path: Path) -> None:
    config = lay_out(tmp_path / "radio")
    for number in range(4):
        sound(config.parent / f"sounds/{number}.wav", 60, 300 + number)
    process = subprocess.Popen(
        [sys.executable, "-m", "radio", "run", "--config", str(config), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(radio.__file__).parent.parent)},
    )
    assert process.stderr is not None
    with process, process.stderr:
        said = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
        assert process.wait(15) == 0, said
    assert said.startswith("Next Up starts.")
    assert "Traceback" not in said
