"""What each tag system calls each field, for reading and for writing.

Names of ID3 are those of version 2.4; a user's text is ``TXXX:`` and its description in small letters. Names
of Vorbis, APE, ASF and of MP4's free form are in small letters: these systems do not tell case apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Family(StrEnum):
    """The tag systems; each has its own names for the same things."""

    ID3 = "id3"
    VORBIS = "vorbis"
    MP4 = "mp4"
    APE = "ape"
    ASF = "asf"
    INFO = "info"
    """The INFO list of RIFF and the text chunks of AIFF."""


Names = Mapping[str, tuple[str, ...]]
"""The names of each field, the one that counts most first."""

_COMMON: Final[Names] = {
    "title": ("title",),
    "artists": ("artists", "artist"),
    "album": ("album",),
    "album_artists": ("albumartist", "album artist", "album_artist"),
    "composers": ("composer",),
    "conductors": ("conductor",),
    "work": ("work",),
    "movement": ("movementname", "movement name"),
    "movement_number": ("movement",),
    "ensembles": ("ensemble", "orchestra"),
    "genres": ("genre",),
    "date": ("date", "year"),
    "original_date": ("originaldate", "originalyear"),
    "label": ("label", "organization", "publisher"),
    "catalog_number": ("catalognumber", "labelno"),
    "isrc": ("isrc",),
    "language": ("language",),
    "explicit": ("itunesadvisory", "explicit"),
    "comment": ("comment", "description"),
    "bpm": ("bpm", "tempo"),
    "initial_key": ("initialkey", "key"),
    "intro": ("intro_ms",),
    "track": ("tracknumber",),
    "track_total": ("tracktotal", "totaltracks"),
    "disc": ("discnumber",),
    "disc_total": ("disctotal", "totaldiscs"),
    "replaygain_track": ("replaygain_track_gain",),
    "replaygain_album": ("replaygain_album_gain",),
    "r128_track": ("r128_track_gain",),
    "musicbrainz_recording": ("musicbrainz_trackid",),
    "musicbrainz_release": ("musicbrainz_albumid",),
    "musicbrainz_artist": ("musicbrainz_artistid",),
    "musicbrainz_work": ("musicbrainz_workid",),
    "musicbrainz_album_artist": ("musicbrainz_albumartistid",),
    "musicbrainz_release_group": ("musicbrainz_releasegroupid",),
}

_MUSICBRAINZ: Final = {
    "musicbrainz_release": "musicbrainz album id",
    "musicbrainz_artist": "musicbrainz artist id",
    "musicbrainz_work": "musicbrainz work id",
    "musicbrainz_album_artist": "musicbrainz album artist id",
    "musicbrainz_release_group": "musicbrainz release group id",
}

_FREE: Final = "----:com.apple.itunes:"

NAMES: Final[Mapping[Family, Names]] = {
    Family.ID3: {
        "title": ("TIT2",),
        "artists": ("TXXX:artists", "TPE1"),
        "album": ("TALB",),
        "album_artists": ("TPE2", "TXXX:albumartist", "TXXX:album artist"),
        "composers": ("TCOM",),
        "conductors": ("TPE3",),
        "work": ("TXXX:work",),
        "movement": ("MVNM", "TXXX:movementname"),
        "movement_number": ("MVIN", "TXXX:movement"),
        "ensembles": ("TXXX:ensemble", "TXXX:orchestra"),
        "genres": ("TCON",),
        "date": ("TDRC", "TDRL"),
        "original_date": ("TDOR",),
        "label": ("TPUB", "TXXX:label"),
        "catalog_number": ("TXXX:catalognumber",),
        "isrc": ("TSRC",),
        "language": ("TLAN",),
        "explicit": ("TXXX:itunesadvisory",),
        "comment": ("COMM", "COMM:id3v1 comment"),
        "bpm": ("TBPM",),
        "initial_key": ("TKEY",),
        "intro": ("TXXX:intro_ms",),
        "track": ("TRCK",),
        "disc": ("TPOS",),
        "replaygain_track": ("TXXX:replaygain_track_gain", "RVA2:track"),
        "replaygain_album": ("TXXX:replaygain_album_gain", "RVA2:album"),
        "r128_track": ("TXXX:r128_track_gain",),
        "musicbrainz_recording": ("UFID:http://musicbrainz.org", "TXXX:musicbrainz track id"),
        **{field: (f"TXXX:{name}",) for field, name in _MUSICBRAINZ.items()},
    },
    Family.VORBIS: _COMMON,
    Family.MP4: {
        "title": ("\xa9nam",),
        "artists": (f"{_FREE}artists", "\xa9ART"),
        "album": ("\xa9alb",),
        "album_artists": ("aART",),
        "composers": ("\xa9wrt",),
        "conductors": (f"{_FREE}conductor", "\xa9con"),
        "work": ("\xa9wrk", f"{_FREE}work"),
        "movement": ("\xa9mvn",),
        "movement_number": ("\xa9mvi",),
        "ensembles": (f"{_FREE}ensemble", f"{_FREE}orchestra"),
        "genres": ("\xa9gen", "gnre"),
        "date": ("\xa9day",),
        "original_date": (f"{_FREE}originaldate", f"{_FREE}originalyear"),
        "label": (f"{_FREE}label", "\xa9pub"),
        "catalog_number": (f"{_FREE}catalognumber",),
        "isrc": (f"{_FREE}isrc",),
        "language": (f"{_FREE}language",),
        "explicit": ("rtng",),
        "comment": ("\xa9cmt",),
        "bpm": ("tmpo",),
        "initial_key": (f"{_FREE}initialkey", f"{_FREE}key"),
        "intro": (f"{_FREE}intro_ms",),
        "track": ("trkn",),
        "disc": ("disk",),
        "replaygain_track": (f"{_FREE}replaygain_track_gain",),
        "replaygain_album": (f"{_FREE}replaygain_album_gain",),
        "r128_track": (f"{_FREE}r128_track_gain",),
        "musicbrainz_recording": (f"{_FREE}musicbrainz track id",),
        **{field: (f"{_FREE}{name}",) for field, name in _MUSICBRAINZ.items()},
    },
    Family.APE: {
        **_COMMON,
        "movement_number": ("movement number", "movement"),
        "date": ("year", "date", "record date"),
        "original_date": ("originaldate", "originalyear"),
        "track": ("track", "tracknumber"),
        "disc": ("disc", "discnumber"),
    },
    Family.ASF: {
        "title": ("title",),
        "artists": ("wm/artists", "author"),
        "album": ("wm/albumtitle",),
        "album_artists": ("wm/albumartist",),
        "composers": ("wm/composer",),
        "conductors": ("wm/conductor",),
        "work": ("wm/work",),
        "genres": ("wm/genre",),
        "date": ("wm/year",),
        "original_date": ("wm/originalreleasetime", "wm/originalreleaseyear"),
        "label": ("wm/publisher",),
        "catalog_number": ("wm/catalogno",),
        "isrc": ("wm/isrc",),
        "language": ("wm/language",),
        "comment": ("description",),
        "bpm": ("wm/beatsperminute",),
        "initial_key": ("wm/initialkey",),
        "track": ("wm/tracknumber",),
        "disc": ("wm/partofset",),
        "replaygain_track": ("replaygain_track_gain",),
        "replaygain_album": ("replaygain_album_gain",),
        "musicbrainz_recording": ("musicbrainz/track id",),
        "musicbrainz_release": ("musicbrainz/album id",),
        "musicbrainz_artist": ("musicbrainz/artist id",),
        "musicbrainz_work": ("musicbrainz/work id",),
    },
    Family.INFO: {
        "title": ("INAM", "NAME"),
        "artists": ("IART", "AUTH"),
        "album": ("IPRD", "IALB"),
        "composers": ("IMUS",),
        "genres": ("IGNR",),
        "date": ("ICRD",),
        "label": ("IPUB",),
        "language": ("ILNG",),
        "comment": ("ICMT", "ANNO"),
        "track": ("ITRK", "IPRT"),
    },
}
"""The names by which each system's readers look for a field."""

