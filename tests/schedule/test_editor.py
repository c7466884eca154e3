"""Edits of a schedule, with a real file, a real store and a real planner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from schedule_doubles import DAY_MS, MemoryLogs, Shelf, music_library, station, utc_ms

from radio.clock import ManualClock
from radio.errors import LimitReached, NotFound, NotWritten, ScheduleError, StoreError, UnknownStation
from radio.schedule import PlannedStation, Planner, editor
from radio.schedule import previewer as previewing
from radio.schedule.editor import Edit, ScheduleEditor
from radio.schedule.previewer import Previewer
from radio.schedule.revisions import EditConflict, EditRefused, Saved
from radio.schedule.texts import version_of
from radio.schedule.toml_edits import with_table
from radio.store import Store, sqlite_url
from radio.store import schedule_revisions as kept
from radio.store.schedule_revisions import Revision

NOW = utc_ms("2026-11-23 14:20")
HOUR = 'default_clock = "hour"\n\n# one hour\n[clocks.hour]\npositions = [{ rotate = ["music"] }]\n'
NEWS = HOUR.replace('"music"', '"news"')
PROGRAMME = """
[[programmes]]
id = "tides"
title = "Tides"
airs = [{ days = "daily", from = "12:00", to = "13:00" }]
"""
LATE = """
[[programmes]]
id = "reef"
title = "Reef"
airs = [{ days = "mon", from = "10:00", to = "11:00" }]
changes = [{ on = 2026-11-30, from = "15:00" }]

