"""The parts of a service, as the modules of this room hand them to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from radio.alarms import AlarmBoard
from radio.api.desk_feed import DeskFeed
from radio.clock import Clock
from radio.config import Config
from radio.library.items import Item
from radio.library.keeper import LibraryKeeper
from radio.metrics import Metrics
from radio.playout import StationPlayout
from radio.push.bus import Link
from radio.push.hub import Hub
from radio.schedule import Planner
from radio.schedule.editor import ScheduleEditor
from radio.stations import AsRunRecorder, StationService
from radio.store import Store
from radio.store.as_run_files import AsRunFiles
from radio.streaming.mounts import Mounts


@dataclass(kw_only=True)
class Parts:
    """Everything that was made; ``services`` and ``playouts`` fill as stations go on the air.

    ``first_items`` are the files of the first rows, known before the library is. ``bus_link`` is None where the
    service is alone; ``listeners_elsewhere`` counts a station's listeners at edges.
    """

    config: Config
    clock: Clock
    metrics: Metrics
    store: Store
    recorder: AsRunRecorder
    as_run_files: AsRunFiles
    mounts: Mounts
    hub: Hub
    library: LibraryKeeper
    planner: Planner
    services: dict[str, StationService] = field(default_factory=dict)
    playouts: dict[str, StationPlayout] = field(default_factory=dict)
    first_items: dict[str, Item] = field(default_factory=dict)
    bus_link: Link | None = None
    listeners_elsewhere: Callable[[str], int] = lambda station: 0
    alarms: AlarmBoard = field(default_factory=AlarmBoard)

    @cached_property
    def editor(self) -> ScheduleEditor:
        """Where the stations' schedules are edited."""
        files = {station.id: self.config.schedule_of(station) for station in self.config.stations}
        return ScheduleEditor(files, self.planner, self.store, self.clock)

    @cached_property
    def desk(self) -> DeskFeed:
        """What operators are told of the stations."""
        return DeskFeed(self.clock, soon=asyncio.get_running_loop().call_soon)

    @property
    def station_ids(self) -> list[str]:
        """Every station of the configuration."""
        return [station.id for station in self.config.stations]
