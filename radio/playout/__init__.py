"""Playout: the log becomes sound, ahead of the clock and paced by it."""

from radio.playout.baton import RunBaton
from radio.playout.commands import Commanded, ask
from radio.playout.engine import Change, Engine, LogView, MovableLog
from radio.playout.loader import DirectLoader, FileOf, Loader, ThreadLoader
from radio.playout.run import Output, Pulse
from radio.playout.runner import StationPlayout
from radio.playout.titles import stream_title

__all__ = [
    "Change",
    "Commanded",
    "DirectLoader",
    "Engine",
    "FileOf",
    "Loader",
    "LogView",
    "MovableLog",
    "Output",
    "Pulse",
    "RunBaton",
    "StationPlayout",
    "ThreadLoader",
    "ask",
    "stream_title",
]