_NEW: Final[Mapping[Family, Mapping[str, str]]] = {
    Family.ID3: {
        "artists": "TPE1",
        "work": "TXXX:WORK",
        "ensembles": "TXXX:ENSEMBLE",
        "catalog_number": "TXXX:CATALOGNUMBER",
        "explicit": "TXXX:ITUNESADVISORY",
        "replaygain_track": "TXXX:REPLAYGAIN_TRACK_GAIN",
        "replaygain_album": "TXXX:REPLAYGAIN_ALBUM_GAIN",
        "r128_track": "TXXX:R128_TRACK_GAIN",
        "musicbrainz_release": "TXXX:MusicBrainz Album Id",
        "musicbrainz_artist": "TXXX:MusicBrainz Artist Id",
        "musicbrainz_work": "TXXX:MusicBrainz Work Id",
        "musicbrainz_album_artist": "TXXX:MusicBrainz Album Artist Id",
        "musicbrainz_release_group": "TXXX:MusicBrainz Release Group Id",
    },
    Family.VORBIS: {"artists": "ARTIST"},
    Family.APE: {
        "title": "Title",
        "artists": "Artist",
        "album": "Album",
        "album_artists": "Album Artist",
        "composers": "Composer",
        "conductors": "Conductor",
        "genres": "Genre",
        "date": "Year",
        "label": "Label",
        "language": "Language",
        "comment": "Comment",
        "track": "Track",
        "disc": "Disc",
    },
    Family.MP4: {"artists": "\xa9ART"},
}


def new_name(family: Family, field: str) -> str | None:
    """The name under which a field is added to a tag that has none of its names; None where it has no place.

    Vorbis and new APE names are in capitals, as most programs write them.
    """
    names = NAMES[family].get(field)
    if names is None:
        return None
    name = _NEW.get(family, {}).get(field)
    if name is not None:
        return name
    if family is Family.MP4:
        return names[0].replace(_FREE, "----:com.apple.iTunes:")
    if family is Family.APE and field.endswith("_total"):  # a total stands with its number
        return None
    return names[0].upper() if family in (Family.VORBIS, Family.APE) else names[0]
