"""TOML files as operators write them: read, checked against a type, and every fault located.

An error names the file, the line, the key and what is allowed. The TOML grammar is that of TOML 1.0.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from radio.errors import ConfigurationError, did_you_mean
from radio.toml_lines import KeyPath, line_of

T = TypeVar("T")

_one_at_a_time = threading.Lock()
_known: dict[type[object], inspect.Type] = {}

LIMIT_BYTES: Final = 1_000_000
_PLACE = re.compile(r" - at `(?:key in )?\$(.*?)`$")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\.\.\.\]")
_SYNTAX = re.compile(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlDocument:
    """The text and the values of one TOML file."""

    def __init__(self, path: Path, text: str, data: dict[str, Any], error: type[ConfigurationError]) -> None:
        self.path = path
        self.text = text
        self.data = data
        self._error = error

    @classmethod
    def read(cls, path: Path, *, error: type[ConfigurationError] = ConfigurationError) -> TomlDocument:
        """Read ``path`` (at most 1 MB of UTF-8). Raises ``error`` where it cannot be read or is no TOML."""
        try:
            with path.open("rb") as file:
                raw = file.read(LIMIT_BYTES + 1)
        except OSError as fault:
            raise error(f"cannot be read: {fault.strerror or fault}", file=path) from fault
        if len(raw) > LIMIT_BYTES:
            raise error("is too large", file=path, allowed="1 MB of TOML")
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            line = raw[: fault.start].count(b"\n") + 1
            raise error("is not UTF-8 text", file=path, line=line) from fault
        return cls.parse(text, path, error=error)

    @classmethod
    def parse(
        cls, text: str, path: Path, *, error: type[ConfigurationError] = ConfigurationError
    ) -> TomlDocument:
        """Parse ``text`` as if it stood in ``path``. Raises ``error`` with the line where it is no TOML."""
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as fault:
            found = _SYNTAX.match(str(fault))
            problem = found[1] if found else str(fault)
            line = int(found[2]) if found and found[2] else text.count("\n") + 1
            raise error(f"is not valid TOML: {problem}", file=path, line=line) from fault
        return cls(path, text, data, error)

    @staticmethod
    def is_missing(path: Path) -> bool:
        """Whether there is no such file. One that is there but cannot be reached is for :meth:`read` to tell."""
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    def into(self, type_: type[T]) -> T:
        """The document as a frozen value of ``type_`` (a msgspec Struct).

        Raises the document's error for an unknown key, a wrong type or a value out of its bounds.
        """
        # msgspec fills in what it knows of a type at its first use, and another thread must not see it half done
        with _one_at_a_time:
            self._refuse_unknown_keys(self.data, _known_of(type_), ())
            return self._convert(self.data, type_, ())

    def fault(
        self, key: Sequence[str | int], problem: str, *, allowed: str | None = None
    ) -> ConfigurationError:
        """An error to raise for the value at ``key``, e.g. ``("stations", 0, "id")``."""
        return self._error(
            problem, file=self.path, line=self.line(key), key=_dotted(key) or None, allowed=allowed
        )

    def line(self, key: Sequence[str | int]) -> int | None:
        """The 1-based line of ``key``, or of the nearest thing around it that has one."""
        return line_of(self.text, tuple(key))

    def _convert(self, value: Any, type_: type[T], key: KeyPath) -> T:
        try:
            return msgspec.convert(value, type_, strict=True)
        except msgspec.ValidationError as fault:
            problem, below = _split(str(fault), value)
            raise self.fault((*key, *below), problem) from fault

    def _refuse_unknown_keys(self, value: Any, type_: inspect.Type, key: KeyPath) -> None:
        for known in _alternatives(type_):
            if isinstance(known, inspect.StructType) and isinstance(value, dict):
                self._check_struct(value, known, key)
            elif isinstance(known, inspect.DictType) and isinstance(value, dict):
                for name, inner in value.items():
                    self._refuse_unknown_keys(inner, known.value_type, (*key, name))
                    if isinstance(known.value_type, inspect.StructType):
                        # msgspec does not say under which key of a mapping a fault lies
                        self._convert(inner, known.value_type.cls, (*key, name))
            elif isinstance(known, inspect.ListType | inspect.VarTupleType) and isinstance(value, list):
                for index, inner in enumerate(value):
                    self._refuse_unknown_keys(inner, known.item_type, (*key, index))

    def _check_struct(self, value: Mapping[str, Any], type_: inspect.StructType, key: KeyPath) -> None:
        fields = {field.encode_name: field for field in type_.fields}
        for name, inner in value.items():
            if name not in fields:
                raise self.fault(
                    (*key, name),
                    f"is not a known key.{did_you_mean(name, fields)}",
                    allowed=", ".join(sorted(fields)),
                )
            self._refuse_unknown_keys(inner, fields[name].type, (*key, name))
        for name, field in fields.items():
            if field.required and name not in value:
                raise self.fault((*key, name), "is missing")


def _known_of(type_: type[object]) -> inspect.Type:
    """Read once: that takes longer than reading a file."""
    found = _known.get(type_)
    if found is None:
        found = _known[type_] = inspect.type_info(type_)
    return found


def _alternatives(type_: inspect.Type) -> Iterable[inspect.Type]:
    return type_.types if isinstance(type_, inspect.UnionType) else (type_,)


def _split(message: str, data: Any) -> tuple[str, KeyPath]:
    found = _PLACE.search(message)
    if not found:
        return message, ()
    key: list[str | int] = []
    value = data
    for name, index in _STEP.findall(found[1]):
        if not name and not index:
            break
        key.append(name or int(index))
        try:
            value = value[key[-1]]
        except (KeyError, IndexError, TypeError):
            value = None
    text = message[: found.start()].replace("`", "")
    shown = f" (it is {value!r:.80})" if key and not isinstance(value, dict | list | None.__class__) else ""
    return text[0].lower() + text[1:] + shown, tuple(key)


def _dotted(key: Sequence[str | int]) -> str:
    text = ""
    for step in key:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
