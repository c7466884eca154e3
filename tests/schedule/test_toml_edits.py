"""One table of a file is changed, and every other line stays as it is."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import ScheduleError
from radio.schedule.toml_edits import with_list, with_table, with_value

DEMO = [path.read_text() for path in sorted(Path("schedules").glob("[hlm]*.toml"))]
HAND_WRITTEN = '''\
# Our week
default_clock = "hour"   # while nothing else airs

[categories]
[categories.jazz]        # of the folder

[categories."late talk"]
folders = ["talk"] # quiet

  # An indented clock
  [clocks.hour]
  positions = [
    # at the top
    { at = "00:00", item = "legal-id", legal_id = true }, # the law
    { rotate = ["jazz"] },
  ]

[[programmes]]
id = 'first'     # literal
title = """
[[programmes]]
# no comment"""
airs = [{ days = "daily", from = "06:00", to = "07:00" }] # early
changes = [
  { on = 2026-12-24 },   # a date, and a blank
  { on = 2026-12-25, day = 2026-12-26 }
]

# about the second
[[programmes]]
id = "second"
title = "Second # of two"
[programmes.clocks]
"7" = "hour"
[[programmes.airs]]
days = "daily"       # each day
from = "07:00"
to = "08:00"

[[programmes.airs]]
days = "sat"
from = "09:00"
to = "10:00"

