"""``[bus]`` in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.config import load_config
from radio.errors import ConfigurationError

STATION = '[[stations]]\nid = "wxyz"\nname = "WXYZ"\nlibrary = ["music"]\n'


def written(folder: Path, bus: str) -> Path:
    path = folder / "config.toml"
    path.write_text(f"[bus]\n{bus}\n{STATION}")
    return path


def test_without_a_url_there_is_no_server(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "")).bus.servers == ()


def test_several_servers_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "nats.toml").touch()
    path = written(tmp_path, 'url = "nats://one:4222, tls://two"\ncredentials = "nats.toml"')
    assert load_config(path).bus.servers == ("nats://one:4222", "tls://two")
    environment = {"NEXTUP_BUS__URL": "nats://[::1]:4222"}
    assert load_config(path, environment=environment).bus.servers == ("nats://[::1]:4222",)
    with pytest.raises(ConfigurationError, match="`bus.url`: 'nats' is no address"):
        _ = load_config(path, environment={"NEXTUP_BUS__URL": "nats"}).bus.servers


@pytest.mark.parametrize(
    ("bus", "expected"),
    [
        (
            'url = "localhost:4222"',
            "config.toml:2: `bus.url`: 'localhost:4222' is no address of a NATS server.",
        ),
        ('url = "http://localhost"', "'http://localhost' is no address"),
        ('url = "nats://"', "'nats://' is no address"),
        ('url = "nats://one:99999"', "is no address of a NATS server"),
        ('url = "nats://one:0"', "is no address of a NATS server"),
        ('url = "nats://one/path"', "is no address of a NATS server"),
        ('url = "nats://[::1"', "is no address of a NATS server"),
        ('url = "nats://one,"', "'' is no address"),
        ('credentials = "nats.toml"', "config.toml:2: `bus.credentials`: there is no bus.url"),
        (
            'url = "nats://one"\ncredentials = "none.toml"',
            "config.toml:3: `bus.credentials`: there is no file",
        ),
        ('server = "nats://one"', "`bus.server`: is not a known key"),
    ],
)
def test_what_is_wrong_names_its_place(tmp_path: Path, bus: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        load_config(written(tmp_path, bus))
    assert expected in str(fault.value)


@pytest.mark.parametrize("user", ["station:pass-word", "tok-en"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(tmp_path: Path, user: str) -> None:
    with pytest.raises(ConfigurationError, match="say in bus.credentials") as fault:
        load_config(written(tmp_path, f'url = "nats://{user}@one:4222"'))
    assert user not in str(fault.value)
    assert "pass-word" not in str(fault.value)
