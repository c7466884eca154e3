"""Playout: the log becomes sound, ahead of the clock and paced by it."""

from radio.playout.engine import Engine, LogView
from radio.playout.loader import DirectLoader, FileOf, Loader, ThreadLoader
from radio.playout.runner import Output, Pulse, StationPlayout
from radio.playout.titles import stream_title

__all__ = [
    "DirectLoader",
    "Engine",
    "FileOf",
    "Loader",
    "LogView",
    "Output",
    "Pulse",
    "StationPlayout",
    "ThreadLoader",
    "stream_title",
]
