"""The service as its users run it: ``python -m radio run`` in a process of its own, with a small library.

Every station plays short tones, so that a test can hear which item is on the air.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import wave
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from mutagen.id3 import TALB, TIT2, TPE1
from mutagen.wave import WAVE

REPO = Path(__file__).parents[2]
WEB = REPO / "radio" / "web"
TONES_HZ = (500, 1000, 2000, 3000, 4000, 6000)
NOTES_HZ = (300, 700, 1500)
TONE_S = 3.0
HOSTILE_TITLES = (
    "<img src=x onerror=\"document.title='caught'\">",
    "'; DROP TABLE log_rows; -- \"`${alert(1)}",
    "W" * 120 + " and so it goes on " * 4 + "end",
    "\N{MUSICAL NOTE}\N{VARIATION SELECTOR-16} \N{WOMAN}\N{ZERO WIDTH JOINER}\N{MICROPHONE} \N{BABY CHICK}",
    "\N{RIGHT-TO-LEFT OVERRIDE}\u05e8\u05d3\u05d9\u05d5 \u05d7\u05d9 \u0631\u0627\u062f\u064a\u0648",
)
_STARTS_WITHIN_S = 60.0
_ADDRESS = re.compile(r"Listen at http://[^/:]+:(\d+)/")

CONFIG = """
sponsors = "schedules/sponsors.toml"

[network]
name = "Test network"
site = "demo"
pictures = "{pictures}"

[[stations]]
id = "tones"
name = "Tone Radio"
tagline = "One pitch after the other"
mounts = [{ name = "live.mp3" }, { name = "live.aac", bitrate_kbps = 96 }, { name = "live.opus", bitrate_kbps = 96 }]
library = ["library/tones", "library/rest"]
next_shows = "item"
[stations.sound]
lead_s = 4.0

[[stations]]
id = "spots"
name = "Spot Radio"
tagline = "Kept by its sponsors"
library = ["library/spots", "library/rest"]
[stations.sound]
lead_s = 4.0

[[stations]]
id = "hostile"
name = "Hostile </script><b>Radio</b>"
tagline = "<s>Not markup</s>"
library = ["library/hostile", "library/rest"]
next_shows = "item"
[stations.sound]
lead_s = 4.0
"""

# Short items make many rows, and a log is compiled a day ahead: so they air in the two programmes around the
# present only, and one long item at all other times.
SCHEDULE = """
default_clock = "rest"
[categories.sounds]
folders = ["beds"]
kind = "speech"
separation_min = 0
[clocks.rest]
positions = [{{ rotate = ["music"] }}]
[clocks.sounds]
positions = [
  {{ rotate = ["sounds"] }},
{breaks}
]
[[programmes]]
id = "first"
title = "{title}"
host = "{host}"
clock = "sounds"
{support}
airs = [{{ days = "daily", from = "{begin}", to = "{turn}" }}]
[[programmes]]
id = "second"
title = "The Hour After"
host = "The late desk"
clock = "sounds"
{support}
airs = [{{ days = "daily", from = "{turn}", to = "{end}" }}]
"""

SPONSORS = """
[[sponsors]]
id = "patron"
name = "Patron of the Programme"
link = "https://patron.example/"

[[sponsors]]
id = "ferry"
name = "Ferry Line"
link = "https://ferry.example/sailings"

[[sponsors]]
id = "bakery"
name = "Corner Bakery"
link = "https://bakery.example/"

[[sponsors]]
id = "markup"
name = "<u>Markup & Sons</u>"
link = "javascript:document.title='caught'"

[[campaigns]]
id = "ferry-winter"
sponsor = "ferry"
message = "Ferry Line crosses the bay each half hour."
audio = "sponsors/ferry"
stations = ["spots"]

