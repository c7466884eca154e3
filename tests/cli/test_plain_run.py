from __future__ import annotations

import pytest

from radio.cli.plain_run import options_of


def test_plain_options_of_run_are_read() -> None:
    assert options_of(["run"]) == {}
    assert options_of(["run", "--config", "a.toml", "--port=0"]) == {"--config": "a.toml", "--port": "0"}
    assert options_of(["run", "--takeover", "--port", "1"]) == {"--takeover": "yes", "--port": "1"}
    assert options_of(["run", "-c", "a.toml"]) == {"--config": "a.toml"}


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["library", "scan"], ["run", "--help"], ["run", "--port", "many"], ["run", "--port"],
        ["run", "--port", "-1"], ["run", "--host", "a", "--host", "b"], ["run", "extra"], ["run", "--verbose"],
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_other_reader(arguments: list[str]) -> None:
    assert options_of(arguments) is None
