"""Schedules over HTTP, with a real file, a real store, a real planner and sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from api_house import NOON, Answer, House, open_house

from radio.api.schedule_api import ScheduleDesk, schedule_routes
from radio.api.schedule_drafts import schedule_draft_routes
from radio.api.schedule_parts import schedule_part_routes
from radio.api.schedule_revisions_api import schedule_revision_routes
from radio.schedule import PlannedStation, Planner, StationPlan, StoredLogs
from radio.schedule.editor import ScheduleEditor
from radio.schedule.previewer import Previewer
from radio.store.operators import Role

ROOT = "/api/console/stations/wxyz/schedule"
TEXT = """\
# The week of WXYZ
default_clock = "hour"   # else

# one hour
[clocks.hour]
positions = [{ rotate = ["music"] }]

# the tides
[[programmes]]
id = "tides"             # do not change
title = "Tides"
airs = [{ days = "daily", from = "12:00", to = "13:00" }]

[[programmes]]
id = "reef"
title = "Reef"
airs = [{ days = "mon-fri", from = "18:00", to = "20:00" }]
"""
TODAY = date(2027, 1, 15)


class NoLibrary:
    """A library with nothing in it: every row is bed."""

    by_id: dict[str, Any] = {}


class Desk:
    """Two operators at one station's schedule."""

    def __init__(self, house: House, file: Path, planner: Planner, editor: ScheduleEditor) -> None:
        self.house = house
        self.file = file
        self.planner = planner
        self.editor = editor
        self.tokens: dict[str, str] = {}

    async def ask(
        self, method: str, below: str = "", body: Any = None, *, by: str = "anna", match: str | None = None,
        fields: tuple[str, ...] = (), root: str = ROOT,
    ) -> Answer:  # fmt: skip
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = "application/toml" if isinstance(body, bytes) else "application/json"
        head = [f"Authorization: Bearer {self.tokens[by]}", f"Content-Type: {kind}", *fields]
        if match is not None:
            head.append(f"If-Match: {match}")
        return await self.house.ask(root + below, *head, method=method, body=data)

    async def tag(self) -> str:
        return (await self.ask("GET")).headers["etag"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    file = tmp_path / "wxyz.toml"
    file.write_text(TEXT)
    made: list[Desk] = []

    def routes(house: House) -> Any:
        plan = StationPlan(id="wxyz", name="WXYZ", timezone="America/New_York", roots=("/nowhere",))
        planner = Planner(
            [PlannedStation(plan=plan, schedule_file=file)],
            clock=house.clock,
            store=StoredLogs(house.store),
            library=NoLibrary,
            sponsors_file=tmp_path / "sponsors.toml",
        )
        editor = ScheduleEditor({"wxyz": file}, planner, house.store, house.clock)
        previewer = Previewer({"wxyz": ZoneInfo("America/New_York")}, editor, planner, house.clock)
        made.append(Desk(house, file, planner, editor))
        parts = ScheduleDesk(editor, previewer, house.store, house.clock)
        made_routes = (
            schedule_routes,
            schedule_part_routes,
            schedule_draft_routes,
            schedule_revision_routes,
        )
        return [route for routes_of in made_routes for route in routes_of(parts)]

    async with open_house(tmp_path, routes) as house, AsyncExitStack() as stack:
        (one,) = made
        await one.planner.start(stack)
        stack.push_async_callback(one.editor.stop)
        await one.editor.begin()
        one.tokens = {
            "anna": await house.token(Role.OPERATOR),
            "ben": await house.token(Role.OPERATOR, ["wxyz"]),
            "viewer": await house.token(Role.VIEWER),
            "elsewhere": await house.token(Role.OPERATOR, ["other"]),
        }
        yield one


def problem(answer: Answer) -> tuple[int, str, str | None]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status, answer.json["code"], answer.json.get("field")


async def test_the_file_is_read_as_json_and_as_text(desk: Desk) -> None:
    answer = await desk.ask("GET", by="viewer")
    view = answer.json
    assert (view["text"], view["in_force"], view["problem"], view["file"]) == (TEXT, True, None, "wxyz.toml")
    assert answer.headers["etag"] == f'"{view["version"]}"'
    assert (view["revision"]["number"], view["revision"]["operator"]) == (1, "file")
    text = await desk.ask("GET", fields=("Accept: text/toml",))
    assert (text.body.decode(), text.headers["etag"]) == (TEXT, answer.headers["etag"])
    same = await desk.ask(
        "GET", fields=("Accept: application/toml", f"If-None-Match: {answer.headers['etag']}")
    )
    assert (same.status, same.body) == (304, b"")


async def test_a_change_says_which_version_it_is_for(desk: Desk) -> None:
    for method, below, body in (
        ("PUT", "", {"text": TEXT}),
        ("PUT", "/programmes/tides", {"id": "tides", "title": "T", "airs": []}),
        ("DELETE", "/programmes/tides", None),
        ("PUT", "/grid", []),
        ("POST", "/revisions/1/restore", {}),
    ):
        for match in (None, "*"):
            answer = await desk.ask(method, below, body, match=match)
            if answer.status != 400:
                assert problem(answer) == (428, "version_needed", "If-Match"), (method, below)
    assert desk.file.read_text() == TEXT


async def test_two_operators_and_one_schedule(desk: Desk) -> None:
    tag = await desk.tag()
    mine = TEXT.replace('"Tides"', '"High Tides"')
    first = await desk.ask("PUT", "", {"text": mine, "why": "spring"}, match=tag)
    assert (first.status, first.json["revision"]["why"], first.json["in_force"]) == (200, "spring", True)
    assert first.headers["etag"] != tag
    second = await desk.ask(
        "PUT", "?why=late", TEXT.replace('"Reef"', '"Reefs"').encode(), by="ben", match=tag
    )
    assert problem(second) == (412, "changed_meanwhile", "If-Match")
    conflict = second.json["conflict"]
    assert conflict["base"]["text"] == TEXT
    assert conflict["theirs"]["text"] == mine
    assert (conflict["theirs"]["operator"], conflict["theirs"]["revision"]) == ("operator-0", 2)
    assert '+title = "High Tides"' in conflict["theirs"]["diff"]["text"]
    assert '+title = "Reefs"' in conflict["yours"]["diff"]["text"]
    assert f'"{conflict["theirs"]["version"]}"' == first.headers["etag"]
    both = mine.replace('"Reef"', '"Reefs"')
    merged = await desk.ask("PUT", "?why=late", both.encode(), by="ben", match=first.headers["etag"])
    assert (merged.status, desk.file.read_text()) == (200, both)
    assert merged.json["revision"]["why"] == "late"


async def test_errors_are_told_with_field_line_and_what_is_allowed(desk: Desk) -> None:
    tag = await desk.tag()
    wrong = TEXT.replace('"hour"   # else', '"huor"')
    answer = await desk.ask("PUT", "", {"text": wrong}, match=tag)
    assert problem(answer) == (422, "schedule_invalid", None)
    (finding,) = answer.json["findings"]
    assert (finding["field"], finding["line"], finding["allowed"]) == ("default_clock", 2, "hour")
    for body, field in (
        (b"\xff", "body"),
        ({"txt": ""}, "body"),
        ({"text": 5}, "text"),
        ({"text": TEXT, "why": "x" * 501}, "why"),
    ):
        assert problem(await desk.ask("PUT", "", body, match=tag)) == (400, "invalid_request", field)
    assert (await desk.ask("PUT", "", b"#" * 1_000_001, match=tag)).status == 413
    assert desk.file.read_text() == TEXT


async def test_checks_and_previews_save_nothing(desk: Desk) -> None:
    wrong = TEXT.replace('"hour"   # else', '"huor"')
    checked = (await desk.ask("POST", "/check", {"text": wrong}, by="viewer")).json
    assert (checked["ok"], checked["findings"][0]["line"]) == (False, 2)
    assert (await desk.ask("POST", "/check", TEXT.encode())).json["ok"]
    assert (await desk.ask("POST", "/check", {})).json["ok"]
    seen = (await desk.ask("POST", "/preview", {"text": TEXT.replace("mon-fri", "mon-thu")})).json
    assert seen["effects"]["counts"] == {"added": 0, "removed": 1, "moved": 0, "changed": 0}
    gone = seen["effects"]["airings"][0]
    assert (gone["what"], gone["was"]["starts"], gone["becomes"]) == (
        "removed",
        "2027-01-15T18:00:00-05:00",
        None,
    )
    one = await desk.ask("DELETE", "/programmes/tides?preview=1")
    assert one.json["effects"]["counts"]["removed"] == 7
    assert problem(await desk.ask("POST", "/preview", {"draft": True}))[0] == 404
    assert desk.file.read_text() == TEXT
    findings = (await desk.ask("GET", "/findings", by="viewer")).json
    assert findings["ok"]
    assert findings["version"] == (await desk.ask("GET")).json["version"]


async def test_parts_are_listed_put_in_changed_and_taken_out(desk: Desk) -> None:
    listed = (await desk.ask("GET", "/programmes", by="viewer")).json
    assert (listed["ids"], listed["tables"][0]["title"]) == (["tides", "reef"], "Tides")
    one = await desk.ask("GET", "/programmes/tides")
    table = one.json["table"] | {"host": "The coast desk", "changes": [{"on": "2027-02-01", "cancel": True}]}
    put = await desk.ask("PUT", "/programmes/tides?why=host", table, match=one.headers["etag"])
    assert put.status == 200
    expected = TEXT.replace(
        'to = "13:00" }]\n',
        'to = "13:00" }]\nhost = "The coast desk"\nchanges = [{ on = 2027-02-01, cancel = true }]\n',
    )
    assert desk.file.read_text() == expected
    new = {"title": "Foam", "airs": [{"days": "sat", "from": "01:00", "to": "02:00"}], "host": None}
    put = await desk.ask("PUT", "/programmes/foam", new, match=put.headers["etag"])
    assert desk.file.read_text().startswith(expected)
    assert (await desk.ask("GET", "/programmes/foam")).json["table"] == {
        "id": "foam", "title": "Foam", "airs": new["airs"],
    }  # fmt: skip
    gone = await desk.ask("DELETE", "/programmes/foam", match=put.headers["etag"])
    assert desk.file.read_text() == expected
    assert problem(await desk.ask("DELETE", "/programmes/foam", match=gone.headers["etag"]))[0] == 404
    used = await desk.ask("DELETE", "/clocks/hour", match=gone.headers["etag"])
    assert problem(used)[:2] == (422, "schedule_invalid")
    assert (await desk.ask("GET", "/clocks/night")).status == 404


async def test_each_kind_of_part_can_be_changed(desk: Desk) -> None:
    tag = await desk.tag()
    for below, body in (
        (
            "/clocks/night",
            {"positions": [{"at": "00:00", "anchor": "hard", "category": "news"}, {"rotate": ["music"]}]},
        ),
        ("/categories/jazz", {"folders": ["music"], "separation_min": 30, "weights": {"music/a": 2}}),
        ("/dayparts/drive", {"from": "06:00", "to": "10:00"}),
        ("/grid", [{"clock": "night", "daypart": "drive"}, {"clock": "hour", "hours": "0-5"}]),
        ("/item_rules", [{"items": ["music/a"], "first": "2027-02-01"}]),
    ):
        answer = await desk.ask("PUT", below, body, match=tag)
        assert answer.status == 200, answer.body
        tag = answer.headers["etag"]
        found = (await desk.ask("GET", below)).json
        assert found.get("table", found.get("tables")) == body
        assert found["version"] == tag.strip('"')
    assert desk.file.read_text().startswith(TEXT.rstrip("\n").split("\n[[programmes]]")[0][:20])
    assert [line for line in TEXT.splitlines() if line not in desk.file.read_text().splitlines()] == []


async def test_the_default_clock_is_read_changed_and_taken_out(desk: Desk) -> None:
    read = await desk.ask("GET", "/default_clock", by="viewer")
    assert (read.json["clock"], read.headers["etag"]) == ("hour", await desk.tag())
    night = {"positions": [{"rotate": ["music"]}]}
    put = await desk.ask("PUT", "/clocks/night", night, match=read.headers["etag"])
    changed = await desk.ask("PUT", "/default_clock?why=night", {"clock": "night"}, match=put.headers["etag"])
    assert changed.status == 200, changed.body
    assert 'default_clock = "night"   # else\n' in desk.file.read_text()
    assert [line for line in TEXT.splitlines() if line not in desk.file.read_text().splitlines()] == [
        'default_clock = "hour"   # else'
    ]
    assert (await desk.ask("GET", "/default_clock")).json["clock"] == "night"
    tag = changed.headers["etag"]
    unknown = await desk.ask("PUT", "/default_clock", {"clock": "nigth"}, match=tag)
    assert (unknown.status, unknown.json["findings"][0]["field"]) == (422, "default_clock")
    gone = await desk.ask("PUT", "/default_clock", {"clock": None}, match=tag)
    assert gone.status == 200, gone.body
    assert (await desk.ask("GET", "/default_clock")).json["clock"] is None
    assert desk.file.read_text().startswith("# The week of WXYZ\n\n# one hour\n[clocks.hour]\n")


@pytest.mark.parametrize(
    ("below", "body", "field"),
    [
        ("/default_clock", {}, "body"),
        ("/default_clock", {"clock": 5}, "clock"),
        ("/default_clock", {"clock": ""}, "clock"),
        ("/programmes/tides", {"title": "T"}, "body"),
        ("/programmes/tides", {"id": "other", "title": "T", "airs": [{"from": "1", "to": "2"}]}, "id"),
        ("/programmes/tides", {"title": "T", "airs": [{"form": "1", "to": "2"}]}, "airs[0]"),
        ("/programmes/tides", {"title": "T", "hots": "x", "airs": [{"from": "1", "to": "2"}]}, "hots"),
        ("/programmes/tides", [], "body"),
        ("/grid", {}, "body"),
        ("/grid", [{"clock": 5}], "[0].clock"),
        (
            "/programmes/tides/airings",
            {"scope": "some", "starts": "2027-01-16T12:00", "change": "cancel"},
            "scope",
        ),
        ("/programmes/tides/airings", {"scope": "this", "starts": "noon", "change": "cancel"}, "starts"),
        (
            "/programmes/tides/airings",
            {"scope": "this", "starts": "2027-01-16T13:00", "change": "cancel"},
            "starts",
        ),
    ],
)
async def test_what_is_wrong_in_a_part_is_named(desk: Desk, below: str, body: Any, field: str) -> None:
    method = "POST" if below.endswith("airings") else "PUT"
    answer = await desk.ask(method, below, body, match=await desk.tag())
    assert problem(answer) == (400, "invalid_request", field)


async def test_airings_are_cancelled_moved_and_split(desk: Desk) -> None:
    tag = await desk.tag()
    cancel = {
        "scope": "this",
        "starts": f"{TODAY + timedelta(days=1)}T12:00",
        "change": "cancel",
        "why": "storm",
    }
    one = await desk.ask("POST", "/programmes/tides/airings", cancel, match=tag)
    assert one.status == 200
    assert 'changes = [{ on = 2027-01-16, cancel = true, why = "storm" }]\n' in desk.file.read_text()
    assert one.json["revision"]["why"] == "storm"
    later = {
        "scope": "this_and_future",
        "starts": "2027-01-18T18:00",
        "change": {"from": "19:00", "to": "21:00"},
    }
    seen = await desk.ask("POST", "/programmes/reef/airings?preview=1", later)
    assert seen.json["effects"]["counts"]["moved"] == 4
    two = await desk.ask("POST", "/programmes/reef/airings", later, match=one.headers["etag"])
    airs = (await desk.ask("GET", "/programmes/reef")).json["table"]["airs"]
    assert [each.get("last") or each.get("first") for each in airs] == ["2027-01-17", "2027-01-18"]
    every = {"scope": "all", "starts": "2027-01-18T19:00", "change": {"title": "The Reef"}}
    await desk.ask("POST", "/programmes/reef/airings", every, match=two.headers["etag"])
    assert (await desk.ask("GET", "/programmes/reef")).json["table"]["title"] == "The Reef"
    assert (await desk.ask("POST", "/programmes/none/airings", every, match=await desk.tag())).status == 404


async def test_a_draft_is_kept_shown_and_published(desk: Desk) -> None:
    tag = await desk.tag()
    assert (await desk.ask("GET", "/draft")).status == 404
    mine = TEXT.replace('"Tides"', '"High Tides"')
    kept = await desk.ask("PUT", "/draft", {"text": mine, "why": "spring"})
    assert (kept.json["base"], kept.json["is_stale"]) == (tag.strip('"'), False)
    assert (await desk.ask("GET", "/draft", by="ben")).status == 404
    assert (await desk.ask("POST", "/check", {"draft": True})).json["ok"]
    assert (await desk.ask("POST", "/preview", {"draft": True})).json["effects"]["counts"]["changed"] == 7
    assert problem(await desk.ask("POST", "/draft/publish")) == (428, "version_needed", "If-Match")
    await desk.ask("PUT", "", {"text": TEXT + "# by ben\n"}, by="ben", match=tag)
    assert (await desk.ask("GET", "/draft")).json["is_stale"]
    for match in (tag, await desk.tag()):
        stale = await desk.ask("POST", "/draft/publish", match=match)
        assert problem(stale)[:2] == (412, "changed_meanwhile")
        assert stale.json["conflict"]["yours"]["text"] == mine
        assert stale.json["conflict"]["theirs"]["text"] == TEXT + "# by ben\n"
    now = await desk.tag()
    await desk.ask("PUT", "/draft", {"text": mine + "# by ben\n", "base": now.strip('"'), "why": "spring"})
    done = await desk.ask("POST", "/draft/publish", match=now)
    assert (done.status, done.json["revision"]["action"], done.json["revision"]["why"]) == (
        200,
        "publish",
        "spring",
    )
    assert desk.file.read_text() == mine + "# by ben\n"
    assert (await desk.ask("DELETE", "/draft")).status == 404
    await desk.ask("PUT", "/draft", {"text": "not TOML ["})
    assert (await desk.ask("DELETE", "/draft")).status == 204


async def test_every_revision_is_listed_compared_and_restored(desk: Desk) -> None:
    tag = await desk.tag()
    for number in range(3):
        answer = await desk.ask("PUT", "", {"text": TEXT + f"# {number}\n", "why": str(number)}, match=tag)
        tag = answer.headers["etag"]
    page = (await desk.ask("GET", "/revisions?limit=2", by="viewer")).json
    assert ([one["number"] for one in page["revisions"]], page["more"]) == ([4, 3], True)
    older = (await desk.ask("GET", "/revisions?before=3")).json
    assert ([one["number"] for one in older["revisions"]], older["more"]) == ([2, 1], False)
    assert older["revisions"][0]["at_ms"] == NOON
    third = (await desk.ask("GET", "/revisions/3")).json
    assert (third["text"], third["against"]) == (TEXT + "# 1\n", 2)
    assert third["diff"]["text"].endswith("-# 0\n+# 1")
    whole = (await desk.ask("GET", "/revisions/4?diff=1")).json["diff"]
    assert (whole["added"], whole["removed"]) == (1, 0)
    seen = await desk.ask("POST", "/revisions/1/restore?preview=1")
    assert seen.json["diff"]["removed"] == 1
    back = await desk.ask("POST", "/revisions/1/restore", {"why": "too much"}, match=tag)
    assert (back.json["revision"]["number"], back.json["revision"]["action"]) == (5, "restore")
    assert desk.file.read_text() == TEXT
    stale = await desk.ask("POST", "/revisions/2/restore", match=tag)
    assert problem(stale)[0] == 412
    assert (await desk.ask("GET", "/revisions/9")).status == 404
    assert (await desk.ask("POST", "/revisions/9/restore", match=await desk.tag())).status == 404
    assert problem(await desk.ask("GET", "/revisions?limit=0")) == (400, "invalid_request", "limit")


async def test_a_faulty_file_on_the_disk_is_told_and_can_be_mended(desk: Desk) -> None:
    desk.file.write_text(TEXT + "[clocks\n")
    await desk.editor.files_changed()
    view = (await desk.ask("GET")).json
    assert (view["in_force"], view["revision"], view["problem"]["line"]) == (False, None, 18)
    assert (await desk.ask("GET", "/programmes")).status == 422
    assert not (await desk.ask("GET", "/findings")).json["ok"]
    tag = await desk.tag()
    part = await desk.ask("PUT", "/dayparts/drive", {"from": "06:00", "to": "10:00"}, match=tag)
    assert part.status == 422
    mended = await desk.ask("PUT", "", {"text": TEXT + "# mended\n"}, match=tag)
    assert (mended.status, mended.json["in_force"], mended.json["revision"]["number"]) == (200, True, 2)


async def test_a_disk_that_takes_nothing_is_told(desk: Desk) -> None:
    tag = await desk.tag()
    desk.file.unlink()
    desk.file.mkdir()
    assert problem(await desk.ask("PUT", "", {"text": TEXT}, match=tag))[0] == 422
    desk.file.rmdir()
    parent = desk.file.parent
    (parent / "moved").mkdir()
    desk.file.symlink_to(parent / "api-house.db" / "x.toml")
    empty = await desk.tag()
    answer = await desk.ask("PUT", "", {"text": TEXT + "# new\n"}, match=empty)
    assert problem(answer)[:2] == (507, "not_written")


async def test_only_an_operator_of_the_station_changes_it(desk: Desk) -> None:
    tag = await desk.tag()
    changes = (
        ("PUT", ""), ("PUT", "/draft"), ("POST", "/draft/publish"), ("POST", "/revisions/1/restore"),
        ("PUT", "/clocks/hour"), ("DELETE", "/clocks/hour"), ("PUT", "/grid"), ("PUT", "/default_clock"),
        ("POST", "/programmes/tides/airings"),
    )  # fmt: skip
    for by in ("viewer", "elsewhere"):
        for method, below in changes:
            assert (await desk.ask(method, below, {}, by=by, match=tag)).status == 403, (by, method, below)
    assert (await desk.ask("GET", by="elsewhere")).status == 403
    assert (await desk.house.ask(ROOT)).status == 401
    unknown = "/api/console/stations/wxzy/schedule"
    for method, below in (
        *changes,
        ("GET", ""),
        ("GET", "/revisions"),
        ("GET", "/findings"),
        ("GET", "/clocks"),
    ):
        body = {"text": ""} if below in ("", "/draft") else [] if below == "/grid" else {"positions": []}
        if below == "/default_clock":
            body = {"clock": "hour"}
        if below.endswith("airings"):
            body = {"scope": "this", "starts": "2027-01-16T12:00", "change": "cancel"}
        if below.endswith(("publish", "restore")):
            body = {}
        answer = await desk.ask(method, below, body, match=tag, root=unknown)
        assert (answer.status, answer.json["code"]) == (404, "unknown_station"), (method, below)


async def test_many_edits_at_once_are_all_answered(desk: Desk) -> None:
    tag = await desk.tag()
    asked = [desk.ask("PUT", "", {"text": TEXT + f"# {n}\n"}, match=tag) for n in range(8)]
    found = sorted([answer.status for answer in await asyncio.gather(*asked)])
    assert found == [200, *[412] * 7]
