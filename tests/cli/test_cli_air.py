"""``radio skip``, ``insert``, ``hold`` and ``resume`` against a service in a process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from uuid import uuid4

import pytest
from cli_desk import Shell
from running_service import Running


@pytest.fixture
def token(running: Running, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new operator's token, in the environment as well."""
    shell.config = running.config
    made = shell.radio("users", "add", f"desk {uuid4()}").out.strip()
    assert made
    monkeypatch.setenv("NEXTUP_TOKEN", made)
    return made


def test_commands_change_what_is_on_the_air(running: Running, shell: Shell, token: str) -> None:
    at = ("--server", running.address)
    done = shell.plain("skip", "wxyz", "--fade-ms", "100", *at)
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  .+ \(\d:\d\d\)  \| next: .+\n", done.out)
    listed = shell.radio("library", "list", "--json")
    assert listed.err == ""
    item = listed.json
    items = item["items"] if isinstance(item, dict) else item
    now = shell.plain("insert", "wxyz", items[0]["id"], "--json", *at).json
    assert (now["command"], now["on_air"]["item"]) == ("insert", items[0]["id"])
    later = shell.plain("insert", "wxyz", items[0]["id"], "--next", "--json", *at).json
    assert later["on_air"]["id"] == now["on_air"]["id"]
    assert later["next"]["item"] == items[0]["id"]
    held = shell.plain("hold", "wxyz", "--json", *at).json
    assert held["next"]["item"] is None
    assert shell.plain("resume", "wxyz", *at).status == 0
    again = shell.plain("resume", "wxyz", *at)
    assert (again.status, again.out, again.err) == (2, "", "radio: Nothing is held.\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("skip", "wxzy"), 1, "Did you mean `wxyz`?"),
        (("skip", "other"), 1, "is not on the air"),
        (("insert", "wxyz", "nothing"), 1, "has no item 'nothing'"),
        (("skip", "wxyz", "--token", "nu_nobody"), 1, "operator's token is needed"),
        (("skip", "wxyz", "--token", ""), 2, "NEXTUP_TOKEN"),
        (("hold", "wxyz", "--server", "ftp://nowhere"), 2, "'ftp://nowhere' is no server"),
        (("hold", "wxyz", "--server", "http://127.0.0.1:1"), 1, "http://127.0.0.1:1"),
        (("skip", "wxyz", "--fade-ms", "9000"), 2, "--fade-ms"),
    ],
)
def test_what_cannot_be_done_is_said_and_how_it_ends(
    running: Running, shell: Shell, token: str, words: tuple[str, ...], status: int, told: str
) -> None:
    server = () if "--server" in words else ("--server", running.address)
    done = shell.plain(*words, *server)
    assert (done.status, done.out) == (status, "")
    assert told in done.err
    assert token not in done.err


class Elsewhere(BaseHTTPRequestHandler):
    """A server that sends whoever comes to another place, or answers with no JSON."""

    seen: list[str]

    def do_POST(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if "hold" in self.path:
            self.send_response(302)
            self.send_header("Location", "/stolen")
        else:
            self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"<>")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def stranger() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    server.seen = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_follows_no_redirect(shell: Shell, stranger: HTTPServer) -> None:
    at = ("--token", "nu_secret", "--server", f"http://127.0.0.1:{stranger.server_port}")
    assert shell.plain("hold", "wxyz", *at).status == 1
    assert shell.plain("skip", "wxyz", *at).status == 1
    assert stranger.seen == [f"/api/console/stations/wxyz/{name}" for name in ("hold", "skip")]  # type: ignore[attr-defined]


def test_coming_rows_are_listed_moved_and_taken_out(running: Running, shell: Shell, token: str) -> None:
    at = ("--server", running.address)
    listed = shell.plain("air", "rows", "wxyz", "--limit", "5", "--json", *at).json["rows"]
    told = shell.plain("air", "rows", "wxyz", "--limit", "5", *at).out
    assert listed[3]["id"] in told
    moved = shell.plain("air", "move", "wxyz", listed[3]["id"], "--json", *at).json
    assert moved["next"]["id"] == listed[3]["id"]
    gone = shell.plain("air", "remove", "wxyz", listed[3]["id"], "--json", *at).json
    assert gone["next"]["id"] != listed[3]["id"]
    both = shell.plain("air", "move", "wxyz", "a", "--before", "b", "--after", "c", *at)
    assert (both.status, "--before or --after" in both.err) == (2, True)
    for words in (("extend", "wxyz", "5"), ("end", "wxyz")):
        refused = shell.plain("air", *words, *at)
        assert (refused.status, refused.err) == (2, "radio: No programme is on the air.\n")
    emergency = shell.plain("air", "emergency", "wxyz", moved["next"]["item"], "--once", "--json", *at).json
    assert emergency["on_air"]["item"] == moved["next"]["item"]
    assert shell.plain("resume", "wxyz", *at).status == 0