[[programmes]]
id = "foam"
title = "Foam"
airs = [{ days = "tue", from = "15:30", to = "16:30" }]
changes = [{ on = 2026-12-01, day = 2026-11-30 }]
"""
"""Two airings that were moved to one time."""

WRONG = HOUR.replace('"hour"', '"huor"', 1)


class Desk:
    """The editor of one station, and what is around it."""

    def __init__(self, folder: Path, store: Store, clock: ManualClock) -> None:
        self.file = folder / "wxyz.toml"
        self.store = store
        self.clock = clock
        self.planner = Planner(
            [PlannedStation(plan=station(), schedule_file=self.file)],
            clock=clock,
            store=MemoryLogs(),
            library=lambda: Shelf(music_library()),
            sponsors_file=folder / "sponsors.toml",
        )
        self.editor = ScheduleEditor({"wxyz": self.file}, self.planner, store, clock)
        self.previewer = Previewer({"wxyz": ZoneInfo("America/New_York")}, self.editor, self.planner, clock)

    async def save(self, text: str, base: str | None = None, by: str = "anna", why: str = "") -> Saved:
        base = self.file.read_text() if base is None and self.file.exists() else base or ""
        edit = Edit(base=version_of(base), rewrite=lambda _: text, operator=by, action="text", why=why)
        return await self.editor.save("wxyz", edit)

    async def revisions(self) -> list[Revision]:
        return await self.store.read(kept.page, "wxyz")

    def categories(self) -> set[str | None]:
        """What the next rows to be taken play."""
        log = self.planner.log("wxyz")
        return {row.category for row in log.coming(log.peek(self.clock.now_ms()).ends_at_ms, 3)}  # type: ignore[union-attr]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ManualClock(NOW)
    async with (
        Store.open(sqlite_url(tmp_path / "data" / "x.db"), clock=clock) as store,
        AsyncExitStack() as stack,
    ):
        made = Desk(tmp_path, store, clock)
        made.file.write_text(HOUR)
        await made.planner.start(stack)
        stack.push_async_callback(made.editor.stop)
        await made.editor.begin()
        yield made


async def test_an_edit_is_in_the_file_in_the_store_and_in_the_log(desk: Desk) -> None:
    saved = await desk.save(NEWS, why="more news")
    assert desk.file.read_text() == NEWS
    assert desk.categories() == {"news"}
    assert (saved.is_new, saved.in_force, saved.version) == (True, True, version_of(NEWS))
    assert saved.revision is not None
    newest, found = await desk.revisions()
    assert newest == saved.revision
    assert (newest.number, newest.parent, newest.operator, newest.why) == (2, 1, "anna", "more news")
    assert (newest.at_ms, newest.added_lines, newest.removed_lines) == (NOW, 1, 1)
    assert (found.operator, found.why) == ("file", "as it was found")
    assert await desk.editor.text_of("wxyz", 1) == HOUR
    await desk.editor.settled()
    assert (desk.planner.log("wxyz").ends_at_ms or 0) >= NOW + DAY_MS
    again = await desk.save(NEWS)
    assert (again.is_new, again.revision) == (False, newest)
    assert len(await desk.revisions()) == 2


async def test_the_second_of_two_gets_both_versions_and_changes_nothing(desk: Desk) -> None:
    await desk.save(NEWS, by="anna", why="news")
    with pytest.raises(EditConflict) as caught:
        await desk.save(HOUR + PROGRAMME, base=HOUR, by="ben")
    conflict = caught.value.conflict
    assert (conflict.base.text, conflict.yours.text, conflict.theirs.text) == (HOUR, HOUR + PROGRAMME, NEWS)
    assert (conflict.theirs.operator, conflict.theirs.why, conflict.theirs.revision) == ("anna", "news", 2)
    assert conflict.yours.diff is not None
    assert conflict.yours.diff.added == 5
    assert conflict.theirs.diff is not None
    assert '+positions = [{ rotate = ["news"] }]' in conflict.theirs.diff.text
    assert desk.file.read_text() == NEWS
    with pytest.raises(EditConflict) as unknown:
        await desk.save(HOUR + PROGRAMME, base="never seen")
    assert (unknown.value.conflict.base.text, unknown.value.conflict.yours.text) == (None, HOUR + PROGRAMME)


async def test_of_many_at_once_one_is_taken(desk: Desk) -> None:
    texts = [HOUR + f"# by number {number}\n" for number in range(6)]
    done = await asyncio.gather(*(desk.save(text, base=HOUR) for text in texts), return_exceptions=True)
    taken = [one for one in done if isinstance(one, Saved)]
    assert len(taken) == 1
    assert sum(isinstance(one, EditConflict) for one in done) == 5
    assert len(await desk.revisions()) == 2
    assert version_of(desk.file.read_text()) == taken[0].version


async def test_errors_are_refused_with_their_places_and_warnings_come_back(desk: Desk) -> None:
    with pytest.raises(EditRefused) as caught:
        await desk.save(WRONG)
    (finding,) = caught.value.findings
    assert (finding.field, finding.line, finding.allowed) == ("default_clock", 1, "hour")
    with pytest.raises(EditRefused, match="Line 3"):
        await desk.save("[clocks.hour]\npositions = [\n")
    with pytest.raises(ScheduleError, match="too large"):
        await desk.save("#" * 1_000_001)
    assert desk.file.read_text() == HOUR
    assert len(await desk.revisions()) == 1
    saved = await desk.save(HOUR + PROGRAMME)
    assert any(one.code == "notice" and "No programme airs" in one.text for one in saved.findings)
    assert desk.planner.findings("wxyz") == saved.findings


async def test_an_error_that_was_there_does_not_stand_in_the_way(desk: Desk) -> None:
    with pytest.raises(EditRefused, match="overlaps"):
        await desk.save(HOUR + LATE)
    desk.file.write_text(HOUR + LATE)
    await desk.editor.files_changed()
    assert (await desk.editor.present("wxyz")).problem is None
    saved = await desk.save(HOUR + LATE + "# a word\n")
    assert saved.is_new
    assert "overlap" in {one.code for one in saved.findings}


async def test_a_part_is_edited_and_the_rest_of_the_file_stays(desk: Desk) -> None:
    await desk.save(HOUR + PROGRAMME)
    table = {
        "id": "tides",
        "title": "High Tides",
        "airs": [{"days": "daily", "from": "12:00", "to": "13:00"}],
    }

    def rewrite(text: str) -> str:
        return with_table(text, "programmes", "tides", table, "wxyz.toml")

    edit = Edit(base=version_of(HOUR + PROGRAMME), rewrite=rewrite, operator="ben", action="part")
    await desk.editor.save("wxyz", edit)
    assert desk.file.read_text() == HOUR + PROGRAMME.replace('"Tides"', '"High Tides"')
    assert (await desk.revisions())[0].action == "part"


async def test_what_another_program_writes_is_taken_up_and_kept(desk: Desk) -> None:
    desk.file.write_text(NEWS)
    await desk.editor.files_changed()
    assert desk.categories() == {"news"}
    assert [(one.operator, one.action) for one in await desk.revisions()] == [("file", "file")] * 2
    desk.file.write_text(WRONG)
    await desk.editor.files_changed()
    present = await desk.editor.present("wxyz")
    assert present.problem is not None
    assert (present.problem.line, present.in_force, present.source.text) == (1, version_of(NEWS), WRONG)
    assert (present.revision, len(await desk.revisions())) == (None, 2)
    assert desk.categories() == {"news"}
    await desk.save(HOUR)  # over the faulty file
    assert [one.operator for one in await desk.revisions()] == ["anna", "file", "file"]
    desk.file.unlink()
    await desk.editor.files_changed()
    assert (await desk.revisions())[0].action == "removed"
    assert (await desk.editor.present("wxyz")).source.exists is False
    await desk.save(HOUR, base="")
    assert desk.file.read_text() == HOUR


async def test_an_edit_on_disk_just_before_a_save_is_a_conflict_and_is_kept(desk: Desk) -> None:
    desk.file.write_text(NEWS)
    with pytest.raises(EditConflict) as caught:
        await desk.save(HOUR + PROGRAMME, base=HOUR)
    assert (caught.value.conflict.theirs.operator, caught.value.conflict.theirs.revision) == ("file", 2)


async def test_a_part_of_a_file_that_is_no_toml_cannot_be_edited(desk: Desk) -> None:
    desk.file.write_text("[clocks\n")
    edit = Edit(
        base=version_of("[clocks\n"),
        rewrite=lambda text: with_table(text, "clocks", "hour", {}, "wxyz.toml"),
        operator="anna",
    )
    with pytest.raises(ScheduleError) as caught:
        await desk.editor.save("wxyz", edit)
    assert caught.value.line == 1


async def test_a_disk_or_a_store_that_refuses_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise NotWritten(desk.file, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(editor, "write_source", full)
        with pytest.raises(NotWritten):
            await desk.save(NEWS)

    def refuse(*_: object) -> None:
        raise StoreError("The database is gone.")

    with monkeypatch.context() as broken:
        broken.setattr(kept, "add", refuse)
        with pytest.raises(StoreError):
            await desk.save(NEWS)
    assert desk.file.read_text() == HOUR
    assert len(await desk.revisions()) == 1
    assert desk.categories() == {"music"}
    desk.file.unlink()
    await desk.editor.files_changed()
    with monkeypatch.context() as broken:
        broken.setattr(kept, "add", refuse)
        with pytest.raises(StoreError):
            await desk.save(NEWS, base="")
    assert not desk.file.exists()


async def test_any_revision_can_be_had_again(desk: Desk) -> None:
    await desk.save(NEWS)
    await desk.save(HOUR + PROGRAMME)
    text = await desk.editor.text_of("wxyz", 2)
    await desk.save(text)
    assert desk.file.read_text() == NEWS
    with pytest.raises(NotFound):
        await desk.editor.text_of("wxyz", 9)
    with pytest.raises(UnknownStation):
        await desk.editor.present("wxzy")


async def test_a_preview_tells_what_would_change_and_changes_nothing(desk: Desk) -> None:
    await desk.save(HOUR + PROGRAMME)
    moved = HOUR + PROGRAMME.replace("13:00", "13:30")
    seen = await desk.previewer.preview("wxyz", lambda _: moved)
    assert seen.effects is not None
    assert seen.effects.counts == {"added": 0, "removed": 0, "moved": 7, "changed": 0}
    assert seen.effects.is_complete
    assert seen.effects.days[0].changed > 0
    assert (seen.diff.added, seen.diff.removed) == (1, 1)
    assert desk.file.read_text() == HOUR + PROGRAMME
    faulty = await desk.previewer.preview("wxyz", lambda _: WRONG)
    assert faulty.effects is None
    assert [one.line for one in faulty.new_findings] == [1]


async def test_previews_take_their_turns_and_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "TIME_LIMIT_S", -1.0)
    seen = await desk.previewer.preview("wxyz", lambda _: NEWS)
    assert seen.effects is not None
    assert (len(seen.effects.days), seen.effects.is_complete) == (1, False)
    monkeypatch.setattr(previewing, "WAIT_S", 0.01)
    await desk.previewer._turns["wxyz"].acquire()
    with pytest.raises(LimitReached):
        await desk.previewer.preview("wxyz", lambda _: NEWS)
