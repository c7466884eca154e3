from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from radio.errors import ScheduleError
from radio.sponsors import SponsorBook, read_sponsors
from radio.sponsors.campaigns import sponsors_of
from radio.sponsors.weektime import format_length, format_wall_time, parse_days, parse_length, parse_wall_time
from radio.toml_source import TomlDocument

TRUST = '[[sponsors]]\nid = "trust"\nname = "The Trust"\nlink = "https://trust.example"\n'


def campaign(more: str = "", *, sponsor: str = "trust") -> str:
    lines = (
        f'[[campaigns]]\nid = "pier"\nsponsor = "{sponsor}"\nmessage = "Piers."\naudio = "sponsors/trust"\n'
    )
    return lines + more


def read(text: str, stations: tuple[str, ...] | None = ("wxyz", "wabc")) -> SponsorBook:
    return sponsors_of(
        TomlDocument.parse(text, Path("sponsors.toml"), error=ScheduleError), stations=stations
    )


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        (TRUST + campaign("flihgt = {}\n"), 10, "campaigns[1].flihgt", "Did you mean `flight`?"),
        (
            TRUST + campaign(sponsor="trsut"),
            7,
            "campaigns[1].sponsor",
            "Did you mean `trust`? Allowed: trust.",
        ),
        (campaign(), 3, "campaigns[1].sponsor", "no sponsor is declared"),
        (TRUST + TRUST, 6, "sponsors[2].id", "each id once"),
        (TRUST + campaign() + campaign(), 11, "campaigns[2].id", "each id once"),
        (TRUST + campaign('stations = ["wxzy"]\n'), 10, "campaigns[1].stations", "Did you mean `wxyz`?"),
        (TRUST + campaign('days = "weekdays"\n'), 10, "campaigns[1].days", '"mon-fri"'),
        (TRUST + campaign("max_per_hour = 0\n"), 10, "campaigns[1].max_per_hour", ">= 1"),
        (
            TRUST + campaign("flight = { from = 2026-12-02, to = 2026-12-01 }\n"),
            10,
            "campaigns[1].flight",
            "ends on 2026-12-01, before it starts on 2026-12-02",
        ),
        (TRUST + campaign('flight = { from = "soon" }\n'), 10, "campaigns[1].flight.from", "date"),
        (
            TRUST + campaign('dayparts = [{ from = "06:00", to = "06:00" }]\n'),
            10,
            "campaigns[1].dayparts[1]",
            "lasts no time",
        ),
        (
            TRUST + campaign('dayparts = [{ from = "6", to = "10:00" }]\n'),
            10,
            "campaigns[1].dayparts[1]",
            '"HH:MM"',
        ),
        ('[[sponsors]]\nid = "The Trust"\nname = "x"\n', 2, "sponsors[1].id", "lower-case letters"),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_is_allowed(
    text: str, line: int, key: str, says: str
) -> None:
    with pytest.raises(ScheduleError) as caught:
        read(text)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("sponsors.toml", line, key)
    assert says in caught.value.message


def test_a_missing_file_has_no_sponsors(tmp_path: Path) -> None:
    assert read_sponsors(tmp_path / "none.toml") == SponsorBook()


def test_what_a_listener_is_told_comes_from_sponsor_and_campaign() -> None:
    book = read(TRUST + campaign('flight = { from = 2026-12-01, to = "2026-12-24" }\ngoal = 200\n'))
    message = book.message(book.campaigns[0])
    assert (message.campaign, message.sponsor, message.name) == ("pier", "trust", "The Trust")
    assert (message.message, message.link, message.image) == ("Piers.", "https://trust.example", None)
    assert book.campaigns[0].goal == 200


@pytest.mark.parametrize(
    ("more", "station", "local", "may"),
    [
        ("", "wxyz", "2026-12-01 10:00", True),
        ('stations = ["wabc"]\n', "wxyz", "2026-12-01 10:00", False),
        ("flight = { from = 2026-12-01, to = 2026-12-24 }\n", "wxyz", "2026-11-30 23:59:59", False),
        ("flight = { from = 2026-12-01, to = 2026-12-24 }\n", "wxyz", "2026-12-01 00:00", True),
        ("flight = { from = 2026-12-01, to = 2026-12-24 }\n", "wxyz", "2026-12-24 23:59:59", True),
        ("flight = { from = 2026-12-01, to = 2026-12-24 }\n", "wxyz", "2026-12-25 00:00", False),
        ('days = "sat,sun"\n', "wxyz", "2026-12-05 10:00", True),
        ('days = "sat,sun"\n', "wxyz", "2026-12-04 10:00", False),
        ('dayparts = [{ from = "06:00", to = "10:00" }]\n', "wxyz", "2026-12-04 09:59:59", True),
        ('dayparts = [{ from = "06:00", to = "10:00" }]\n', "wxyz", "2026-12-04 10:00", False),
        ('days = "fri"\ndayparts = [{ from = "22:00", to = "02:00" }]\n', "wxyz", "2026-12-05 01:00", True),
        ('days = "fri"\ndayparts = [{ from = "22:00", to = "02:00" }]\n', "wxyz", "2026-12-04 01:00", False),
        ('dayparts = [{ from = "00:00", to = "24:00" }]\n', "wxyz", "2026-12-04 01:00", True),
    ],
)
def test_flights_days_and_dayparts_are_local_and_count_from_the_day_they_start(
    more: str, station: str, local: str, may: bool
) -> None:
    book = read(TRUST + campaign(more))
    assert book.campaigns[0].is_eligible(station, datetime.fromisoformat(local)) is may


def test_days_of_the_week_are_read_as_they_are_said() -> None:
    assert parse_days("mon-fri") == (0, 1, 2, 3, 4)
    assert parse_days("Fri-Mon") == (0, 4, 5, 6)
    assert parse_days("saturday, wed") == (2, 5)
    assert parse_days("daily") == tuple(range(7))
    for wrong in ("", "mon-", "monkey", "mon--tue"):
        with pytest.raises(ValueError, match="day of the week"):
            parse_days(wrong)


def test_times_and_lengths_are_read_and_written() -> None:
    assert parse_wall_time("06:30:15") == 23_415_000
    assert parse_wall_time("24:00", is_end=True) == 86_400_000
    assert (format_wall_time(23_415_000), format_wall_time(86_400_000)) == ("06:30:15", "24:00")
    assert (parse_length("1:00.25"), format_length(60_250)) == (60_250, "1:00")
    for wrong in ("24:00", "6:30", "12:60", "noon"):
        with pytest.raises(ValueError, match="time of day"):
            parse_wall_time(wrong)
    with pytest.raises(ValueError, match="length of time"):
        parse_length("0:75")
