from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from radio.library.walk import RootWalk, Stopped, WalkLimits, walk


def put(path: Path, content: bytes = b"sound") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def walked(root: Path, **limits: int) -> RootWalk:
    return walk(root, threading.Event(), WalkLimits(**limits))


def paths(walk: RootWalk) -> list[str]:
    return [found.path for found in walk.found]


def test_audio_below_the_root_in_order_of_paths(tmp_path: Path) -> None:
    for name in (
        "b.mp3",
        "a/z.FLAC",
        "a/b/c.opus",
        "notes.txt",
        ".hidden.mp3",
        ".git/x.mp3",
        "lost+found/y.mp3",
    ):
        put(tmp_path / name)
    found = walked(tmp_path)
    assert paths(found) == ["a/b/c.opus", "a/z.FLAC", "b.mp3"]
    status = (tmp_path / "b.mp3").stat()
    assert (found.found[2].size_bytes, found.found[2].mtime_ns) == (5, status.st_mtime_ns)
    assert found.found[2].file == tmp_path / "b.mp3"
    assert (found.problems, found.refused, found.bare) == ([], [], False)


def test_odd_names(tmp_path: Path) -> None:
    names = ["new\nline.mp3", "emoji 🎺.mp3", "-dash.mp3", "100%.mp3", "x" * 251 + ".mp3"]
    for name in names:
        put(tmp_path / name)
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp3")))
    found = walked(tmp_path)
    assert sorted(paths(found)) == sorted(names)
    assert [(file.path, file.reason) for file in found.refused] == [
        ("caf\\xe9.mp3", "Its name is not UTF-8. Rename it.")
    ]


def test_what_needs_no_look_inside(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp3")
    put(tmp_path / "empty.mp3", b"")
    put(tmp_path / "huge.mp3", b"123456")
    put(tmp_path / "right.mp3", b"12345")
    found = walked(tmp_path, file_bytes=5)
    assert paths(found) == ["right.mp3"]
    assert {file.path: file.reason for file in found.refused} == {
        "fifo.mp3": "It is not a regular file.",
        "empty.mp3": "It is empty.",
        "huge.mp3": "It is larger than 5 bytes.",
    }


def test_links_inside_the_root_are_followed_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root / "music/a.mp3")
    put(tmp_path / "outside/secret.mp3")
    (root / "music/loop").symlink_to(root)
    (root / "aaa").symlink_to(root / "music")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "secret.mp3").symlink_to(tmp_path / "outside/secret.mp3")
    (root / "second.mp3").symlink_to("music/a.mp3")
    (root / "self.mp3").symlink_to("self.mp3")
    found = walked(root)
    assert paths(found) == ["music/a.mp3", "second.mp3"]
    assert {file.path for file in found.refused} == {"secret.mp3", "self.mp3"}


def test_a_missing_root_is_a_problem_and_hides_everything(tmp_path: Path) -> None:
    found = walked(tmp_path / "away")
    (problem,) = found.problems
    assert problem.path == str(tmp_path / "away")
    assert "no such file" in problem.problem
    assert "mount" in problem.advice
    assert not found.knows("a.mp3")


def test_a_root_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    found = walked(put(tmp_path / "a.mp3"))
    assert "not a directory" in found.problems[0].problem


def test_depth_is_bounded_and_what_lies_deeper_is_not_thought_gone(tmp_path: Path) -> None:
    put(tmp_path / "a/b/c/deep.mp3")
    put(tmp_path / "a/b/high.mp3")
    found = walked(tmp_path, depth=2)
    assert paths(found) == ["a/b/high.mp3"]
    assert found.problems[0].path == str(tmp_path / "a/b/c")
    assert not found.knows("a/b/c/deep.mp3")
    assert found.knows("a/b/cc.mp3")


@pytest.mark.parametrize("limits", [{"files": 3}, {"entries": 3}])
def test_numbers_are_bounded(tmp_path: Path, limits: dict[str, int]) -> None:
    for number in range(10):
        put(tmp_path / f"{number}.mp3")
    found = walked(tmp_path, **limits)
    assert len(found.found) <= 3
    assert "more than 3" in found.problems[0].problem
    assert not found.knows("9.mp3")


def test_a_bare_root_is_told_apart(tmp_path: Path) -> None:
    assert walked(tmp_path).bare
    (tmp_path / "music").mkdir()
    assert not walked(tmp_path).bare


def test_a_walk_can_be_stopped(tmp_path: Path) -> None:
    put(tmp_path / "a.mp3")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        walk(tmp_path, stop)
