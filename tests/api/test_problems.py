from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from api_house import House, open_house

from radio import errors
from radio.api.problems import HTTP_STATUS
from radio.errors import RadioError

ERRORS: dict[str, tuple[RadioError, int]] = {
    "configuration": (errors.ConfigurationError("is wrong", file="config.toml", line=3, key="a"), 422),
    "schedule": (errors.ScheduleError("is wrong", file="wxyz.toml", line=3, key="a"), 422),
    "request": (errors.InvalidRequest("`limit` is 0.", field="limit", allowed="1 to 500"), 400),
    "method": (errors.MethodNotAllowed("A stream can only be listened to.", allowed="GET"), 405),
    "meanwhile": (errors.ChangedMeanwhile("It was changed.", field="If-Match"), 412),
    "no version": (errors.VersionNeeded("If-Match is needed.", field="If-Match"), 428),
    "not written": (errors.NotWritten("wxyz.toml", "no space is left"), 507),
    "tags": (errors.TagsNotWritten("a.mp3", "it is read-only"), 422),
    "no token": (errors.Unauthenticated("A token is needed."), 401),
    "no right": (errors.Forbidden("The role viewer may not do this."), 403),
    "not found": (errors.NotFound("There is nothing."), 404),
    "station": (errors.UnknownStation("wxzy", ["wxyz"]), 404),
    "mount": (errors.UnknownMount("There is no mount."), 404),
    "item": (errors.UnknownItem("There is no item."), 404),
    "limit": (errors.LimitReached("Too many."), 503),
    "audio": (errors.AudioError("a.mp3", "no sound"), 422),
    "store": (errors.StoreError("The database is gone."), 503),
    "store too new": (errors.StoreTooNew("The database is newer."), 503),
    "address": (errors.AddressInUse("Taken."), 503),
    "takeover": (errors.TakeoverFailed("Nobody answers."), 503),
    "connection": (errors.ConnectionFailed("Gone."), 502),
    "plain": (RadioError("Something."), 500),
}


def every_class(base: type[RadioError] = RadioError) -> Iterator[type[RadioError]]:
    yield base
    for below in base.__subclasses__():
        if below.__module__ == "radio.errors":
            yield from every_class(below)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async def fail(request: web.Request) -> web.Response:
        raise ERRORS[request.match_info["which"]][0]

    async def unforeseen(_: web.Request) -> web.Response:
        raise RuntimeError("the password is hunter2")

    async def refuse(_: web.Request) -> web.Response:
        raise web.HTTPGone(reason="It went.")

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("/there")

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    def routes(_: House) -> list[web.RouteDef]:
        return [
            web.get("/fail/{which}", fail),
            web.get("/api/fail/{which}", fail),
            web.get("/api/console/fail/{which}", fail),
            web.get("/unforeseen", unforeseen),
            web.get("/gone", refuse),
            web.get("/elsewhere", elsewhere),
            web.get("/large", large),
        ]

    async with open_house(tmp_path, routes) as opened:
        yield opened


def test_every_error_class_is_covered() -> None:
    assert {type(error) for error, _ in ERRORS.values()} == set(every_class())
    assert {each.code for each in every_class()} == set(HTTP_STATUS)


@pytest.mark.parametrize("which", ERRORS)
async def test_an_error_becomes_its_status_and_a_problem_document(house: House, which: str) -> None:
    error, status = ERRORS[which]
    answer = await house.ask(f"/fail/{which.replace(' ', '%20')}")
    assert (answer.status, answer.code) == (status, error.code)
    assert answer.json["detail"] == error.message
    assert answer.json.get("field") == getattr(error, "field", None)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert ("retry-after" in answer.headers) == (status == 503)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "target",
    ["/", "/nowhere", "/fail", "/fail/", "/fail/a/b", "/%00", "/%ff", "/%2e%2e/etc", "/" + "a" * 7000],
)
async def test_an_unknown_path_is_404(house: House, target: str) -> None:
    answer = await house.ask(target)
    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.json["detail"] == "There is nothing at this address."


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
async def test_a_method_that_is_not_possible_is_405_with_allow(house: House, method: str) -> None:
    answer = await house.ask("/unforeseen", "Content-Length: 0", method=method)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(",")) == {"GET", "HEAD"}
    assert "Allowed: GET, HEAD" in answer.json["detail"]


async def test_a_write_to_an_unknown_path_is_404_and_not_403(house: House) -> None:
    assert (await house.ask("/nowhere", "Content-Length: 0", method="POST")).status == 404


async def test_an_unforeseen_exception_is_500_and_shows_nothing_of_its_insides(house: House) -> None:
    answer = await house.ask("/unforeseen")
    assert (answer.status, answer.code) == (500, "internal")
    for word in (b"hunter2", b"Traceback", b"RuntimeError", b".py"):
        assert word not in answer.body


async def test_other_http_errors_are_problems_too_and_redirects_pass(house: House) -> None:
    gone = await house.ask("/gone")
    assert (gone.status, gone.code, gone.json["detail"]) == (410, "invalid_request", "It went.")
    moved = await house.ask("/elsewhere")
    assert (moved.status, moved.headers["location"]) == (302, "/there")


async def test_a_body_that_is_too_large_is_413(house: House) -> None:
    answer = await house.ask("/large", body=bytes(1_000))
    assert (answer.status, len(answer.body)) == (200, 1_000)
    answer = await house.ask("/large", body=bytes(1_000_001))
    assert (answer.status, answer.code) == (413, "too_large")


async def test_head_of_a_problem_has_no_body(house: House) -> None:
    answer = await house.ask("/nowhere", method="HEAD")
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("which", ["station", "limit", "plain", "request"])
async def test_pages_of_other_sites_can_read_what_is_wrong_with_a_public_address(
    house: House, which: str
) -> None:
    answer = await house.ask(f"/api/fail/{which}", "Origin: https://elsewhere.example")
    assert answer.code == ERRORS[which][0].code
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert "access-control-allow-credentials" not in answer.headers
    unknown = await house.ask("/api/nowhere")
    assert (unknown.status, unknown.headers["access-control-allow-origin"]) == (404, "*")
    for private in (f"/api/console/fail/{which}", f"/fail/{which}"):
        assert "access-control-allow-origin" not in (await house.ask(private)).headers
