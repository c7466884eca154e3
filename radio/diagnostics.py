"""Structured logs: one configuration of structlog for the whole service."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import ExcInfo

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TOKEN = re.compile(r"\bnu_[0-9a-f]{8}_[A-Za-z0-9_-]{20,}")
_HIDDEN = "nu_…"
LONGEST = 2_000


def configure_logs(format_: Literal["console", "json"], level: str) -> None:
    """Send log lines to standard error: for people (``console``) or one JSON object a line (``json``).

    Control characters in values are escaped and operators' tokens are hidden, whatever wrote them.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if format_ == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=34, exception_formatter=_plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if format_ == "json" else _keep,
            _harmless,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Journal(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


class _Journal:
    """A stream whose failure is nobody's: what has to be told must not stop what it tells of.

    Standard error is often a file, on a disk that can be full, or a pipe whose reader has gone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _keep(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event


def _harmless(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name == "exception":
            event[name] = _TOKEN.sub(_HIDDEN, str(value))
        elif isinstance(value, str):
            event[name] = harmless(value)
    return event


def _plain_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    """Where it happened and what was said, without the variables: one of them may be a secret."""
    lines = traceback.format_exception(*exc_info)
    stream.write("\n" + _TOKEN.sub(_HIDDEN, "".join(lines)))


def harmless(text: str) -> str:
    """``text`` with control characters escaped, tokens hidden, and no more than 2,000 characters."""
    hidden = _TOKEN.sub(_HIDDEN, text[:LONGEST])
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", hidden)
