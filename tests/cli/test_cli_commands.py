from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cli_desk import CONFIG, Shell, lay_out, sound

from radio.clock import SystemClock
from radio.log import ItemKind, LogRow
from radio.store import Store, log_rows, operators, sqlite_url
from radio.store.operators import Operator, Role
from radio.units import UtcMs

ROW_KEYS = {"starts_at_ms", "ends_at_ms", "kind", "title", "item", "programme", "anchor", "reason"}
SCHEDULE = """\
default_clock = "day"

[clocks.day]
positions = [{ rotate = ["music"] }]

[[programmes]]
id = "tides"
title = "The Tides"
clock = "day"
airs = [{ days = "daily", from = "06:00", to = "12:00" }]
"""
SPONSORS = """\
[[sponsors]]
id = "ferry"
name = "The Ferry"

[[campaigns]]
id = "spring"
sponsor = "ferry"
message = "Crossing the bay."
audio = "sponsors/ferry"
stations = ["wxyz"]
flight = { from = 2026-03-01, to = 2026-05-31 }
"""


@pytest.fixture
def scanned(library: Shell) -> Shell:
    """The module's library, after a scan."""
    assert library.radio("library", "scan").status == 0
    return library


def test_a_scan_counts_what_it_took_in_and_a_second_one_finds_nothing_new(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shell = Shell(capsys, lay_out(tmp_path / "radio"))
    sound(shell.config.parent / "sounds/music/tide.wav")
    (shell.config.parent / "sounds/music/broken.mp3").write_bytes(b"no sound at all")
    first = shell.radio("library", "scan", "--json")
    assert (first.status, first.json["added"], first.json["rejected"]) == (0, 1, 1)
    second = shell.radio("library", "scan")
    assert second.out == "0 added, 0 changed, 0 moved, 0 removed, 2 unchanged, 0 rejected.\n"
    (item,) = shell.radio("library", "list", "--json").json
    assert (item["path"], item["category"]) == ("music/tide.wav", "music")
    assert item["duration_ms"] == pytest.approx(3_000, abs=2)
    (refused,) = shell.radio("library", "rejected", "--json").json
    assert refused["path"] == "music/broken.mp3"


def test_a_library_folder_that_is_missing_is_told_and_the_rest_is_scanned(shell: Shell) -> None:
    sound(shell.config.parent / "sounds/music/tide.wav", 1.0)
    (shell.config.parent / "elsewhere").rmdir()
    done = shell.radio("library", "scan")
    assert (done.status, done.out.startswith("1 added")) == (1, True)
    assert f"radio: {shell.config.parent}/elsewhere: " in done.err
    assert shell.radio("library", "scan", "--station", "wxyz").status == 0


def test_items_can_be_listed_for_people_and_for_programs(scanned: Shell) -> None:
    items = scanned.radio("library", "list", "--json").json
    assert [item["path"] for item in items] == [
        "music/[red]rope[/red].wav", "music/tide.wav", "speech/news.wav"
    ]  # fmt: skip
    text = scanned.radio("library", "list").out
    assert "music/[red]rope[/red].wav" in text
    assert text.count("\n") == 4
    assert scanned.radio("library", "list", "--station", "other", "--json").json == []


def test_an_item_is_shown_by_its_id_or_its_path(scanned: Shell) -> None:
    item = scanned.radio("library", "show", "music/tide.wav", "--json").json
    assert scanned.radio("library", "show", item["id"], "--json").json == item
    assert item["title"] in scanned.radio("library", "show", item["id"]).out
    done = scanned.radio("library", "show", "music/nothing.wav")
    assert (done.status, done.out) == (1, "")
    assert done.err == "radio: There is no item 'music/nothing.wav'. `radio library list` shows them.\n"


def test_rejected_files_come_with_their_reason(scanned: Shell) -> None:
    (refused,) = scanned.radio("library", "rejected", "--json").json
    assert refused["path"] == "music/broken.wav"
    done = scanned.radio("library", "rejected")
    assert refused["reason"] in done.out
    assert "music/broken.wav" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("library", "scan"),
        ("library", "list"),
        ("library", "rejected"),
        ("schedule", "check"),
        ("schedule", "show"),
        ("schedule", "preview"),
        ("users", "add", "newsroom"),
    ],
    ids=" ".join,
)
def test_an_unknown_station_is_2_with_the_nearest_name(shell: Shell, words: tuple[str, ...]) -> None:
    done = shell.radio(*words, "--station", "wxzy")
    assert (done.status, done.out) == (2, "")
    assert "There is no station 'wxzy'. Did you mean `wxyz`?" in done.err


