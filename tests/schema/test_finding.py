"""Incidents are found by the numbers that letters name, by other systems' numbers and by text; lists are counted."""

from typing import Any

import pytest

from domain.agreements import Priority
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio

FIND = """query($search: String, $externalId: String, $externalSource: String) {
  incidents(search: $search, externalId: $externalId, externalSource: $externalSource) {
    totalCount nodes { number summary externalId } } }"""


async def found(api: Api, token: str, **given: Any) -> list[str]:
    """The numbers of the incidents that are found."""
    page = (await api.data(token, FIND, **given))["incidents"]
    assert page["totalCount"] == len(page["nodes"])
    return sorted(each["number"] for each in page["nodes"])


async def test_an_incident_is_found_by_number_and_by_text(api: Api, office: Office) -> None:
    make, world = api.make, office.world
    await build.incident(make, world, summary="Gate 100% open", reporter="Anna")
    await build.incident(make, world, summary="Alarm", external_source="PAC", external_id="A-77")
    third = await build.incident(make, world, summary="Door", reporter="Bob")
    stranger = await asking.office(api)
    await build.incident(make, stranger.world, summary="Gate 100% open")
    for search, numbers in (
        ("INC-000001", ["INC-000001"]),
        ("inc 2", ["INC-000002"]),
        ("3", ["INC-000003"]),
        ("A-77", ["INC-000002"]),
        ("gate", ["INC-000001"]),
        ("100%", ["INC-000001"]),
        ("%", ["INC-000001"]),
        ("bob", ["INC-000003"]),
        ("INC-000004", []),
        ("_", []),
    ):
        assert await found(api, office.client, search=search) == numbers, search
    assert third.reference == "INC-000003"
    assert await found(api, office.client, externalId="A-77") == ["INC-000002"]
    assert await found(api, office.client, externalId="A-77", externalSource="X") == []
    assert await found(api, stranger.client, search="A-77") == []
    for search in ("", " ", "x" * 101):
        answer = await api.ask(office.client, FIND, search=search)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID", answer


async def test_running_promises_are_listed_by_when_they_are_due(api: Api, office: Office) -> None:
    for priority in (Priority.LOW, Priority.CRITICAL):
        await build.incident(api.make, office.world, priority=priority)
    page = (
        await api.data(
            office.client,
            """query { first: duePromises(first: 2) { totalCount pageInfo { endCursor } nodes { dueAt state } }
                       all: duePromises { nodes { dueAt } } }""",
        )
    )  # fmt: skip
    due = [each["dueAt"] for each in page["all"]["nodes"]]
    assert due == sorted(due)
    assert [each["dueAt"] for each in page["first"]["nodes"]] == due[:2]
    assert page["first"]["totalCount"] == len(due) > 2
    after = await api.data(
        office.client,
        "query($after: String) { duePromises(after: $after) { nodes { dueAt } } }",
        after=page["first"]["pageInfo"]["endCursor"],
    )
    assert [each["dueAt"] for each in after["duePromises"]["nodes"]] == due[2:]
