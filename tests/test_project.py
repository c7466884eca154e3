"""What holds for the project as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import radio
from radio.api.problems import HTTP_STATUS
from radio.errors import RadioError

ROOT = Path(__file__).parent.parent
LOCKS = ["requirements.lock", "requirements-test.lock"]


def every_error(kind: type[RadioError] = RadioError) -> set[type[RadioError]]:
    return {kind}.union(*(every_error(each) for each in kind.__subclasses__()))


def test_the_changelog_opens_with_this_version() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == radio.__version__


def test_every_error_has_a_code_of_its_own_kind_and_a_status() -> None:
    for kind in every_error():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code), kind
        assert 400 <= HTTP_STATUS[kind.code] <= 599, kind


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(index|extra|find|trusted)", text, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert len(entries) > 40
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_the_two_locks_agree() -> None:
    pinned = [
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS
    ]
    shared = pinned[0].keys() & pinned[1].keys()
    assert {name: pinned[0][name] for name in shared} == {name: pinned[1][name] for name in shared}
    assert shared == pinned[0].keys()


def test_the_lock_of_the_web_build_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "radio" / "web" / "package-lock.json").read_text()
