"""The composition root: makes every part and hands each what it needs. Only the command line and tests import it."""

from radio.app.service import Service, on_air

__all__ = ["Service", "on_air"]
