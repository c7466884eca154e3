from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from library_items import item

from radio.library.changes import FEW_ITEMS, Changes, Known, candidates, compare, fresh_id, identify
from radio.library.items import Item, RejectedFile
from radio.library.walk import Found, RootWalk


def found(path: str, *, size: int = 100, mtime: int = 1, root: str = "/audio") -> Found:
    return Found(root=root, path=path, size_bytes=size, mtime_ns=mtime)


def walk_of(*files: Found, root: str = "/audio", unread: Sequence[str] = (), bare: bool = False) -> RootWalk:
    return RootWalk(root=root, found=list(files), unread=list(unread), bare=bare)


def compared(items: Sequence[Item], *walks: RootWalk, rejected: Sequence[RejectedFile] = ()) -> Changes:
    return compare(Known(items, rejected), walks)


def ids(items: Sequence[Item], contents: dict[str, str], *, mtime: int = 1) -> dict[str, str]:
    """Which known id each path gets, when the folder now holds these contents."""
    known = Known(items, ())
    files = [found(path, mtime=mtime) for path in sorted(contents)]
    changes = compare(known, [walk_of(*files)])
    possible = candidates(changes, (), known)
    hashes = {file: contents[file.path] for file in possible}
    decided = identify(changes.wanted, hashes, possible, known)
    return {file.path: identity.item.id for file, identity in decided.items()}


def test_same_size_and_time_is_unchanged() -> None:
    changes = compared(
        [item("a"), item("b"), item("c")], walk_of(found("a"), found("b", size=9), found("c", mtime=9))
    )
    assert changes.unchanged == 1
    assert [file.path for file in changes.wanted] == ["b", "c"]


def test_missing_counts_only_where_the_folder_was_read() -> None:
    items = [item("a/1"), item("b/1"), item("x", root="/away"), item("y", root="/not-asked")]
    changes = compared(items, walk_of(unread=["b"]), walk_of(root="/away", unread=[""]))
    assert [gone.path for gone in changes.missing] == ["a/1"]


def test_a_bare_root_that_was_full_is_taken_for_an_unmounted_disk() -> None:
    many = [item(str(number)) for number in range(FEW_ITEMS)]
    full = compared(many, walk_of(bare=True))
    assert full.missing == []
    assert "mount" in full.problems[0].advice.lower()
    few = compared(many[1:], walk_of(bare=True))
    assert len(few.missing) == FEW_ITEMS - 1
    assert few.problems == []


def test_a_rejected_file_is_looked_at_again_only_when_it_changed() -> None:
    bad = RejectedFile(root="/audio", path="bad", reason="no sound", size_bytes=100, mtime_ns=1)
    assert compared([], walk_of(found("bad")), rejected=[bad]).wanted == []
    assert len(compared([], walk_of(found("bad", mtime=2)), rejected=[bad]).wanted) == 1
    assert compared([], walk_of(), rejected=[bad]).forgotten == [("/audio", "bad")]


def test_a_rename_keeps_the_id() -> None:
    assert ids([item("a", content="A")], {"b": "A"}) == {"b": "id-A"}


def test_a_swap_and_a_chain_of_renames_keep_every_id() -> None:
    both = [item("a", content="A"), item("b", content="B")]
    assert ids(both, {"a": "B", "b": "A"}, mtime=2) == {"a": "id-B", "b": "id-A"}
    assert ids(both, {"b": "A", "c": "B"}, mtime=2) == {"b": "id-A", "c": "id-B"}


def test_new_content_at_a_known_path_keeps_the_id() -> None:
    assert ids([item("a", content="A")], {"a": "A2"}, mtime=2) == {"a": "id-A"}


def test_a_touched_original_is_not_taken_for_its_copy() -> None:
    assert ids([item("b", content="A")], {"a": "A", "b": "A"}, mtime=2) == {"b": "id-A"}


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("UVWXYZ"), max_size=6),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("UVWXYZ"), max_size=6),
)
def test_no_id_is_given_twice_and_moves_are_found(before: dict[str, str], after: dict[str, str]) -> None:
    items = [item(path, content=content, id=f"id-{path}") for path, content in before.items()]
    given_ids = ids(items, after, mtime=2)
    assert len(set(given_ids.values())) == len(given_ids)
    contents = {f"id-{path}": content for path, content in before.items()}
    for content in set(before.values()):
        kept = sum(contents[known] == content == after[path] for path, known in given_ids.items())
        assert kept == min(list(before.values()).count(content), list(after.values()).count(content))


def test_fresh_ids_are_of_the_content_and_differ_for_copies() -> None:
    content = "0123456789abcdef0123456789abcdef01234567"
    first = fresh_id(content, "a.mp3", ())
    second = fresh_id(content, "b.mp3", {first})
    assert first == content[:20]
    assert second != first
    assert len(second) == 20
    assert fresh_id(content, "b.mp3", {first}) == second
    assert fresh_id(content, "b.mp3", {first, second}) not in {first, second}
