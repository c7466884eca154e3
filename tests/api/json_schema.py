"""Checks values against the JSON schemas that the contract uses; a word that it does not know is a fault too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
WORDS = {
    "type", "enum", "const", "anyOf", "oneOf", "$ref", "properties", "required", "additionalProperties", "items",
    "prefixItems", "minimum", "maximum", "minLength", "maxLength", "minItems",
    "maxItems", "minProperties", "maxProperties", "pattern", "format", "discriminator", "title", "description",
    "default", "examples", "contentEncoding", "propertyNames",
}  # fmt: skip
FORMATS = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
}


def faults(
    value: Any, schema: Any, components: Mapping[str, Any], place: str = "$", *, closed: bool = False
) -> list[str]:
    """What is wrong with ``value``, each with its place. ``closed``: a member that no schema names is wrong as well."""
    return list(_faults(value, schema, components, place, closed))


def _faults(
    value: Any, schema: Any, components: Mapping[str, Any], place: str, closed: bool
) -> Iterator[str]:
    if schema is True or schema == {}:
        return
    if unknown := set(schema) - WORDS:
        yield f"{place}: the schema says {sorted(unknown)}"
    if "$ref" in schema:
        yield from _faults(value, components[schema["$ref"].rpartition("/")[2]], components, place, closed)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            found = [list(_faults(value, one, components, place, closed)) for one in schema[word]]
            if all(found):
                yield f"{place}: {str(value)[:80]} is none of the choices: {min(found, key=len)[0]}"
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{place}: {str(value)[:80]!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if isinstance(value, dict):
        yield from _object(value, schema, components, place, closed)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            prefix = schema.get("prefixItems", [])
            inner = prefix[index] if index < len(prefix) else schema.get("items", True)
            if inner is False:
                yield f"{place}[{index}]: one too many"
            else:
                yield from _faults(one, inner, components, f"{place}[{index}]", closed)
        yield from _bounds(len(value), schema, place, "Items")
    elif isinstance(value, str):
        yield from _bounds(len(value), schema, place, "Length")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{place}: {value!r} does not match {schema['pattern']}"
        if schema.get("format") in FORMATS and not FORMATS[schema["format"]].fullmatch(value):
            yield f"{place}: {value!r} is no {schema['format']}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            yield f"{place}: {value} is not in {low} to {high}"


def _object(
    value: dict[str, Any], schema: Any, components: Mapping[str, Any], place: str, closed: bool
) -> Iterator[str]:
    members = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place}: no member {name!r}"
    for name, inner in value.items():
        yield from _faults(name, schema.get("propertyNames", True), components, f"{place}.{name}", closed)
        if name in members:
            yield from _faults(inner, members[name], components, f"{place}.{name}", closed)
        elif isinstance(rest := schema.get("additionalProperties"), dict):
            yield from _faults(inner, rest, components, f"{place}.{name}", closed)
        elif rest is False or (closed and rest is None and members):
            yield f"{place}: a member {name!r} that the schema does not name"


def _bounds(size: int, schema: Any, place: str, word: str) -> Iterator[str]:
    if not schema.get(f"min{word}", 0) <= size <= schema.get(f"max{word}", size):
        yield f"{place}: a length of {size}"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[kind])
