"""The database: one writer thread and a few readers, on SQLite or, where it is shared, PostgreSQL."""

from __future__ import annotations

from radio.store.engine import Store
from radio.store.sqlite import sqlite_url

__all__ = ["Store", "sqlite_url"]
