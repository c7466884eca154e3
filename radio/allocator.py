"""How the C library hands out memory: few arenas, large pieces given back. Does nothing where there is no glibc.

glibc gives each thread an arena of its own, up to eight for each core, and learns from large pieces that are freed to
keep such pieces. With a dozen threads that decode and encode, the process would hold far more than it uses.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

# malloc.h
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_ARENAS: Final = 2
_LARGE_BYTES: Final = 256 * 1024


def be_frugal() -> None:
    """Set the allocator and the threads of NumPy's BLAS, before NumPy is imported and threads are made."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    libc = _glibc()
    if libc is not None and "MALLOC_ARENA_MAX" not in os.environ:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        # set by hand, they no longer grow with what is freed
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return what is free to the system; some milliseconds, so not for the event loop."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
    except (OSError, TypeError):  # Windows
        return None
