"""Values as schedule files write them, and a table brought to new values with as few new words as can be (pure)."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

import tomlkit
from tomlkit.items import Array, InlineTable, SingleKey

WIDEST: Final = 110
"""A list that would make a longer line is written with one entry to a line."""


def written(value: Any) -> str:
    """A value on one line: ``{ days = "mon-fri", from = "06:00" }``."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{written_key(key)} = {written(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(each) for each in value)}]"
    text: str = tomlkit.item(value).as_string()
    return text


def written_key(key: str) -> str:
    """A key, in quotation marks where it needs them."""
    return SingleKey(key).as_string()


def written_pair(key: str, value: Any) -> str:
    """A line, or some, with a key and its value; a list of tables has each on a line of its own."""
    return f"{written_key(key)} = {_laid_out(value, len(written_key(key)) + 3)}\n"


def brought_to(table: MutableMapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Change a table of tomlkit's to hold what is ``wanted``; what is the same already keeps its form."""
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table:
            table[key] = _parsed(_laid_out(value, len(key) + 3))
        elif (old := _plain(table[key])) != value or type(old) is not type(value):
            _change(table, key, value)


def _change(table: MutableMapping[str, Any], key: str, value: Any) -> None:
    found = table[key]
    if isinstance(found, MutableMapping) and isinstance(value, Mapping):
        brought_to(found, value)
    elif isinstance(found, Array) and isinstance(value, list) and found and value:
        _change_array(found, value)
    else:
        table[key] = _parsed(_laid_out(value, len(key) + 3))


def _change_array(array: Array, wanted: Sequence[Any]) -> None:
    """Entry by entry, so that comments beside those that stay are kept."""
    old = [repr(_plain(each)) for each in array]
    steps = SequenceMatcher(None, old, [repr(each) for each in wanted], autojunk=False).get_opcodes()
    for step, low, high, first, last in reversed(steps):
        if step == "equal":
            continue
        common = min(high - low, last - first)
        for at in reversed(range(low + common, high)):
            del array[at]
        for at in range(common):
            array[low + at] = _parsed(written(wanted[first + at]))
        for at in range(common, last - first):
            array.insert(low + at, _parsed(written(wanted[first + at])))


def _parsed(text: str) -> Any:
    """A value of tomlkit's; it forgets the blank behind a date that ends a table, which is put back."""
    value = tomlkit.value(text)
    if isinstance(value, InlineTable) and value and value.as_string() != text:
        list(value.value.values())[-1].trivia.trail = " "
    return value


def _laid_out(value: Any, indent: int) -> str:
    line = written(value)
    if isinstance(value, list) and (len(line) + indent > WIDEST or _is_tables(value)):
        return "[\n" + "".join(f"  {written(each)},\n" for each in value) + "]"
    return line


def _is_tables(value: list[Any]) -> bool:
    return len(value) > 1 and all(isinstance(each, Mapping) for each in value)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value
