from __future__ import annotations

from pathlib import Path

import pytest

from radio.config import Config, load_config
from radio.errors import ConfigurationError

THREE_LINES = '[[stations]]\nid = "wxyz"\nname = "WXYZ"\nlibrary = ["music"]\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def load(folder: Path, text: str, **environment: str) -> Config:
    return load_config(write(folder, text), environment=environment)


def test_three_lines_make_a_station(tmp_path: Path) -> None:
    config = load(tmp_path, THREE_LINES)
    station = config.stations[0]
    assert (station.mounts[0].name, station.mounts[0].bitrate_kbps) == ("live.mp3", 128)
    assert config.roots_of(station) == (tmp_path / "music",)
    assert config.schedule_of(station) == tmp_path / "schedules" / "wxyz.toml"
    assert config.database_url == f"sqlite:///{tmp_path}/data/nextup.db"


def test_the_ending_of_a_mounts_name_is_its_format(tmp_path: Path) -> None:
    mounts = (
        "mounts = [{}, { name = 'low.aac', bitrate_kbps = 48 }, { name = 'live.opus', bitrate_kbps = 32 }]\n"
    )
    (station,) = load(tmp_path, THREE_LINES + mounts).stations
    assert [mount.format for mount in station.mounts] == ["mp3", "aac", "opus"]


def test_environment_and_command_line_win_in_this_order(tmp_path: Path) -> None:
    path = write(tmp_path, "[server]\nport = 1\n" + THREE_LINES)
    assert load_config(path).server.port == 1
    environment = {"NEXTUP_SERVER__PORT": "2", "PATH": "/bin"}
    assert load_config(path, environment=environment).server.port == 2
    both = load_config(path, environment=environment, overrides={("server", "port"): 3})
    assert both.server.port == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[stations]]\nid = 'a'\nname = 'A'\n", "config.toml:1: `stations[1].library`: is missing"),
        ("[server]\nport = 1\n", "config.toml: `stations`: is missing"),
        ("[server]\nprot = 1\n" + THREE_LINES,
         "config.toml:2: `server.prot`: is not a known key. Did you mean `port`?"),
        (THREE_LINES + "timezone = 'America/New_Yrok'\n",
         "config.toml:5: `stations[1].timezone`: 'America/New_Yrok' is not a time zone. Did you mean "
         "`America/New_York`?"),
        (THREE_LINES + "timezone = '../../etc/passwd'\n", "is not a time zone"),
        (THREE_LINES + THREE_LINES, "config.toml:6: `stations[2].id`: 'wxyz' is taken by station 1"),
        (THREE_LINES + "mounts = [{}, {}]\n", "`stations[1].mounts[2].name`: the mount 'live.mp3' stands twice"),
        (THREE_LINES + "sound = { fallback = ['standby.flac'] }\n",
         "config.toml:5: `stations[1].sound.fallback`: ends in 'standby.flac': the station could fall silent"),
        (THREE_LINES + "sound = { fallback = ['none.flac', 'bed'] }\n", "there is no sound file 'none.flac'"),
        (THREE_LINES + "mounts = [{ bitrate_kbps = 99 }]\n",
         "config.toml:5: `stations[1].mounts[1].bitrate_kbps`: is 99. Allowed: 64, 80"),
        (THREE_LINES + "[[stations.mounts]]\nname = 'live.aac'\nbitrate_kbps = 320\n",
         "config.toml:7: `stations[1].mounts[1].bitrate_kbps`: is 320. Allowed: 48, 56, 64, 80, 96, 112, 128, 160, "
         "192, 224, 256."),
        (THREE_LINES + "mounts = [{ name = 'live.opus', bitrate_kbps = 24 }]\n", "is 24. Allowed: 32, 40, 48"),
        (THREE_LINES + "mounts = [{ name = 'live.ogg' }]\n", "`stations[1].mounts[1].name`: expected str matching"),
        (THREE_LINES.replace("wxyz", "W XYZ"), "config.toml:2: `stations[1].id`: expected str matching regex"),
        (THREE_LINES + "base = '/'\n", "`stations[1].base`: is not a known key"),
        ("base = '/'\n" + THREE_LINES, "config.toml:1: `base`: is not a known key"),
        (THREE_LINES.replace('["music"]', '["mu\\u0000sic"]'),
         "config.toml:4: `stations[1].library[1]`: 'mu\\x00sic' is no path"),
        (THREE_LINES + 'schedule = "~nobody-of-that-name/x.toml"\n', "config.toml:5: `stations[1].schedule`"),
        ("stations = []\n", "config.toml:1: `stations`: expected array of length >= 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("NEXTUP_SERVER__PROT", "1",
         "environment: `NEXTUP_SERVER__PROT`: is not a known setting. Did you mean `server__port`?"),
        ("NEXTUP_SERVER__PORT", "high", "environment: `NEXTUP_SERVER__PORT`: is 'high'. Allowed: int."),
        ("NEXTUP_STATIONS", "[]", "is not a known setting"),
    ],
)  # fmt: skip
def test_a_wrong_environment_is_named(tmp_path: Path, name: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, THREE_LINES, **{name: value})
    assert expected in str(caught.value)


def test_an_override_out_of_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="command line or environment"):
        load_config(write(tmp_path, THREE_LINES), overrides={("server", "port"): 70_000})
