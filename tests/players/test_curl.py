"""curl on the service as it runs: states, waiting for news, server-sent events, WebSockets and the head of a stream."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from programs import ProgramMissing, find_programs

TIME_IS_UP = 28
WITHIN_S = "20"
HANDSHAKE = (
    *("-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"),
    *("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
)
AZURACAST = "/api/live/nowplaying/websocket?cf_connect=" + quote(
    '{"subs":{"station:tones":{"recover":true}}}'
)


class Reply(NamedTuple):
    """What curl had of the service, and how it ended."""

    exit: int
    status: int
    version: str
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Curl:
    """curl, as one types it."""

    def __init__(self, program: str, address: str) -> None:
        self.program = program
        self.address = address

    @property
    def protocols(self) -> list[str]:
        """What this curl was built with."""
        said = subprocess.run([self.program, "--version"], capture_output=True, check=True, text=True).stdout
        return next(line for line in said.splitlines() if line.startswith("Protocols:")).split()[1:]

    def __call__(self, path: str, *options: str, scheme: str = "http", for_s: str = WITHIN_S) -> Reply:
        command = [self.program, "-q", "-s", "-N", "--noproxy", "*", "-i", "-m", for_s, *options]
        url = self.address.replace("http", scheme, 1) + path
        run = subprocess.run(
            [*command, url], capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )
        head, _, body = run.stdout.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status = [*first.split(" "), "", "0"][:2]
        pairs = (line.partition(": ") for line in lines)
        return Reply(run.returncode, int(status or 0), version, {k.lower(): v for k, _, v in pairs}, body)

    def lines(self, path: str, *options: str) -> list[str]:
        """The lines of an event stream up to the first update, where curl is stopped."""
        command = [
            self.program,
            "-q",
            "-s",
            "-N",
            "--noproxy",
            "*",
            "-m",
            WITHIN_S,
            *options,
            self.address + path,
        ]
        heard: list[str] = []
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            for line in run.stdout:
                heard.append(line.rstrip("\n"))
                if line == "\n" and '"type":"update"' in heard[-2]:
                    break
            run.terminate()
        return heard


@pytest.fixture(scope="session")
def curl(stream: str) -> Curl:
    try:
        (program,) = find_programs(("curl",))
    except ProgramMissing as missing:
        pytest.fail(f"The tests need curl; {missing}", pytrace=False)
    return Curl(program, stream.removesuffix("/listen/tones/live.mp3"))


def events(lines: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The events of an event stream, each with the id that holds then."""
    found, last_id = [], ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            last_id = value
        elif name == "data":
            found.append((last_id, json.loads(value)))
    return found


def test_a_state_is_fetched_once_and_not_again_while_it_holds(curl: Curl, tmp_path: Path) -> None:
    etag = str(tmp_path / "etag")
    for _ in range(5):
        fetched = curl("/api/stations/tones?wait=0", "--etag-save", etag)
        again = curl("/api/stations/tones?wait=0", "--etag-compare", etag)
        assert (fetched.exit, fetched.status, again.exit) == (0, 200, 0)
        assert fetched.json["station"]["name"] == "Tone Radio"
        if again.status == 304:  # else the next tone began in between
            break
    assert (again.status, again.body) == (304, b"")
    assert again.fields["etag"] == fetched.fields["etag"]


def test_waiting_for_news_as_the_documentation_says(curl: Curl) -> None:
    before = curl("/api/stations/tones?wait=0")
    news = curl("/api/stations/tones?wait=25", "-H", f"If-None-Match: {before.fields['etag']}")
    assert (news.exit, news.status) == (0, 200)
    epoch, _, seq = before.fields["etag"].strip('"').rpartition(":")
    new_epoch, _, new_seq = news.fields["etag"].strip('"').rpartition(":")
    assert new_epoch == epoch
    assert int(new_seq) > int(seq)
    assert news.json != before.json


