from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def quiet_journal() -> Iterator[None]:
    """What goes wrong on purpose is not drawn: a traceback takes longer than the test."""
    with capture_logs():
        yield
