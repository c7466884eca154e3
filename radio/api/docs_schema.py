"""A JSON schema as rows of a table that people read: member, kind, what is to know (pure).

A named shape is told in full where it first stands on a page; later places lead there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final, NamedTuple

from radio.api.docs_style import DEEPEST
from radio.api.schemas import REF, Schema

SEVERAL: Final[Mapping[str, str]] = {
    "text": "texts",
    "integer": "integers",
    "number": "numbers",
    "object": "objects",
}

KINDS: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
    "null": "null",
}


class Row(NamedTuple):
    """One line: how deep it stands, the member's name as HTML, its kind as HTML, and notes as HTML."""

    depth: int
    name: str
    kind: str
    notes: str


class SchemaTables:
    """Writes tables for one page; remembers the shapes that were told. ``anchors`` begins the names of their places."""

    def __init__(self, components: Mapping[str, Schema], anchors: str = "shape") -> None:
        self._components = components
        self._anchors = anchors
        self._told: set[str] = set()

    def table(self, schema: Schema, *, sent: bool) -> str:
        """``schema`` as a table; ``sent`` by a client, which may leave some members out. One line where that is all."""
        rows = list(self._value(schema, 0, "", sent))
        if len(rows) == 1 and not rows[0].name:
            return f'<p class="whole">{rows[0].kind}{f": {rows[0].notes}" if rows[0].notes else ""}</p>\n'
        body = "".join(_row(row) for row in rows)
        head = table_head("Member", "Kind", "Notes")
        return f"<table>{head}<tbody>{body}</tbody></table>"

    def _value(self, schema: Schema, depth: int, name: str, sent: bool) -> Iterator[Row]:
        """The row of a value and those of its members; a whole table begins without a name."""
        notes = self._notes(schema) if name else notes_of(schema)
        choices = [one for one in choices_of(schema) if one.get("type") != "null"]
        if name or not all(self._is_untold_object(choice) for choice in choices):
            yield Row(depth, name, self.kind(schema), notes)
            depth += 1 if name else 0
        for choice in choices:
            if len(choices) > 1 and self._is_untold_object(choice):
                part = escape(self._ref_name(choice) or "object")
                yield Row(depth, f'<span class="part">{part}</span>', "", "")
            yield from self._members(choice, depth, sent)

    def _notes(self, schema: Schema) -> str:
        """A member's notes; where it says nothing itself, what its shape says of itself."""
        notes = notes_of(schema)
        choices = [one for one in choices_of(schema) if one.get("type") != "null"]
        whole = self._resolved(choices[0]) if len(choices) == 1 else {}
        inner = whole.get("items") if isinstance(whole.get("items"), dict) else whole
        told = self._resolved(inner).get("description") if inner else None
        return notes if notes or told is None else inline(told.split("\n\n")[0]).removesuffix(".")

    def _is_untold_object(self, schema: Schema) -> bool:
        return "properties" in self._resolved(schema) and self._ref_name(schema) not in self._told

    def _members(self, schema: Schema, depth: int, sent: bool) -> Iterator[Row]:
        ref = self._ref_name(schema)
        whole = self._resolved(schema)
        if "items" in whole and isinstance(whole["items"], dict):
            yield from self._inside(whole["items"], depth, sent)
        elif isinstance(whole.get("additionalProperties"), dict):
            yield from self._inside(whole["additionalProperties"], depth, sent)
        elif "properties" in whole and (ref is None or ref not in self._told):
            if ref is not None:
                self._told.add(ref)
                yield from self._anchored(ref, whole, depth, sent)
            else:
                yield from self._properties(whole, depth, sent)

    def _anchored(self, ref: str, whole: Schema, depth: int, sent: bool) -> Iterator[Row]:
        rows = self._properties(whole, depth, sent)
        for first in rows:
            yield first._replace(name=f'<span id="{self._anchors}-{escape(ref)}"></span>{first.name}')
            break
        yield from rows

    def _properties(self, whole: Schema, depth: int, sent: bool) -> Iterator[Row]:
        needed = whole.get("required", ())
        for name, schema in whole["properties"].items():
            code = f"<code>{escape(name)}</code>"
            mark = (
                ""
                if name in needed
                else f' <span class="soft">{"optional" if sent else "may be absent"}</span>'
            )
            yield from self._value(schema, depth, code + mark, sent)

    def _inside(self, schema: Schema, depth: int, sent: bool) -> Iterator[Row]:
        """Members of what a list or a mapping holds; a plain value is told in the kind already."""
        for choice in (one for one in choices_of(schema) if one.get("type") != "null"):
            whole = self._resolved(choice)
            if "properties" in whole or "items" in whole:
                yield from self._members(choice, depth, sent)

    def kind(self, schema: Schema) -> str:
        """What a value is, in words, as HTML."""
        return " or ".join(dict.fromkeys(self._kinds(schema)))

    def _kinds(self, schema: Schema) -> Iterator[str]:
        for choice in choices_of(schema):
            ref, whole = self._ref_name(choice), self._resolved(choice)
            if "enum" in whole or "const" in whole:
                values = whole["enum"] if "enum" in whole else [whole["const"]]
                yield " | ".join(f"<code>{escape(str(value))}</code>" for value in values)
            elif ref is not None and ref in self._told and "properties" in whole:
                yield f'<a href="#{self._anchors}-{escape(ref)}">{escape(ref)}</a>'
            elif whole.get("type") == "array":
                inner = self.kind(whole["items"]) if isinstance(whole.get("items"), dict) else ""
                yield f"list of {SEVERAL.get(inner, inner)}" if inner and inner != "anything" else "list"
            elif whole.get("type") == "object" and isinstance(whole.get("additionalProperties"), dict):
                inner = self.kind(whole["additionalProperties"])
                yield f"{SEVERAL.get(inner, inner)} by name"
            else:
                yield KINDS.get(str(whole.get("type")), "anything")

    def _ref_name(self, schema: Schema) -> str | None:
        ref = schema.get("$ref")
        return ref.removeprefix(REF) if isinstance(ref, str) else None

    def _resolved(self, schema: Schema) -> Schema:
        name = self._ref_name(schema)
        return schema if name is None else self._resolved(self._components[name])


