"""The bus: how news travels between parts of the service that may stand on several machines.

The contract, which every implementation keeps:

- bytes in, bytes out: the bus knows nothing of what it carries;
- at most once: a message may be lost, it never comes twice, and those of one publisher come in order;
- publishing never waits: a subscription that cannot keep up loses messages and counts them in ``dropped``;
- a fault in one receiver reaches neither the publisher nor the other receivers;
- all calls are made on the event loop's thread.

Subjects are words joined by dots (``state.wxyz``); a subscription may use ``*`` for one word and a last ``>``
for one or more, as NATS has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol, Self

import msgspec

from radio.errors import InvalidRequest, LimitReached

PAYLOAD_LIMIT_BYTES: Final = 1 << 20
"""The largest payload; it is also NATS's default."""

Receive = Callable[[str, bytes], None]
"""What a subscription calls for each message, with the message's subject; it must not block."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a bus that needs a server reaches one: at which it is, or why it is not."""

    connected: bool
    server: str = ""
    reason: str = ""


class Subscription(Protocol):
    """A standing wish for messages."""

    @property
    def dropped(self) -> int:
        """How many messages this subscription lost because it did not keep up."""

    def close(self) -> None:
        """Want no more; messages that wait are dropped uncounted. May be called again."""


class Bus(Protocol):
    """What a bus offers; enter it as an async context manager before use."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    def publish(self, subject: str, payload: bytes) -> None:
        """Send ``payload`` to whoever subscribed to ``subject``, now or soon.

        Raises :class:`InvalidRequest` for a subject with a wildcard or an empty word, :class:`LimitReached`
        for a payload over :data:`PAYLOAD_LIMIT_BYTES`.
        """

    def subscribe(self, pattern: str, receive: Receive) -> Subscription:
        """Call ``receive`` for each message whose subject fits ``pattern``, from now on.

        Raises :class:`InvalidRequest` for a pattern that is no subject with wildcards.
        """


_WORD = r"[A-Za-z0-9_-]+"
_SUBJECT = re.compile(rf"{_WORD}(\.{_WORD})*")
_PATTERN = re.compile(rf"(({_WORD}|\*)(\.({_WORD}|\*))*(\.>)?|>)")
_LONGEST = 255


def check_subject(subject: str) -> None:
    """Raise :class:`InvalidRequest` where a message cannot be published to ``subject``."""
    if len(subject) > _LONGEST or not _SUBJECT.fullmatch(subject):
        raise InvalidRequest(
            f"{subject[:80]!r} is no subject.", field="subject", allowed="words joined by dots"
        )


def check_payload(payload: bytes) -> None:
    """Raise :class:`LimitReached` where ``payload`` is too long for the bus."""
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise LimitReached(f"A payload of {len(payload)} bytes is over the limit of {PAYLOAD_LIMIT_BYTES}.")


def matcher(pattern: str) -> Callable[[str], bool]:
    """A test for subjects that fit ``pattern``; raises :class:`InvalidRequest` for a bad pattern."""
    if len(pattern) > _LONGEST or not _PATTERN.fullmatch(pattern):
        raise InvalidRequest(
            f"{pattern[:80]!r} is no subject pattern.",
            field="pattern",
            allowed="words or * joined by dots, with > as the last word",
        )
    words = [{"*": r"[^.]+", ">": r".+"}.get(word, re.escape(word)) for word in pattern.split(".")]
    fits = re.compile(r"\.".join(words)).fullmatch
    return lambda subject: fits(subject) is not None
