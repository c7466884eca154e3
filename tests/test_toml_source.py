from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import ConfigurationError, ScheduleError
from radio.toml_lines import line_of
from radio.toml_source import LIMIT_BYTES, TomlDocument


class Position(msgspec.Struct, frozen=True):
    at: str
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1


class ClockTable(msgspec.Struct, frozen=True):
    positions: tuple[Position, ...] = ()


class Whole(msgspec.Struct, frozen=True):
    clocks: dict[str, ClockTable] = {}
    port: int = 80
    shows: tuple[ClockTable, ...] = ()


TEXT = '''port = 80
note = """
port = 3
"""
[clocks.news-hour]   # the hour of news
positions = [
  { at = "00:00" },
  # { at = "no" }
  { at = "00:10", count = 3 },
]

[[shows]]
[[shows]]
positions = [ { at = "x" },
  { at = "00:20", count = 12 } ]
'''


def fault_of(text: str, type_: type = Whole) -> str:
    with pytest.raises(ConfigurationError) as caught:
        TomlDocument.parse(text, Path("demo.toml")).into(type_)
    return str(caught.value)


def test_unknown_key_is_located_and_the_nearest_is_offered() -> None:
    text = TEXT.replace("note", "prot").replace("count = 12", "count = 2")
    assert fault_of(text) == (
        "demo.toml:2: `prot`: is not a known key. Did you mean `port`? Allowed: clocks, port, shows."
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("port = 80", 'port = "eighty"', "demo.toml:1: `port`: expected int, got str (it is 'eighty')."),
        ("count = 3", 'cuont = "3"', "demo.toml:8: `clocks.news-hour.positions[2].cuont`: is not a known key."),
        ("count = 3", "count = 0", "demo.toml:8: `clocks.news-hour.positions[2].count`: expected int >= 1 (it is 0)."),
        ('at = "00:00"', "", "demo.toml:6: `clocks.news-hour.positions[1].at`: is missing."),
        ("count = 4", "count = 12", "demo.toml:14: `shows[2].positions[2].count`: expected int <= 9 (it is 12)."),
    ],
)  # fmt: skip
def test_faults_name_file_line_key_and_what_is_allowed(old: str, new: str, expected: str) -> None:
    text = TEXT.replace('note = """\nport = 3\n"""\n', "\n\n").replace("count = 12", "count = 4")
    assert old in text
    assert fault_of(text.replace(old, new)).startswith(expected)


def test_a_correct_document_becomes_a_frozen_value() -> None:
    text = TEXT.replace('note = """\nport = 3\n"""\n', "").replace("count = 12", "count = 2")
    value = TomlDocument.parse(text, Path("demo.toml")).into(Whole)
    assert value.clocks["news-hour"].positions[1] == Position("00:10", 3)
    with pytest.raises(AttributeError):
        value.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(("text", "line"), [("a = [", 1), ("ok = 1\na = 1\na = 2\n", 3), ("x = 1\n= 2\n", 2)])
def test_syntax_errors_have_their_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TomlDocument.parse(text, Path("demo.toml"))
    assert abs((caught.value.line or 0) - line) <= 1
    assert "is not valid TOML" in str(caught.value)


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match=r"missing\.toml: cannot be read: No such file"):
        TomlDocument.read(tmp_path / "missing.toml", error=ScheduleError)
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        TomlDocument.read(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"a = 1\nb = '\xe9'\n")
    with pytest.raises(ConfigurationError, match=r"latin\.toml:2: is not UTF-8"):
        TomlDocument.read(tmp_path / "latin.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * (LIMIT_BYTES + 1))
    with pytest.raises(ConfigurationError, match="is too large"):
        TomlDocument.read(tmp_path / "big.toml")


def test_deep_nesting_is_refused_and_does_not_crash() -> None:
    assert "is not valid TOML" in fault_of("a = " + "[" * 5_000)


names = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)


@given(st.lists(st.tuples(names, st.lists(names, min_size=1, max_size=4, unique=True)), max_size=6))
def test_every_key_of_generated_tables_is_found_on_its_line(tables: list[tuple[str, list[str]]]) -> None:
    lines: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    seen: dict[str, int] = {}
    for table, keys in tables:
        index = seen[table] = seen.get(table, -1) + 1
        lines.append(f"[[{table}]]")
        for key in keys:
            lines.append(f"{key} = [1, 2] # {key} = 3")
            expected[(table, index, key)] = len(lines)
    text = "\n".join(lines)
    assert {key: line_of(text, key) for key in expected} == expected


RACE = """
import sys, threading
from pathlib import Path
from radio.schedule.shapes import ScheduleFile
from radio.toml_source import TomlDocument
sys.setswitchinterval(1e-6)
document = TomlDocument.parse(Path(sys.argv[1]).read_text(), Path(sys.argv[1]))
start = threading.Barrier(12)
def read():
    start.wait()
    document.into(ScheduleFile)
threads = [threading.Thread(target=read) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_a_type_that_is_first_used_in_many_threads_at_once_does_no_harm() -> None:
    schedule = Path(__file__).parent.parent / "schedules" / "harbor.toml"
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", RACE, str(schedule)], capture_output=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, b"")
