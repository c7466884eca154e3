from __future__ import annotations

import os
from pathlib import Path

import pytest

from radio.errors import ChangedMeanwhile, NotWritten, ScheduleError
from radio.schedule import schedule_source
from radio.schedule.schedule_source import read_source, remove_source, write_source
from radio.schedule.texts import version_of


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".tmp"))


def test_a_file_is_replaced_whole_with_its_mode_its_link_and_its_mark(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "wxyz.toml"
    real.write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    real.chmod(0o640)
    link.symlink_to(real)
    before = read_source(link)
    assert before == ("a = 1\r\n", version_of("a = 1\r\n"), True)
    write_source(link, "a = 2\r\n", instead_of=before)
    assert link.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbfa = 2\r\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert left_over(tmp_path) == []


def test_a_file_that_was_not_there_is_made_and_can_be_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "new" / "wxyz.toml"
    nothing = read_source(path)
    assert nothing == ("", version_of(""), False)
    write_source(path, "a = 1\n", instead_of=nothing)
    assert read_source(path).text == "a = 1\n"
    remove_source(path)
    assert not path.exists()


def test_what_another_program_wrote_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "wxyz.toml"
    path.write_text("a = 1\n")
    before = read_source(path)
    path.write_text("a = 3\n")
    with pytest.raises(ChangedMeanwhile):
        write_source(path, "a = 2\n", instead_of=before)
    assert path.read_text() == "a = 3\n"
    assert left_over(tmp_path) == []


def test_a_full_disk_and_a_folder_that_is_none_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wxyz.toml"
    path.write_text("a = 1\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(schedule_source.os, "fsync", full)
    with pytest.raises(NotWritten, match="No space left"):
        write_source(path, "a = 2\n")
    monkeypatch.undo()
    assert path.read_text() == "a = 1\n"
    assert left_over(tmp_path) == []
    with pytest.raises(NotWritten):
        write_source(path / "below.toml", "a = 2\n")
    around = tmp_path / "around.toml"
    around.symlink_to(around)
    with pytest.raises(NotWritten):
        write_source(around, "a = 2\n")


def test_a_file_that_may_not_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wxyz.toml"
    path.write_text("a = 1\n")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may always
    with pytest.raises(NotWritten, match="read-only"):
        write_source(path, "a = 2\n")
    assert path.read_text() == "a = 1\n"


def test_what_is_no_text_or_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wxyz.toml"
    path.write_bytes(b"# one\n\xff\n")
    with pytest.raises(ScheduleError) as caught:
        read_source(path)
    assert caught.value.line == 2
    path.write_bytes(b"#" * 1_000_004)
    with pytest.raises(ScheduleError, match="too large"):
        read_source(path)
    with pytest.raises(ScheduleError, match="too large"):
        write_source(path, "#" * 1_000_001)
    with pytest.raises(ScheduleError, match="cannot be read"):
        read_source(tmp_path)
