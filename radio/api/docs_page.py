"""The contract as one page for people: no script, nothing fetched from elsewhere (pure)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from radio.api.docs_schema import SchemaTables, inline, notes_of, table_head
from radio.api.docs_style import stylesheet
from radio.api.openapi import SECURITY
from radio.api.schemas import sample

STYLE: Final = stylesheet()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page."""

STAND_INS: Final[Mapping[str, str]] = {
    "station": "harbor",
    "mount": "live.mp3",
    "name": "live",
    "ending": "m3u",
    "id": "5f2a9c",
    "date": "20261123",
}
"""What examples put in the place of a path's parts; others stand in capitals."""

Document = Mapping[str, Any]


def docs_page(http: Document, push: Document, here: str) -> str:
    """The page for an OpenAPI and an AsyncAPI document; examples ask at the address ``here``."""
    info = http["info"]
    title = f"{info['title']}: the contract"
    tables = SchemaTables(http["components"]["schemas"])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="/favicon.svg">\n<style>{STYLE}</style>\n</head>\n'
        '<body>\n<a class="skip" href="#contract">Skip to the contract</a>\n'
        f'<header class="head"><a class="wordmark" href="/">{escape(info["title"])}</a>'
        f"<p>Version {escape(info['version'])} · {escape(info['license']['name'])} · "
        '<a href="/api/openapi.json">OpenAPI</a> · <a href="/api/asyncapi.json">AsyncAPI</a></p></header>\n'
        f'<div class="page">\n{_contents(http)}\n<main id="contract">\n'
        f"<h1>The contract</h1>\n{_prose(info['description'])}\n"
        f"{_http(http, tables, here)}{_push(push)}{_errors(http, tables)}"
        "</main>\n</div>\n</body>\n</html>\n"
    )


