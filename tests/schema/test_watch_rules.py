"""Incidents that the system opens: each event once, by thresholds of the account, with its reason."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from domain import guards, parameters, watch_rules
from domain.access import Actor, Tx
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.parameters import ParameterPlace
from domain.positions.model import Kind, Presence
from domain.watch_rules import RuleEvent, SystemOpening, WatchRule
from schema.core import ids
from tests import guards as on_duty
from tests.api import asking
from tests.api.asking import Api, Office
from tests.schema.test_shifts import gate, published, somebody
from workers import routes
from workers.shifts import look_at_due

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OPENINGS = """{ systemOpenings { nodes { rule reason incident { summary priority source category site { id } } } } }"""


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


@pytest.fixture
async def office(api: Api) -> Office:
    return await asking.office(api)


async def openings(api: Api, token: str) -> list[Any]:
    found: list[Any] = (await api.data(token, OPENINGS))["systemOpenings"]["nodes"]
    return found


def tx_of(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def test_a_no_show_opens_one_incident_that_the_client_sees(api: Api, office: Office) -> None:
    begins = datetime.now(UTC) + HOUR
    shift = await published(api, office, await somebody(api, office), begins)
    await look_at_due(api.make, at=begins + 16 * MINUTE)
    found = ids.read(shift)
    assert found is not None
    async with api.make() as session:
        fact = (
            await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.subject_id == found[1], LedgerRow.kind == "shift.no_show"
                )
            )
        ).one()
    for _ in range(3):
        async with transaction(api.make) as session:
            await watch_rules.follow_no_show(tx_of(api, office, session), fact)  # type: ignore[arg-type]
    for token in (office.client, office.dispatcher):
        [opening] = await openings(api, token)
        assert (opening["rule"], opening["incident"]["source"]) == ("NO_SHOW", "SYSTEM")
        assert opening["incident"]["site"]["id"] == office.site
    other = await asking.office(api)
    assert await openings(api, other.manager) == []
    assert await openings(api, api.token(await somebody(api, office))) == []
    jobs = [routes.name_of(each) for each in routes.ROUTES["incident.opened"]]
    assert jobs.index("tell_opened") < jobs.index("follow_ticket")  # the client no later than we
    async with transaction(api.make) as session:
        event = RuleEvent(
            WatchRule.NO_SHOW, uuid7(), office.world.account.id, office.world.site.id, "x", "y"
        )
        await watch_rules.open_once(tx_of(api, office, session), event)
    again = update(SystemOpening).where(SystemOpening.subject_id == event.subject_id)
    with pytest.raises(IntegrityError, match="uq_system_opening_rule_subject_id"):
        async with transaction(api.make) as session:
            await session.execute(again.values(subject_id=found[1]))


async def test_a_rule_that_an_account_switched_off_opens_nothing(api: Api, office: Office) -> None:
    async with transaction(api.make) as session:
        await parameters.set_value(
            tx_of(api, office, session), "watch_rules.no_shows", numbers=[0],
            unit=parameters.ParameterUnit.COUNT,
            place=ParameterPlace(account_id=office.world.account.id),
        )  # fmt: skip
    begins = datetime.now(UTC) + HOUR
    shift = await published(api, office, await somebody(api, office), begins)
    await look_at_due(api.make, at=begins + 16 * MINUTE)
    found = ids.read(shift)
    assert found is not None
    async with transaction(api.make) as session:
        fact = (
            await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.subject_id == found[1], LedgerRow.kind == "shift.no_show"
                )
            )
        ).one()
        await watch_rules.follow_no_show(tx_of(api, office, session), fact)  # type: ignore[arg-type]
    assert await openings(api, office.dispatcher) == []


@pytest.mark.parametrize(
    ("battery", "lat", "words"),
    [(3.0, 52.1, "battery was at 3 %"), (80.0, None, "permission"), (80.0, 52.1, "no network")],
)
async def test_silence_has_the_reason_that_the_phone_said(
    api: Api, office: Office, battery: float, lat: float | None, words: str
) -> None:
    guard = await on_duty.on_duty(api.make, office.world, radius_m=200)
    at = datetime.now(UTC) - 30 * MINUTE
    fix = {"at": at.isoformat(), "batteryPct": battery}
    fix |= {} if lat is None else {"lat": lat, "lon": 5.1, "accuracyM": 5}
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": [fix]}, headers=headers)
    assert answer.json()["accepted"] == 1, answer.text
    async with transaction(api.make) as session:
        row = Presence(
            id=uuid7(), tenant_id=office.world.tenant.id, account_id=office.world.account.id,
            duty_id=guard.duty.id, site_id=guard.site.id, kind=Kind.SILENCE,
            from_at=at + MINUTE, fixes=[],
        )  # fmt: skip
        session.add(row)
        await session.flush()
        fact: Any = SimpleNamespace(subject_id=row.id, body={})
        tx = tx_of(api, office, session)
        assert await watch_rules.silence_counts_at(tx, fact) == at + 16 * MINUTE
        for _ in range(2):
            await watch_rules.follow_silence(tx, fact)
    [opening] = await openings(api, office.client)
    assert words in opening["reason"]


async def test_a_pass_that_expires_before_a_planned_shift_opens_one_incident(
    api: Api, office: Office
) -> None:
    user = await somebody(api, office)
    begins = datetime.now(UTC) + timedelta(days=3)
    async with transaction(api.make) as session:
        await guards.set_profile(
            tx_of(api, office, session), user, pass_colour=guards.PassColour.GREY,
            pass_expires_on=date(2099, 1, 1),
        )  # fmt: skip
    await gate(api, office)
    await published(api, office, user, begins)
    await published(api, office, user, begins + timedelta(days=20))

    async def look() -> None:
        async with transaction(api.make) as session:
            await watch_rules.open_expiring(session, at=datetime.now(UTC), limit=50)

    await look()
    assert await openings(api, office.client) == []
    async with transaction(api.make) as session:
        await guards.set_profile(
            tx_of(api, office, session), user,
            pass_expires_on=(datetime.now(UTC) + timedelta(days=1)).date(),
        )  # fmt: skip
    await look()
    await look()
    [opening] = await openings(api, office.client)  # the later shift is beyond seven days
    assert (opening["rule"], "pass" in opening["reason"]) == ("EXPIRING_QUALIFICATION", True)