def test_titles_cannot_write_on_the_terminal(shell: Shell) -> None:
    """Names of files and of stations are strangers' text."""
    name = "evil\x1b]0;owned\x07\x1b[31m.wav"
    sound(shell.config.parent / "sounds" / name, 1.0)
    assert shell.radio("library", "scan").status == 0
    for words in (("library", "list"), ("library", "rejected"), ("library", "show", name)):
        done = shell.radio(*words)
        assert "\x1b" not in done.out + done.err
        assert "\x07" not in done.out + done.err


def test_a_preview_is_contiguous_rows_with_exactly_the_published_keys(scanned: Shell) -> None:
    days = ("--from", "2026-03-07", "--days", "2", "--json")
    rows = scanned.radio("schedule", "preview", "--station", "wxyz", *days).json
    zone = ZoneInfo("America/New_York")
    # the clocks go forward in the second night: two days of 47 hours
    assert rows[0]["starts_at_ms"] == datetime(2026, 3, 7, tzinfo=zone).timestamp() * 1000
    assert rows[-1]["starts_at_ms"] < datetime(2026, 3, 9, tzinfo=zone).timestamp() * 1000
    assert rows[-1]["ends_at_ms"] - rows[0]["starts_at_ms"] >= 47 * 3_600_000
    assert all(set(row) == ROW_KEYS for row in rows)
    for row, following in zip(rows, rows[1:], strict=False):
        assert row["ends_at_ms"] == following["starts_at_ms"]
        assert row["starts_at_ms"] < row["ends_at_ms"]
    assert {row["kind"] for row in rows} <= {str(kind) for kind in ItemKind}
    assert scanned.radio("schedule", "preview", "--station", "wxyz", *days).json == rows


def test_a_preview_for_people_is_a_table_in_the_stations_time(scanned: Shell) -> None:
    done = scanned.radio("schedule", "preview", "--station", "other", "--from", "2026-07-01")
    assert done.status == 0
    assert done.out.splitlines()[1].startswith("Wed 00:00:00")


@pytest.mark.parametrize(
    "day",
    [
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "01.03.2026",
        "",
        "2026-03-01T00:00",
        "0001-01-01",
        "9999-12-31",
    ],
)
def test_a_day_that_is_none_is_2(scanned: Shell, day: str) -> None:
    done = scanned.radio("schedule", "preview", "--station", "wxyz", "--from", day)
    assert (done.status, done.out) == (2, "")
    assert "Allowed: YYYY-MM-DD" in done.err


def test_a_preview_of_a_broken_schedule_is_2_with_its_place(scanned: Shell) -> None:
    schedule = scanned.config.parent / "schedules/wxyz.toml"
    schedule.write_text(SCHEDULE.replace("[clocks.day]", "[clocks.days]"))
    done = scanned.radio("schedule", "preview", "--station", "wxyz", "--json")
    schedule.unlink()
    assert (done.status, done.out) == (2, "")
    assert f"{schedule}:1: `default_clock`: there is no clock 'day'. Did you mean `days`?" in done.err


def test_an_empty_library_is_previewed_as_the_bed(shell: Shell) -> None:
    rows = shell.radio("schedule", "preview", "--station", "wxyz", "--json").json
    assert {row["kind"] for row in rows} == {"fill"}
    assert {row["item"] for row in rows} == {None}


