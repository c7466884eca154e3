"""What editing schedules over HTTP is made of."""

from __future__ import annotations

from typing import Any

from radio.api.schedule_api import ScheduleDesk, schedule_routes
from radio.api.schedule_drafts import schedule_draft_routes
from radio.api.schedule_parts import schedule_part_routes
from radio.api.schedule_revisions_api import schedule_revision_routes
from radio.app.parts import Parts
from radio.schedule.previewer import Previewer


def editing_routes(parts: Parts) -> list[Any]:
    """Every route of the schedules' desk."""
    zones = {station.id: station.zone for station in parts.config.stations}
    previewer = Previewer(zones, parts.editor, parts.planner, parts.clock)
    desk = ScheduleDesk(parts.editor, previewer, parts.store, parts.clock)
    return [
        *schedule_routes(desk),
        *schedule_part_routes(desk),
        *schedule_draft_routes(desk),
        *schedule_revision_routes(desk),
    ]
