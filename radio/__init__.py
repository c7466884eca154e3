"""Next Up: playout, streaming, now-playing push and proof of airing for public radio."""

__version__ = "0.1.0"
