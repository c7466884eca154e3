"""``radio library``: search, correct, measure again, playlists."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_desk import Shell, lay_out, sound

sys.path.insert(0, str(Path(__file__).parent.parent / "library"))
from tagged_files import unwritable


@pytest.fixture
def desk(shell: Shell) -> Shell:
    """A shell at a scanned library of its own, of three files and a broken one."""
    lay_in(shell)
    return shell


@pytest.fixture
def calm_desk(capsys: pytest.CaptureFixture[str], calm_config: Path) -> Shell:
    """A shell at the scanned library of all tests that leave it as it is: a scan takes most of a second."""
    shell = Shell(capsys, calm_config)
    if not (calm_config.parent / "sounds/music").exists():
        lay_in(shell)
    return shell


@pytest.fixture(scope="module")
def calm_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("calm") / "radio")


def lay_in(shell: Shell) -> None:
    sounds = shell.config.parent / "sounds"
    sound(sounds / "music/Slack_water.wav")
    sound(sounds / "music/tide.wav", 2.0, 330.0)
    (sounds / "news").mkdir()
    (sounds / "news/tide copy.wav").write_bytes((sounds / "music/tide.wav").read_bytes())
    (sounds / "broken.mp3").write_text("words")
    assert shell.radio("library", "scan").status == 0


def paths(shell: Shell, *words: str) -> list[str]:
    return [item["path"] for item in shell.radio("library", "search", *words, "--json").json["items"]]


def test_items_are_found_by_words_and_fields(calm_desk: Shell) -> None:
    assert paths(calm_desk, "slack") == ["music/Slack_water.wav"]
    assert paths(calm_desk, "tide category:news") == ["news/tide copy.wav"]
    assert paths(calm_desk, "", "--sort", "-length", "--limit", "1") == ["music/Slack_water.wav"]
    done = calm_desk.radio("library", "search", "tide", "--limit", "1")
    assert (done.out.count("\n"), done.err) == (2, "1 of 2.\n")


def test_a_wrong_search_names_the_place(calm_desk: Shell) -> None:
    done = calm_desk.radio("library", "search", "artst:x")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("radio: At character 1: there is no field `artst`. Did you mean `artist`?")
    assert calm_desk.radio("library", "search", "x", "--sort", "size").status == 2


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
    calm_desk: Shell, change: tuple[str, ...], says: str
) -> None:
    before = calm_desk.radio("library", "show", "music/tide.wav", "--json").json
    done = calm_desk.radio("library", "edit", "music/tide.wav", *change)
    assert done.status == (0 if change[:1] == ("--unset",) else 2)
    assert says in done.err
    assert calm_desk.radio("library", "show", "music/tide.wav", "--json").json == before


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


def test_the_same_sound_is_found_twice(calm_desk: Shell) -> None:
    (group,) = calm_desk.radio("library", "duplicates", "--json").json
    assert [item["path"] for item in group["items"]] == ["music/tide.wav", "news/tide copy.wav"]
    assert calm_desk.radio("library", "duplicates").out.startswith("exact, 100% alike:\n")
    assert calm_desk.radio("library", "duplicates", "music/Slack_water.wav", "--json").json == []


@pytest.mark.parametrize("form", ["m3u", "xspf", "jspf"])
def test_playlists_go_out_and_come_in(calm_desk: Shell, form: str) -> None:
    file = calm_desk.config.parent / f"list.{form}"
    assert calm_desk.radio("library", "export", "category:music", "--to", str(file)).status == 0
    found = calm_desk.radio("library", "import", str(file), "--json")
    assert found.status == 0
    assert [item["path"] for item in found.json["items"]] == ["music/Slack_water.wav", "music/tide.wav"]
    assert found.json["missing"] == []


def test_what_a_playlist_names_in_vain_is_told(calm_desk: Shell) -> None:
    file = calm_desk.config.parent / "list.m3u8"
    file.write_text("#EXTM3U\n#EXTINF:9,Nobody - Nothing\nmusic/gone.wav\nmusic/tide.wav\n")
    done = calm_desk.radio("library", "import", str(file))
    assert (done.status, done.err) == (1, "radio: Not in the library: music/gone.wav\n")
    assert "music/tide.wav" in done.out
    assert calm_desk.radio("library", "import", str(file), "--format", "pls").status == 2
