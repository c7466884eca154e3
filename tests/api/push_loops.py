"""Runs a coroutine test on asyncio's loop and on uvloop's."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The coroutine test as an ordinary one, once for each loop; other parameters stay as they are."""

    def run(*, loop_name: str, **arguments: Any) -> None:
        with asyncio.Runner(loop_factory=FACTORIES[loop_name]) as runner:
            runner.run(asyncio.wait_for(test(**arguments), 30))

    signature = inspect.signature(test)
    name = inspect.Parameter("loop_name", inspect.Parameter.KEYWORD_ONLY)
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    run.__signature__ = signature.replace(parameters=[name, *parameters])  # type: ignore[attr-defined]
    run.__name__, run.__module__, run.__doc__ = test.__name__, test.__module__, test.__doc__
    marks = getattr(test, "pytestmark", [])
    run.pytestmark = [*marks, pytest.mark.parametrize("loop_name", FACTORIES).mark]  # type: ignore[attr-defined]
    return run