@pytest.mark.parametrize("way_back", ["Last-Event-ID", "since"])
def test_events_come_as_they_happen_and_go_on_where_they_stopped(curl: Curl, way_back: str) -> None:
    lines = curl.lines("/api/events?stations=tones")
    assert lines[0].startswith("retry: ")
    heard = events(lines)
    assert [message["type"] for _, message in heard] == ["welcome", "snapshot", "update"]
    (_, snapshot), (last_id, update) = heard[1:]
    assert update["seq"] == snapshot["seq"] + 1
    since = ("", "-H", f"Last-Event-ID: {last_id}") if way_back == "Last-Event-ID" else (f"&since={last_id}",)
    (_, welcome), (_, missed) = events(curl.lines(f"/api/events?stations=tones{since[0]}", *since[1:]))
    assert (welcome["type"], missed["type"], missed["seq"]) == ("welcome", "update", update["seq"] + 1)


def test_a_websocket(curl: Curl) -> None:
    if "ws" in curl.protocols:
        welcome = json.loads(curl("/api/ws", scheme="ws", for_s="2").body)
        said = curl(AZURACAST, scheme="ws", for_s="2").body
    else:  # a handshake by hand, after which curl shows the frames as they are
        reply = curl("/api/ws", *HANDSHAKE, for_s="2")
        assert (reply.exit, reply.status) == (TIME_IS_UP, 101)
        assert reply.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        welcome = json.loads(unframed(reply.body))
        said = unframed(curl(AZURACAST, *HANDSHAKE, for_s="2").body)
    assert (welcome["type"], welcome["protocol"]) == ("welcome", 1)
    connected = json.loads(said[: said.index(b"}{") + 1] if b"}{" in said else said)["connect"]
    (publication,) = connected["subs"]["station:tones"]["publications"]
    assert publication["data"]["np"]["station"]["shortcode"] == "tones"


def unframed(data: bytes) -> bytes:
    """The payload of the first frame, unmasked as servers send it (RFC 6455, section 5.2)."""
    assert data[0] == 0x81
    if data[1] < 126:
        return data[2 : 2 + data[1]]
    assert data[1] == 126
    return data[4 : 4 + int.from_bytes(data[2:4], "big")]


def test_the_head_of_a_stream_alone(curl: Curl) -> None:
    reply = curl("/listen/tones/live.mp3", "-I")
    assert (reply.exit, reply.status, reply.body) == (0, 200, b"")
    assert (reply.fields["content-type"], reply.fields["icy-name"]) == ("audio/mpeg", "Tone Radio")


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1", "--http2"])
def test_a_stream_with_titles_in_any_version_of_http(curl: Curl, version: str) -> None:
    reply = curl("/listen/tones/live.mp3", version, "-r", "0-", "-H", "Icy-MetaData: 1", for_s="2")
    assert (reply.exit, reply.status) == (TIME_IS_UP, 200)
    assert reply.version == ("HTTP/1.0" if version == "--http1.0" else "HTTP/1.1")
    at = int(reply.fields["icy-metaint"])
    assert reply.body[0] == 0xFF
    assert reply.body[at + 1 :].startswith(b"StreamTitle='The Oscillators - Tone ")
    assert reply.body[at + 1 + 16 * reply.body[at]] == 0xFF


@pytest.mark.parametrize("path", ["/api/stations/tones", "/api/nowplaying/tones", "/status-json.xsl"])
def test_an_offer_of_http_2_and_of_compression_is_answered_in_http_1(curl: Curl, path: str) -> None:
    reply = curl(path, "--http2", "--compressed")
    assert (reply.exit, reply.status, reply.version) == (0, 200, "HTTP/1.1")
    assert "tones" in reply.body.decode().lower() or "tone radio" in reply.body.decode().lower()


def test_http_2_alone_is_refused_and_not_left_waiting(curl: Curl) -> None:
    reply = curl("/api/stations/tones", "--http2-prior-knowledge")
    assert reply.exit not in (0, TIME_IS_UP)
