from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.push.patch import apply, diff, prune

scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.text("ab", max_size=2)
)
keys = st.sampled_from(["a", "b", "c", "d"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=4)


def canonical(value: Any) -> str:
    # JSON text tells true from 1, which Python's == does not; 1.0 and 1 are one number.
    def numbers(part: Any) -> Any:
        if isinstance(part, float) and part.is_integer():
            return int(part)
        if isinstance(part, list):
            return [numbers(element) for element in part]
        if isinstance(part, dict):
            return {key: numbers(member) for key, member in part.items()}
        return part

    return json.dumps(numbers(value), sort_keys=True)


@given(objects, objects)
def test_a_patch_leads_from_the_old_state_to_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch, _ = diff(old, new)
    assert canonical(prune(apply(old, patch))) == canonical(prune(new))


@given(objects, objects)
def test_a_follower_that_took_the_snapshot_without_nulls_arrives_too(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    patch, _ = diff(old, new)
    assert canonical(apply(prune(old), patch)) == canonical(prune(new))


@given(objects, objects)
def test_the_patch_is_empty_exactly_when_nothing_changed(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch, changed = diff(old, new)
    assert (patch == {}) == (canonical(prune(old)) == canonical(prune(new)))
    assert set(changed) == {
        key
        for key in old.keys() | new.keys()
        if canonical(prune(old.get(key))) != canonical(prune(new.get(key)))
    }


@given(objects)
def test_a_state_has_no_patch_to_itself(state: dict[str, Any]) -> None:
    assert diff(state, copy.deepcopy(state)) == ({}, ())
    assert diff(state, prune(state)) == ({}, ())


@given(objects, objects)
def test_neither_argument_is_changed(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = copy.deepcopy((old, new))
    patch, _ = diff(old, new)
    apply(old, patch)
    assert (old, new) == before


@given(values, values)
def test_applying_twice_is_applying_once(target: Any, patch: Any) -> None:
    once = apply(target, patch)
    assert canonical(apply(once, patch)) == canonical(once)


# RFC 7396, appendix A: target, patch, result.
RFC_EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_EXAMPLES)
def test_examples_of_the_standard(target: Any, patch: Any, result: Any) -> None:
    assert apply(target, patch) == result


CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"now": {"title": "A", "artist": "B"}}, {"now": None}, {"now": None}),
    ({"now": None}, {"now": {"title": "A", "album": None}}, {"now": {"title": "A"}}),
    (
        {"now": {"title": "A", "artist": "B"}},
        {"now": {"title": "C", "artist": None}},
        {"now": {"title": "C", "artist": None}},
    ),
    ({"next": [{"id": 1}]}, {"next": [{"id": 1, "artist": None}]}, {"next": [{"id": 1, "artist": None}]}),
    ({"live": True}, {"live": 1}, {"live": 1}),
    ({"gain": 1}, {"gain": 1.0}, {}),
    ({"a": {}}, {}, {"a": None}),
    ({"a": [1]}, {"a": (1,)}, {}),
]


@pytest.mark.parametrize(("old", "new", "patch"), CASES)
def test_patches_of_a_stations_state(old: dict[str, Any], new: dict[str, Any], patch: dict[str, Any]) -> None:
    found, changed = diff(old, new)
    assert canonical(found) == canonical(patch)
    assert changed == tuple(patch)
