"""Each station's state: now, next, supported by, availability; published when it is heard."""

from radio.stations.availability import Signs, Status, assess
from radio.stations.recorder import AsRunRecorder, OpenAttempt
from radio.stations.service import PublishedLog, Recorder, ServiceBaton, StationService
from radio.stations.state import OnAir, artwork_url, picture_url, programme_view, state_of
from radio.stations.timeline import Timeline

__all__ = [
    "AsRunRecorder",
    "OnAir",
    "OpenAttempt",
    "PublishedLog",
    "Recorder",
    "ServiceBaton",
    "Signs",
    "StationService",
    "Status",
    "Timeline",
    "artwork_url",
    "assess",
    "picture_url",
    "programme_view",
    "state_of",
]
