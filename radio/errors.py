"""Every error that Next Up raises on purpose, with a stable code.

The tree::

    RadioError
    ├── ConfigurationError        configuration_invalid   a file, a line, a key and what is allowed
    │   └── ScheduleError         schedule_invalid        the same for schedules/*.toml
    ├── InvalidRequest            invalid_request         a request's field and what is allowed
    │   ├── MethodNotAllowed      method_not_allowed
    │   ├── ChangedMeanwhile      changed_meanwhile       another operator was faster
    │   └── VersionNeeded         version_needed          a change that does not say what it changes
    ├── Unauthenticated           unauthenticated         no token, or one that is not known
    ├── Forbidden                 forbidden               a token without the right
    ├── NotFound                  not_found
    │   ├── UnknownStation        unknown_station
    │   ├── UnknownMount          unknown_mount
    │   └── UnknownItem           unknown_item
    ├── LimitReached              limit_reached           try again later
    ├── AudioError                audio_invalid           a file that cannot be played, and why
    ├── TagsNotWritten            tags_not_written        a file whose tags cannot be changed, and why
    ├── NotWritten                not_written             a file that the disk does not take
    ├── StoreError                store_unavailable
    │   └── StoreTooNew           store_too_new           made by a later release
    ├── AddressInUse              address_in_use          another process has the port
    └── ConnectionFailed          connection_failed       a client could not reach the service

``radio.api.problems`` is the one place that turns a code into an HTTP status or a WebSocket error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar


class RadioError(Exception):
    """The base of all. ``code`` is stable and part of the public interface; the message is for people.

    ``members`` are further members of the problem document that is made of it.
    """

    code: ClassVar[str] = "internal"
    members: Mapping[str, object] = MappingProxyType({})

    @property
    def message(self) -> str:
        return str(self)


class ConfigurationError(RadioError):
    """Something that an operator wrote is wrong.

    ``file``, ``line`` (1-based) and ``key`` name the place as far as they are known; ``allowed`` says what
    would be right.
    """

    code = "configuration_invalid"

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        key: str | None = None,
        allowed: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.line = line
        self.key = key
        self.allowed = allowed
        super().__init__(self._text())

    def _text(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        key = f"`{self.key}`: " if self.key else ""
        allowed = f" Allowed: {self.allowed.rstrip('.')}." if self.allowed else ""
        stop = "" if self.problem.endswith(("?", ".")) else "."
        return f"{place + ': ' if place else ''}{key}{self.problem}{stop}{allowed}"


class ScheduleError(ConfigurationError):
    """A schedule file says something that cannot be."""

    code = "schedule_invalid"


class InvalidRequest(RadioError):
    """A request has a field that cannot be taken. ``field`` names it, ``allowed`` says what can."""

    code = "invalid_request"

    def __init__(self, problem: str, *, field: str | None = None, allowed: str | None = None) -> None:
        self.field = field
        self.allowed = allowed
        super().__init__(f"{problem} Allowed: {allowed}." if allowed else problem)


class MethodNotAllowed(InvalidRequest):
    """The address is right, what is to be done with it is not possible."""

    code = "method_not_allowed"


class ChangedMeanwhile(InvalidRequest):
    """Something is no longer what the operator saw when the change was made."""

    code = "changed_meanwhile"


class VersionNeeded(InvalidRequest):
    """A change does not say which version it is meant for."""

    code = "version_needed"


class Unauthenticated(RadioError):
    """No operator's token came with the request, or one that is not known."""

    code = "unauthenticated"


class Forbidden(RadioError):
    """The operator is known but has not the right."""

    code = "forbidden"


class NotFound(RadioError):
    """What was asked for is not there."""

    code = "not_found"


class UnknownStation(NotFound):
    """There is no such station; the message offers the nearest name."""

    code = "unknown_station"

    def __init__(self, station: str, known: Iterable[str] = ()) -> None:
        self.station = station
        super().__init__(f"There is no station {station!r}.{did_you_mean(station, known)}")


class UnknownMount(NotFound):
    """The station has no such mount."""

    code = "unknown_mount"


class UnknownItem(NotFound):
    """The library has no such item."""

    code = "unknown_item"


class LimitReached(RadioError):
    """A bound was met; the same request may be taken later."""

    code = "limit_reached"


class AudioError(RadioError):
    """A file cannot be played. ``path`` names it, ``reason`` says why in a few words."""

    code = "audio_invalid"

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = str(path)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")


class TagsNotWritten(RadioError):
    """The tags of a file cannot be changed, and the file is as it was. ``reason`` says why."""

    code = "tags_not_written"

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = str(path)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")


class NotWritten(RadioError):
    """A file cannot be written, and is as it was. ``path`` names it, ``reason`` says why."""

    code = "not_written"

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = str(path)
        self.reason = reason
        super().__init__(f"{self.path} cannot be written: {reason}.")


class StoreError(RadioError):
    """The database cannot be reached or refuses the work."""

    code = "store_unavailable"


class StoreTooNew(StoreError):
    """The database was made by a later release than this one."""

    code = "store_too_new"


class AddressInUse(RadioError):
    """Another process listens at the address."""

    code = "address_in_use"


class TakeoverFailed(RadioError):
    """A running service cannot be taken over; it goes on as it was."""

    code = "takeover_failed"


class ConnectionFailed(RadioError):
    """The service cannot be reached, or closed the connection and asked not to come back."""

    code = "connection_failed"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence with the nearest known word, led by a space; empty where none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""
