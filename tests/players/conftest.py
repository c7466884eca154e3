"""One station that plays tones, and everything that listens to it; all listen at the same time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

# the service, and the way in which programs are found, are those of the browser tests
sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from player_runs import LISTEN_SHORTLY_S, Played, decode, play
from programs import ProgramMissing, find_programs
from radio_process import end_shared_service, shared_service

MP3_PLAYERS = ("ffmpeg", "mpv", "mpg123")
OTHER_MOUNTS = ("live.aac", "live.opus")
HERE = Path(__file__).parent
FIRST_TEST_MAY_INSTALL_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(FIRST_TEST_MAY_INSTALL_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """The service ends with this folder: while others are tested it would go on encoding for nobody."""
    yield
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        end_shared_service()


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    """Paths of the players."""
    try:
        ffmpeg, mpv, mpg123 = find_programs(("ffmpeg", "mpv", "mpg123"))
    except ProgramMissing as missing:
        pytest.fail(f"The player tests need real players; {missing}", pytrace=False)
    ffprobe = str(Path(ffmpeg).with_name("ffprobe"))
    return {"ffmpeg": ffmpeg, "mpv": mpv, "mpg123": mpg123, "ffprobe": ffprobe}


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running station's MP3 stream."""
    service = shared_service(tmp_path_factory.mktemp("network"))
    yield f"{service.address}/listen/tones/live.mp3"
    end_shared_service()


@pytest.fixture(scope="session")
def listening(stream: str, programs: dict[str, str]) -> Iterator[dict[str, Future[Played]]]:
    """What each player, and PyAV, makes of the same seconds; of mounts other than MP3 by ``player mount``."""
    with ThreadPoolExecutor(9) as threads:
        runs = {name: threads.submit(play, programs[name], name, stream) for name in MP3_PLAYERS}
        runs["pyav"] = threads.submit(decode, stream)
        for mount in OTHER_MOUNTS:
            url = stream.replace("live.mp3", mount)
            for name in ("ffmpeg", "mpv"):
                run = threads.submit(play, programs[name], name, url, LISTEN_SHORTLY_S)
                runs[f"{name} {mount}"] = run
            runs[f"pyav {mount}"] = threads.submit(decode, url, LISTEN_SHORTLY_S)
        yield runs
