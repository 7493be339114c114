"""Durations of agreements: the last day for notice follows, bad ones are refused, and the fact has before and after."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from domain.agreements.model import notice_day
from domain.core.ledger import LedgerRow
from schema.core import ids
from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio

AGREE = """mutation($input: AgreeDurationInput!) { agreeDuration(input: $input) {
  ... on Agreement { fixedUntil noticeMonths noticeDays noticeBy renewsForMonths version }
  ... on Refusal { code argument } } }"""
READ = "query($id: ID!) { node(id: $id) { ... on Agreement { fixedUntil noticeBy } } }"


@pytest.mark.parametrize(
    ("fixed_until", "months", "days", "wanted"),
    [
        (date(2026, 12, 31), 3, 0, date(2026, 9, 30)),
        (date(2026, 12, 31), 0, 30, date(2026, 12, 1)),
        (date(2026, 12, 31), 0, 0, date(2026, 12, 31)),
        (date(2027, 5, 30), 3, 0, date(2027, 2, 27)),
        (date(2027, 5, 29), 3, 0, date(2027, 2, 27)),  # no 30 February: the month ends earlier
        (date(2028, 5, 28), 3, 0, date(2028, 2, 28)),
        (date(2026, 12, 31), 1, 7, date(2026, 11, 23)),
    ],
)
def test_the_whole_notice_period_lies_after_the_last_day_for_notice(
    fixed_until: date, months: int, days: int, wanted: date
) -> None:
    assert notice_day(fixed_until, months=months, days=days) == wanted


async def test_a_duration_is_agreed_read_by_the_client_and_stated_before_and_after(
    api: Api, office: Office
) -> None:
    agreement = ids.write("Agreement", office.world.agreement.id)
    given: dict[str, Any] = {
        "id": agreement,
        "fixedUntil": "2027-12-31",
        "noticeMonths": 3,
        "renewsForMonths": 12,
    }

    async def asked(token: str, **more: Any) -> Any:
        return (await api.data(token, AGREE, input=given | more))["agreeDuration"]

    for token in (office.client, office.dispatcher):
        assert (await asked(token))["code"] == "NOT_ALLOWED"
    assert await asked(office.manager) == {
        "fixedUntil": "2027-12-31",
        "noticeMonths": 3,
        "noticeDays": 0,
        "noticeBy": "2027-09-30",
        "renewsForMonths": 12,
        "version": 2,
    }
    for argument, wrong in (
        ("fixedUntil", {"fixedUntil": "2025-11-30"}),
        ("noticeMonths", {"noticeMonths": -1}),
        ("noticeDays", {"noticeDays": 1_001}),
        ("renewsForMonths", {"renewsForMonths": 0}),
        ("renewsForMonths", {"fixedUntil": None}),
        ("expectedVersion", {"expectedVersion": 1}),
    ):
        assert (await asked(office.manager, **wrong))["argument"] == argument
    assert (await api.data(office.client, READ, id=agreement))["node"] == {
        "fixedUntil": "2027-12-31",
        "noticeBy": "2027-09-30",
    }
    async with api.make() as session:
        facts = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == office.world.agreement.id,
                LedgerRow.kind == "agreement.duration_agreed",
            )
        )
        [fact] = facts.all()
    assert fact.body["before"]["fixed_until"] is None
    assert fact.body["after"]["notice_by"] == "2027-09-30"