def _operations(http: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in http["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _contents(http: Document) -> str:
    parts = []
    for tag in http["tags"]:
        links = "".join(
            f'<li><a href="#{operation["operationId"]}">{inline(operation["summary"])}</a></li>'
            for _, _, operation in _operations(http)
            if tag["name"] in operation["tags"]
        )
        parts.append(f'<li><a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a><ul>{links}</ul></li>')
    parts.append('<li><a href="#push-protocol">Push protocol</a></li><li><a href="#errors">Errors</a></li>')
    return f'<nav aria-label="Contents"><ul>{"".join(parts)}</ul></nav>'


def _http(http: Document, tables: SchemaTables, here: str) -> str:
    parts: list[str] = []
    for tag in http["tags"]:
        parts.append(f'<h2 id="{_anchor(tag["name"])}">{escape(tag["name"])}</h2>\n')
        parts.append(_prose(tag.get("description", "")))
        for path, method, operation in _operations(http):
            if tag["name"] in operation["tags"]:
                parts.append(_operation(http, tables, path, method, operation, here))
    return "".join(parts)


def _operation(
    http: Document, tables: SchemaTables, path: str, method: str, operation: Document, here: str
) -> str:
    name = operation["operationId"]
    roles = [role for one in operation.get("security", ()) for role in one.get(SECURITY, ())]
    shown = escape(path).replace("{", "<i>{").replace("}", "}</i>")
    return (
        f'<article class="op" id="{name}">\n<h3>{inline(operation["summary"])}'
        f'<a class="anchor" href="#{name}" aria-label="Link to: {escape(operation["summary"])}">#</a></h3>\n'
        f'<p class="call"><span class="method {method.lower()}">{method}</span><code>{shown}</code></p>\n'
        + (f'<p class="who">A token of the role {_roles(roles)}</p>\n' if roles else "")
        + _prose(operation.get("description", ""))
        + _parameters(operation)
        + _body(operation, tables)
        + _replies(operation, tables)
        + f"<h4>Example</h4>\n<pre><code>{escape(curl(http, path, method, operation, here))}</code></pre>\n"
        + _example(operation)
        + "</article>\n"
    )


def _roles(roles: list[str]) -> str:
    ordered = sorted(roles, key=lambda role: (role == "admin", role))
    return " or ".join(filter(None, (", ".join(ordered[:-1]), ordered[-1])))


def _parameters(operation: Document) -> str:
    if not operation.get("parameters"):
        return ""
    rows = "".join(_parameter(one) for one in operation["parameters"])
    head = table_head("Parameter", "Kind", "Notes")
    return f"<h4>Request</h4>\n<table>{head}<tbody>{rows}</tbody></table>\n"


def _parameter(parameter: Document) -> str:
    schema = parameter["schema"]
    needed = "" if parameter["required"] else ' <span class="soft">optional</span>'
    kind = SchemaTables({}).kind(schema)
    described = inline(parameter["description"]) if "description" in parameter else ""
    notes = "; ".join(filter(None, (described.removesuffix("."), notes_of(schema))))
    place = {"path": "in the path", "query": "query", "header": "header"}[parameter["in"]]
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code>{needed}</td>"
        f'<td>{kind} <span class="soft">{place}</span></td><td>{notes}</td></tr>\n'
    )


def _body(operation: Document, tables: SchemaTables) -> str:
    body = operation.get("requestBody")
    if body is None:
        return ""
    media = ", ".join(f"<code>{escape(name)}</code>" for name in body["content"])
    optional = "" if body["required"] else ", may be left out"
    parts = [f"<h4>Body: {media}{optional}</h4>\n"]
    schemas = [content["schema"] for content in body["content"].values() if "schema" in content]
    return "".join(parts + [tables.table(schema, sent=True) for schema in schemas[:1]])


def _replies(operation: Document, tables: SchemaTables) -> str:
    parts, others = [], []
    for status, reply in operation["responses"].items():
        if "$ref" in reply:
            others.append(f'<a href="#status-{status}">{status}</a>')
            continue
        phrase = f"{status} {HTTPStatus(int(status)).phrase}"
        content = reply.get("content", {})
        if not content:
            others.append(escape(phrase))
            continue
        media = ", ".join(f"<code>{escape(name)}</code>" for name in content)
        parts.append(f"<h4>{escape(phrase)}: {media}</h4>\n")
        schemas = [one["schema"] for one in content.values() if "schema" in one]
        parts += [tables.table(schema, sent=False) for schema in schemas[:1]]
    if others:
        parts.append(f'<p class="who">{"Also" if parts else "Replies"}: {", ".join(others)}</p>\n')
    return "".join(parts)


def _example(operation: Document) -> str:
    for reply in operation["responses"].values():
        for content in reply.get("content", {}).values():
            if "example" in content:
                text = json.dumps(content["example"], indent=2, ensure_ascii=False)
                return (
                    f"<details><summary>A reply</summary><pre><code>{escape(text)}</code></pre></details>\n"
                )
    return ""


def curl(http: Document, path: str, method: str, operation: Document, here: str) -> str:
    """A command that asks this, for a shell; the token is taken from the environment."""
    words = ["curl"]
    if "101" in operation["responses"]:
        return f"curl --no-buffer {socket_address(here)}{path}"
    if method != "GET":
        words.append(f"-X {method}")
    if operation.get("security"):
        words.append('-H "Authorization: Bearer $NEXTUP_TOKEN"')
    components = http["components"]["schemas"]
    query = []
    for parameter in operation.get("parameters", ()):
        place, name = parameter["in"], parameter["name"]
        if place == "path":
            path = path.replace(f"{{{name}}}", STAND_INS.get(name, name.upper()))
        elif parameter["required"]:
            value = STAND_INS["station"] if name in ("station", "stations") else _text(parameter, components)
            if place == "query":
                query.append(f"{name}={quote(value)}")
            else:
                words.append(f"-H '{name}: {value}'")
    words += _sent(operation, components)
    words.append(_quoted(here + path + ("?" + "&".join(query) if query else "")))
    return " ".join(words) if len(words) == 2 else " \\\n  ".join([" ".join(words[:2]), *words[2:]])


def socket_address(here: str) -> str:
    """Where WebSockets are, beside ``http://`` or ``https://`` of the same host."""
    return here.replace("http", "ws", 1)


def _text(parameter: Document, components: Mapping[str, Any]) -> str:
    value = sample(dict(parameter["schema"]), components)
    return str(value[0] if isinstance(value, list) and value else value)


def _sent(operation: Document, components: Mapping[str, Any]) -> list[str]:
    body = operation.get("requestBody")
    if body is None:
        return []
    media, content = next(iter(body["content"].items()))
    if "schema" not in content:
        return [f"-H 'Content-Type: {media}'", "--data-binary @FILE"]
    value = json.dumps(sample(content["schema"], components), ensure_ascii=False).replace("'", "'\\''")
    return [f"-H 'Content-Type: {media}'", f"-d '{value}'"]


def _quoted(address: str) -> str:
    return f"'{address}'" if set(address) & set("?&*{}$ ") else address


def _push(push: Document) -> str:
    tables = SchemaTables(push["components"]["schemas"], "frame-shape")
    parts = [f'<h2 id="push-protocol">Push protocol</h2>\n{_prose(push["info"]["description"])}']
    for name, channel in push["channels"].items():
        frames = " ".join(
            f'<a href="#frame-{frame}"><code>{frame}</code></a>' for frame in channel["messages"]
        )
        parts.append(
            f'<article class="op" id="channel-{name}"><h3>{escape(channel["title"])}</h3>\n'
            f'<p class="call"><code>{escape(channel["address"])}</code></p>\n{_prose(channel["description"])}'
            f'<p class="who">Frames: {frames}</p></article>\n'
        )
    clients = {one["messages"][0]["$ref"].rpartition("/")[2] for one in _received(push)}
    for name, message in push["components"]["messages"].items():
        who = "The client says" if name in clients else "The server says"
        parts.append(
            f'<article class="op" id="frame-{name}">\n<h3><code>{escape(name)}</code></h3>\n'
            f'<p class="who">{who}</p>\n{_prose(message["summary"])}'
            f"{tables.table(message['payload'], sent=name in clients)}</article>\n"
        )
    parts.append(_channel_codes(push["channels"]["socket"], "", ""))
    if desk := push["channels"].get("desk"):
        parts.append(_channel_codes(desk, "desk-", " of desks"))
    return "".join(parts)


def _channel_codes(channel: Document, mark: str, whose: str) -> str:
    return (
        f'<h3 id="{mark}close-codes" class="op">Close codes{whose}</h3>\n{_codes(channel["x-close-codes"])}'
        f'<h3 id="{mark}error-codes" class="op">Codes in error frames{whose}</h3>\n'
        f"{_codes(channel['x-error-codes'])}"
    )


def _received(push: Document) -> Iterator[Document]:
    return (one for one in push["operations"].values() if one["action"] == "receive")


def _codes(codes: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{one['code']}</code></td><td>{inline(one['meaning'])}</td></tr>\n" for one in codes
    )
    return f'<table class="codes"><tbody>{rows}</tbody></table>\n'


def _errors(http: Document, tables: SchemaTables) -> str:
    rows = "".join(
        f'<tr id="status-{name.removeprefix("Problem")}"><td>{name.removeprefix("Problem")}</td>'
        f"<td>{inline(reply['description'])}</td></tr>\n"
        for name, reply in http["components"]["responses"].items()
    )
    problem = tables.table({"$ref": "#/components/schemas/ProblemDetails"}, sent=False)
    text = "Every error is a problem document; its `code` is one of those beside the status, and stays what it is."
    return (
        f'<h2 id="errors">Errors</h2>\n{_prose(text)}{problem}'
        f'<h3 id="codes" class="op">Codes by status</h3>\n<table class="codes"><tbody>{rows}</tbody></table>\n'
    )


def _prose(text: str) -> str:
    return "".join(f'<p class="prose">{inline(part)}</p>\n' for part in text.split("\n\n") if part.strip())


def _anchor(name: str) -> str:
    return "tag-" + "-".join(name.lower().split())
