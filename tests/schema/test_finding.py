"""Incidents are found by the numbers that letters name, by other systems' numbers and by text; lists are counted."""

from datetime import timedelta
from typing import Any

import pytest

from domain.agreements import Priority
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate import money
from tests.schema.test_reports import reported

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


BY_NUMBER = """query($number: String!) { byNumber(number: $number) { __typename id
  ... on Incident { number } ... on Report { number }
  ... on Invoice { document: number } ... on CreditNote { document: number } } }"""
LISTED = """query($report: String, $invoice: String, $note: String) {
  reports(search: $report) { nodes { number } }
  invoices(search: $invoice) { nodes { number } }
  creditNotes(search: $note) { nodes { number } } }"""


async def test_everything_with_a_number_is_found_by_it_in_one_place(
    api: Api, office: Office
) -> None:
    await reported(api, office)
    await money.owed(api, office.world, at=build.T0 + timedelta(hours=5))
    stranger = await asking.office(api)
    listed = await api.data(office.manager, LISTED)
    [invoice], [note], [report] = (
        [each["number"] for each in listed[name]["nodes"]]
        for name in ("invoices", "creditNotes", "reports")
    )

    async def kinds(token: str, number: str) -> list[str]:
        found = (await api.data(token, BY_NUMBER, number=number))["byNumber"]
        return [each["__typename"] for each in found]

    assert await kinds(office.client, "INC-000001") == ["Incident"]
    assert await kinds(office.client, f" {report.lower()} ") == ["Report"]
    assert {"Incident", "Report"} <= set(await kinds(office.client, "1"))
    assert await kinds(office.client, invoice.lower()) == ["Invoice"]
    assert await kinds(office.client, note.replace("-0000", "-")) == ["CreditNote"]
    for number in (report, invoice, note, "INC-000001"):
        assert await kinds(stranger.client, number) == [], "others' do not exist"
    assert await kinds(office.client, "XYZ-1") == []
    for number in ("", " ", "x" * 101):
        answer = await api.ask(office.client, BY_NUMBER, number=number)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID", answer
    narrowed = await api.data(
        office.client, LISTED, report=report, invoice=invoice.lower(), note="C1999-1"
    )
    assert [each["number"] for each in narrowed["reports"]["nodes"]] == [report]
    assert [each["number"] for each in narrowed["invoices"]["nodes"]] == [invoice]
    assert narrowed["creditNotes"]["nodes"] == []
