from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cli_desk import Shell

from radio.log import ItemKind, LogRow, Outcome
from radio.store import Store, as_run
from radio.units import DurationMs, UtcMs

DAY = ("--station", "wxyz", "--from", "2026-11-30")
SCHEDULE = """\
# the grid, by the programme desk
default_clock = "day"

[clocks.day]
positions = [ { rotate = ["music"] } ]

[[programmes]]
id = "first-light"  # keep this id
title = "First Light"
clock = "day"
airs = [{ days = "mon-fri", from = "06:00", to = "10:00" }]
"""
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:one@elsewhere.example
SUMMARY:First Light
DTSTART;TZID=America/New_York:20300107T050000
DTEND;TZID=America/New_York:20300107T090000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
EXDATE;TZID=America/New_York:20300108T050000
END:VEVENT
BEGIN:VEVENT
UID:one@elsewhere.example
RECURRENCE-ID;TZID=America/New_York:20300109T050000
DTSTART;TZID=America/New_York:20300109T060000
DTEND;TZID=America/New_York:20300109T090000
SUMMARY:First Light, late
END:VEVENT
BEGIN:VEVENT
UID:two@elsewhere.example
SUMMARY:Tide Tables
DTSTART;TZID=America/New_York:20300105T220000
DTEND;TZID=America/New_York:20300106T010000
RRULE:FREQ=MONTHLY;BYDAY=1SA
END:VEVENT
BEGIN:VEVENT
UID:three@elsewhere.example
SUMMARY:Election Night
DTSTART;TZID=America/New_York:20301105T200000
DTEND;TZID=America/New_York:20301106T000000
X-RADIO-LAYER:special
END:VEVENT
END:VCALENDAR
"""
HOURLY = """\
BEGIN:VEVENT
UID:four@elsewhere.example
SUMMARY:Headlines
DTSTART;TZID=America/New_York:20300107T050000
DURATION:PT5M
RRULE:FREQ=HOURLY
END:VEVENT
END:VCALENDAR
"""


class Desk:
    """A shell, a schedule file and a file to import."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.folder = shell.config.parent
        self.schedule = self.folder / "schedules/wxyz.toml"

    def imported(self, text: str | bytes, *more: str, name: str = "shows.ics") -> tuple[int, str, str]:
        file = self.folder / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.shell.radio("schedule", "import", str(file), "--station", "wxyz", *more)


@pytest.fixture
def desk(shell: Shell) -> Desk:
    made = Desk(shell)
    made.schedule.write_text(SCHEDULE)
    return made


@pytest.fixture
def stocked(library: Shell) -> Desk:
    """With a library that has sounds."""
    made = Desk(library)
    made.schedule.write_text(SCHEDULE)
    return made


def test_an_import_shows_what_it_would_do_and_writes_nothing(desk: Desk) -> None:
    status, out, err = desk.imported(CALENDAR)
    assert (status, desk.schedule.read_text()) == (0, SCHEDULE)
    assert re.search(r"changed +first-light", out)
    assert re.search(r"added +tide-tables", out)
    assert "--write changes" in err
    done = desk.shell.radio(
        "schedule", "import", str(desk.folder / "shows.ics"), "--station", "wxyz", "--json"
    )
    assert done.json["written"] is False
    assert [step["action"] for step in done.json["programmes"]] == ["changed", "added", "added"]


def test_a_written_import_keeps_the_rest_of_the_file_and_is_what_the_calendar_says(desk: Desk) -> None:
    status, _, err = desk.imported(CALENDAR, "--write")
    assert (status, "written" in err) == (0, True)
    text = desk.schedule.read_text()
    assert text.startswith("# the grid, by the programme desk\n")
    assert 'id = "first-light"  # keep this id\n' in text
    assert (
        '{days = "mon-fri", first = 2030-01-07, from = "05:00", to = "09:00", except = [2030-01-08]}' in text
    )
    assert (
        '{on = 2030-01-09, at = "05:00", from = "06:00", to = "09:00", title = "First Light, late"}' in text
    )
    assert '{rule = "FREQ=MONTHLY;BYDAY=1SA", first = 2030-01-05, from = "22:00", to = "01:00"}' in text
    assert '{dates = [2030-11-05], from = "20:00", to = "24:00"}' in text
    assert 'layer = "special"' in text
    assert desk.shell.radio("schedule", "check", "--station", "wxyz").status == 0
    span = ("--from", "2030-01-07", "--to", "2030-01-09")
    calendar = desk.shell.radio("schedule", "export", "--station", "wxyz", *span).out
    starts = re.findall(r"DTSTART:(\d+T\d+Z)", calendar)
    assert starts == ["20300107T100000Z", "20300109T110000Z"]
    again = desk.imported(CALENDAR, "--write", "--json")
    assert '"written": false' in again[1]
    assert desk.schedule.read_text() == text


