"""What keeps the process small: memory that the C library gives back, and libraries that are not loaded.

glibc gives each thread an arena of its own, up to eight for each core, and learns from large pieces that are freed to
keep such pieces. With a dozen threads that decode and encode, the process would hold far more than it uses. Where
there is no glibc, nothing is set.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from typing import Final

# malloc.h
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_ARENAS: Final = 2
_LARGE_BYTES: Final = 256 * 1024


def be_frugal() -> None:
    """Set the allocator and the threads of NumPy's BLAS, before NumPy is imported and threads are made.

    structlog is loaded here: it takes rich along where it is installed, 3 MB, to draw what we never let it draw.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    libc = _glibc()
    if libc is not None and "MALLOC_ARENA_MAX" not in os.environ:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        # set by hand, they no longer grow with what is freed
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
    _load_structlog()


def settle() -> None:
    """Collect what the start has left, and never look through the rest again; holds the interpreter for some 50 ms.

    The collector would do the same sooner or later, again and again, and what it finds then is spread over pages that
    can no longer be given back.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Return what is free to the system; some milliseconds, so not for the event loop."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _load_structlog() -> None:
    if "rich" in sys.modules:
        return
    # None in this place is an ImportError for whoever asks (docs.python.org, "The import system", 5.3.1)
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
    except (OSError, TypeError):  # Windows
        return None