# nothing follows
'''


def lines_apart(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines between the first and the last that differ, of both."""
    one, other = old.splitlines(keepends=True), new.splitlines(keepends=True)
    head = next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
    tail = next(
        (
            at
            for at, pair in enumerate(zip(one[head:][::-1], other[head:][::-1], strict=False))
            if pair[0] != pair[1]
        ),
        min(len(one), len(other)) - head,
    )
    return one[head : len(one) - tail], other[head : len(other) - tail]


def programmes(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(text)["programmes"]
    return found


plain = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(-5, 10_000),
    st.booleans(),
    st.dates(),
)
inline = st.dictionaries(st.sampled_from(["days", "from", "to", "on", "x y"]), plain, max_size=4)
values = st.one_of(
    plain,
    st.lists(plain, max_size=4),
    st.dictionaries(st.text(max_size=8), plain, max_size=3),
    st.lists(inline, max_size=4),
)
KEYS = ("title", "host", "airs", "clocks", "changes", "link", "new key", "äö")
texts = st.sampled_from([*DEMO, HAND_WRITTEN, HAND_WRITTEN.replace("\n", "\r\n")])


@settings(max_examples=80, deadline=None)
@given(texts, st.data())
def test_an_edit_of_one_programme_leaves_every_other_line_byte_for_byte(
    text: str, data: st.DataObject
) -> None:
    old = programmes(text)
    at = data.draw(st.integers(0, len(old) - 1))
    table = deepcopy(old[at])
    for key in data.draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True)):
        if key in table and data.draw(st.booleans()):
            del table[key]
        else:
            table[key] = data.draw(values)
    new = with_table(text, "programmes", table["id"], table, "wxyz.toml")
    expected = tomllib.loads(text)
    expected["programmes"][at] = table
    assert tomllib.loads(new) == expected
    gone, come = lines_apart(text, new)
    before, after = text[: text.index("".join(gone))] if gone else "", ""
    assert new.startswith(before + after)
    assert not any(
        "default_clock" in line or "Our week" in line or "nothing follows" in line for line in gone + come
    )
    others = [one["id"] for one in old if one["id"] != table["id"]]
    assert not any(f'id = "{id_}"' in line for id_ in others for line in gone)
    assert all(line.endswith("\r\n") for line in come) or "\r\n" not in text


@settings(max_examples=30, deadline=None)
@given(texts, st.data())
def test_a_table_that_comes_and_goes_leaves_the_file_as_it_was(text: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["programmes", "clocks", "categories", "dayparts"]))
    name = data.draw(st.sampled_from(["brand-new", "brand new", "b.c", "é"]))
    table: dict[str, Any] = {"id": name} if kind == "programmes" else {}
    table |= data.draw(st.dictionaries(st.sampled_from(KEYS), values, max_size=4))
    with_it = with_table(text, kind, name, table, "wxyz.toml")
    assert lines_apart(text, with_it)[0] == []
    assert with_table(with_it, kind, name, None, "wxyz.toml").rstrip() == text.rstrip()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(DEMO), st.data())
def test_a_list_that_changes_again_and_again_says_what_is_meant(text: str, data: st.DataObject) -> None:
    entry = st.fixed_dictionaries({"clock": st.sampled_from("ab"), "hours": st.sampled_from(["0", "1-2"])})
    first = text
    for _ in range(3):
        tables = data.draw(st.lists(entry, max_size=5))
        text = with_list(text, "grid", tables, "wxyz.toml")
        assert tomllib.loads(text).get("grid", []) == tables
        assert text.startswith(first.rstrip())
    assert with_list(text, "grid", [], "wxyz.toml").rstrip() == first.rstrip()


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        texts, st.sampled_from(["", "# all\n", "[clocks.a]\nfill = []\n", "# week\n\n# a\n[clocks.a]\n"])
    ),
    st.lists(st.one_of(st.none(), st.sampled_from(["night", "late night", 'a "b"', "é"])), max_size=4),
)
def test_a_value_of_the_whole_file_comes_changes_and_goes(text: str, wanted: list[str | None]) -> None:
    old = text
    for value in wanted:
        new = with_value(text, "default_clock", value, "wxyz.toml")
        expected = {key: each for key, each in tomllib.loads(text).items() if key != "default_clock"}
        assert tomllib.loads(new) == expected | ({} if value is None else {"default_clock": value})
        text = new
    kept = [line for line in old.splitlines() if not line.startswith("default_clock")]
    assert [line for line in text.splitlines() if line in kept and line] == [line for line in kept if line]
    assert "\r\n" not in old or text.count("\n") == text.count("\r\n")


def test_a_changed_default_clock_keeps_the_comment_beside_it() -> None:
    new = with_value(HAND_WRITTEN, "default_clock", "late", "wxyz.toml")
    assert lines_apart(HAND_WRITTEN, new)[1] == ['default_clock = "late"   # while nothing else airs\n']
    assert with_value(HAND_WRITTEN, "default_clock", "hour", "wxyz.toml") == HAND_WRITTEN


def test_comments_within_the_table_stay_too() -> None:
    table = programmes(HAND_WRITTEN)[0]
    table["airs"][0]["to"] = "07:30"
    new = with_table(HAND_WRITTEN, "programmes", "first", table, "wxyz.toml")
    gone, come = lines_apart(HAND_WRITTEN, new)
    assert gone == ['airs = [{ days = "daily", from = "06:00", to = "07:00" }] # early\n']
    assert come == ['airs = [{ days = "daily", from = "06:00", to = "07:30" }] # early\n']
    assert "{ on = 2026-12-24 },   # a date, and a blank\n" in new
    table["changes"][1]["day"] = date(2026, 12, 27)
    changed = with_table(HAND_WRITTEN, "programmes", "first", table, "wxyz.toml")
    assert lines_apart(new, changed)[1] == ["  { on = 2026-12-25, day = 2026-12-27 }\n"]
    clock = tomllib.loads(HAND_WRITTEN)["clocks"]["hour"]
    clock["positions"].insert(1, {"category": "late talk"})
    gone, come = lines_apart(HAND_WRITTEN, with_table(HAND_WRITTEN, "clocks", "hour", clock, "wxyz.toml"))
    assert gone == []
    assert come == ['    { category = "late talk" },\n']


def test_a_table_goes_with_the_comment_above_it_and_nothing_else() -> None:
    new = with_table(HAND_WRITTEN, "programmes", "second", None, "wxyz.toml")
    assert new == HAND_WRITTEN[: HAND_WRITTEN.index("# about")] + "# nothing follows\n"
    first = with_table(HAND_WRITTEN, "programmes", "first", None, "wxyz.toml")
    assert '# about the second\n[[programmes]]\nid = "second"' in first
    assert len(programmes(first)) == 1


def test_dates_are_written_as_dates() -> None:
    table = programmes(DEMO[0])[0]
    table["changes"] = [{"on": date(2026, 12, 24), "cancel": True, "why": 'a "day" off'}]
    new = with_table(DEMO[0], "programmes", table["id"], table, "wxyz.toml")
    assert lines_apart(DEMO[0], new)[1] == [
        'changes = [{ on = 2026-12-24, cancel = true, why = "a \\"day\\" off" }]\n'
    ]


def test_the_grid_keeps_the_lines_of_what_stays() -> None:
    grid = [{"clock": "night", "hours": "0-5"}, {"clock": "night", "days": "sat"}, {"clock": "coast"}]
    one = with_list(DEMO[0], "grid", grid, "wxyz.toml")
    one = one.replace('days = "sat"', 'days = "sat" # the weekend')
    assert with_list(one, "grid", grid, "wxyz.toml") == one
    two = with_list(one, "grid", [grid[1], {"clock": "coast", "hours": "3"}], "wxyz.toml")
    assert tomllib.loads(two)["grid"] == [grid[1], {"clock": "coast", "hours": "3"}]
    assert 'days = "sat" # the weekend' in two
    assert with_list(two, "grid", [], "wxyz.toml").rstrip() == DEMO[0].rstrip()


def test_tables_without_headers_are_changed_as_well() -> None:
    text = (
        '# a\ncategories = { jazz = { separation_min = 5 } } # b\nprogrammes = [{ id = "x", title = "X" }]\n'
    )
    new = with_table(text, "categories", "jazz", {"separation_min": 6}, "wxyz.toml")
    assert new == text.replace("= 5", "= 6")
    more = with_table(text, "programmes", "y", {"id": "y", "title": "Y"}, "wxyz.toml")
    assert [one["id"] for one in programmes(more)] == ["x", "y"]
    assert more.startswith("# a\n")
    dotted = "[clocks]\nhour.positions = []\n"
    changed = with_table(dotted, "clocks", "hour", {"positions": [], "fill": ["jazz"]}, "wxyz.toml")
    assert tomllib.loads(changed)["clocks"]["hour"]["fill"] == ["jazz"]


def test_parts_of_a_table_that_stand_apart_are_found() -> None:
    text = '[clocks.a]\nfill = ["x"]\n[clocks.b]\nfill = ["y"]\n[[clocks.a.positions]]\nitem = "z"\n'
    table = {"fill": ["q"], "positions": [{"item": "z"}]}
    new = with_table(text, "clocks", "a", table, "wxyz.toml")
    assert tomllib.loads(new)["clocks"] == {"a": table, "b": {"fill": ["y"]}}


def test_what_cannot_be_written_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ScheduleError, match="cannot be changed in part"):
        with_table("", "clocks", "a", {"fill": object()}, "wxyz.toml")
