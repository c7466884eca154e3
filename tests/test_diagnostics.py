from __future__ import annotations

import json
from typing import Literal

import pytest
import structlog

from radio.diagnostics import configure_logs, harmless


@pytest.fixture(autouse=True)
def _restore() -> object:
    yield
    structlog.reset_defaults()


def test_hostile_values_cannot_break_a_line_or_show_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    token = "nu_0123abcd_" + "A" * 43
    structlog.get_logger().info("listener", agent="x\r\nfake line\x1b[31m", header=f"Bearer {token}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    entry = json.loads(lines[0])
    assert entry["agent"] == "x\\x0d\\x0afake line\\x1b[31m"
    assert token not in lines[0]


def test_levels_are_honoured(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", "warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    shown = capsys.readouterr().err
    assert "loud" in shown
    assert "quiet" not in shown


def test_long_values_are_cut() -> None:
    assert len(harmless("x" * 10_000)) == 2_000


@pytest.mark.parametrize("format_", ["console", "json"])
def test_a_traceback_shows_no_variables_and_no_token(
    format_: Literal["console", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(format_, "info")
    token = "nu_0123abcd_" + "B" * 43

    def refuse(given: str) -> None:
        password = "swordfish" + given
        raise ValueError(f"not {given}, {len(password)}")

    try:
        refuse(token)
    except ValueError:
        structlog.get_logger().exception("refused", who=token)
    shown = capsys.readouterr().err
    assert "ValueError: not nu_" in shown
    assert "swordfish" not in shown.replace('"swordfish" + given', "").replace('\\"swordfish\\" + given', "")
    assert token not in shown
