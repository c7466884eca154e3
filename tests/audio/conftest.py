"""Measures with one thread, as a scan's workers do: several only wait for each other beside parallel tests."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
