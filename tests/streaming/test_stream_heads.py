from __future__ import annotations

import pytest
from stream_house import BASE_MS

from radio.errors import LimitReached, RadioError, UnknownMount
from radio.streaming.heads import HeadError
from radio.streaming.stream_heads import StationFace, refusal, stream_head


def test_what_a_station_says_of_itself_cannot_add_headers():
    face = StationFace(
        "wxyz", "WXYZ\r\nSet-Cookie: a=b", "Nachrichten aus K\u00f6ln", genre="", url="https://wxyz.example"
    )
    head = stream_head(face, mime="audio/mpeg", bitrate_kbps=128, metaint=None, now_ms=BASE_MS).decode()
    lines = head.split("\r\n")
    assert "icy-name: WXYZ Set-Cookie: a=b" in lines
    assert "icy-description: Nachrichten aus K\u00f6ln" in lines
    assert "icy-url: https://wxyz.example" in lines
    assert not [line for line in lines if line.startswith(("Set-Cookie", "icy-genre", "icy-metaint"))]
    assert head.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("error", "first_line"),
    [
        (UnknownMount("no"), b"HTTP/1.0 404 Not Found"),
        (LimitReached("full"), b"HTTP/1.0 503 Service Unavailable"),
        (RadioError("odd"), b"HTTP/1.0 503 Service Unavailable"),
        (HeadError(431, "long"), b"HTTP/1.0 431 Request Header Fields Too Large"),
    ],
)
def test_errors_have_their_status(error, first_line):
    assert refusal(error, version="HTTP/1.0").startswith(first_line + b"\r\n")
