"""The parts of a service, as the modules of this room hand them to each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from radio.clock import Clock
from radio.config import Config
from radio.library.items import Item
from radio.library.keeper import LibraryKeeper
from radio.metrics import Metrics
from radio.playout import StationPlayout
from radio.push.hub import Hub
from radio.schedule import Planner
from radio.stations import AsRunRecorder, StationService
from radio.store import Store
from radio.store.as_run_files import AsRunFiles
from radio.streaming.mounts import Mounts


@dataclass(kw_only=True)
class Parts:
    """Everything that was made; ``services`` and ``playouts`` fill as stations go on the air.

    ``first_items`` are the files of the first rows, known before the library is.
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

    @property
    def station_ids(self) -> list[str]:
        """Every station of the configuration."""
        return [station.id for station in self.config.stations]
