"""What an operator can do about a rejected file (pure)."""

from __future__ import annotations

from typing import Final

_ADVICE: Final = (
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
