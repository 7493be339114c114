"""Renewals: four steps to the last day for notice, each once by a moved clock; outcomes, and who may decide them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from domain import agreements, renewals
from domain.access import Actor, Tx
from domain.agreements.model import Agreement
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.renewals.model import Renewal
from domain.renewals.rules import prolonged, step_at
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from workers.renewals import look_at_renewals

pytestmark = pytest.mark.anyio
AGREED = datetime(2026, 3, 2, 9, tzinfo=UTC)
LAST, NOTICE = date(2026, 11, 15), date(2026, 10, 16)  # notice of 30 days
MOMENT = timedelta(microseconds=1)

DECIDE = """mutation($input: DecideRenewalInput!) { decideRenewal(input: $input) {
  ... on Renewal { outcome reason priceChangeBps decidedBy agreement { fixedUntil endedAt } }
  ... on Refusal { code argument } } }"""
LIST = """query($id: ID, $open: Boolean) { renewals(accountId: $id, isOpen: $open) { nodes {
  id fixedUntil noticeBy daysLeft outcome agreement { id } } } }"""
DOSSIER = """query($id: ID!) { renewalDossier(id: $id) { promisesKept promisesDecided incidentsResolved openRisks
  yearlyFeeCents creditsCents currency } }"""


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo("Europe/Amsterdam"))


async def change(
    api: Api, office: Office, at: datetime, act: Callable[[Tx], Awaitable[Any]]
) -> Any:
    async with transaction(api.make) as session:
        return await act(Tx(session, Actor.system(office.world.tenant.id, "test"), at))


async def opened(
    api: Api,
    office: Office,
    *,
    at: datetime = AGREED,
    until: date = LAST,
    months: int | None = None,
) -> None:
    """The duration is agreed, and its renewal opened."""
    agreement = office.world.agreement.id
    await change(
        api, office, at,
        lambda tx: agreements.agree_duration(
            tx, agreement, fixed_until=until, notice_days=30, renews_for_months=months
        ),
    )  # fmt: skip
    await change(api, office, at, lambda tx: renewals.follow_duration(tx, agreement))


async def facts(api: Api, office: Office) -> list[tuple[str, Any]]:
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind.startswith("renewal."),
            )
            .order_by(LedgerRow.id)
        )
        return [
            (row.kind, row.body.get("days_left", row.body.get("outcome", row.body.get("tacit"))))
            for row in rows
        ]


async def test_each_step_is_raised_once_on_its_day(api: Api, office: Office) -> None:
    await opened(api, office)
    steps: list[tuple[str, Any]] = [("renewal.opened", None)]
    for days in (180, 90, 60, 30):
        due = midnight(NOTICE - timedelta(days=days))
        await look_at_renewals(api.make, at=due - MOMENT)
        assert await facts(api, office) == steps, days
        for at in (due, due + timedelta(hours=5), due + timedelta(days=1)):
            await look_at_renewals(api.make, at=at)
        steps.append(("renewal.due", days))
        assert await facts(api, office) == steps, days
    # On the last day itself notice is still in time.
    await look_at_renewals(api.make, at=midnight(NOTICE + timedelta(days=1)) - MOMENT)
    assert await facts(api, office) == steps
    for day in (NOTICE + timedelta(days=1), NOTICE + timedelta(days=9)):
        await look_at_renewals(api.make, at=midnight(day))
    steps.append(("renewal.notice_passed", False))
    assert await facts(api, office) == steps
    for _ in range(2):
        await look_at_renewals(api.make, at=midnight(LAST + timedelta(days=1)))
    steps.append(("renewal.decided", "lapsed"))
    assert await facts(api, office) == steps


async def test_a_tacit_renewal_is_a_fact_when_the_day_passes(api: Api, office: Office) -> None:
    await opened(api, office, months=12)
    passed = midnight(NOTICE + timedelta(days=1))
    for _ in range(2):
        await look_at_renewals(api.make, at=passed)
    assert await facts(api, office) == [
        ("renewal.opened", None),
        ("renewal.notice_passed", True),
        ("renewal.decided", "renewed_tacitly"),
    ]
    async with api.make() as session:
        agreement = await session.get_one(Agreement, office.world.agreement.id)
    assert (agreement.fixed_until, agreement.ended_at) == (date(2027, 11, 15), None)
    await change(api, office, passed, lambda tx: renewals.follow_duration(tx, agreement.id))
    async with api.make() as session:
        found = await session.scalars(
            select(Renewal).where(Renewal.agreement_id == agreement.id, Renewal.outcome.is_(None))
        )
        following = found.one()
    assert following.notice_by == date(2027, 10, 16)


async def test_a_duration_agreed_anew_moves_the_timeline_and_an_end_withdraws_it(
    api: Api, office: Office
) -> None:
    await opened(api, office)
    await look_at_renewals(api.make, at=midnight(NOTICE - timedelta(days=100)))
    # Agreed anew 50 days before the new last day for notice: the step of 60 days is due, those before are skipped.
    at = midnight(date(2026, 7, 10))
    await opened(api, office, at=at, until=date(2026, 9, 28))
    await look_at_renewals(api.make, at=at)
    await change(
        api, office, at,
        lambda tx: agreements.end(
            tx, office.world.agreement.id, ended_at=at + timedelta(days=9), reason="Sold"
        ),
    )  # fmt: skip
    await change(
        api, office, at, lambda tx: renewals.follow_duration(tx, office.world.agreement.id)
    )
    await look_at_renewals(api.make, at=midnight(date(2026, 11, 1)))
    assert await facts(api, office) == [
        ("renewal.opened", None),
        ("renewal.due", 180),
        ("renewal.moved", None),
        ("renewal.due", 60),
        ("renewal.decided", "withdrawn"),
    ]


async def test_a_renewal_is_decided_with_its_reason_and_the_agreement_follows(
    api: Api, office: Office
) -> None:
    today = api.state.now().date()
    last = today + timedelta(days=100)
    await opened(api, office, at=api.state.now(), until=last)
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, LIST, id=office.account))["renewals"]["nodes"] == []
    [row] = (await api.data(office.manager, LIST, id=office.account, open=True))["renewals"][
        "nodes"
    ]
    assert row["agreement"] == {"id": ids.write("Agreement", office.world.agreement.id)}
    dossier = (await api.data(office.manager, DOSSIER, id=row["id"]))["renewalDossier"]
    assert dossier == {
        "promisesKept": 0, "promisesDecided": 0, "incidentsResolved": 0, "openRisks": 0,
        "yearlyFeeCents": 12_000_000, "creditsCents": 0, "currency": "EUR",
    }  # fmt: skip
    assert (await api.data(office.client, DOSSIER, id=row["id"]))["renewalDossier"] is None
    other = await asking.office(api)
    assert (await api.data(other.manager, DOSSIER, id=row["id"]))["renewalDossier"] is None

    later = (last + timedelta(days=365)).isoformat()
    given = {"id": row["id"], "outcome": "RENEWED", "reason": "VALUE", "renewedUntil": later}

    async def decided(token: str, **more: Any) -> Any:
        asked = {name: value for name, value in (given | more).items() if value is not None}
        return (await api.data(token, DECIDE, input=asked))["decideRenewal"]

    for token in (office.client, office.dispatcher):
        assert (await decided(token))["code"] == "NOT_ALLOWED"
    for argument, wrong in (
        ("renewedUntil", {"renewedUntil": None}),
        ("renewedUntil", {"renewedUntil": last.isoformat()}),
        ("renewedUntil", {"outcome": "ENDED"}),
        ("priceChangeBps", {"outcome": "ENDED", "renewedUntil": None, "priceChangeBps": 1}),
        ("priceChangeBps", {"priceChangeBps": -10_001}),
        ("outcome", {"outcome": "LAPSED"}),
        ("note", {"note": " "}),
    ):
        assert (await decided(office.manager, **wrong))["argument"] == argument, wrong
    done = await decided(office.manager, priceChangeBps=350)
    assert (done["outcome"], done["reason"], done["priceChangeBps"]) == ("RENEWED", "VALUE", 350)
    assert done["agreement"] == {"fixedUntil": later, "endedAt": None}
    assert await decided(office.manager) == {"code": "ALREADY_DONE", "argument": "id"}


async def test_an_ended_agreement_ends_after_its_last_day(api: Api, office: Office) -> None:
    last = api.state.now().date() + timedelta(days=100)
    await opened(api, office, at=api.state.now(), until=last)
    [row] = (await api.data(office.manager, LIST, id=office.account))["renewals"]["nodes"]
    given = {"id": row["id"], "outcome": "ENDED", "reason": "PRICE", "note": "Too expensive"}
    done = (await api.data(office.manager, DECIDE, input=given))["decideRenewal"]
    assert datetime.fromisoformat(done["agreement"]["endedAt"]) == midnight(
        last + timedelta(days=1)
    )


@pytest.mark.parametrize(
    ("last", "months", "wanted"),
    [
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 2, 28), 1, date(2027, 3, 31)),
        (date(2027, 2, 27), 12, date(2028, 2, 27)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
    ],
)
def test_the_end_of_a_month_stays_the_end_of_a_month(last: date, months: int, wanted: date) -> None:
    assert prolonged(last, months) == wanted


def test_a_late_beginning_raises_the_most_urgent_step_only() -> None:
    at = midnight(NOTICE - timedelta(days=45))
    found = step_at(at, NOTICE, raised=None, zone="Europe/Amsterdam")
    assert (found.days_left, found.next_at) == (60, midnight(NOTICE - timedelta(days=30)))
    again = step_at(at, NOTICE, raised=60, zone="Europe/Amsterdam")
    assert (again.days_left, again.next_at) == (None, found.next_at)
    last = step_at(at, NOTICE, raised=30, zone="Europe/Amsterdam")
    assert (last.days_left, last.next_at) == (None, midnight(NOTICE + timedelta(days=1)))