def test_what_is_refused_is_told_with_its_line_and_stops_the_writing(desk: Desk) -> None:
    both = CALENDAR.replace("END:VCALENDAR\n", HOURLY)
    status, _, err = desk.imported(both, "--write")
    assert (status, desk.schedule.read_text()) == (2, SCHEDULE)
    assert f"{desk.folder / 'shows.ics'}:37: the rule FREQ=HOURLY repeats within a day" in err
    status, _, err = desk.imported(both, "--write", "--partial")
    assert (status, "Election Night" in desk.schedule.read_text()) == (0, True)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"x" * 50_000_000, "at most 4 MB"),
        (b"hello", ":1: is no line of iCalendar"),
        (b"", "is no calendar"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_what_is_no_calendar_is_2_with_file_and_line(desk: Desk, data: bytes, told: str) -> None:
    status, out, err = desk.imported(data, "--write")
    assert (status, out, told in err) == (2, "", True), err
    assert "shows.ics" in err
    assert desk.schedule.read_text() == SCHEDULE


def test_an_import_that_would_clash_changes_nothing(desk: Desk) -> None:
    clash = (
        CALENDAR.replace("SUMMARY:Tide Tables", "SUMMARY:Other")
        .replace("20300105T220000", "20300104T060000")
        .replace("20300106T010000", "20300104T080000")
        .replace("FREQ=MONTHLY;BYDAY=1SA", "FREQ=WEEKLY;BYDAY=FR")
    )
    status, _, err = desk.imported(clash, "--write")
    assert (status, desk.schedule.read_text()) == (2, SCHEDULE)
    assert "overlaps" in err


def test_a_file_that_says_nothing_of_its_form_or_is_not_there(desk: Desk) -> None:
    status, _, err = desk.imported(CALENDAR, name="shows.dat")
    assert (status, "Allowed: ics, rivendell" in err) == (2, True)
    assert desk.imported(CALENDAR, "--format", "ics", name="shows.dat")[0] == 0
    assert desk.imported(CALENDAR, "--format", "xls")[0] == 2
    done = desk.shell.radio("schedule", "import", "nowhere.ics", "--station", "wxyz")
    assert (done.status, "cannot be read" in done.err) == (2, True)


def rivendell(*lines: tuple[str, str, str, str]) -> str:
    return "".join(
        f"{at}  {cart:<15}{title:<34} {length} {'g-' + at:<32}\r\n" for at, cart, title, length in lines
    )


def test_a_rivendell_log_becomes_the_clocks_of_its_day(stocked: Desk) -> None:
    log = rivendell(
        ("06:00:00", "000001", "tide", "00:00:40"),
        ("06:10:00", "BREAK", "", "00:02:00"),
        ("06:12:00", "000002", "[red]rope[/red]", "00:00:41"),
        ("07:00:00", "000003", "Gone", "00:03:00"),
    )
    status, out, err = stocked.imported(log, "--write", "--partial", name="WX20300107.tfc")
    assert (status, "log-20300107" in out) == (0, True), err
    assert "WX20300107.tfc:4: the library has no item for cart 000003, 'Gone'" in err
    text = stocked.schedule.read_text()
    assert '{at = "00:00", item = "music/tide.wav"}' in text
    assert '{at = "10:00", break = "import-1000", length = "2:00"}' in text
    assert '{dates = [2030-01-07], from = "06:00", to = "07:00"}' in text
    assert text.startswith("# the grid")
    assert stocked.shell.radio("schedule", "check", "--station", "wxyz").status == 0
    stocked.imported(log, "--write", "--partial", name="WX20300107.tfc")
    assert stocked.schedule.read_text() == text
    rows = stocked.shell.radio(
        "schedule", "preview", "--station", "wxyz", "--from", "2030-01-07", "--json"
    ).json
    six = [row for row in rows if row["programme"] == "log-20300107"]
    assert (six[0]["title"], six[0]["starts_at_ms"] % 3_600_000) == ("tide", 0)
    status, _, err = stocked.imported(log, name="day.tfc")
    assert (status, "--date" in err or "day is not known" in err) == (2, True)
    assert stocked.imported(log, "--date", "2030-02-30", name="day.tfc")[0] == 2
    stocked.schedule.write_text(SCHEDULE)


def test_what_aired_is_reconciled_with_the_ids_of_the_imported_log(stocked: Desk) -> None:
    rows = stocked.shell.radio("schedule", "preview", *DAY, "--json").json
    row = next(row for row in rows if row["title"] == "tide")
    planned = LogRow(
        id="row-1",
        station="wxyz",
        starts_at_ms=row["starts_at_ms"],
        ends_at_ms=row["starts_at_ms"] + 40_000,
        kind=ItemKind.MUSIC,
        title="tide",
        item=row["item"],
        reason="rotation",
    )
    heard_ms = UtcMs(planned.starts_at_ms + 2_000)

    def write(conn: Any) -> None:
        as_run.intent(conn, planned, 1, heard_ms)
        as_run.start(conn, "row-1", 1, heard_ms)
        as_run.end(conn, "row-1", 1, heard_ms, DurationMs(38_000), Outcome.TRUNCATED, "test")

    async def aired() -> None:
        async with Store.open(f"sqlite:///{stocked.folder / 'data/nextup.db'}") as store:
            await store.write(write)

    asyncio.run(aired())
    starts = datetime.fromtimestamp(planned.starts_at_ms / 1000, ZoneInfo("America/New_York"))
    log = stocked.folder / "day.tfc"
    log.write_text(rivendell((f"{starts:%H:%M:%S}", "004711", "tide", "00:00:40")))
    words = ("schedule", "export", *DAY, "--format", "reconcile")
    told = stocked.shell.radio(*words, "--log", str(log)).out
    later = starts + timedelta(seconds=2)
    assert told.rstrip() == (
        f"{starts:%H:%M:%S} {later:%H:%M:%S} 00:00:40 00:00:38 004711 {'tide':<34} g-{starts:%H:%M:%S}"
    )
    assert stocked.shell.radio(*words).out.rstrip().endswith("row-1")


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("ics", "BEGIN:VCALENDAR"),
        ("m3u", "#EXTM3U"),
        ("xspf", "<?xml"),
        ("spi", "<?xml"),
        ("si", "<?xml"),
        ("jsonld", '{"@context"'),
        ("rivendell", "00:00:00  "),
        ("reconcile", ""),
    ],
)
def test_every_form_is_written(stocked: Desk, form: str, begins: str) -> None:
    done = stocked.shell.radio("schedule", "export", *DAY, "--format", form)
    assert (done.status, done.out.startswith(begins)) == (0, True), done.err
    if begins == "<?xml":
        ET.fromstring(done.out.encode())
    to = stocked.folder / f"out.{form}"
    assert stocked.shell.radio("schedule", "export", *DAY, "--format", form, "--output", str(to)).status == 0
    assert to.read_bytes()[:9].decode() == done.out[:9]


