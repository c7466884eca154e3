from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_items import item

from radio.library.library import Library

ITEMS = [
    item("music/b.mp3", root="/one"),
    item("music/a.flac", root="/one"),
    item("music/jazz/c.mp3", root="/one"),
    item("sponsors/x.mp3", root="/one"),
    item("loose.wav", root="/one"),
    item("music/a.mp3", root="/two", content="two-a"),
    item("sponsors/x.opus", root="/two"),
    item("sponsors/vol.2.mp3", root="/two"),
]


def names(items: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(found.root, found.path) for found in items]  # type: ignore[attr-defined]


def test_categories_of_some_roots() -> None:
    library = Library.from_items(ITEMS)
    assert library.categories(["/one"]) == ("", "music", "sponsors")
    assert library.categories(["/two"]) == ("music", "sponsors")
    assert library.categories(["/three"]) == ()


def test_a_pool_is_in_order_of_paths() -> None:
    library = Library.from_items(ITEMS)
    pool = library.in_category(["/two", Path("/one/")], "music")
    assert names(pool) == [
        ("/one", "music/a.flac"),
        ("/two", "music/a.mp3"),
        ("/one", "music/b.mp3"),
        ("/one", "music/jazz/c.mp3"),
    ]
    assert library.in_category(["/one"], "nothing") == ()


@given(st.permutations(ITEMS))
def test_the_order_of_making_does_not_matter(items: list[object]) -> None:
    one, other = Library.from_items(ITEMS), Library.from_items(items)  # type: ignore[arg-type]
    assert list(one) == list(other)
    assert one.in_category(["/one", "/two"], "music") == other.in_category(["/one", "/two"], "music")


@pytest.mark.parametrize(
    ("roots", "name", "expected"),
    [
        (["/one"], "sponsors/x.mp3", ("/one", "sponsors/x.mp3")),
        (["/one"], "sponsors/x", ("/one", "sponsors/x.mp3")),
        (["/two", "/one"], "sponsors/x", ("/two", "sponsors/x.opus")),
        (["/two", "/one"], "/sponsors/x.mp3", ("/one", "sponsors/x.mp3")),
        (["/two"], "sponsors/vol.2", ("/two", "sponsors/vol.2.mp3")),
        (["/one"], "loose", ("/one", "loose.wav")),
        (["/one"], "sponsors/y", None),
        (["/two"], "sponsors/x.mp3", None),
        (["/one"], "", None),
    ],
)
def test_find(roots: list[str], name: str, expected: tuple[str, str] | None) -> None:
    found = Library.from_items(ITEMS).find(roots, name)
    assert (None if found is None else (found.root, found.path)) == expected


def test_by_id_cannot_be_changed() -> None:
    library = Library.from_items(ITEMS)
    assert library.by_id["id-two-a"].path == "music/a.mp3"
    assert len(library) == len(ITEMS)
    with pytest.raises(TypeError):
        library.by_id["x"] = ITEMS[0]  # type: ignore[index]
