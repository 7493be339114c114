"""Scans of an account: a burst is raised once with its evidence, a storm is one anomaly, quiet days raise nothing."""

import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import insert, select

from domain import anomalies
from domain.access import Actor, Role, Tx
from domain.agreements.model import Priority, TicketKind
from domain.anomalies import Anomaly, AnomalySeries, AnomalyState
from domain.core.base import uuid7
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.detection import Detector, Direction
from domain.feedback import FeedbackKind, TextSentiment
from domain.incidents.model import Incident, IncidentUpdate, Source
from domain.sentiment import PolarityClass, SentimentMethod, Theme
from tests import build
from tests.build import World
from workers.anomalies import scan_due

pytestmark = pytest.mark.anyio

FIRST = date(2024, 1, 1)
NOON = time(12, tzinfo=UTC)
_numbers = iter(range(500_000, 10_000_000))


@pytest.fixture
async def world(make: Sessions) -> World:
    return await build.client(make)


def night_after(day: int) -> datetime:
    """Return an instant shortly after a day is over for the account."""
    return datetime.combine(FIRST + timedelta(days=day + 1), time(4), UTC)


async def happened(
    make: Sessions,
    world: World,
    counts: Sequence[int],
    *,
    first: int = 0,
    kind: TicketKind = TicketKind.COMPLAINT,
    answered_s: Sequence[float] | None = None,
) -> None:
    """Store incidents of days, as an import leaves them: without promises."""
    rows = []
    for day, count in enumerate(counts, first):
        opened = datetime.combine(FIRST + timedelta(days=day), NOON)
        seconds = None if answered_s is None else float(answered_s[day - first])
        rows += [
            {
                "id": uuid7(), "tenant_id": world.tenant.id, "account_id": world.account.id,
                "site_id": world.site.id, "number": next(_numbers), "kind": kind,
                "priority": Priority.MEDIUM, "source": Source.CLIENT, "reporter": "x", "summary": "x",
                "opened_at": opened,
                "acknowledged_at": None if seconds is None else opened + timedelta(seconds=seconds),
            }
            for _ in range(count)
        ]  # fmt: skip
    async with transaction(make) as session:
        await session.execute(insert(Incident), rows)


async def scan(make: Sessions, world: World, day: int) -> list[Anomaly]:
    """Scan after a day and return the anomalies of the account, the oldest first."""
    async with transaction(make) as session:
        await anomalies.scan_account(session, world.account.id, at=night_after(day))
    return await stored(make, world)


async def stored(make: Sessions, world: World) -> list[Anomaly]:
    async with make() as session:
        rows = await session.scalars(
            select(Anomaly)
            .where(Anomaly.account_id == world.account.id)
            .order_by(Anomaly.found_on, Anomaly.id)
        )
        return list(rows)


async def facts(make: Sessions, row_id: UUID) -> list[tuple[str, dict[str, object]]]:
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow).where(LedgerRow.subject_id == row_id).order_by(LedgerRow.id)
        )
        return [(row.kind, row.body) for row in rows]


def dispatcher(world: World) -> Actor:
    return Actor(world.tenant.id, Role.DISPATCHER, f"user:{uuid7()}")


async def test_a_burst_of_complaints_is_raised_once_with_its_incidents(
    make: Sessions, world: World
) -> None:
    quiet = [int(day % 30 == 0) for day in range(200)]
    await happened(make, world, [*quiet, 2, 3])
    [row] = await scan(make, world, 201)
    assert (row.series, row.detector) == (AnomalySeries.INCIDENTS, Detector.RARE)
    assert (row.site_id, row.incident_kind) == (world.site.id, TicketKind.COMPLAINT)
    assert (row.found_on, row.value) == (FIRST + timedelta(days=201), 5)
    assert len(row.evidence_ids) == 5
    assert row.z == pytest.approx((row.value - row.base) / row.scale)
    [(kind, body)] = await facts(make, row.id)
    assert kind == "anomaly.raised"
    assert (body["value_milli"], body["base_milli"]) == (5000, round(1000 * row.base))
    assert body["evidence_ids"] == [str(each) for each in row.evidence_ids]
    assert [each.id for each in await scan(make, world, 201)] == [row.id]
    await happened(make, world, [3], first=202)
    assert len(await scan(make, world, 202)) == 1


async def test_a_burst_of_negative_texts_is_raised_by_theme_too(
    make: Sessions, world: World
) -> None:
    incident = await build.incident(make, world)
    texts: list[dict[str, object]] = []
    updates: list[dict[str, object]] = []
    for day, count in enumerate([*(int(day % 30 == 0) for day in range(200)), 2, 3]):
        at = datetime.combine(FIRST + timedelta(days=day), NOON)
        for _ in range(count):
            of = {"tenant_id": world.tenant.id, "account_id": world.account.id}
            update = {
                "id": uuid7(), **of, "incident_id": incident.id, "at": at, "author": "x",
                "body": "Weer te laat.", "client_visible": True, "words_unread": False,
            }  # fmt: skip
            updates.append(update)
            texts.append(
                {
                    "id": uuid7(), **of, "kind": FeedbackKind.INCIDENT_UPDATE, "update_id": update["id"],
                    "written_at": at, "read_at": at, "polarity": -600_000, "confidence": 900_000,
                    "read_label": PolarityClass.NEGATIVE, "label": PolarityClass.NEGATIVE,
                    "method": SentimentMethod.PLAIN, "head": "1", "taxonomy": "1", "words": ["te laat"],
                    "themes": ["punctuality", "communication"], "theme_words": {}, "disagrees": False,
                }
            )  # fmt: skip
    async with transaction(make) as session:
        await session.execute(insert(IncidentUpdate), updates)
        await session.execute(insert(TextSentiment), texts)
    with warnings.catch_warnings(
        action="error"
    ):  # every theme of a text counts, and no other text's
        raised = await scan(make, world, 201)
    mine = [row for row in raised if row.series is AnomalySeries.NEGATIVE_TEXTS]
    assert {row.theme for row in mine} == {None, Theme.PUNCTUALITY, Theme.COMMUNICATION}
    assert {row.value for row in mine} == {5}