def test_the_feed_has_rules_and_a_span_has_airings(desk: Desk) -> None:
    feed = desk.shell.radio("schedule", "export", "--station", "wxyz")
    assert "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR" in feed.out
    week = desk.shell.radio("schedule", "export", *DAY, "--to", "2026-12-06")
    assert (week.out.count("BEGIN:VEVENT"), "RRULE" in week.out) == (5, False)


@pytest.mark.parametrize(
    "words",
    [
        (*DAY, "--format", "pls"),
        ("--station", "wxyz", "--from", "yesterday"),
        (*DAY, "--to", "2026-11-29"),
        (*DAY, "--to", "2027-11-29"),
        (*DAY, "--output", "/nowhere/at/all.ics"),
        (*DAY, "--format", "reconcile", "--log", "nowhere.tfc"),
        ("--station", "wxzy"),
        ("--station", "other", "--format", "spi"),
    ],
)
def test_wrong_use_of_export_is_2(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.shell.radio("schedule", "export", *words)
    assert (done.status, done.out) == (2, "")
    assert "Traceback" not in done.err


def test_a_preview_is_a_page_and_has_its_numbers_in_json(stocked: Desk) -> None:
    page = stocked.folder / "preview.html"
    done = stocked.shell.radio("schedule", "preview", *DAY, "--html", str(page))
    assert (done.status, done.out) == (0, "")
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "Monday, 30 November 2026" in text
    assert "<script" not in text
    told = stocked.shell.radio("schedule", "preview", *DAY, "--statistics", "--json").json
    assert set(told) == {"rows", "statistics"}
    (music,) = (one for one in told["statistics"]["categories"] if one["name"] == "music")
    assert (music["items"], music["distinct"]) == (2, 2)
    assert music["turnover_ms"] > 0
    tables = stocked.shell.radio("schedule", "preview", *DAY, "--statistics").out
    assert "Same hour again:" in tables
    assert stocked.shell.radio("schedule", "preview", *DAY, "--html", "/nowhere/x.html").status == 2


def test_a_schedule_file_that_is_a_link_stays_one(desk: Desk) -> None:
    real = desk.folder / "real.toml"
    desk.schedule.rename(real)
    desk.schedule.symlink_to(real)
    assert desk.imported(CALENDAR, "--write")[0] == 0
    assert desk.schedule.is_symlink()
    assert "tide-tables" in real.read_text()
    assert not list(Path(desk.folder).glob(".nextup-*"))
