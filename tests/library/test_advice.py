from __future__ import annotations

import pytest

from radio.library.advice import advice_for


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
