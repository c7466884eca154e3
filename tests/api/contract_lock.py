"""The released contract, as it is kept in ``contract_lock.json``, and what would break it.

A release may add: routes, members of replies, optional parameters and members of requests, frames, codes, choices.
It may take nothing away, rename nothing, change no type, and ask for nothing that was not asked for before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PLACE = Path(__file__).with_name("contract_lock.json")
RENEW = "python -m tests.api.renew_contract"
TOLD = {"description", "title", "default", "examples", "discriminator", "summary"}
SECTIONS = ("operations", "shapes", "frames", "frame_shapes")

Schema = Mapping[str, Any]


def locked() -> dict[str, Any]:
    """The contract as it was released."""
    kept: dict[str, Any] = json.loads(PLACE.read_text(encoding="utf-8"))
    return kept


def written(contract: Mapping[str, Any]) -> str:
    """The text of the lock: one line for each route, frame and shape."""
    parts = []
    for name, section in sorted(contract.items()):
        if isinstance(section, dict):
            lines = ",\n".join(f"  {json.dumps(key)}: {_line(section[key])}" for key in sorted(section))
            parts.append(f" {json.dumps(name)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(name)}: {_line(section)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def contract_of(http: Mapping[str, Any], push: Mapping[str, Any]) -> dict[str, Any]:
    """What is locked of an OpenAPI and an AsyncAPI document: shapes, and no words."""
    client = {each["messages"][0]["$ref"].rpartition("/")[2] for each in _received(push)}
    socket, desk = push["channels"]["socket"], push["channels"]["desk"]
    return {
        "operations": {
            f"{method.upper()} {path}": _operation(operation, http)
            for path, methods in http["paths"].items()
            for method, operation in methods.items()
        },
        "shapes": _bare(http["components"]["schemas"]),
        "frames": {
            f"{'client' if name in client else 'server'} {name}": _bare(message["payload"])
            for name, message in push["components"]["messages"].items()
        },
        "frame_shapes": _bare(push["components"]["schemas"]),
        "channels": sorted(channel["address"] for channel in push["channels"].values()),
        "close_codes": sorted(each["code"] for each in socket["x-close-codes"]),
        "error_codes": sorted(each["code"] for each in socket["x-error-codes"]),
        "desk_close_codes": sorted(each["code"] for each in desk["x-close-codes"]),
        "desk_error_codes": sorted(each["code"] for each in desk["x-error-codes"]),
    }


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What clients of ``old`` would trip over in ``new``; empty where there are only additions."""
    http, push = _Pair(old["shapes"], new["shapes"]), _Pair(old["frame_shapes"], new["frame_shapes"])
    return [
        *(
            problem
            for name, operation in sorted(old["operations"].items())
            for problem in _operation_breaks(name, operation, new["operations"].get(name), http)
        ),
        *(
            problem
            for name, frame in sorted(old["frames"].items())
            for problem in _frame_breaks(name, frame, new["frames"].get(name), push)
        ),
        *(
            f"{section}: {value} is gone"
            for section in ("channels", "close_codes", "error_codes", "desk_close_codes", "desk_error_codes")
            for value in old.get(section, ())
            if value not in new[section]
        ),
    ]


def explained(problems: list[str]) -> str:
    """What a failing test says."""
    return (
        "Clients of the released contract would break:\n  "
        + "\n  ".join(problems)
        + f"\nAdd beside what there is, and leave that. Where it was never released, renew the lock: {RENEW}"
    )


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _received(push: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (each for each in push["operations"].values() if each["action"] == "receive")


def _bare(value: Any) -> Any:
    """Schemas without words. A member may be called like a word, so members are looked at one by one."""
    if isinstance(value, dict):
        return {
            name: {key: _bare(one) for key, one in inner.items()} if name == "properties" else _bare(inner)
            for name, inner in value.items()
            if name not in TOLD
        }
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _operation(operation: Mapping[str, Any], http: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "parameters": {
            f"{each['in']} {each['name']}": {"required": each["required"], "schema": _bare(each["schema"])}
            for each in operation.get("parameters", ())
        },
        "replies": {status: _content(reply, http) for status, reply in operation["responses"].items()},
        "roles": sorted({role for each in operation.get("security", ()) for role in each["operatorToken"]}),
    }
    if (body := operation.get("requestBody")) is not None:
        made["body"] = {"required": body["required"], "content": _content(body, http)}
    return made


def _content(holder: Mapping[str, Any], http: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in holder:
        holder = http["components"]["responses"][holder["$ref"].rpartition("/")[2]]
    return {media: _bare(each.get("schema", {})) for media, each in holder.get("content", {}).items()}


def _operation_breaks(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any] | None, pair: _Pair
) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
        return
    if new["roles"] and not old["roles"]:
        yield f"{name} needs a token now"
    elif new["roles"] and (shut_out := set(old["roles"]) - set(new["roles"])):
        yield f"{name} is closed to {', '.join(sorted(shut_out))} now"
    yield from _parameter_breaks(name, old["parameters"], new["parameters"], pair)
    yield from _body_breaks(f"{name} body", old.get("body"), new.get("body"), pair)
    for status, content in old["replies"].items():
        if status in new["replies"]:
            yield from pair.content(content, new["replies"][status], f"{name} {status}", given=True)
        elif int(status) < 400:
            yield f"{name}: no reply {status} any more"


def _parameter_breaks(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], pair: _Pair
) -> Iterator[str]:
    for key, each in new.items():
        if each["required"] and not old.get(key, {"required": False})["required"]:
            yield f"{name}: {key} must be there now"
    for key, each in old.items():
        if key not in new:
            yield f"{name}: {key} is gone"
        else:
            yield from pair.schema(each["schema"], new[key]["schema"], f"{name} {key}", given=False)


