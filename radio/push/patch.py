"""JSON Merge Patch (RFC 7396): what changed between two states, and how to follow.

**Null means absent.** RFC 7396 uses null to remove a member, so a patch cannot give a member the value null.
A state may hold nulls (``"now": null``); they travel in snapshots as they are, but a patch removes the member
instead. Whoever follows patches therefore treats a member that is missing as null, and two states are the
same state when :func:`prune` makes them equal. Arrays are values as a whole: they are replaced, never
patched, and nulls inside them are ordinary elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The merge patch that turns ``old`` into ``new``, and the top-level keys that it changes.

    Both are plain JSON objects (dict, list or tuple, str, int, float, bool, None). The patch is empty exactly
    where ``prune(old) == prune(new)`` as JSON; true and 1 are not the same, 1 and 1.0 are.
    """
    patch = _diff_members(old, new)
    return patch, tuple(patch)


def apply(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` applied (RFC 7396 section 2); neither is changed, parts are shared."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result


def prune(value: Any) -> Any:
    """``value`` without the members that are null, at every depth outside arrays."""
    if not isinstance(value, dict):
        return value
    return {key: prune(member) for key, member in value.items() if member is not None}


def _diff_members(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for key, value in new.items():
        before = old.get(key)
        if value is None:
            if before is not None:
                patch[key] = None
        elif isinstance(value, dict) and isinstance(before, dict):
            if members := _diff_members(before, value):
                patch[key] = members
        elif not _same(before, value):
            patch[key] = prune(value)
    patch.update((key, None) for key, before in old.items() if before is not None and key not in new)
    return patch


def _same(a: Any, b: Any) -> bool:
    # Python holds True == 1; JSON does not.
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
