"""RadioDNS service and programme information: ETSI TS 102 818 version 3.4, as XML (pure).

Receivers ask for ``/radiodns/spi/3.1/SI.xml`` and for the programmes of a day at
``/radiodns/spi/3.1/<service>/<YYYYMMDD>_PI.xml``, where the service is ``id/<fqdn>/<serviceIdentifier>`` for a stream
and the parts of the bearer for a broadcast: ``fm/ce1/c479/09580``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from radio.interchange.face import Face, picture
from radio.library.words import cleaned
from radio.schedule.airings import ProgrammeAiring
from radio.schedule.wallclock import local_time
from radio.units import UtcMs

MIME: Final = "application/xml"
NAMESPACE: Final = "http://www.worlddab.org/schemas/spi/34"
ROOT: Final = "/radiodns/spi/3.1"
STREAM_COST: Final = 40
BROADCAST_COST: Final = 20
SHORT, MEDIUM, LONG, SHORT_TEXT, LONG_TEXT = 8, 16, 128, 180, 1200
"""The most characters of the three names and the two descriptions (clause 5)."""


def service_information(faces: Iterable[Face], provider: str, made_ms: UtcMs) -> str:
    """SI.xml of all stations; ``provider`` is the network's name."""
    services = "".join(_service(face) for face in faces)
    created = _moment(made_ms, ZoneInfo("UTC"))
    head = f" creationTime={quoteattr(created)} originator={_attribute(provider, LONG)}"
    return _document(
        "serviceInformation",
        f"{head} serviceProvider={_attribute(provider, LONG)}",
        "<services>" + _element("serviceProvider", _names(provider)) + services + "</services>",
    )


def programme_information(
    face: Face, airings: Sequence[ProgrammeAiring], from_ms: UtcMs, to_ms: UtcMs, made_ms: UtcMs
) -> str:
    """The PI document of one station for ``[from_ms, to_ms)``: a local day, as receivers ask for it."""
    scope = f"startTime={_time(from_ms, face)} stopTime={_time(to_ms, face)}"
    bearers = "".join(f"<serviceScope id={quoteattr(id_)}/>" for id_ in bearer_ids(face))
    programmes = "".join(_programme(face, airing) for airing in airings)
    created = quoteattr(_moment(made_ms, ZoneInfo("UTC")))
    return _document(
        "epg",
        "",
        f"<schedule creationTime={created} originator={_attribute(face.name, LONG)}>"
        f"<scope {scope}>{bearers}</scope>{programmes}</schedule>",
    )


def bearer_ids(face: Face) -> tuple[str, ...]:
    """All that the station is heard on: its broadcasts, then its streams."""
    return (*face.bearers, *(stream.url for stream in face.streams))


def service_paths(face: Face) -> tuple[str, ...]:
    """Below which paths the station's programme information is, relative to :data:`ROOT`."""
    broadcast = (bearer.replace(":", "/").replace(".", "/") for bearer in face.bearers)
    return (f"id/{face.host}/{face.service}", *broadcast)


def _service(face: Face) -> str:
    parts = [_names(face.name)]
    if face.tagline:
        short = _element("shortDescription", _text(face.tagline, SHORT_TEXT))
        parts.append(_element("mediaDescription", short))
    if face.logo:
        multimedia = f'<multimedia url={quoteattr(face.logo)} type="logo_unrestricted"/>'
        parts.append(_element("mediaDescription", multimedia))
    if face.genre:
        parts.append(_element("keywords", _text(face.genre, LONG)))
    parts.append(f'<link uri={quoteattr(face.base + "/")} mimeValue="text/html"/>')
    parts += [f'<bearer id={quoteattr(bearer)} cost="{BROADCAST_COST}"/>' for bearer in face.bearers]
    for number, stream in enumerate(face.streams):
        parts.append(
            f'<bearer id={quoteattr(stream.url)} cost="{STREAM_COST + number}" '
            f'mimeValue={quoteattr(stream.mime)} bitrate="{stream.bitrate_kbps}"/>'
        )
    parts.append(f"<radiodns fqdn={quoteattr(face.host)} serviceIdentifier={quoteattr(face.service)}/>")
    return _element("service", "".join(parts))


def _programme(face: Face, airing: ProgrammeAiring) -> str:
    series = f"crid://{face.host}/{face.id}/{quote(airing.id, safe='')}"
    own = f"{series}/{_stamp(airing.starts_at_ms)}"
    lasts = _lasts(airing.ends_at_ms - airing.starts_at_ms)
    time = f'<time time={_time(airing.starts_at_ms, face)} duration="{lasts}"/>'
    parts = [_names(airing.title), _element("location", time), *_descriptions(face, airing)]
    parts.append(f'<memberOf id={quoteattr(series)} shortId="{_short_id(series)}"/>')
    if airing.link and airing.link.startswith(("http://", "https://")):
        parts.append(
            f'<link uri={quoteattr(quote(airing.link, safe=":/?#[]@!$&()*+,;=%~"))} mimeValue="text/html"/>'
        )
    return f'<programme id={quoteattr(own)} shortId="{_short_id(own)}">{"".join(parts)}</programme>'


def _descriptions(face: Face, airing: ProgrammeAiring) -> Iterable[str]:
    told = [f"With {airing.host}." if airing.host else "", airing.description or ""]
    text = " ".join(part for part in told if part)
    if text:
        short = _element("shortDescription", _text(text, SHORT_TEXT))
        long = _element("longDescription", _text(text, LONG_TEXT)) if len(text) > SHORT_TEXT else ""
        yield _element("mediaDescription", short + long)
    if url := picture(face.base, airing.image):
        yield _element("mediaDescription", f"<multimedia url={quoteattr(url)}/>")


def _names(name: str) -> str:
    return "".join(
        _element(tag, _text(name, most))
        for tag, most in (("shortName", SHORT), ("mediumName", MEDIUM), ("longName", LONG))
    )


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters, cut between words where that leaves half of them."""
    line = cleaned(text, 4_000)
    if len(line) <= most:
        return line
    cut = line[: most + 1].rpartition(" ")[0].rstrip(" ,;:.-")
    return cut if len(cut) >= most // 2 else line[:most].rstrip()


def _text(text: str, most: int) -> str:
    return escape(shortened(text, most))


def _attribute(text: str, most: int) -> str:
    return quoteattr(shortened(text, most))


def _element(tag: str, inner: str) -> str:
    return f"<{tag}>{inner}</{tag}>"


def _document(tag: str, attributes: str, inner: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{tag} xmlns="{NAMESPACE}" xml:lang="en"{attributes}>'
        f"{inner}</{tag}>\n"
    )


def _time(at_ms: int, face: Face) -> str:
    return quoteattr(_moment(at_ms, face.zone))


def _moment(at_ms: int, zone: ZoneInfo) -> str:
    return local_time(at_ms, zone).isoformat(timespec="seconds")


def _stamp(at_ms: int) -> str:
    return local_time(at_ms, ZoneInfo("UTC")).strftime("%Y%m%dT%H%M%SZ")


def _lasts(length_ms: int) -> str:
    """A length as ISO 8601 with hours, minutes and seconds: the schema takes no days and no parts of a second."""
    seconds = max(0, length_ms) // 1000
    parts = ((seconds // 3600, "H"), (seconds // 60 % 60, "M"), (seconds % 60, "S"))
    return "PT" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0S")


def _short_id(crid: str) -> int:
    """The 24-bit id of a CRID (clause 5.1); equal CRIDs have equal ids."""
    return int.from_bytes(blake2b(crid.encode(), digest_size=3).digest(), "big")
