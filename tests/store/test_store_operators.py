from __future__ import annotations

import re
from hashlib import sha256

import pytest
from sqlalchemy import select

from radio.errors import InvalidRequest
from radio.store import operators, tables
from radio.store.operators import Operator, Role

NOON = 1_800_000_000_000


async def test_a_token_signs_its_operator_in(store):
    token = await store.write(operators.add, "news-desk", Role.OPERATOR, ["harbor", "island"], NOON)
    assert re.fullmatch(r"nu_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", token)
    operator = await store.read(operators.authenticate, token, NOON)
    assert operator == Operator("news-desk", Role.OPERATOR, ("harbor", "island"))
    assert [operator.covers(station) for station in ("harbor", "island", "hills")] == [True, True, False]


async def test_an_operator_without_a_list_covers_all_stations(store):
    token = await store.write(operators.add, "engineering", "admin", None, NOON)
    operator = await store.read(operators.authenticate, token, NOON)
    assert operator == Operator("engineering", Role.ADMIN, None)
    assert operator.covers("a station of next year")


async def test_the_database_holds_the_hash_and_no_part_of_the_secret(store):
    token = await store.write(operators.add, "news-desk", Role.VIEWER, None, NOON)
    [row] = await store.read(lambda conn: conn.execute(select(tables.operators)).all())
    secret = token.removeprefix(f"nu_{row.token_id}_")
    assert row.token_sha256 == sha256(token.encode()).hexdigest()
    assert not any(secret[start : start + 8] in str(row) for start in range(len(secret) - 8))


async def test_a_token_that_is_not_quite_right_is_refused(store):
    token = await store.write(operators.add, "news-desk", Role.ADMIN, None, NOON)
    wrong_last = "A" if token[-1] != "A" else "B"
    wrong_id = "0" if token[3] != "0" else "1"
    refused = [
        "",
        "nu_",
        token[:-1],
        token + "A",
        token + "\n",
        " " + token,
        token[:-1] + wrong_last,
        token[:3] + wrong_id + token[4:],
        token[:12] + "A" * 43,
        token[:-1] + "é",
        token[:-1] + "\x00",
        token[:3] + "٣" + token[4:],
        "ñ" * 55,
        "\ud800" + token[1:],
        token.upper(),
        token * 1000,
        "nu_00000000_" + "A" * 43,
    ]
    for attempt in refused:
        assert await store.read(operators.authenticate, attempt, NOON) is None, attempt[:60]
    assert await store.read(operators.authenticate, token, NOON) is not None


async def test_a_token_may_expire(store):
    token = await store.write(operators.add, "guest-desk", Role.VIEWER, None, NOON, expires_at_ms=NOON + 1000)
    assert await store.read(operators.authenticate, token, NOON + 999) is not None
    assert await store.read(operators.authenticate, token, NOON + 1000) is None


async def test_a_removed_operator_is_out_at_once(store):
    token = await store.write(operators.add, "news-desk", Role.ADMIN, None, NOON)
    assert await store.write(operators.remove, "news-desk")
    assert await store.read(operators.authenticate, token, NOON) is None
    assert not await store.write(operators.remove, "news-desk")


async def test_all_lists_operators_by_name(store):
    await store.write(operators.add, "traffic-desk", Role.TRAFFIC, ["island"], NOON)
    await store.write(operators.add, "engineering", Role.ADMIN, None, NOON)
    assert await store.read(operators.all) == [
        Operator("engineering", Role.ADMIN),
        Operator("traffic-desk", Role.TRAFFIC, ("island",)),
    ]


async def test_what_cannot_be_an_operator_is_refused(store):
    await store.write(operators.add, "engineering", Role.ADMIN, None, NOON)
    refused = [
        ("", "admin", None, "name"),
        ("  ", "admin", None, "name"),
        ("a\nb", "admin", None, "name"),
        ("n" * 81, "admin", None, "name"),
        ("news-desk", "root", None, "role"),
        ("news-desk", "admin", [], "stations"),
        ("engineering", "admin", None, "name"),
    ]
    for name, role, stations, field in refused:
        with pytest.raises(InvalidRequest, match="Allowed: ") as caught:
            await store.write(operators.add, name, role, stations, NOON)
        assert caught.value.field == field
    assert len(await store.read(operators.all)) == 1
