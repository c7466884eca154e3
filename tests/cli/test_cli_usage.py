from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import typer.main
from cli_desk import CONFIG, Shell, lay_out

from radio import __version__
from radio.cli.commands import app


def every_command(command: Any, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [words]
    for name, below in getattr(command, "commands", {}).items():
        found += every_command(below, (*words, name))
    return found


COMMANDS = every_command(typer.main.get_command(app))


def test_the_commands_are_those_of_the_design() -> None:
    names = {" ".join(words) for words in COMMANDS}
    assert names >= {
        "run", "watch", "library scan", "library list", "library show", "library rejected", "schedule check",
        "schedule show", "schedule preview", "sponsors list", "stations list", "users add", "users list",
    }  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "radio")
def test_every_command_has_help(shell: Shell, words: tuple[str, ...]) -> None:
    done = shell.plain(*words, "--help")
    assert (done.status, done.err) == (0, "")
    assert "Usage: radio" in done.out
    assert len(done.out.splitlines()) > 5


def test_the_version_is_told(shell: Shell) -> None:
    assert shell.plain("--version") == (0, f"Next Up {__version__}\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("library", "nonsense"),
        ("library", "show"),
        ("schedule", "preview"),
        ("schedule", "preview", "--station", "wxyz", "--days", "0"),
        ("schedule", "preview", "--station", "wxyz", "--days", "32"),
        ("schedule", "preview", "--station", "wxyz", "--days", "many"),
        ("schedule", "show", "--station", "wxyz", "--hours", "25"),
        ("users", "add"),
        ("users", "add", "newsroom", "--role", "emperor"),
        ("run", "--port", "http"),
        ("stations", "list", "--colour"),
    ],
)
def test_wrong_usage_is_2_and_said_on_standard_error(shell: Shell, words: tuple[str, ...]) -> None:
    done = shell.plain(*words)
    assert (done.status, done.out) == (2, "")
    assert "Traceback" not in done.err
    assert done.err.strip()


WRONG = {
    "no TOML": ("[[stations]\n", ":1: is not valid TOML"),
    "an unknown key": (
        CONFIG.replace("library =", "libary =", 1),
        ":8: `stations[1].libary`: is not a known key",
    ),
    "a wrong zone": (CONFIG.replace("New_York", "New_Yrok"), ":7: `stations[1].timezone`"),
    "a wrong id": (CONFIG.replace('"wxyz"', '"W X"'), ":5: `stations[1].id`"),
    "an id that stands twice": (CONFIG.replace('"other"', '"wxyz"'), ":11: `stations[2].id`"),
    "no station": ("[network]\n", "`stations`: is missing"),
    "a wrong port": ("[server]\nport = 70000\n" + CONFIG, ":2: `server.port`"),
    "a port that is a word": ('[server]\nport = "http"\n' + CONFIG, ":2: `server.port`"),
    "a wrong bit rate": (
        CONFIG.replace("enabled = false", "mounts = [{ bitrate_kbps = 129 }]"),
        ":14: `stations[2].mounts[1].bitrate_kbps`: is 129. Allowed: 64, 80",
    ),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize(
    "words", [("run",), ("stations", "list", "--json"), ("schedule", "check")], ids=lambda words: words[0]
)
def test_a_wrong_configuration_is_2_with_file_and_line(
    shell: Shell, case: str, words: tuple[str, ...]
) -> None:
    text, told = WRONG[case]
    shell.config.write_text(text)
    done = shell.radio(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"radio: {shell.config}")
    assert told in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "below a file", "not UTF-8", "too large", "link to itself"]
)
def test_a_configuration_that_cannot_be_read_is_2_and_says_why(
    shell: Shell, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "other.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "below a file":
        path = shell.config / "config.toml"
    elif kind == "not UTF-8":
        path.write_bytes(CONFIG.encode() + b"\n# caf\xe9\n")
    elif kind == "too large":
        path.write_text(CONFIG + "#" * 1_000_001)
    elif kind == "link to itself":
        os.symlink(path, path)
    shell.config = path
    for words in (("run",), ("library", "list"), ("users", "list")):
        done = shell.radio(*words)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(f"radio: {path}")
        assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999999999999"])
def test_a_port_that_cannot_be_is_2(shell: Shell, port: str) -> None:
    done = shell.radio("run", "--port", port)
    assert (done.status, done.out) == (2, "")
    assert "port" in done.err


def test_the_environment_is_part_of_the_configuration(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTUP_SERVER__PRT", "8080")
    done = shell.radio("stations", "list")
    assert (done.status, done.out) == (2, "")
    assert "NEXTUP_SERVER__PRT" in done.err
    assert "Did you mean `server__port`?" in done.err
    monkeypatch.delenv("NEXTUP_SERVER__PRT")
    monkeypatch.setenv("NEXTUP_SERVER__PORT", "http")
    assert shell.radio("stations", "list").status == 2


@pytest.mark.parametrize(
    "words",
    [
        ("users", "list"),
        ("library", "list"),
        ("library", "scan"),
        ("schedule", "check"),
        ("schedule", "show", "--station", "wxyz"),
        ("run", "--port", "0"),
    ],
    ids=" ".join,
)
def test_a_data_folder_that_cannot_be_written_is_1_with_advice(shell: Shell, words: tuple[str, ...]) -> None:
    blocked = shell.config.parent / "blocked"
    blocked.write_text("a file, where a folder should be")
    shell.config.write_text(f'[server]\ndata_dir = "{blocked}/data"\n{CONFIG}')
    done = shell.radio(*words)
    assert (done.status, done.out) == (1, "")
    last = done.err.splitlines()[-1]
    assert last.startswith(f"radio: The folder {blocked}/data cannot be written")
    assert "name another data folder" in last
    assert "Traceback" not in done.err


def test_a_database_that_is_none_is_told_in_words(shell: Shell) -> None:
    shell.config.write_text('[server]\ndatabase = "mysql://root@localhost/x"\n' + CONFIG)
    done = shell.radio("users", "list")
    assert (done.status, done.out) == (1, "")
    assert "Allowed: sqlite:////absolute/path.db" in done.err


def test_a_configuration_is_found_beside_the_working_folder(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lay_out(tmp_path / "here").parent)
    assert [station["id"] for station in shell.plain("stations", "list", "--json").json] == ["wxyz", "other"]
    monkeypatch.chdir(tmp_path)
    assert shell.plain("stations", "list").status == 2
