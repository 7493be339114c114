"""Thresholds that a company sets grade its clock-ins, scans and photos from then on, and none from before."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import parameters
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.evidence import EvidenceThresholds, Grade, PhotoVerdict
from domain.files import PhotoEvidence, grade_photo_of
from domain.parameters import ParameterPlace, ParameterUnit
from domain.patrols import PatrolScan
from domain.patrols.model import ScanReason
from schema.core import ids
from tests import build, files
from tests.api import asking
from tests.domain.patrols.site import OPENS, PLANNED, Patrolled, here, patrolled
from tests.domain.shifts.test_graded_clock_ins import CAME, night_under
from tests.photos import Camera, jpeg, scene

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
COMPANY = ParameterPlace()


async def put(
    make: Sessions,
    tenant_id: UUID,
    name: str,
    numbers: tuple[int, ...],
    *,
    at: datetime,
    valid_from: datetime | None = None,
) -> None:
    unit = ParameterUnit.METRES if name == "accuracy" else ParameterUnit.SECONDS
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(tenant_id, "test"), at)
        await parameters.set_value(
            tx, f"evidence.{name}", numbers=numbers, unit=unit, place=COMPANY, valid_from=valid_from
        )


@pytest.mark.parametrize(("begins", "grade"), [(CAME, Grade.C), (CAME + MINUTE, Grade.B)])
async def test_a_clock_in_is_graded_by_the_thresholds_of_its_instant(
    make: Sessions, begins: datetime, grade: Grade
) -> None:
    night = await night_under(make, Grade.B)
    tenant_id = night.world.tenant.id
    await put(make, tenant_id, "accuracy", (4, 7), at=CAME - 60 * MINUTE, valid_from=begins)
    await night.came()  # accurate to 8 m
    assert (await night.attendance()).assessment.grade is grade


async def test_a_scan_is_graded_by_the_thresholds_of_its_own_time(make: Sessions) -> None:
    site = await patrolled(make)
    await site.plan()
    noon = OPENS + 10 * MINUTE
    await put(
        make, site.world.tenant.id, "position_age", (300, 301, 302), at=PLANNED, valid_from=noon
    )
    before, after = noon - MINUTE, noon + MINUTE
    scans = [
        site.scan(2, at, position=here(2, at - timedelta(seconds=90))) for at in (before, after)
    ]
    await site.send(scans, noon + 5 * MINUTE)
    first, second = await stored(make, site)
    assert (first.grade, first.reasons) == (Grade.D, [ScanReason.STALE_FIX])
    assert (second.grade, ScanReason.STALE_FIX in second.reasons) == (Grade.B, False)


async def stored(make: Sessions, site: Patrolled) -> list[PatrolScan]:
    async with make() as session:
        rows = await session.scalars(
            select(PatrolScan)
            .where(PatrolScan.account_id == site.world.account.id)
            .order_by(PatrolScan.device_at)
        )
        return list(rows)


async def test_a_photo_is_graded_by_the_thresholds_of_its_announcement(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)

        async def announced(seed: str) -> str:
            taken_at = api.state.now() - 10 * MINUTE
            return await files.upload(
                api, office.dispatcher, incident.id, jpeg(scene(seed), Camera(taken_at=taken_at))
            )

        async def delay_of(file_id: str) -> PhotoEvidence:
            found = ids.wanted(file_id, "File", "id")
            async with transaction(api.make) as session:
                tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
                row = await grade_photo_of(tx, found, "Incident", incident.id)
            assert row is not None
            return row

        before = await announced("before")
        tenant_id = office.world.tenant.id
        await put(api.make, tenant_id, "photo_delay", (1, 2, 3), at=api.state.now())
        after = await announced("after")
        was, now = await delay_of(before), await delay_of(after)
    assert PhotoVerdict.TIME not in was.verdicts
    assert (now.grade, PhotoVerdict.TIME in now.verdicts) == (Grade.D, True)


def test_the_defaults_are_those_that_were_in_the_code() -> None:
    assert EvidenceThresholds() == EvidenceThresholds(
        accuracy_m=(25.0, 50.0),
        delay_s=(60.0, 900.0),
        skew_s=(10.0, 120.0),
        dwell_s=(60.0, 5.0, 5.0),
        gap_s=(60.0, 180.0, 300.0),
        position_age_s=(60.0, 300.0, 900.0),
        photo_delay_s=(60.0, 900.0, 86_400.0),
        photo_outside_m=100.0,
    )