def table_head(*names: str) -> str:
    """The head of a table with columns of these names."""
    columns = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<thead><tr>{columns}</tr></thead>"


def choices_of(schema: Schema) -> list[Schema]:
    """The schemas of which a value meets one; the schema itself where there is no choice."""
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def notes_of(schema: Schema) -> str:
    """Descriptions, bounds and the default of a value, as HTML."""
    notes: list[str] = []
    for one in (schema, *(choice for choice in choices_of(schema) if choice is not schema)):
        notes += [inline(one["description"])] if "description" in one else []
        notes += list(_bounds(one))
        if one.get("format"):
            notes.append(escape(str(one["format"])))
    if schema.get("default") not in (None, "", [], {}):
        notes.append(f"default <code>{escape(_json(schema['default']))}</code>")
    return "; ".join(note.removesuffix(".") for note in notes)


def inline(text: str) -> str:
    """Text with code between backticks, as HTML."""
    parts = escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _bounds(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low:,} to {high:,}" if high < (1 << 53) - 1 else f"from {low:,}"
    elif low is not None or high is not None:
        yield f"from {low:,}" if low is not None else f"up to {high:,}"
    for word, unit in (("Length", "characters"), ("Items", "of them")):
        if (most := schema.get(f"max{word}")) is not None:
            yield f"at most {most:,} {unit}"
    if "pattern" in schema:
        yield f"<code>{escape(schema['pattern'])}</code>"


def _json(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _row(row: Row) -> str:
    deep = f' class="d{min(row.depth, DEEPEST)}"' if row.depth else ""
    return f"<tr{deep}><td>{row.name}</td><td>{row.kind}</td><td>{row.notes}</td></tr>\n"
