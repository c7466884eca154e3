from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from library_sounds import tone

from radio.library.prober import CannotStart, Prober, WorkerDied
from radio.library.worker_messages import Job

STAND_IN = (sys.executable, "-P", str(Path(__file__).with_name("stand_in_worker.py")))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def noted_pids(notes: Path) -> list[int]:
    return [int(note.name.removeprefix("pid-")) for note in notes.glob("pid-*")]


def proc(pid: int | None, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


async def test_one_process_answers_many_jobs(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_text("words")
    async with Prober() as prober:
        first = await prober.ask(Job(str(tmp_path), "a.wav", 30))
        pid = prober.pid
        second = await prober.ask(Job(str(tmp_path), "b.wav", 30))
        third = await prober.ask(Job(str(tmp_path), "gone.wav", 30))
        assert prober.pid == pid
    assert first.item is not None
    assert first.item.path == "a.wav"
    assert second.rejected is not None
    assert third.unsettled is not None
    assert pid is not None
    assert not is_alive(pid)


async def test_a_hanging_worker_is_killed_with_its_children(tmp_path: Path, notes: Path) -> None:
    tone(tmp_path / "hang.wav")
    async with Prober((*STAND_IN, str(notes))) as prober:
        with pytest.raises(TimeoutError):
            await prober.ask(Job(str(tmp_path), "hang.wav", 1.0))
        assert prober.pid is None
        (child,) = noted_pids(notes)
        assert not is_alive(child)


async def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, notes: Path) -> None:
    tone(tmp_path / "die-once.wav")
    async with Prober((*STAND_IN, str(notes))) as prober:
        with pytest.raises(WorkerDied):
            await prober.ask(Job(str(tmp_path), "die-once.wav", 30))
        assert (await prober.ask(Job(str(tmp_path), "die-once.wav", 30))).item is not None
        pid = prober.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerDied):
            await prober.ask(Job(str(tmp_path), "die-once.wav", 30))


async def test_a_worker_whose_service_is_gone_ends(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    prober = Prober()
    await prober.ask(Job(str(tmp_path), "a.wav", 30))
    process = prober._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 5) == 0
    await prober.end()


async def test_the_environment_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADIO_SECRET", "hidden")
    tone(tmp_path / "a.wav")
    async with Prober() as prober:
        await prober.ask(Job(str(tmp_path), "a.wav", 30))
        environment, limits = proc(prober.pid, "environ"), proc(prober.pid, "limits")
    assert "hidden" not in environment
    address_space = next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert "unlimited" not in address_space.split("bytes")[0].split()[3]


@pytest.mark.parametrize("command", [("/nowhere/python",), (sys.executable, "-c", "raise SystemExit(3)")])
async def test_a_worker_that_cannot_start_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    async with Prober(command) as prober:
        with pytest.raises(CannotStart, match=command[0]):
            await prober.ask(Job(str(tmp_path), "a.wav", 30))