class Checked:
    """The schedule check of one file."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.file = shell.config.parent / "schedules/wxyz.toml"

    def radio(self, text: str, *more: str) -> tuple[int, str, str]:
        self.file.write_text(text)
        return self.shell.radio("schedule", "check", *more)


@pytest.fixture
def check(scanned: Shell) -> Iterator[Checked]:
    checked = Checked(scanned)
    yield checked
    checked.file.unlink(missing_ok=True)


def test_a_right_schedule_is_right(check: Checked) -> None:
    status, out, err = check.radio(SCHEDULE)
    assert (status, f"wxyz: {check.file} is right." in out) == (0, True)
    assert "Traceback" not in err
    assert check.shell.radio("schedule", "check", "--json").json[0]["error"] is None


def test_a_category_that_is_a_search_is_checked(check: Checked) -> None:
    text = SCHEDULE.replace('rotate = ["music"]', 'rotate = ["found"]')
    status, out, err = check.radio(text + '\n[categories.found]\nwhere = "category:music length>0:00"\n')
    assert (status, "is right." in out, "has no items" in err) == (0, True, False)
    status, out, err = check.radio(text + '\n[categories.found]\nwhere = "genre:nothing"\n')
    assert (status, "The category found has no items (genre:nothing)." in err) == (0, True)
    status, out, err = check.radio(text + '\n[categories.found]\nwhere = "gnere:jazz"\n')
    line = text.count("\n") + 3
    assert status == 2
    assert f"{check.file}:{line}: `categories.found.where`: At character 1: there is no field `gnere`." in err
    assert "Did you mean `genre`? Allowed: title, " in err


def test_what_is_odd_is_a_warning_with_its_line(check: Checked) -> None:
    status, _, err = check.radio(SCHEDULE.replace('rotate = ["music"]', 'rotate = ["idents"]'))
    assert status == 0
    assert f"{check.file}:" in err
    assert "warning: " in err
    (found, _) = check.shell.radio("schedule", "check", "--json").json
    assert any(warning["line"] for warning in found["warnings"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("default_clock", "defualt_clock", ":1: "),
        ('"06:00"', '"6 o\'clock"', ":10: "),
        ('days = "daily"', 'days = "Blursday"', ":10: "),
        ('default_clock = "day"', 'default_clock = "night"', ":1: "),
        ("[clocks.day]", "[clocks.day", ":3: "),
    ],
)
def test_a_wrong_schedule_is_2_with_file_and_line(check: Checked, old: str, new: str, told: str) -> None:
    status, out, err = check.radio(SCHEDULE.replace(old, new, 1))
    assert status == 2
    assert f"radio: {check.file}{told}" in err
    assert f"wxyz: {check.file} is right." not in out
    assert "other: " in out  # the other station's file is none, and right
    done = check.shell.radio("schedule", "check", "--json")
    assert (done.status, done.err) == (2, "")
    assert set(done.json[0]) == {"station", "file", "error", "warnings"}
    assert done.json[0]["error"].startswith(f"{check.file}{told}")
    assert check.shell.radio("schedule", "check", "--station", "other").status == 0


def test_a_wrong_sponsors_file_is_2_wherever_it_is_read(shell: Shell) -> None:
    path = shell.config.parent / "schedules/sponsors.toml"
    path.write_text(SPONSORS.replace('sponsor = "ferry"', 'sponsor = "fery"'))
    for words in (("sponsors", "list"), ("schedule", "check"), ("schedule", "preview", "-s", "wxyz")):
        done = shell.radio(*words)
        assert done.status == 2
        assert f"{path}:7: " in done.err


def test_sponsors_are_listed_with_their_flights(shell: Shell) -> None:
    assert shell.radio("sponsors", "list", "--json").json == {"sponsors": [], "campaigns": []}
    (shell.config.parent / "schedules/sponsors.toml").write_text(SPONSORS)
    listed = shell.radio("sponsors", "list", "--json").json
    assert [sponsor["name"] for sponsor in listed["sponsors"]] == ["The Ferry"]
    assert [campaign["id"] for campaign in listed["campaigns"]] == ["spring"]
    text = shell.radio("sponsors", "list").out.splitlines()[1]
    for word in ("spring", "The Ferry", "2026-03-01", "2026-05-31", "wxyz"):
        assert word in text


def test_stations_are_listed_as_configured(shell: Shell) -> None:
    folder = shell.config.parent
    stations = shell.radio("stations", "list", "--json").json
    assert stations[0] == {
        "id": "wxyz",
        "name": "WXYZ",
        "timezone": "America/New_York",
        "enabled": True,
        "mounts": ["live.mp3"],
        "schedule": f"{folder}/schedules/wxyz.toml",
        "library": [f"{folder}/sounds"],
    }
    assert stations[1]["enabled"] is False
    assert "Other [bold]Radio[/bold] :smile:" in shell.radio("stations", "list").out
    assert not (folder / "data").exists()


def test_a_new_operators_token_is_printed_once_and_works(shell: Shell) -> None:
    added = shell.radio("users", "add", "newsroom", "--station", "wxyz")
    token = added.out.strip()
    assert (added.status, added.out) == (0, f"{token}\n")
    assert token not in added.err
    database = shell.config.parent / "data/nextup.db"

    async def sign_in(offered: str) -> Operator | None:
        async with Store.open(sqlite_url(database)) as store:
            return await store.read(operators.authenticate, offered, SystemClock().now_ms())

    assert asyncio.run(sign_in(token)) == Operator("newsroom", Role.OPERATOR, ("wxyz",))
    assert asyncio.run(sign_in(token[:-1])) is None
    listed = shell.radio("users", "list", "--json")
    assert listed.json == [{"name": "newsroom", "role": "operator", "stations": ["wxyz"]}]
    for done in (listed, shell.radio("users", "list")):
        assert token not in done.out + done.err
    assert token.encode() not in database.read_bytes()
    assert shell.radio("users", "remove", "newsroom").status == 0
    assert asyncio.run(sign_in(token)) is None
    assert shell.radio("users", "remove", "newsroom").status == 1


def test_an_operator_in_json_has_the_token_too(shell: Shell) -> None:
    added = shell.radio("users", "add", "desk", "--role", "viewer", "--json").json
    assert (added["name"], added["role"], added["stations"]) == ("desk", "viewer", None)
    assert added["token"].startswith("nu_")


@pytest.mark.parametrize("name", ["", " ", "a" * 81, "two\nlines", "a\x1b[31mb", "tab\there"])
def test_an_operators_name_must_be_one(shell: Shell, name: str) -> None:
    done = shell.radio("users", "add", name)
    assert (done.status, done.out) == (2, "")
    assert "\x1b" not in done.err
    assert shell.radio("users", "list", "--json").json == []


def test_an_operators_name_is_taken_once(shell: Shell) -> None:
    assert shell.radio("users", "add", "newsroom").status == 0
    done = shell.radio("users", "add", "newsroom")
    assert (done.status, done.out) == (2, "")
    assert "There is an operator 'newsroom' already." in done.err


def test_the_log_is_shown_from_now_on(shell: Shell) -> None:
    done = shell.radio("schedule", "show", "--station", "wxyz")
    assert (done.status, done.out) == (1, "")
    assert "No log is compiled for this time. `radio run` compiles it." in done.err
    assert shell.radio("schedule", "show", "--station", "wxyz", "--json").json == []
    now_ms = SystemClock().now_ms()
    rows = [
        LogRow(
            id=f"row-{number}",
            station="wxyz",
            starts_at_ms=UtcMs(now_ms + number * 1_800_000),
            ends_at_ms=UtcMs(now_ms + (number + 1) * 1_800_000),
            kind=ItemKind.SPEECH,
            title=f"Hour {number}",
            reason="test",
        )
        for number in (-1, 0, 1, 2)
    ]

    async def keep() -> None:
        async with Store.open(sqlite_url(shell.config.parent / "data/nextup.db")) as store:
            await store.write(log_rows.replace_from, "wxyz", rows[0].starts_at_ms, rows, "test")

    asyncio.run(keep())
    shown = shell.radio("schedule", "show", "--station", "wxyz", "--json").json
    assert [row["title"] for row in shown][:2] == ["Hour 0", "Hour 1"]
    assert all(set(row) == ROW_KEYS for row in shown)
    at = datetime.fromtimestamp(rows[1].starts_at_ms / 1000, UTC).astimezone(ZoneInfo("America/New_York"))
    assert f"{at:%a %H:%M:%S}" in shell.radio("schedule", "show", "--station", "wxyz").out


def test_no_wrong_file_name_in_the_configuration_is_a_crash(shell: Shell) -> None:
    """Names that the system cannot have come back as sentences."""
    for text in (
        CONFIG.replace('"sounds"', f'"{"a" * 5000}"'),
        f'sponsors = "{"b" * 5000}"\n{CONFIG}',
        f'[server]\ndata_dir = "{"c" * 5000}"\n{CONFIG}',
    ):
        shell.config.write_text(text)
        for words in (("stations", "list"), ("schedule", "check"), ("library", "list")):
            done = shell.radio(*words)
            assert done.status in (0, 1, 2), text[:60]
            assert "Traceback" not in done.err
