"""From opened tags to texts by field, whatever the tag system; nothing is judged yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from radio.library.tag_names import NAMES, Family
from radio.library.tagged import Tagged

Texts = dict[str, list[str]]
"""The texts of each field of :mod:`radio.library.tag_names` that a file says."""

_PLACES: Final[Mapping[Family, Mapping[str, tuple[str, int]]]] = {
    family: {name: (field, rank) for field, names in table.items() for rank, name in enumerate(names)}
    for family, table in NAMES.items()
}
"""What each name stands for, and how far down its field's list of names it is."""

_ENSEMBLES: Final = frozenset({"orchestra", "ensemble", "choir", "chorus", "chamber orchestra"})
_PEOPLE: Final = frozenset({"TMCL", "TIPL", "IPLS"})


def texts_of(tagged: Tagged) -> Texts:
    """What the file says of each field: the first of its tags that names it, by the first of its names."""
    texts: Texts = {}
    for tag in (tagged, *tagged.also):
        if not tag.entries:
            continue
        index = _index(tag)
        for field, said in _said(index, _PLACES[tag.family]).items():
            texts.setdefault(field, said)
        if any(name.startswith("role:") for name in index):
            _add_people(texts, index)
    return texts


def _said(index: Texts, places: Mapping[str, tuple[str, int]]) -> Texts:
    texts: Texts = {}
    ranks: dict[str, int] = {}
    for name, found in index.items():
        field, rank = places.get(name, ("", 0))
        if field and rank < ranks.get(field, len(places)) and any(text.strip() for text in found):
            texts[field], ranks[field] = found, rank
    return texts


def _add_people(texts: Texts, index: Texts) -> None:
    for field, roles in (("conductors", {"conductor"}), ("ensembles", _ENSEMBLES)):
        people = [name for role in roles for name in index.get(f"role:{role}", ())]
        if people and field not in texts:
            texts[field] = people


def _index(tag: Tagged) -> Texts:
    if tag.family is Family.ID3:
        return _id3_index(tag.entries)
    if tag.family is Family.VORBIS:
        return _vorbis_index(tag.entries)
    if tag.family is Family.INFO:
        return dict(tag.entries)
    if tag.family is Family.MP4:
        return {
            (name.lower() if name.startswith("----") else name): _plain(value)
            for name, value in tag.entries.items()
        }
    return {name.lower(): _plain(value) for name, value in tag.entries.items()}


def _vorbis_index(entries: Any) -> Texts:
    if isinstance(entries, dict):
        return entries
    index: Texts = {}
    for name, text in entries:
        lower = name.lower()
        index.setdefault(lower, []).append(text)
        if lower == "performer":
            _add_role(index, text)
    return index


def _add_role(index: Texts, performer: str) -> None:
    name, _, role = performer.removesuffix(")").rpartition(" (")
    if name:
        index.setdefault(f"role:{role.lower()}", []).append(name)


def _id3_index(frames: Any) -> Texts:
    index: Texts = {}
    for frame in frames.values():
        try:
            name, texts = _frame(frame)
        except Exception:  # a frame that mutagen loads can still fail when its value is read
            continue
        index.setdefault(name, []).extend(texts)
        if frame.FrameID in _PEOPLE:
            for role, person in frame.people:
                index.setdefault(f"role:{str(role).lower()}", []).append(str(person))
    return index


def _frame(frame: Any) -> tuple[str, list[str]]:
    name: str = frame.FrameID
    if name == "TCON":
        return name, [str(genre) for genre in frame.genres]
    if name == "COMM":  # described comments are mostly the private notes of programs
        return f"COMM:{frame.desc.lower()}" if frame.desc else name, list(frame.text)
    if name == "TXXX":
        return f"TXXX:{frame.desc.lower()}", list(frame.text)
    if name == "UFID":
        return f"UFID:{frame.owner}", [frame.data.decode("ascii", "replace")]
    if name == "RVA2":
        return f"RVA2:{frame.desc.lower()}", [f"{frame.gain:.2f} dB"]
    return name, [str(text) for text in getattr(frame, "text", ())]


def _plain(value: Any) -> list[str]:
    if isinstance(value, str | bytes | bool | int):
        value = [value]
    try:
        return [_as_text(part) for part in value]
    except Exception:  # a broken value is none
        return []


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, tuple):
        return "/".join(str(part) for part in value)
    return str(value)
