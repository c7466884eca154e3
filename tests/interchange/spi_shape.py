"""What the schema of ETSI TS 102 818 version 3.4 asks of the documents that are made here, as a small check.

For each element: its children in their order, with the least and the most of each, its attributes with a pattern and
whether they are needed, and the most characters of its text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import NamedTuple

NS = "{http://www.worlddab.org/schemas/spi/34}"
MANY = 1_000_000
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
LASTS = r"PT(?=\d)(\d+H)?(\d+M)?(\d+S)?"
CRID = r"crid://.*/.*"
URI = r"[a-z]+:[!-~]+"
TEXT = r"(?s).{0,128}"


class Shape(NamedTuple):
    children: dict[str, tuple[int, int]] = {}
    needed: dict[str, str] = {}
    optional: dict[str, str] = {}
    text: int = 0


NAMES = {"shortName": (1, 1), "mediumName": (1, 1), "longName": (0, 1)}
SHAPES = {
    "epg": Shape({"schedule": (0, MANY)}, {}, {"lang": "en"}),
    "schedule": Shape(
        {"scope": (0, 1), "programme": (0, MANY)}, {}, {"creationTime": TIME, "originator": TEXT}
    ),
    "scope": Shape({"serviceScope": (0, MANY)}, {"startTime": TIME, "stopTime": TIME}),
    "serviceScope": Shape({}, {"id": URI}),
    "programme": Shape(
        {
            **NAMES,
            "location": (0, MANY),
            "mediaDescription": (0, MANY),
            "memberOf": (0, MANY),
            "link": (0, MANY),
        },
        {"id": CRID, "shortId": r"\d{1,8}"},
    ),
    "location": Shape({"time": (1, MANY)}),
    "time": Shape({}, {"time": TIME, "duration": LASTS}),
    "mediaDescription": Shape({"shortDescription": (0, 1), "longDescription": (0, 1), "multimedia": (0, 1)}),
    "shortDescription": Shape(text=180),
    "longDescription": Shape(text=1200),
    "multimedia": Shape({}, {"url": URI}, {"type": "logo_(unrestricted|colour_square|colour_rectangle)"}),
    "memberOf": Shape({}, {"id": CRID, "shortId": r"\d{1,8}"}),
    "link": Shape({}, {"uri": URI}, {"mimeValue": r"[!-~]+/[!-~]+"}),
    "shortName": Shape(text=8),
    "mediumName": Shape(text=16),
    "longName": Shape(text=128),
    "serviceInformation": Shape(
        {"services": (0, MANY)},
        {},
        {"lang": "en", "creationTime": TIME, "originator": TEXT, "serviceProvider": TEXT},
    ),
    "services": Shape({"serviceProvider": (0, 1), "service": (0, MANY)}),
    "serviceProvider": Shape(NAMES),
    "service": Shape(
        {
            **NAMES,
            "mediaDescription": (0, MANY),
            "keywords": (0, MANY),
            "link": (0, MANY),
            "bearer": (0, MANY),
            "radiodns": (0, 1),
        }
    ),
    "keywords": Shape(text=MANY),
    "bearer": Shape({}, {"id": URI, "cost": r"\d+"}, {"mimeValue": r"[!-~]+/[!-~]+", "bitrate": r"\d+"}),
    "radiodns": Shape({}, {"fqdn": r"[!-~]+", "serviceIdentifier": r"[a-z0-9]{1,16}"}),
}


def checked(text: str, root: str) -> ET.Element:
    """The document's root, after every element was held against its shape."""
    found = ET.fromstring(text.encode())
    assert found.tag == NS + root
    for element in found.iter():
        _check(element)
    return found


def _check(element: ET.Element) -> None:
    name = element.tag.removeprefix(NS)
    shape = SHAPES[name]
    attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    assert set(shape.needed) <= set(attributes) <= {*shape.needed, *shape.optional}, (name, attributes)
    for key, value in attributes.items():
        assert re.fullmatch({**shape.needed, **shape.optional}[key], value), (name, key, value)
        assert key != "shortId" or int(value) < 1 << 24
    children = [child.tag.removeprefix(NS) for child in element]
    order = list(shape.children)
    assert [order.index(child) for child in children] == sorted(order.index(child) for child in children), (
        name
    )
    for child, (least, most) in shape.children.items():
        assert least <= children.count(child) <= most, (name, child)
    assert len(element.text or "") <= shape.text, (name, element.text)
    if name == "mediaDescription":
        assert "multimedia" not in children or len(children) == 1
