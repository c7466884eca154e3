"""A whole service that plays out, a NATS server, and an edge to which its subscribers come by WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from edge_house import Edge, open_edge
from nats_server import NatsServer
from websockets.asyncio.client import ClientConnection, connect
from whole_service import configuration, fetch, load, schedule, tone, until

from radio.app import Service, on_air
from radio.config import load_config
from radio.errors import ConfigurationError
from radio.push.patch import apply, prune

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Scene(NamedTuple):
    server: NatsServer
    service: Service
    edge: Edge


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory, server: NatsServer) -> AsyncIterator[Scene]:
    """The service starts before the server is there."""
    folder = tmp_path_factory.mktemp("network")
    for hertz in (300, 400):
        tone(folder / f"wxyz/music/{hertz}.wav", hertz, seconds=2, title=f"Tone {hertz}")
    tone(folder / "wxyz/features/rest.wav", 300, seconds=120, rate_hz=8_000)
    path = configuration(folder, "wxyz")
    (folder / "schedules/wxyz.toml").write_text(schedule())
    path.write_text(f'[bus]\nurl = "{server.url}"\n{path.read_text()}')
    async with on_air(load(path)) as service:
        await until(lambda: service.stations["wxyz"].status.status == "on_air", 30)
        await bus_is_away(service)
        server.start()
        async with open_edge(server.url, "north", "wxyz") as edge:
            await until(lambda: edge.mirror.is_current("wxyz"), 30)
            yield Scene(server, service, edge)


async def bus_is_away(service: Service) -> None:
    """Wait for the alarm."""
    async with asyncio.timeout(20):
        while "bus_away" not in str((await fetch(service.port, "/readyz"))[1].get("alarms")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


class Client:
    """Follows wxyz over one connection after the other, and never misses a number."""

    def __init__(self) -> None:
        self.epoch, self.seq, self.state = "", -1, {}
        self.kinds: list[str] = []

    async def follow(self, connection: ClientConnection, updates: int) -> None:
        request: dict[str, Any] = {"type": "subscribe", "id": 1, "stations": ["wxyz"]}
        if self.epoch:
            request["since"] = {"wxyz": {"epoch": self.epoch, "seq": self.seq}}
        await connection.send(msgspec.json.encode(request).decode())
        while updates:
            frame = msgspec.json.decode(await connection.recv())
            if frame["type"] == "snapshot":
                self.epoch, self.seq, self.state = frame["epoch"], frame["seq"], frame["state"]
            elif frame["type"] == "update":
                assert frame["seq"] == self.seq + 1
                self.seq, self.state = frame["seq"], apply(self.state, frame["patch"])
                updates -= 1
            self.kinds.append(frame["type"])


async def test_a_subscriber_goes_from_the_source_to_the_edge_and_back(scene: Scene) -> None:
    client, source_url = Client(), f"ws://127.0.0.1:{scene.service.port}/api/ws"
    for url in (source_url, scene.edge.url, source_url, scene.edge.url):
        # Who comes before the edge has what it saw already gets a snapshot.
        await until(lambda: scene.edge.hub.position("wxyz").seq >= client.seq)
        async with connect(url) as connection:
            await client.follow(connection, updates=1)
    assert client.kinds.count("snapshot") == 1
    assert client.epoch == scene.service.hub.epoch
    hub = scene.service.hub
    await until(lambda: scene.edge.hub.position("wxyz") == hub.position("wxyz"))
    assert prune(scene.edge.hub.state("wxyz")) == prune(hub.state("wxyz"))


async def test_listeners_of_the_edge_count_at_the_source(scene: Scene) -> None:
    scene.edge.listening["wxyz"] = 7
    await until(lambda: scene.service.stations["wxyz"].state["listeners"]["current"] == 7, 20)
    await until(lambda: scene.edge.hub.state("wxyz")["listeners"]["current"] == 7)
    metrics = (await fetch(scene.service.port, "/metrics"))[1].decode()
    assert "nextup_bus_connected 1.0" in metrics
    assert "nextup_bus_edges 1.0" in metrics


async def test_the_station_goes_on_without_the_server_and_the_edge_catches_up_after_it(scene: Scene) -> None:
    hub, client = scene.service.hub, Client()
    async with connect(scene.edge.url) as connection:
        await client.follow(connection, updates=1)
        scene.server.kill()
        seq = hub.position("wxyz").seq
        await until(lambda: hub.position("wxyz").seq > seq, 20)
        assert scene.service.stations["wxyz"].status.status == "on_air"
        await bus_is_away(scene.service)
        scene.server.start()
        await until(lambda: scene.edge.hub.position("wxyz") == hub.position("wxyz"), 30)
        await client.follow(connection, updates=hub.position("wxyz").seq - client.seq)
    assert client.kinds.count("snapshot") == 1
    assert prune(client.state) == prune(scene.edge.hub.state("wxyz"))


async def test_a_service_that_is_refused_says_so_and_does_not_start(scene: Scene, tmp_path: Path) -> None:
    closed = NatsServer(tmp_path, "--user", "station", "--pass", "right")
    closed.start()
    path = configuration(tmp_path, "wxyz")
    (tmp_path / "wxyz").mkdir()
    login = tmp_path / "nats.toml"
    login.write_text('user = "station"\npassword = "wrong"\n')
    path.write_text(f'[bus]\nurl = "{closed.url}"\ncredentials = "nats.toml"\n{path.read_text()}')
    try:
        with pytest.raises(ConfigurationError, match="`bus.credentials`: the NATS server at .* refuses"):
            async with on_air(load_config(path)):
                raise AssertionError("it started")
    finally:
        closed.stop()
