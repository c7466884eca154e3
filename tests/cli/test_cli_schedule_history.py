from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cli_desk import Shell

from radio.schedule.texts import packed, version_of
from radio.store import Store
from radio.store import schedule_revisions as kept
from radio.store.schedule_revisions import Revision
from radio.units import UtcMs

TEXTS = ("# one\n", "# one\ndefault_clock = 'day'\n", "# three\n")
AT_MS = 1_795_444_000_000


@pytest.fixture
def edited(shell: Shell) -> Shell:
    """A station whose schedule had three texts."""
    assert shell.radio("schedule", "history", "-s", "wxyz").status == 0  # makes the database

    async def work() -> None:
        async with Store.open(f"sqlite:///{shell.config.parent / 'data/nextup.db'}") as store:
            for number, text in enumerate(TEXTS):
                revision = Revision(
                    number=0, parent=None, at_ms=UtcMs(AT_MS + number), operator="anna", action="text",
                    why=f"reason {number + 1}", version=version_of(text), size_bytes=len(text),
                    added_lines=number, removed_lines=0,
                )  # fmt: skip
                await store.write(kept.add, "wxyz", revision, packed(text))

    asyncio.run(work())
    file_of(shell).write_text(TEXTS[2])
    return shell


def file_of(shell: Shell) -> Path:
    return shell.config.parent / "schedules/wxyz.toml"


def test_history_tells_who_when_and_why(edited: Shell) -> None:
    shown = edited.radio("schedule", "history", "--station", "wxyz")
    lines = shown.out.splitlines()
    assert lines[1].split() == ["3", "2026-11-23", "09:26:40", "anna", "text", "+2", "-0", "reason", "3"]
    assert len(lines) == 4
    found = edited.radio("schedule", "history", "--station", "wxyz", "--limit", "2", "--json").json
    assert [(one["number"], one["parent"]) for one in found] == [(3, 2), (2, 1)]


def test_undo_shows_what_it_would_do_and_does_it_when_told(edited: Shell) -> None:
    shown = edited.radio("schedule", "undo", "--station", "wxyz")
    assert (shown.status, shown.out) == (0, "@@ -1 +1,2 @@\n-# three\n+# one\n+default_clock = 'day'\n")
    assert file_of(edited).read_text() == TEXTS[2]
    edited.radio("schedule", "undo", "--station", "wxyz", "--to", "1", "--write")
    assert file_of(edited).read_text() == TEXTS[0]
    again = edited.radio("schedule", "undo", "--station", "wxyz", "--to", "1", "--write")
    assert "It is so already" in again.err


def test_what_is_not_there_is_said(shell: Shell) -> None:
    assert shell.radio("schedule", "undo", "--station", "wxyz").status == 1
    assert shell.radio("schedule", "undo", "--station", "wxyz", "--to", "7").status == 1
    assert shell.radio("schedule", "history", "--station", "wxzy").status == 2
