"""Every hostile file in the library of a running station, and in its log: the sound goes on, the alarm names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faults_house import Ear, assert_heard, comes_up, configure, station, told
from hostile_files import Hostile, put_hostile_files
from whole_service import fetch, tone, until

from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.items import Item
from radio.store import Store, operators, sqlite_url
from radio.store.operators import Role
from radio.units import DurationMs

STATIONS = ("one", "two", "three")


def lay_out(folder: Path) -> list[Hostile]:
    """Three stations, each with a third of the hostile files."""
    hostile = put_hostile_files(folder / "made", folder / "beside")
    laid = []
    for number, one in enumerate(hostile):
        station = folder / STATIONS[number % len(STATIONS)] / "music"
        station.mkdir(parents=True, exist_ok=True)
        laid.append(one._replace(path=one.path.rename(station / one.path.name)))
    for name in STATIONS:
        tone(folder / name / "features/rest.wav", 250, seconds=120, rate_hz=8_000)
    configure(folder, *STATIONS)
    return laid


def item(number: int, one: Hostile) -> Item:
    """The file as a catalogue has it that was deceived."""
    status, root = one.path.stat(), one.path.parent.parent
    return Item(
        id=f"hostile-{number:02}", root=str(root), path=f"music/{one.path.name}", size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns, content_hash=f"{number:064}", category="music", title=one.path.stem,
        duration_ms=DurationMs(one.claims_ms), cue_in_ms=DurationMs(0), cue_out_ms=DurationMs(one.claims_ms),
        inode=status.st_ino,
    )  # fmt: skip


async def test_hostile_files_are_refused_by_the_scan_and_told(tmp_path: Path) -> None:
    hostile = lay_out(tmp_path)
    async with station(tmp_path) as service:
        alarm = await comes_up(service.port, "files_refused")
        refused = {one.path.removeprefix("music/") for one in service.library.refused}
        harmful = {one.path.name for one in hostile if not one.plays}
        # what is cut or spoiled in the middle is taken for as long as it sounds
        assert harmful - refused <= {"cut.mp3", "cut.flac", "flipped.mp3", "flipped.flac", "endless.wav"}
        assert f"{len(refused)} files of the library cannot be played" in alarm["message"]
        assert "radio library rejected" in alarm["advice"]
        assert str(tmp_path) not in str(alarm)


async def test_hostile_items_on_the_air_are_replaced_and_set_aside_with_their_reason(tmp_path: Path) -> None:
    hostile = lay_out(tmp_path)
    items = [item(number, one) for number, one in enumerate(hostile)]
    async with Store.open(sqlite_url(tmp_path / "data/nextup.db")) as store:
        await store.write(catalog.apply, Batch(items=items))
        token = await store.write(operators.add, "newsroom", Role.VIEWER, None, 0)
    harmful = {f"music/{one.path.name}" for one in hostile if not one.plays}
    refused: dict[str, str] = {}
    async with station(tmp_path) as service:
        ears = [Ear(service.port, path=f"/listen/{name}/live.mp3") for name in STATIONS]

        def all_are_out() -> bool:
            refused.update({one.path: one.reason for one in service.library.refused})
            return harmful <= set(refused)

        await until(all_are_out, 60)
        courses = [await ear.done() for ear in ears]
        alarms = await told(service.port)
        console: dict[str, Any] = (await fetch(service.port, "/api/console/alarms", token=token))[1]
        outcomes = {
            entry["outcome"]
            for name in STATIONS
            for entry in (await fetch(service.port, f"/api/stations/{name}/history?limit=100"))[1]["history"]
        }
    for course in courses:
        assert_heard(course)
    assert all(refused[path] for path in harmful)
    assert "files_refused" in alarms
    (detail,) = [each["detail"] for each in console["alarms"] if each["code"] == "files_refused"]
    assert sum(path in detail for path in harmful) == 5
    assert {"missed", "truncated"} <= outcomes
