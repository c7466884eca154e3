"""Schedules as texts: a version for each, what two of them differ in, and a small form for keeping them (pure)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from hashlib import blake2b
from typing import Final

import msgspec

from radio.toml_source import LIMIT_BYTES

CONTEXT_LINES: Final = 3
MAX_COMPARED: Final = 4_000_000
"""Pairs of lines that are compared; past that, the whole stretch between the first and last difference is told."""

Opcode = tuple[str, int, int, int, int]


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What leads from one text to another: lines that come and go, and both in the unified form."""

    added: int
    removed: int
    text: str


def version_of(text: str) -> str:
    """A short hash of a text, which serves as its ETag."""
    return blake2b(text.encode(), digest_size=12).hexdigest()


def packed(text: str) -> bytes:
    """A text compressed (zlib)."""
    return zlib.compress(text.encode(), 6)


def unpacked(data: bytes) -> str:
    """The text of :func:`packed`. Raises ValueError where it would be longer than a schedule may be."""
    opened = zlib.decompressobj()
    raw = opened.decompress(data, LIMIT_BYTES + 1)
    if len(raw) > LIMIT_BYTES:
        raise ValueError("a kept text is too large")
    return raw.decode()


def diff(old: str, new: str) -> Diff:
    """The difference of two texts. Linear where they differ in few places, and bounded in any case."""
    before, after = old.splitlines(), new.splitlines()
    steps = _steps(before, after)
    changed = [step for step in steps if step[0] != "equal"]
    return Diff(
        added=sum(last - first for _, _, _, first, last in changed),
        removed=sum(high - low for _, low, high, _, _ in changed),
        text="\n".join(_unified(before, after, steps)),
    )


def _steps(before: Sequence[str], after: Sequence[str]) -> list[Opcode]:
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    middle, other = before[head : len(before) - tail], after[head : len(after) - tail]
    steps: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    if len(middle) * len(other) > MAX_COMPARED:
        steps.append(("replace", head, head + len(middle), head, head + len(other)))
    else:
        found = SequenceMatcher(None, middle, other, autojunk=False).get_opcodes()
        steps += [
            (tag, low + head, high + head, first + head, last + head) for tag, low, high, first, last in found
        ]
    if tail:
        steps.append(("equal", len(before) - tail, len(before), len(after) - tail, len(after)))
    return steps


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _unified(before: Sequence[str], after: Sequence[str], steps: Sequence[Opcode]) -> Iterator[str]:
    for group in _groups(steps):
        low, high, first, last = group[0][1], group[-1][2], group[0][3], group[-1][4]
        yield f"@@ -{_range(low, high)} +{_range(first, last)} @@"
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (f" {line}" for line in before[i:j])
            else:
                yield from (f"-{line}" for line in before[i:j])
                yield from (f"+{line}" for line in after[k:m])


def _groups(steps: Sequence[Opcode]) -> Iterator[list[Opcode]]:
    """Changes with their context, as GNU diff groups them."""
    group: list[Opcode] = []
    for at, (tag, i, j, k, m) in enumerate(steps):
        if tag != "equal":
            group.append((tag, i, j, k, m))
            continue
        is_last = at == len(steps) - 1
        if group and (is_last or j - i > 2 * CONTEXT_LINES):
            ahead = min(CONTEXT_LINES, j - i)
            yield [*group, (tag, i, i + ahead, k, k + ahead)]
            group = []
        elif group:
            group.append((tag, i, j, k, m))
            continue
        if not is_last:
            back = min(CONTEXT_LINES, j - i)
            group = [(tag, j - back, j, m - back, m)]
    if any(step[0] != "equal" for step in group):
        yield group


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
