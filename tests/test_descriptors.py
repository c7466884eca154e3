"""Open descriptors from one process to another, over real Unix sockets."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from radio.descriptors import Channel, is_same_user, listen
from radio.errors import TakeoverFailed


def _pair(timeout_s: float = 2.0) -> tuple[Channel, Channel]:
    a, b = socket.socketpair(socket.AF_UNIX)
    return Channel(a, timeout_s=timeout_s), Channel(b, timeout_s=timeout_s)


def test_a_message_brings_its_descriptors_in_their_order() -> None:
    here, there = _pair()
    pipes = [os.pipe() for _ in range(450)]
    with here, there:
        sender = threading.Thread(target=here.send, args=(b"x" * 300_000, [write for _, write in pipes]))
        sender.start()
        message, received = there.receive()
        sender.join()
    assert message == b"x" * 300_000
    assert len(received) == 450
    for number, ((read, write), copy) in enumerate(zip(pipes, received, strict=True)):
        os.write(copy, number.to_bytes(2, "big"))
        assert int.from_bytes(os.read(read, 2), "big") == number
        for descriptor in (read, write, copy):
            os.close(descriptor)


def test_messages_follow_each_other_whole() -> None:
    here, there = _pair()
    with here, there:

        def send_all() -> None:
            for number in range(50):
                here.send(str(number).encode(), [0] if number % 7 == 0 else ())

        sender = threading.Thread(target=send_all)
        sender.start()
        for number in range(50):
            message, received = there.receive()
            assert int(message) == number
            assert len(received) == (number % 7 == 0)
            for descriptor in received:
                os.close(descriptor)
        sender.join()


def test_an_end_that_is_gone_or_silent_is_said_so() -> None:
    here, there = _pair(0.05)
    with pytest.raises(TakeoverFailed, match="does not answer"):
        there.receive()
    here.close()
    with pytest.raises(TakeoverFailed, match="has gone"):
        there.receive()
    with pytest.raises(TakeoverFailed, match="does not listen"):
        there.send(b"x" * 10_000_000)
    there.close()


def test_what_is_no_message_is_refused_before_it_is_read() -> None:
    a, b = socket.socketpair(socket.AF_UNIX)
    with a, Channel(b, timeout_s=1.0) as there:
        a.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(TakeoverFailed, match="no message"):
            there.receive()


def test_descriptors_of_a_broken_message_are_closed() -> None:
    here, there = _pair()
    read, write = os.pipe()
    with here:
        here._socket.sendall(b"\0\0\0\1" + b"\0\0\0\5" + b"m")
        socket.send_fds(here._socket, [b"\0"], [write])
        os.close(write)
    with there, pytest.raises(TakeoverFailed, match="has gone"):
        there.receive()
    assert os.read(read, 1) == b""  # nobody holds the other end of the pipe any more
    os.close(read)


def test_a_service_is_found_at_its_path_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with pytest.raises(TakeoverFailed, match="No running service"):
        Channel.connect(path)
    listen(path).close()  # as a process that was killed leaves it
    with listen(path) as door, Channel.connect(path) as here:
        assert path.stat().st_mode & 0o777 == 0o600
        accepted, _ = door.accept()
        with Channel(accepted) as there:
            assert is_same_user(accepted)
            here.send(b"hello")
            assert there.receive() == (b"hello", [])


def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TakeoverFailed, match="too long"):
        listen(tmp_path / ("x" * 120))
    with pytest.raises(TakeoverFailed, match="Cannot listen"):
        listen(tmp_path / "none" / "control.sock")
