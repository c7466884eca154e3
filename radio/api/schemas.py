"""JSON schemas of msgspec types, named and shared, in the two forms that a contract needs (pure).

What a client sends may leave out members that have a default; what the service sends has every member, unless its
type says that defaults are left out. msgspec describes the first (JSON Schema 2020-12); the second is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from types import UnionType
from typing import Any, Final, cast, get_args

import msgspec
from msgspec import inspect

Schema = dict[str, Any]

REF: Final = "#/components/schemas/"
_ROLE: Final = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")


class Schemas:
    """Schemas of the types of one document, with the named ones in ``components``.

    A type that is both sent and taken, and looks different then, is named ``<name>Sent`` where it is taken.
    """

    def __init__(self, *, taken: Iterable[object] = (), given: Iterable[object] = ()) -> None:
        self._given, replies = _gathered(list(given))
        self._taken, bodies = _gathered(list(taken))
        _require_what_is_given(list(given), replies)
        again = {name: f"{name}Sent" for name in bodies if name in replies and replies[name] != bodies[name]}
        again |= _reaching(again, bodies, replies)
        self._taken = {key: _renamed(schema, again) for key, schema in self._taken.items()}
        named = {again.get(name, name): _renamed(schema, again) for name, schema in bodies.items()}
        self.components: dict[str, Schema] = dict(sorted({**replies, **named}.items()))

    def taken(self, shape: object) -> Schema:
        """The schema of what a client sends."""
        return self._taken[_key(shape)]

    def given(self, shape: object) -> Schema:
        """The schema of what the service sends."""
        return self._given[_key(shape)]


def resolved(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    """``schema``, or the one that it refers to."""
    while "$ref" in schema:
        schema = components[schema["$ref"].removeprefix(REF)]
    return schema


def fields_of(shape: type) -> list[tuple[str, Schema, bool]]:
    """The members of a Struct of parameters: name, schema without references, whether it must be there."""
    schemas = Schemas(taken=[shape])
    whole = resolved(schemas.taken(shape), schemas.components)
    needed = whole.get("required", [])
    return [
        (name, _inlined(schema, schemas.components), name in needed)
        for name, schema in whole["properties"].items()
    ]


def plain_text(text: str) -> str:
    """A docstring as it is shown: its own line breaks, code between single backticks."""
    return _ROLE.sub(r"`\1`", cleandoc(text)).replace("``", "`")


def sample(schema: Schema, components: Mapping[str, Schema], depth: int = 0) -> Any:
    """A small value of that schema: members that must be there, first choices, example texts."""
    schema = resolved(schema, components)
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    if "default" in schema and depth:
        return schema["default"]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return sample(choices[0], components, depth + 1)
    kind = schema.get("type")
    if kind == "object":
        members = schema.get("properties", {})
        wanted = schema.get("required") or list(members)[:1]
        return {name: sample(members[name], components, depth + 1) for name in wanted if depth < 8}
    if kind == "array":
        return [sample(schema["items"], components, depth + 1)] if schema.get("items") and depth < 8 else []
    low = schema.get("minimum", 0)
    return {"integer": low, "number": low, "boolean": True, "null": None}.get(str(kind), "…")


def _key(shape: object) -> str:
    return repr(shape)


def _parts(shape: Any) -> tuple[Any, ...]:
    """The types of a union that msgspec cannot tell apart, which a reply may still be; else the type itself."""
    parts = get_args(shape) if isinstance(shape, UnionType) else ()
    untagged = [
        one
        for one in parts
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and _tag(one) is None
    ]
    return parts if len(untagged) > 1 else (shape,)


def _tag(struct: type[msgspec.Struct]) -> object:
    return struct.__struct_config__.tag


def _gathered(shapes: list[Any]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    single = [part for shape in shapes for part in _parts(shape)]
    found, tidy = _gathered_single(single)
    for shape in shapes:
        if len(parts := _parts(shape)) > 1:
            found[_key(shape)] = {"anyOf": [found[_key(part)] for part in parts]}
    return found, tidy


def _gathered_single(shapes: list[Any]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REF + "{name}")
    names = {name: _short(name) for name in components if "." in name}
    tidy = {names.get(name, name): _tidy(_renamed(schema, names)) for name, schema in components.items()}
    for name, schema in tidy.items():
        if schema.get("title") == name:
            del schema["title"]
    keys = [_key(shape) for shape in shapes]
    return {key: _tidy(_renamed(schema, names)) for key, schema in zip(keys, schemas, strict=True)}, tidy


def _short(name: str) -> str:
    """``radio.api.dialects.npr.Song``, which msgspec tells apart from another ``Song``, as ``NprSong``."""
    *_, module, last = name.split(".")
    return "".join(word.title() for word in module.split("_") if word != "shapes") + last


def _tidy(schema: Any) -> Any:
    """``schema`` anew, with texts for people."""
    if isinstance(schema, dict):
        return {
            name: plain_text(value) if name == "description" and isinstance(value, str) else _tidy(value)
            for name, value in schema.items()
        }
    return [_tidy(value) for value in schema] if isinstance(schema, list) else schema


def _require_what_is_given(shapes: list[Any], components: dict[str, Schema]) -> None:
    for struct in _structs(inspect.multi_type_info([part for shape in shapes for part in _parts(shape)])):
        apart = _short(f"{struct.cls.__module__}.{struct.cls.__qualname__}")
        schema = components.get(apart) or components.get(struct.cls.__name__, {})
        omits = struct.cls.__struct_config__.omit_defaults
        needed = {one.encode_name for one in struct.fields if _is_given(one, omits)} | set(
            schema.get("required", ())
        )
        if "properties" in schema:
            schema["required"] = [member for member in schema["properties"] if member in needed]


def _is_given(field: inspect.Field, omits: bool) -> bool:
    """A member without a default that need not be there is one that can be UNSET."""
    has_default = (field.default, field.default_factory) != (msgspec.NODEFAULT, msgspec.NODEFAULT)
    return field.required or (has_default and not omits)


def _structs(infos: Iterable[object]) -> Iterator[inspect.StructType]:
    seen: set[int] = set()
    waiting = list(infos)
    while waiting:
        info = waiting.pop()
        if isinstance(info, (tuple, list)):
            waiting.extend(info)
        elif isinstance(info, (inspect.Type, inspect.Field)) and id(info) not in seen:
            seen.add(id(info))
            if isinstance(info, inspect.StructType):
                yield info
            waiting.extend(getattr(info, name) for name in info.__struct_fields__)


def _inlined(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    """Without references; only for what cannot hold itself, such as a parameter."""
    flat = {**resolved(schema, components), **{name: schema[name] for name in schema if name != "$ref"}}
    for name in ("anyOf", "oneOf"):
        if name in flat:
            flat[name] = [_inlined(one, components) for one in flat[name]]
    if isinstance(flat.get("items"), dict):
        flat["items"] = _inlined(flat["items"], components)
    return flat


def _reaching(
    names: Mapping[str, str], bodies: Mapping[str, Schema], replies: Mapping[str, Schema]
) -> dict[str, str]:
    """Shared components that refer to one of ``names``: they must be told apart as well."""
    found: dict[str, str] = {}
    grown = True
    while grown:
        grown = False
        for name, schema in bodies.items():
            if name in names or name in found or name not in replies:
                continue
            if any(ref in names or ref in found for ref in _refs(schema)):
                found[name], grown = f"{name}Sent", True
    return found


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(REF)
        for value in schema.values():
            yield from _refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _refs(value)


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    if isinstance(schema, dict):
        return {key: _renamed_value(key, value, names) for key, value in schema.items()}
    return [_renamed(value, names) for value in schema] if isinstance(schema, list) else schema


def _renamed_value(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if key == "$ref" and isinstance(value, str):
        name = value.removeprefix(REF)
        return REF + names.get(name, name)
    if key == "mapping" and isinstance(value, dict):
        return {
            tag: REF + names.get(ref.removeprefix(REF), ref.removeprefix(REF)) for tag, ref in value.items()
        }
    return cast(Any, _renamed(value, names))
