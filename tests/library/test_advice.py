from __future__ import annotations

from pathlib import Path

import pytest
from tagged_files import unwritable

from radio.errors import TagsNotWritten
from radio.library.advice import advice_for, tags_refused
from radio.library.tag_writing import write_tags


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("It is empty.", "Copy the file again"),
        ("Its name is not UTF-8. Rename it.", "Rename"),
        ("It is a link that leads out of the library's folder.", "Put the file itself"),
        ("It cannot be read: permission denied.", "user read"),
        ("an ID3v2 tag of 90000000 bytes; at most 16000000 are allowed", "Remove the file's tags"),
        ("takes longer to read than 30 s", "Convert"),
        ("only 3 samples of sound", "nothing to hear"),
        ("longer than 12 hours", "into parts"),
        ("no sound in the file", "Play it elsewhere"),
    ],
)
def test_each_reason_has_something_to_do(reason: str, says: str) -> None:
    assert says in advice_for(reason)


@pytest.mark.parametrize(
    ("name", "reason", "allowed"),
    [
        ("a.wma", "tags of Windows Media files are read only", "in FLAC, MP3 or M4A"),
        ("a.m4a", "it is a fragmented MP4 file without room for the tags", "MP4 file that is not fragmented"),
        ("a.mka", "its tags cannot be read, so nothing is sure to be kept", "in FLAC, MP3 or M4A"),
    ],
)
def test_what_cannot_be_written_says_why_and_what_to_do(
    tmp_path: Path, name: str, reason: str, allowed: str
) -> None:
    file = unwritable(tmp_path / name)
    old = file.read_bytes()
    with pytest.raises(TagsNotWritten) as caught:
        write_tags(file, {"title": "Night boats", "artists": ["Ada Quay"]})
    assert caught.value.reason == reason
    told = tags_refused(caught.value, "tags")
    assert told.message.startswith(
        f"The tags of {name!r} cannot be written: {reason}. Allowed: a correction of"
    )
    assert told.field == "tags"
    assert allowed in told.message
    assert file.read_bytes() == old


def test_a_reason_of_the_disk_has_advice_too() -> None:
    told = tags_refused(TagsNotWritten("/audio/a.mp3", "no space left on device"), "tag")
    assert "when there is room" in told.message
    assert "a correction of the item" in tags_refused(TagsNotWritten("a", "strange"), "tag").message