def _body_breaks(name: str, old: Any, new: Any, pair: _Pair) -> Iterator[str]:
    if new is not None and new["required"] and not (old and old["required"]):
        yield f"{name} must be there now"
    if old is not None and new is None:
        yield f"{name} is not taken any more"
    elif old is not None:
        yield from pair.content(old["content"], new["content"], name, given=False)


def _frame_breaks(name: str, old: Schema, new: Schema | None, pair: _Pair) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
    else:
        yield from pair.schema(old, new, name, given=name.startswith("server"))


class _Pair:
    """Two sets of shapes, in which the same reference may mean different things."""

    def __init__(self, old: Mapping[str, Schema], new: Mapping[str, Schema]) -> None:
        self._old = old
        self._new = new
        self._under_way: set[tuple[str, str, bool]] = set()

    def content(
        self, old: Mapping[str, Schema], new: Mapping[str, Schema], place: str, *, given: bool
    ) -> Iterator[str]:
        for media, schema in old.items():
            if media not in new:
                yield f"{place}: no {media} any more"
            else:
                yield from self.schema(schema, new[media], place, given=given)

    def schema(self, old: Schema, new: Schema, place: str, *, given: bool) -> Iterator[str]:
        """Breaks between two schemas of what is ``given`` to clients, or taken from them."""
        key = (str(old.get("$ref")), str(new.get("$ref")), given)
        if "$ref" in old and "$ref" in new:
            if key in self._under_way:
                return
            self._under_way.add(key)
        yield from self._choices(_choices(old, self._old), _choices(new, self._new), place, given)
        self._under_way.discard(key)

    def _choices(self, old: list[Schema], new: list[Schema], place: str, given: bool) -> Iterator[str]:
        """Each value that may come (given: the new ones, taken: the old ones) must be one that is understood."""
        coming, understood = (new, old) if given else (old, new)
        for one in coming:
            ways = [
                list(self._value(*((other, one) if given else (one, other)), place, given))
                for other in understood
            ]
            if all(ways):
                yield from min(ways, key=len)

    def _value(self, old: Schema, new: Schema, place: str, given: bool) -> Iterator[str]:
        was, now = _kind(old), _kind(new)
        if not _fits(*((now, was) if given else (was, now))):
            yield f"{place} was {was}, is {now}"
        elif was == "object" == now:
            yield from self._object(old, new, place, given)
        elif was == "array" == now:
            yield from self._list(old, new, place, given)
        else:
            yield from _value_breaks(old, new, place, given)

    def _object(self, old: Schema, new: Schema, place: str, given: bool) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name not in after:
                yield f"{place}.{name} is gone"
            else:
                yield from self.schema(before[name], after[name], f"{place}.{name}", given=given)
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        if given:
            yield from (f"{place}.{name} may be absent now" for name in sorted((needed - needs) & set(after)))
        else:
            yield from (f"{place}.{name} must be there now" for name in sorted(needs - needed))
        rest, other = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(rest, dict) and isinstance(other, dict):
            yield from self.schema(rest, other, f"{place}.*", given=given)

    def _list(self, old: Schema, new: Schema, place: str, given: bool) -> Iterator[str]:
        first, second = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(first) != len(second):
            yield f"{place} had {len(first)} parts, has {len(second)}"
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            yield from self.schema(one, other, f"{place}[{index}]", given=given)
        if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
            yield from self.schema(old["items"], new["items"], f"{place}[]", given=given)
        if not given:
            yield from _tighter(old, new, place)


def _choices(schema: Schema, components: Mapping[str, Schema]) -> list[Schema]:
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    parts = schema.get("anyOf") or schema.get("oneOf")
    return [one for part in parts for one in _choices(part, components)] if parts else [schema]


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return "string" if isinstance(schema["enum"][0], str) else "integer"
    return str(schema.get("type", "anything"))


def _fits(coming: str, understood: str) -> bool:
    return understood in ("anything", coming) or (coming, understood) == ("integer", "number")


def _value_breaks(old: Schema, new: Schema, place: str, given: bool) -> Iterator[str]:
    if given:
        if "enum" in old and "enum" not in new:
            yield f"{place} was one of {old['enum']}, is any {_kind(new)}"
        return
    if "enum" in new and (
        refused := [value for value in old.get("enum", ["others"]) if value not in new["enum"]]
    ):
        yield f"{place} does not take {', '.join(map(str, refused))} any more"
    yield from _tighter(old, new, place)


def _tighter(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for word in ("minimum", "minLength", "minItems"):
        if new.get(word, 0) > old.get(word, 0):
            yield f"{place}: {word} is {new[word]} now"
    for word in ("maximum", "maxLength", "maxItems"):
        if word in new and new[word] < old.get(word, float("inf")):
            yield f"{place}: {word} is {new[word]} now"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{place} must match {new['pattern']} now"
