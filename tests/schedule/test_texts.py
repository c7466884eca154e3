from __future__ import annotations

import re
from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.schedule import texts
from radio.schedule.texts import diff, packed, unpacked, version_of

lines = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=40)


def patched(old: str, unified: str) -> list[str]:
    """The old lines with a unified diff applied, its numbers checked on the way."""
    before, after, at = old.splitlines(), [], 0
    for line in unified.splitlines() if unified else []:
        if found := re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            start, length = int(found[1]), int(found[2] or 1)
            begin = start - 1 if length else start
            after += before[at:begin]
            at = begin
            assert int(found[3]) == len(after) + (1 if int(found[4] or 1) else 0)
        elif line.startswith("+"):
            after.append(line[1:])
        else:
            assert before[at] == line[1:]
            after += [] if line.startswith("-") else [before[at]]
            at += 1
    return after + before[at:]


@given(lines, lines)
def test_a_diff_leads_from_one_text_to_the_other(one: list[str], other: list[str]) -> None:
    old, new = "\n".join(one), "\n".join(other)
    found = diff(old, new)
    assert patched(old, found.text) == new.splitlines()
    assert len(new.splitlines()) - len(old.splitlines()) == found.added - found.removed
    if old.splitlines() == new.splitlines():
        assert (found.added, found.removed, found.text) == (0, 0, "")


def test_a_diff_of_few_places_is_that_of_other_programs() -> None:
    old = [f"line {number}" for number in range(200)]
    new = [*old[:50], "more", *old[50:120], *old[125:]]
    theirs = list(unified_diff(old, new, lineterm=""))[2:]
    assert diff("\n".join(old), "\n".join(new)).text.splitlines() == theirs


def test_texts_that_share_nothing_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_COMPARED", 100)
    old, new = ("head\n" + "\n".join(f"{word}{n}" for n in range(20)) + "\ntail" for word in ("a", "b"))
    found = diff(old, new)
    assert (found.added, found.removed) == (20, 20)
    assert patched(old, found.text) == new.splitlines()


def test_versions_tell_texts_apart_and_kept_texts_come_back() -> None:
    assert version_of("a") != version_of("a\n")
    assert unpacked(packed("schön\r\n")) == "schön\r\n"
    with pytest.raises(ValueError, match="too large"):
        unpacked(packed("a" * 2_000_000))
