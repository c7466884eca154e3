"""Commands from the event loop to a station on the air: what an operator asks of the engine, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from radio.errors import LimitReached
from radio.playout.engine import Engine

T = TypeVar("T")

ANSWER_WITHIN_S: Final = 3.0


class Commanded(Protocol):
    """A station's playout, as far as it takes commands."""

    def command(self, work: Callable[[Engine], None]) -> None:
        """Have ``work`` done in the playout thread before its next block. Raises LimitReached."""


async def ask(playout: Commanded, work: Callable[[Engine], T]) -> T:
    """What ``work`` returns or raises in the playout thread, of which the next block waits for it.

    Raises LimitReached where too many commands wait already or none is answered within 3 s; it may be done
    all the same then.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, fault: Exception | None) -> None:
        if answer.done():
            return
        if fault is not None:
            answer.set_exception(fault)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def in_playout(engine: Engine) -> None:
        result: T | None = None
        fault: Exception | None = None
        try:
            result = work(engine)
        except Exception as raised:  # it belongs to whoever asked; the sound goes on
            fault = raised
        with suppress(RuntimeError):  # the loop is closing
            loop.call_soon_threadsafe(settle, result, fault)

    playout.command(in_playout)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await answer
    except TimeoutError:
        raise LimitReached("The station is busy and has not answered yet.") from None
