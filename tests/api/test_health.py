from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_house import House, open_house
from prometheus_client.parser import text_string_to_metric_families

from radio.api.health import health_routes
from radio.metrics import Metrics


class Network:
    """Stations that can be put off the air."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {"wxyz": "starting"}
        self.metrics = Metrics()


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
async def house(network: Network, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(
        tmp_path, lambda _: health_routes(lambda: network.missing, network.metrics)
    ) as opened:
        yield opened


async def test_ready_is_said_when_every_station_sounds_and_not_before(house: House, network: Network) -> None:
    for missing in ({"wxyz": "starting"}, {"other": "The stream has stopped."}, {"a": "x", "b": "y"}):
        network.missing = missing
        answer = await house.ask("/readyz")
        assert (answer.status, answer.json) == (503, {"status": "not_ready", "stations": missing})
        assert answer.headers["cache-control"] == "no-store"
    network.missing = {}
    answer = await house.ask("/readyz")
    assert (answer.status, answer.json) == (200, {"status": "ready"})


async def test_the_process_is_alive_whatever_the_stations_do(house: House, network: Network) -> None:
    network.missing = {"wxyz": "The stream has stopped."}
    answer = await house.ask("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "alive"})


async def test_supervisors_may_ask_with_head(house: House, network: Network) -> None:
    assert (await house.ask("/readyz", method="HEAD")).status == 503
    network.missing = {}
    assert (await house.ask("/readyz", method="HEAD")).status == 200


async def test_the_numbers_are_in_prometheus_format(house: House, network: Network) -> None:
    network.metrics.listeners.labels("wxyz", "live.mp3").set(41)
    network.metrics.rows_ended.labels('odd "name"\n', "aired").inc()
    answer = await house.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    (sample,) = families["nextup_listeners"].samples
    assert (sample.labels, sample.value) == ({"station": "wxyz", "mount": "live.mp3"}, 41)
    assert families["nextup_rows_ended"].samples[0].labels["station"] == 'odd "name"\n'
    assert all(name.startswith("nextup_") for name in families)