[[campaigns]]
id = "bakery-winter"
sponsor = "bakery"
message = "Corner Bakery opens at five."
audio = "sponsors/bakery"
stations = ["spots"]
"""


@dataclass(slots=True)
class RadioProcess:
    """One run of the service after another, in one folder and, from the second run on, at one port."""

    folder: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return (self.folder / "service.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start and wait until every station is on the air; fails with the service's own words."""
        log = (self.folder / "service.log").open("wb")
        command = [sys.executable, "-m", "radio", "run", "--config", str(self.folder / "config.toml")]
        with log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--data-dir", str(self.folder / "data")],
                cwd=REPO,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait(lambda: _ADDRESS.search(self.log) is not None)
        found = _ADDRESS.search(self.log)
        assert found is not None
        self.port = int(found[1])
        self._wait(self._is_on_air)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self._process is None:
            return
        self._process.send_signal(sign)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    def _is_on_air(self) -> bool:
        try:
            with urlopen(f"{self.address}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def _wait(self, done: object) -> None:
        assert callable(done)
        assert self._process is not None
        give_up_s = time.monotonic() + _STARTS_WITHIN_S
        while not done():
            if self._process.poll() is not None or time.monotonic() > give_up_s:
                self.stop(signal.SIGKILL)
                raise RuntimeError(f"the service did not start; it says:\n{self.log[-2000:]}")
            time.sleep(0.05)


_shared: list[RadioProcess] = []


def shared_service(folder: Path) -> RadioProcess:
    """The one service of a test run, with all stations; made below ``folder`` by whoever asks first."""
    if not _shared:
        service = RadioProcess(make_station_folder(folder / "stations", ("tones", "spots", "hostile")))
        service.start()
        _shared.append(service)
    return _shared[0]


def end_shared_service() -> None:
    """Stop the one service of a test run, if it runs; who asks again gets a new one."""
    while _shared:
        _shared.pop().stop()


def make_station_folder(folder: Path, stations: tuple[str, ...]) -> Path:
    """Configuration, schedules and sounds of some of the test stations below ``folder``."""
    schedules = folder / "schedules"
    schedules.mkdir(parents=True)
    (folder / "config.toml").write_text(_config_of(stations), encoding="utf-8")
    (schedules / "sponsors.toml").write_text(_sponsors_of(stations), encoding="utf-8")
    for name in stations:
        (schedules / f"{name}.toml").write_text(_schedule_of(name), encoding="utf-8")
        _SOUNDS[name](folder / "library" / name)
    tone(folder / "library" / "rest" / "music" / "rest.wav", 220, 120.0, "Rest", rate_hz=8_000)
    return folder


def _sponsors_of(stations: tuple[str, ...]) -> str:
    # a campaign may name only stations that there are
    return SPONSORS if "spots" in stations else SPONSORS.partition("[[campaigns]]")[0]


def _schedule_of(station: str) -> str:
    now = datetime.now(UTC)
    begin, turn, end = (f"{now + timedelta(minutes=minutes):%H:%M}" for minutes in (-10, 40, 50))
    title, host, sponsor = _PROGRAMMES[station]
    return SCHEDULE.format(
        title=title,
        host=host,
        support=f'supported_by = "{sponsor}"' if sponsor else "",
        breaks=_breaks() if station == "spots" else "",
        begin=begin,
        turn=turn,
        end=end,
    )


def _breaks() -> str:
    """A message of 4 s in every 9 s of the next half hour; a clock has room for 200 positions, and ends at 60:00."""
    now_s = int(datetime.now(UTC).timestamp()) - 30
    seconds = sorted(second % 3600 for second in range(now_s, now_s + 190 * 9, 9) if second % 3600 <= 3595)
    return ",\n".join(
        f'  {{ at = "{s // 60:02d}:{s % 60:02d}", break = "b{s}", length = "0:05", max_units = 1 }}'
        for s in seconds
    )


_PROGRAMMES = {
    "tones": ("Pitches in Order", "The tuning desk", None),
    "spots": ("The Kept Hours", "The credits desk", "patron"),
    "hostile": ("<script>document.title='caught'</script>", "<b>The markup desk</b>", "markup"),
}


def _config_of(stations: tuple[str, ...]) -> str:
    head, *tables = CONFIG.split("[[stations]]")
    wanted = [table for table in tables if tomllib.loads(table)["id"] in stations]
    return "[[stations]]".join([head.format(pictures=REPO / "audio_fixtures" / "artwork"), *wanted])


def _tones(library: Path) -> None:
    for hz in TONES_HZ:
        tone(library / "beds" / f"tone-{hz}.wav", hz, TONE_S, f"Tone {hz}")


def _spots(library: Path) -> None:
    for hz in NOTES_HZ:
        tone(library / "beds" / f"note-{hz}.wav", hz, 3.0, f"Note {hz}")
    tone(library / "sponsors" / "ferry.wav", 900, 4.0, "Ferry Line, winter")
    tone(library / "sponsors" / "bakery.wav", 1100, 4.0, "Corner Bakery, winter")


def _hostile(library: Path) -> None:
    for index, title in enumerate(HOSTILE_TITLES):
        tone(library / "beds" / f"{index}.wav", 400 + 100 * index, 1.6, title)


_SOUNDS = {"tones": _tones, "spots": _spots, "hostile": _hostile}


def tone(path: Path, hz: int, seconds: float, title: str, *, rate_hz: int = 48_000) -> None:
    """A tagged stereo sine at -12 dBFS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    sound = (0.25 * 32767 * np.sin(2 * np.pi * hz * time_s)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(np.repeat(sound, 2).tobytes())
    tagged = WAVE(path)
    tagged.add_tags()
    assert tagged.tags is not None
    tagged.tags.add(TIT2(encoding=3, text=title))
    tagged.tags.add(TPE1(encoding=3, text="The Oscillators"))
    tagged.tags.add(TALB(encoding=3, text="Sine"))
    tagged.save()


def _environment() -> dict[str, str]:
    # settings of the machine's own station, and those of these tests, are none of the service's business
    return {name: value for name, value in os.environ.items() if not name.startswith("NEXTUP_")}
