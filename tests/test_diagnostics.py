from __future__ import annotations

import json

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
