"""What an operator can do about a rejected file, and about one whose tags cannot be written (pure)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from radio.errors import InvalidRequest, TagsNotWritten

_ADVICE: Final = (
    (
        "failed on the air",
        "Listen to the file. To have it back: `radio library rescan --rejected`, or a new file.",
    ),
    ("could not be read on the air", "Look at the disk. The next scan that can read the file takes it back."),
    ("not utf-8", "Rename the file with letters that every system knows."),
    ("empty", "Copy the file again: it arrived without content."),
    ("leads out", "Put the file itself into the folder, or add the folder it lies in to the library."),
    ("not a regular file", "Put an ordinary file in its place."),
    ("tag", "Remove the file's tags with a tag editor, or copy its sound into a new file."),
    ("bytes; at most", "Cut the recording into parts, or store it compressed (FLAC, Opus)."),
    ("larger than", "Cut the recording into parts, or store it compressed (FLAC, Opus)."),
    ("permission", "Let the service's user read the file."),
    ("cannot be read", "Look at the disk and at the file's permissions, then scan again."),
    ("takes longer", "Convert the file to FLAC, WAV or MP3 and put that in its place."),
    ("ends the process", "The file is broken or hostile: take it out, or convert it on another machine."),
    ("memory", "The file is broken or hostile: take it out, or convert it on another machine."),
    ("longer than", "Cut the recording into parts."),
    ("samples of sound", "Take it out: there is nothing to hear in it."),
    ("shorter than", "Take it out: there is nothing to hear in it."),
    ("playlist", "Import it: `radio library import FILE`. A playlist is no sound."),
)
_ELSE: Final = "Play it elsewhere. If it is sound, convert it to FLAC, WAV or MP3 and put that in its place."


def advice_for(reason: str) -> str:
    """One sentence or two for a rejected file's reason."""
    lower = reason.lower()
    return next((advice for part, advice in _ADVICE if part in lower), _ELSE)


_CORRECT: Final = "a correction of the item, which leaves the file as it is"
_WRITING_ADVICE: Final = (
    ("windows media", f"{_CORRECT}; or the tags of a copy in FLAC, MP3 or M4A"),
    ("fragmented", f"{_CORRECT}; or the tags of a copy of the sound in an MP4 file that is not fragmented"),
    ("tags cannot be read", f"{_CORRECT}; or the tags of a copy in FLAC, MP3 or M4A"),
    ("place for tags", f"{_CORRECT}; or the tags of a copy in FLAC, MP3 or M4A"),
    ("id3v2.2", f"{_CORRECT}; or what ID3v2.2 can hold"),
    ("cannot hold", f"{_CORRECT}; or what the file's tags can hold"),
    ("plain ascii", f"{_CORRECT}; or letters without accents"),
    ("it changed", "the same again: another program has written the file meanwhile"),
    ("was changed since", "undoing before another program changes the file; its present tags stay"),
    ("no space", "the same again when there is room on the disk for a copy of the file"),
    ("read-only", f"{_CORRECT}; or the same when the service may write the file and its folder"),
    ("no such file", "a file that is there; scan the library"),
)


def tags_refused(fault: TagsNotWritten, field: str) -> InvalidRequest:
    """The error for an operator whose tags were not written: the file, the reason, and what can be done."""
    reason = fault.reason.lower()
    allowed = next((advice for part, advice in _WRITING_ADVICE if part in reason), _CORRECT)
    name = Path(fault.path).name
    return InvalidRequest(
        f"The tags of {name!r} cannot be written: {fault.reason}.", field=field, allowed=allowed
    )