async def test_a_storm_of_three_days_is_one_anomaly_that_grows(
    make: Sessions, world: World
) -> None:
    draw = np.random.default_rng(4)
    await happened(make, world, [*draw.poisson(30, 60).tolist(), 80, 30, 120])
    await scan(make, world, 59)
    [row] = await scan(make, world, 60)
    assert (row.detector, row.direction) == (Detector.DAILY, Direction.HIGH)
    assert row.peak_on == FIRST + timedelta(days=60)
    await scan(make, world, 61)
    [row] = await scan(make, world, 62)
    assert (row.first_on, row.last_on) == (FIRST + timedelta(days=60), FIRST + timedelta(days=62))
    assert (row.peak_on, row.value) == (FIRST + timedelta(days=62), 120)
    assert len(row.evidence_ids) == 20
    kinds = [kind for kind, _ in await facts(make, row.id)]
    assert kinds == ["anomaly.raised", "anomaly.continued"]


async def test_days_without_a_worker_are_made_up_for_and_history_raises_nothing(
    make: Sessions, world: World
) -> None:
    draw = np.random.default_rng(5)
    counts = draw.poisson(30, 80)
    counts[50], counts[75] = 200, 200
    await happened(make, world, counts.tolist())
    assert await scan(make, world, 70) == []
    [row] = await scan(make, world, 79)
    assert row.found_on == FIRST + timedelta(days=75)


async def test_a_lasting_change_of_response_time_is_raised_with_its_day(
    make: Sessions, world: World
) -> None:
    seconds = 600 + np.tile([-30.0, 10.0, 30.0, -10.0], 35)
    seconds[120:] += 120
    await happened(make, world, [1] * 140, answered_s=seconds.tolist())
    await scan(make, world, 112)
    [row] = await scan(make, world, 139)
    assert (row.series, row.detector) == (AnomalySeries.RESPONSE_TIME, Detector.LEVEL)
    assert abs((row.first_on - (FIRST + timedelta(days=120))).days) <= 2
    assert row.value == pytest.approx(720, abs=30)
    assert row.site_id is None
    assert row.evidence_ids


async def test_an_explanation_names_an_incident_of_the_same_client(
    make: Sessions, world: World
) -> None:
    await happened(make, world, [*[0] * 199, 1, *[0] * 199, 5])
    [row] = await scan(make, world, 399)
    other = await build.client(make)
    foreign = await build.incident(make, other)
    actor = dispatcher(world)
    at = night_after(400)
    async with transaction(make) as session:
        with pytest.raises(Refused) as refused:
            await anomalies.acknowledge(
                Tx(session, actor, at), row.id, explanation="Storm", incident_id=foreign.id
            )
    assert refused.value.refusal.argument == "incidentId"
    async with transaction(make) as session:
        done = await anomalies.acknowledge(
            Tx(session, actor, at), row.id, explanation="Storm", incident_id=row.evidence_ids[0]
        )
    assert (done.state, done.explanation) == (AnomalyState.EXPLAINED, "Storm")
    assert done.acknowledged_by == actor.subject
    _, (kind, body) = await facts(make, row.id)
    assert kind == "anomaly.acknowledged"
    assert (body["before"], body["after"]) == ("open", "explained")
    assert body["incident_after"] == str(row.evidence_ids[0])


async def test_after_a_false_alarm_the_series_is_silent_for_four_weeks(
    make: Sessions, world: World
) -> None:
    await happened(make, world, [1, *[0] * 199, 4, *[0] * 14, 5, *[0] * 60, 6])
    [row] = await scan(make, world, 200)
    async with transaction(make) as session:
        tx = Tx(session, dispatcher(world), night_after(200))
        await anomalies.reject(tx, row.id, reason="Counted twice")
        with pytest.raises(Refused) as refused:
            await anomalies.reject(tx, row.id, reason="Counted twice")
    assert refused.value.refusal.code is Code.ALREADY_DONE
    for day in range(201, 276):
        await scan(make, world, day)
    found = [each.found_on for each in await stored(make, world)]
    assert found == [FIRST + timedelta(days=200)]
    found = [each.found_on for each in await scan(make, world, 276)]
    assert found == [FIRST + timedelta(days=200), FIRST + timedelta(days=276)]


async def test_the_periodic_work_scans_each_account_once_a_day(
    make: Sessions, world: World
) -> None:
    await happened(make, world, [*[int(day % 30 == 0) for day in range(200)], 2, 3])
    at = night_after(201)
    while await scan_due(make, at=at, limit=200) == 200:
        pass
    assert len(await stored(make, world)) == 1
    async with make() as session:
        due = await anomalies.accounts_to_scan(session, at=at, limit=10_000)
    assert world.account.id not in {each.id for each in due}
