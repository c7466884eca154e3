"""The whole service in this process, with a small library, in real time.

One service carries five stations. What is to be seen on each of them goes on at the same time; each test
looks at what came of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families
from whole_service import (
    BYTES_PER_MS,
    Heard,
    Radio,
    Station,
    configuration,
    fetch,
    load,
    pitch,
    schedule,
    tone,
    until,
)

from radio.app import Service, on_air
from radio.client import Change, PushClient
from radio.clock import SystemClock
from radio.log import ItemKind, LogRow
from radio.store import Store, as_run, operators, sqlite_url
from radio.store.operators import Role
from radio.units import DurationMs, UtcMs

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERTZ = {"Tide": 440.0, "Rope": 880.0, "Foam": 1_320.0}


class Course(NamedTuple):
    """What the listener to ``wxyz`` heard and what its push connection was told meanwhile."""

    heard: Heard
    changes: list[Change]
    told_at_ms: list[int]
    t0_ms: int
    history: list[dict[str, Any]]


class Network:
    """The running service, and one task for each thing that is going on in it."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.on_air_at_ms = 0
        self.work: dict[str, asyncio.Task[Any]] = {}

    def station(self, id_: str) -> Station:
        return Station(self.service, id_, self.folder)

    def begin(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        self.work[name] = asyncio.create_task(work)

    async def came_of(self, name: str) -> Any:
        async with asyncio.timeout(40):
            return await self.work[name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    for name, ending in (("Tide", "wav"), ("Rope", "flac"), ("Foam", "mp3")):
        tone(folder / f"wxyz/music/{name.lower()}.{ending}", HERTZ[name], title=name, artist="The Bay")
    tone(folder / "edited/music/one.wav", 500)
    tone(folder / "edited/news/two.wav", 600)
    tone(folder / "lost/music/three.wav", 700)
    (folder / "bare").mkdir()
    config = configuration(folder, "wxyz", "edited", "lost", "bare", "missing")
    for name in ("wxyz", "edited", "lost"):
        tone(folder / name / "features/rest.wav", 300, seconds=120, rate_hz=8_000)
        (folder / f"schedules/{name}.toml").write_text(schedule())
    await leave_a_crashed_row(folder)
    async with on_air(load(config)) as service:
        made = Network(service, folder)
        await until(lambda: all(made.station(id_).status != "starting" for id_ in service.stations))
        made.on_air_at_ms = SystemClock().now_ms()
        made.begin("listening", listen_and_watch(made.station("wxyz")))
        made.begin("editing", edit(made.station("edited")))
        made.begin("losing", lose(made.station("lost")))
        made.begin("bare", take_some(made, "bare"))
        made.begin("missing", take_some(made, "missing"))
        yield made
        for task in made.work.values():
            task.cancel()
        await asyncio.gather(*made.work.values(), return_exceptions=True)


async def leave_a_crashed_row(folder: Path) -> None:
    """Write down a row that started an hour ago and never ended, as a crash leaves it."""
    at_ms = SystemClock().now_ms() - 3_600_000
    row = LogRow(
        id="row-of-old",
        station="wxyz",
        starts_at_ms=UtcMs(at_ms),
        ends_at_ms=UtcMs(at_ms + 60_000),
        kind=ItemKind.MUSIC,
        title="Of old",
        reason="test",
    )

    def write(conn: Any) -> None:
        as_run.intent(conn, row, 1, UtcMs(at_ms))
        as_run.start(conn, row.id, 1, UtcMs(at_ms))
        as_run.checkpoint(conn, row.id, 1, UtcMs(at_ms + 12_000), DurationMs(12_000))

    async with Store.open(sqlite_url(folder / "data/nextup.db")) as store:
        await store.write(write)


async def listen_and_watch(station: Station) -> Course:
    """Listen and follow the pushes, under one session, for about two items."""
    session, port = uuid4(), station.service.port
    changes: list[Change] = []
    told_at_ms: list[int] = []

    async def watch(client: PushClient) -> None:
        async for change in client:
            changes.append(change)
            told_at_ms.append(SystemClock().now_ms())

    async with PushClient(f"http://127.0.0.1:{port}", ["wxyz"]) as client:
        watching = asyncio.create_task(watch(client))
        await until(lambda: changes)
        await client.listen("wxyz", session)
        radio = await Radio.tune_in(port, f"/listen/wxyz/live.mp3?session={session}")
        heard = await radio.listen(7.0)
        await until(lambda: client.stream_time_ms("wxyz", session) is not None, 2)
        t0_ms = client.stream_time_ms("wxyz", session)
        radio.switch_off()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    assert t0_ms is not None
    return Course(heard, changes, told_at_ms, t0_ms, (await station.get("/history"))["history"])


async def edit(station: Station) -> dict[str, Any]:
    """Edit the schedule rightly, then wrongly, then rightly again; drop a file into the library."""
    loop, seen = asyncio.get_running_loop(), {"before": station.coming()}
    on_the_air = station.state["now"]
    began_s = loop.time()
    station.schedule.write_text(schedule().replace('rotate = ["music"]', 'rotate = ["news"]'))
    await until(lambda: set(station.coming()) == {"news"})
    seen["edit_s"] = loop.time() - began_s
    seen["at_the_edit"] = (on_the_air, station.state["now"])
    token = await station.service.store.write(
        operators.add, "newsroom", Role.OPERATOR, None, SystemClock().now_ms()
    )
    station.schedule.write_text(schedule().replace('"rest"', '"rset"', 1))
    reload = f"/api/console/stations/{station.id}/reload"
    seen["wrong"] = await fetch(station.service.port, reload, method="POST", token=token)
    await asyncio.sleep(1.0)
    seen["after_wrong"] = (station.status, set(station.coming()))
    station.schedule.write_text(schedule())
    seen["right"] = await fetch(station.service.port, reload, method="POST", token=token)
    seen["after_right"] = (station.status, set(station.coming()))
    before = len(station.service.library.current)
    began_s = loop.time()
    tone(station.folder / "edited/music/dropped.wav", 800, seconds=2)
    await until(lambda: len(station.service.library.current) > before)
    seen["dropped_s"] = loop.time() - began_s
    dropped = next(item for item in station.service.library.current if item.path == "music/dropped.wav")
    log = station.service.planner.log(station.id)
    await until(lambda: any(row.item == dropped.id for row in log.coming(0, 10_000)))
    (station.folder / "edited/music/dropped.wav").unlink()
    await until(lambda: all(row.item != dropped.id for row in log.coming(log.frontier_ms, 10_000)))
    seen["after_removal"] = set(station.coming())
    await asyncio.sleep(on_the_air["ends_at_ms"] / 1000 + 0.5 - SystemClock().now_ms() / 1000)
    seen["history"] = {entry["id"]: entry for entry in (await station.get("/history"))["history"]}
    return seen


async def lose(station: Station) -> dict[str, Any]:
    """Take the library's folder away while a listener listens, as a disk goes, and give it back."""
    loop, folder, away = asyncio.get_running_loop(), station.folder / "lost", station.folder / "away"
    radio = await Radio.tune_in(station.service.port, "/listen/lost/live.mp3")
    before = await radio.listen(1.0)
    began_s = loop.time()
    listening = asyncio.create_task(radio.listen())
    folder.rename(away)
    await until(lambda: station.status == "degraded", 15)
    degraded = station.state
    away.rename(folder)
    await until(lambda: station.status == "on_air", 15)
    took_s = loop.time() - began_s
    radio.switch_off()
    with suppress(ConnectionError):
        await listening
    heard = await radio.listen(0)
    history = (await station.get("/history"))["history"]
    return {
        "bytes": len(heard.audio) - len(before.audio),
        "took_s": took_s,
        "state": degraded,
        "outcomes": {entry["outcome"] for entry in history},
    }


async def take_some(network: Network, id_: str) -> Heard:
    radio = await Radio.tune_in(network.service.port, f"/listen/{id_}/live.mp3")
    heard = await radio.listen(5, until_bytes=2_500 * BYTES_PER_MS)
    radio.switch_off()
    return heard


def title_of(state: dict[str, Any]) -> str:
    now = state["now"]
    return f"{now['artist']} - {now['title']}" if now.get("artist") else str(now["title"])


async def test_the_stations_go_on_the_air_and_the_service_is_ready(network: Network) -> None:
    status, answer = await fetch(network.service.port, "/readyz")
    assert (status, answer["status"]) == (200, "ready")
    listed = (await fetch(network.service.port, "/api/stations"))[1]["stations"]
    assert [state["station"]["id"] for state in listed] == ["wxyz", "edited", "lost", "bare", "missing"]
    assert (listed[0]["availability"]["status"], listed[0]["source"]) == ("on_air", "schedule")


async def test_a_listener_hears_sound_as_soon_as_the_lead_is_there_and_then_in_real_time(
    network: Network,
) -> None:
    heard = (await network.came_of("listening")).heard
    assert heard.status == 200
    seconds = len(heard.audio) / BYTES_PER_MS / 1000
    assert 7.0 < seconds < 11.0
    sound = heard.sound()
    assert len(sound) / 48_000 == pytest.approx(seconds, abs=0.1)
    assert float((sound**2).mean()) ** 0.5 > 0.02


async def test_the_push_client_gets_a_snapshot_and_each_new_item_as_it_starts(network: Network) -> None:
    course: Course = await network.came_of("listening")
    assert course.changes[0].is_snapshot
    items = [
        (change, told_ms)
        for change, told_ms in zip(course.changes, course.told_at_ms, strict=True)
        if "now" in change.changed
    ]
    assert len(items) >= 2
    for change, told_ms in items:
        starts_at_ms = change.state["now"]["starts_at_ms"]
        assert change.at_ms == starts_at_ms
        assert -20 <= told_ms - starts_at_ms < 700
    assert [change.seq for change in course.changes] == list(
        range(course.changes[0].seq, course.changes[-1].seq + 1)
    )


async def test_the_titles_in_the_stream_are_those_of_the_state(network: Network) -> None:
    course: Course = await network.came_of("listening")
    told: dict[int, str] = {}
    for change in course.changes:
        told[change.state["now"]["starts_at_ms"]] = title_of(change.state)
    assert len(course.heard.titles) >= 3
    for title in course.heard.titles[1:]:
        at_ms = course.t0_ms + title.after_bytes / BYTES_PER_MS
        starts_at_ms = min(told, key=lambda start: abs(start - at_ms))
        if abs(starts_at_ms - at_ms) < 1_500:
            assert told[starts_at_ms] == title.title
            # the first block after the item's first sample; there is one in each chunk
            assert -50 <= at_ms - starts_at_ms <= 1_060


async def test_t0_and_the_bytes_say_to_the_millisecond_what_is_heard(network: Network) -> None:
    course: Course = await network.came_of("listening")
    sound = course.heard.sound()
    changed = [change.state["now"] for change in course.changes if "now" in change.changed]
    looked_at = 0
    for now in changed:
        at_ms = now["starts_at_ms"] - course.t0_ms
        if 300 < at_ms < len(sound) / 48 - 300:
            assert pitch(sound, at_ms + 70) == pytest.approx(HERTZ[now["title"]], abs=12)
            looked_at += 1
            if len({each["title"] for each in changed}) == len(HERTZ):
                assert pitch(sound, at_ms - 70) != pytest.approx(HERTZ[now["title"]], abs=12)
    assert looked_at >= 2


async def test_what_was_heard_is_in_the_history(network: Network) -> None:
    course: Course = await network.came_of("listening")
    shown = [change.state["now"]["id"] for change in course.changes if "now" in change.changed]
    history = {entry["id"]: entry for entry in course.history}
    for id_ in shown:
        assert id_ in history
    ended = [history[id_] for id_ in shown[:-1]]
    assert all(entry["outcome"] == "aired" for entry in ended)
    assert all(entry["ends_at_ms"] - entry["starts_at_ms"] == entry["duration_ms"] for entry in ended)
    assert [entry["starts_at_ms"] for entry in course.history] == sorted(
        (entry["starts_at_ms"] for entry in course.history), reverse=True
    )


async def test_a_row_that_a_crash_left_open_is_closed_with_what_was_heard(network: Network) -> None:
    history = (await network.station("wxyz").get("/history"))["history"]
    (crashed,) = [entry for entry in history if entry["id"] == "row-of-old"]
    assert (crashed["outcome"], crashed["duration_ms"]) == ("truncated", 12_000)


async def test_an_edit_of_the_schedule_is_in_force_within_two_seconds(network: Network) -> None:
    seen = await network.came_of("editing")
    assert set(seen["before"]) == {"music"}
    assert seen["edit_s"] < 2.0


async def test_the_row_on_the_air_is_not_cut_by_an_edit(network: Network) -> None:
    seen = await network.came_of("editing")
    before, after = seen["at_the_edit"]
    assert before["id"] in seen["history"]
    entry = seen["history"][before["id"]]
    # it may be the one that the start joined in progress; its end is what the plan said
    assert (entry["outcome"], entry["ends_at_ms"]) == ("aired", before["ends_at_ms"])
    assert after["starts_at_ms"] in (before["starts_at_ms"], before["ends_at_ms"])


async def test_a_wrong_edit_is_told_with_file_and_line_and_the_last_good_schedule_airs(
    network: Network,
) -> None:
    seen = await network.came_of("editing")
    status, answer = seen["wrong"]
    file = network.station("edited").schedule
    assert (status, answer["station"]) == (422, "edited")
    assert answer["problem"].startswith(f"{file}:1: `default_clock`: ")
    assert "Did you mean `rest`?" in answer["problem"]
    assert seen["after_wrong"] == ("on_air", {"news"})
    assert seen["right"] == (200, {"station": "edited", "problem": None})
    assert seen["after_right"] == ("on_air", {"music"})


async def test_a_file_that_is_dropped_into_the_library_is_taken_up(network: Network) -> None:
    seen = await network.came_of("editing")
    assert seen["dropped_s"] < 8.0


async def test_a_file_that_is_deleted_leaves_the_log(network: Network) -> None:
    seen = await network.came_of("editing")
    assert seen["after_removal"] == {"music"}


async def test_an_empty_and_a_missing_library_are_the_bed_and_say_so(network: Network) -> None:
    for id_ in ("bare", "missing"):
        heard: Heard = await network.came_of(id_)
        assert heard.status == 200
        assert len(heard.audio) >= 2_500 * BYTES_PER_MS
        assert float((heard.sound() ** 2).mean()) ** 0.5 > 0.003
        state = network.station(id_).state
        assert (state["availability"]["status"], state["source"]) == ("degraded", "fallback")
        assert state["availability"]["reason"]
        assert {title.title for title in heard.titles} == {id_.upper()}


async def test_files_that_are_gone_fall_back_without_a_stop_of_bytes(network: Network) -> None:
    seen = await network.came_of("losing")
    assert seen["bytes"] / BYTES_PER_MS / 1000 == pytest.approx(seen["took_s"], abs=2.1)
    assert seen["state"]["source"] == "fallback"
    reason = seen["state"]["availability"]["reason"]
    assert "three cannot be played: " in reason
    assert str(network.folder) not in reason
    assert "missed" in seen["outcomes"]


async def test_every_station_sounded_all_the_while(network: Network) -> None:
    for name in network.work:
        await network.came_of(name)
    text = (await fetch(network.service.port, "/metrics"))[1].decode()
    passed_ms = SystemClock().now_ms() - network.on_air_at_ms
    made = {
        sample.labels["station"]: sample.value / BYTES_PER_MS
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "nextup_stream_bytes_total"
    }
    assert set(made) == set(network.service.stations)
    for made_ms in made.values():
        assert passed_ms - 1_500 < made_ms < passed_ms + 10_000
