"""A NATS server for the tests of a session, and the kinds of bus that share one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from bus_house import BusHouse
from nats_server import NatsServer


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["local", "nats"])
async def buses(request: pytest.FixtureRequest) -> AsyncIterator[BusHouse]:
    """Makes buses of one kind that reach each other."""
    url = request.getfixturevalue("nats").url if request.param == "nats" else None
    async with BusHouse(url) as house:
        yield house
