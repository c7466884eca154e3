"""How clients of every kind come and go, for ``bench churn``: raw bytes over asyncio's streams.

Each visit is a function of a :class:`Door` and a source of chance; it raises where the service does not do what it
should. Addresses are anywhere in 127.0.0.0/8, user agents and sessions are new each time, so that whatever is kept by
address, agent, session or path would show.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

STATION: Final = "wxyz"
MOUNT: Final = "/listen/harbor/live.mp3"
MASK: Final = b"\x11\x22\x33\x44"
TEXT, CONT, CLOSE, PING = 0x81, 0x80, 0x88, 0x89
PATIENCE_S: Final = 20.0
HANGS_AT_MOST_S: Final = 90.0
SNAPSHOT: Final = b'"type":"snapshot"'
RESET: Final = struct.pack("ii", 1, 0)


class Door:
    """Where the service is."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port = port
        self.chance = chance

    @asynccontextmanager
    async def open(self, *, reset: bool = False) -> AsyncIterator[Visit]:
        """A connection from some address of this machine, which ends with FIN, or with RST."""
        address = f"127.{self.chance.randrange(1, 255)}.{self.chance.randrange(256)}.{self.chance.randrange(1, 255)}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        try:
            yield Visit(reader, writer, f"visitor/{self.chance.random()}")
        finally:
            writer.transport.abort() if reset else writer.close()

    def session(self) -> str:
        """A new one."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


class Visit:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, agent: str) -> None:
        self.reader = reader
        self.writer = writer
        self.agent = agent
        self.heard = b""

    def ask(self, target: str, *fields: str, method: str = "GET") -> None:
        """Send a request's head."""
        lines = [
            f"{method} {target} HTTP/1.1",
            "Host: localhost",
            f"User-Agent: {self.agent}",
            *fields,
            "",
            "",
        ]
        self.writer.write("\r\n".join(lines).encode("latin-1"))

    def upgrade(self, target: str, *fields: str) -> None:
        """Ask for a WebSocket."""
        self.ask(
            target,
            *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", *fields),
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )

    def say(self, **message: object) -> None:
        """Send a text frame."""
        self.frame(TEXT, json.dumps(message).encode())

    def frame(self, first: int, payload: bytes = b"") -> None:
        """Send a masked frame."""
        size = len(payload)
        head = (
            struct.pack("!BB", first, 0x80 | size) if size < 126 else struct.pack("!BBH", first, 0xFE, size)
        )
        self.writer.write(head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload)))

    async def until(self, words: bytes) -> bytes:
        """All that was heard up to the moment at which ``words`` are in it."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.heard:
                await self._more()
        heard, self.heard = self.heard, b""
        return heard

    async def end(self, within_s: float = PATIENCE_S) -> bytes:
        """All that is heard until the service ends the connection."""
        async with asyncio.timeout(within_s):
            try:
                while True:
                    await self._more()
            except OSError:
                return self.heard

    async def _more(self) -> None:
        data = await self.reader.read(65_536)
        if not data:
            raise ConnectionResetError(f"the service ended the connection after {self.heard[-200:]!r}")
        self.heard = (self.heard + data)[-200_000:]

    async def follow(self) -> None:
        """Greet, subscribe and get the snapshot."""
        self.upgrade("/api/ws")
        await self.until(b'"welcome"')
        self.say(type="subscribe", id=1, stations=[STATION])
        await self.until(SNAPSHOT)


async def follows_and_leaves(door: Door) -> None:
    async with door.open() as visit:
        await visit.follow()
        visit.frame(CLOSE, struct.pack("!H", 1001))
        await visit.end()


async def follows_and_is_reset(door: Door) -> None:
    async with door.open(reset=True) as visit:
        await visit.follow()


async def comes_back(door: Door) -> None:
    async with door.open() as visit:
        visit.upgrade("/api/ws")
        await visit.until(b'"welcome"')
        since = {STATION: {"epoch": str(door.chance.random()), "seq": door.chance.randrange(1_000)}}
        visit.say(type="subscribe", id=1, stations=[STATION, "harbor"], since=since)
        await visit.until(SNAPSHOT)
        visit.say(type="unsubscribe", id=2, stations=[STATION])
        visit.say(type="ping", id=3)
        await visit.until(b'"pong"')


async def speaks_in_pieces(door: Door) -> None:
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        await visit.follow()
        visit.frame(0x01, b'{"type":')
        visit.frame(PING, b"still here")
        visit.frame(CONT, b'"ping","id":7}')
        await visit.until(b'"pong"')


async def listens_in_step(door: Door) -> None:
    session = door.session()
    async with door.open() as push, door.open(reset=True) as sound:
        await push.follow()
        push.say(type="listen", id=2, station="harbor", session=session)
        sound.ask(f"{MOUNT}?session={session}", "Icy-MetaData: 1")
        await sound.until(b"StreamTitle=")
        await push.until(b'"listening"')


async def listens(door: Door) -> None:
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        visit.ask(MOUNT)
        await visit.until(b"\xff\xfb")


async def reads_events(door: Door) -> None:
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        visit.ask(f"/api/events?stations={STATION},harbor&listen=harbor:{door.session()}")
        await visit.until(SNAPSHOT)


async def polls(door: Door) -> None:
    async with door.open() as visit:
        visit.ask("/api/stations/meridian?wait=0")
        head = (await visit.until(b"\r\n\r\n")).decode("latin-1")
        etag = head.partition("ETag: ")[2].partition("\r\n")[0]
        visit.ask("/api/stations/meridian?wait=30", f"If-None-Match: {etag}")
        await asyncio.sleep(0.02)


async def asks_twice(door: Door) -> None:
    async with door.open() as visit:
        visit.ask("/api/stations/harbor")
        await visit.until(b"availability")
        visit.ask(f"/api/{door.chance.random()}?{door.chance.random()}", "Connection: close")
        assert b" 404 " in await visit.end()


async def other_players_ask(door: Door) -> None:
    target = door.chance.choice(
        ("/api/nowplaying", "/api/nowplaying/harbor", "/status-json.xsl", "/7.html", "/api/live-info-v2")
    )
    async with door.open() as visit:
        visit.ask(target, f"Host: host-{door.chance.random()}.example", "Connection: close")
        await visit.end()


async def azuracast_socket(door: Door) -> None:
    wish = {"station:harbor": {"recover": True}}
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        visit.upgrade("/api/live/nowplaying/websocket")
        await visit.until(b"\r\n\r\n")
        two_way = door.chance.random() < 0.5
        visit.say(**({"id": 1, "connect": {"subs": wish}} if two_way else {"subs": wish}))
        await visit.until(b'"connect"')


async def azuracast_events(door: Door) -> None:
    wish = "%7B%22subs%22%3A%7B%22station%3Aharbor%22%3A%7B%22recover%22%3Atrue%7D%7D%7D"
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        visit.ask(f"/api/live/nowplaying/sse?cf_connect={wish}")
        await visit.until(b'"connect"')


async def says_half(door: Door) -> None:
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        visit.writer.write(b"GET /api/ws HTTP/1.1\r\nHost: local")
        await asyncio.sleep(0.005)


async def half_a_frame(door: Door) -> None:
    async with door.open(reset=door.chance.random() < 0.5) as visit:
        await visit.follow()
        visit.writer.write(
            door.chance.choice((b"\x81", b"\x81\xfe\x01", b"\x81\xff\0\0\0\0\0\0\x08\0", b"\x01\x81"))
        )
        await asyncio.sleep(0.005)


async def wrong_frames(door: Door) -> None:
    async with door.open() as visit:
        await visit.follow()
        wrong = (
            *(b"\xf1\x80" + MASK, b"\x83\x80" + MASK, b"\x81\x01x"),
            *(b"\x81\xff" + b"\xff" * 8 + MASK, b"\x89\xfe\x01\0" + MASK + bytes(256)),
        )
        visit.writer.write(door.chance.choice(wrong))
        await visit.end()


async def wrong_messages(door: Door) -> None:
    async with door.open() as visit:
        await visit.follow()
        for _ in range(30):
            visit.frame(
                TEXT, door.chance.choice((b"{", b"[]", b'{"type":"x"}', b"\xff\xfe", b'{"type":"subscribe"}'))
            )
        await visit.end()


async def no_http(door: Door) -> None:
    said = (
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\0" * 300, b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/ws HTTP/1.1\r\nHost: a\r\nHost: b\r\nUpgrade: websocket\r\n\r\n",
        b"GET /api/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        b"POST /api/nowplaying HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    )  # fmt: skip
    async with door.open() as visit:
        visit.writer.write(door.chance.choice(said))
        if visit.writer.can_write_eof():
            visit.writer.write_eof()
        await visit.end()


async def hangs(door: Door) -> None:
    """Says something, or nothing, and then is silent until the service ends the connection."""
    async with door.open() as visit:
        kind = door.chance.randrange(4)
        if kind == 0:
            visit.writer.write(b"GET /api/ws HTTP/1.1\r\n")
        elif kind == 1:
            await visit.follow()
        elif kind == 2:
            visit.upgrade("/api/live/nowplaying/websocket")
        await visit.end(HANGS_AT_MOST_S)


Kind = Callable[[Door], Awaitable[None]]

KINDS: Final[dict[Kind, int]] = {
    **{
        follows_and_leaves: 24,
        follows_and_is_reset: 20,
        comes_back: 6,
        speaks_in_pieces: 5,
        listens_in_step: 5,
    },
    **{listens: 5, reads_events: 8, polls: 6, asks_twice: 4, other_players_ask: 4, azuracast_socket: 3},
    **{azuracast_events: 2, says_half: 3, half_a_frame: 3, wrong_frames: 2, wrong_messages: 1, no_http: 3},
}
"""How a client may behave, and how often of a hundred or so."""
