"""``radio library``: search, correct, measure again, playlists."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_desk import Shell, sound

sys.path.insert(0, str(Path(__file__).parent.parent / "library"))
from tagged_files import unwritable


@pytest.fixture
def desk(shell: Shell) -> Shell:
    """A shell at a scanned library of three files, one of which is broken."""
    sounds = shell.config.parent / "sounds"
    sound(sounds / "music/Slack_water.wav")
    sound(sounds / "music/tide.wav", 2.0, 330.0)
    (sounds / "news").mkdir()
    (sounds / "news/tide copy.wav").write_bytes((sounds / "music/tide.wav").read_bytes())
    (sounds / "broken.mp3").write_text("words")
    assert shell.radio("library", "scan").status == 0
    return shell


def paths(shell: Shell, *words: str) -> list[str]:
    return [item["path"] for item in shell.radio("library", "search", *words, "--json").json["items"]]


def test_items_are_found_by_words_and_fields(desk: Shell) -> None:
    assert paths(desk, "slack") == ["music/Slack_water.wav"]
    assert paths(desk, "tide category:news") == ["news/tide copy.wav"]
    assert paths(desk, "", "--sort", "-length", "--limit", "1") == ["music/Slack_water.wav"]
    done = desk.radio("library", "search", "tide", "--limit", "1")
    assert (done.out.count("\n"), done.err) == (2, "1 of 2.\n")


def test_a_wrong_search_names_the_place(desk: Shell) -> None:
    done = desk.radio("library", "search", "artst:x")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("radio: At character 1: there is no field `artst`. Did you mean `artist`?")
    assert desk.radio("library", "search", "x", "--sort", "size").status == 2


def test_a_correction_is_kept_and_taken_back(desk: Shell) -> None:
    done = desk.radio(
        "library", "edit", "music/tide.wav", "--set", "artist=Ada Quay", "--set", "cue_in_ms=100", "--json"
    )
    assert (done.json["artist"], done.json["cue_in_ms"]) == ("Ada Quay", 100)
    assert desk.radio("library", "rescan", "--all").out.startswith("0 added, 3 changed")
    shown = desk.radio("library", "show", "music/tide.wav", "--json").json
    assert (shown["artist"], {one["field"] for one in shown["corrections"]}) == (
        "Ada Quay", {"artist", "cue_in_ms"}
    )  # fmt: skip
    assert "Ada Quay  (set by " in desk.radio("library", "show", "music/tide.wav").out
    assert paths(desk, "artist:quay") == ["music/tide.wav"]
    back = desk.radio("library", "edit", "music/tide.wav", "--unset", "artist", "--json")
    assert back.json["artist"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--set", "bpm=fast"), "a number from 1 to 999"),
        (("--set", "size=1"), "title, category"),
        (("--set", "title"), "FIELD=VALUE"),
        (("--unset", "nothing"), ""),
        ((), "--set, --unset, --tag, --undo"),
        (("--tag", "nothing=x"), ""),
        (("--undo",), "could be taken back"),
    ],
)
def test_a_wrong_change_is_told_and_nothing_is_changed(
    desk: Shell, change: tuple[str, ...], says: str
) -> None:
    before = desk.radio("library", "show", "music/tide.wav", "--json").json
    done = desk.radio("library", "edit", "music/tide.wav", *change)
    assert done.status == (0 if change[:1] == ("--unset",) else 2)
    assert says in done.err
    assert desk.radio("library", "show", "music/tide.wav", "--json").json == before


def test_tags_are_written_and_the_file_restored(desk: Shell) -> None:
    file = desk.config.parent / "sounds/music/tide.wav"
    original = file.read_bytes()
    done = desk.radio(
        "library",
        "edit",
        "music/tide.wav",
        "--tag",
        "title=Ebb",
        "--tag",
        "artists=Ada Quay; B. Reef",
        "--json",
    )
    assert (done.json["title"], done.json["artist"]) == ("Ebb", "Ada Quay, B. Reef")
    assert file.read_bytes() != original
    assert desk.radio("library", "edit", "music/tide.wav", "--undo", "--json").json["title"] == "tide"
    assert file.read_bytes() == original


def test_tags_that_cannot_be_written_say_why_and_what_to_do(desk: Shell) -> None:
    unwritable(desk.config.parent / "sounds/music/night.wma")
    assert desk.radio("library", "scan").status == 0
    done = desk.radio("library", "edit", "music/night.wma", "--set", "bpm=90", "--tag", "title=Night boats")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(
        "radio: The tags of 'night.wma' cannot be written: tags of Windows Media files are"
    )
    assert "Allowed: a correction of the item" in done.err
    assert desk.radio("library", "show", "music/night.wma", "--json").json["corrections"] == []


def test_rejected_files_come_with_what_to_do(desk: Shell) -> None:
    (refused,) = desk.radio("library", "rejected", "--json").json
    assert refused["advice"].startswith("Play it elsewhere.")
    assert f"  do:  {refused['advice']}" in desk.radio("library", "rejected").out
    assert desk.radio("library", "rescan", "--rejected").out.endswith("1 rejected.\n")
    assert desk.radio("library", "rescan").status == 2


def test_the_same_sound_is_found_twice(desk: Shell) -> None:
    (group,) = desk.radio("library", "duplicates", "--json").json
    assert [item["path"] for item in group["items"]] == ["music/tide.wav", "news/tide copy.wav"]
    assert desk.radio("library", "duplicates").out.startswith("exact, 100% alike:\n")
    assert desk.radio("library", "duplicates", "music/Slack_water.wav", "--json").json == []


@pytest.mark.parametrize("form", ["m3u", "xspf", "jspf"])
def test_playlists_go_out_and_come_in(desk: Shell, form: str) -> None:
    file = desk.config.parent / f"list.{form}"
    assert desk.radio("library", "export", "category:music", "--to", str(file)).status == 0
    found = desk.radio("library", "import", str(file), "--json")
    assert found.status == 0
    assert [item["path"] for item in found.json["items"]] == ["music/Slack_water.wav", "music/tide.wav"]
    assert found.json["missing"] == []


def test_what_a_playlist_names_in_vain_is_told(desk: Shell) -> None:
    file = desk.config.parent / "list.m3u8"
    file.write_text("#EXTM3U\n#EXTINF:9,Nobody - Nothing\nmusic/gone.wav\nmusic/tide.wav\n")
    done = desk.radio("library", "import", str(file))
    assert (done.status, done.err) == (1, "radio: Not in the library: music/gone.wav\n")
    assert "music/tide.wav" in done.out
    assert desk.radio("library", "import", str(file), "--format", "pls").status == 2
