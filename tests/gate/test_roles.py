"""Nobody inside a company sees or does more than the page about visibility says, nor less."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import inspect, select

from api.commands.visibility import PATH
from domain import accounts, incidents
from domain.access import Actor, Role, Tx
from domain.access.rights import DEFAULT_SCOPES, SCOPES
from domain.alarms import RegisteredKey
from domain.core.db import transaction
from domain.duties import Duty
from domain.files import FileAttachment
from domain.incidents import Incident
from domain.occurrences import OccurrenceCorrection, OccurrenceEntry, ShiftReport
from domain.positions import Presence
from domain.promises import Promise
from schema.build import nodes
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0
from tests.gate import filled, prober, table, victims
from tests.gate.expected import Asker, Expectation, held
from tests.gate.findings import must_find_nothing
from tests.gate.roles import Roles
from tests.gate.roles_doing import Doing

ARMED = 0.9
PAGE = table.read(PATH.read_text())


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def of_role(
    api: Api, office: Office, role: Role, *reach: UUID, name: str | None = None
) -> Asker:
    """A user of a role."""
    system = Actor.system(office.world.tenant.id, "test")
    name = name or (
        f"{role.name} limited" if reach and not role.name.startswith("CLIENT") else role.name
    )
    async with transaction(api.make) as session:
        user = await accounts.add_user(
            Tx(session, system, T0),
            email=f"{name.replace(' ', '-')}@roles.example",
            name=name,
            role=role,
            accounts=reach,
        )
    return Asker(
        name, api.token(user.id), PAGE.rights[role.name], frozenset(reach) or None, user.id
    )


async def of_scopes(api: Api, office: Office, name: str, *scopes: str) -> Asker:
    """A partner's key."""
    system, here = Actor.system(office.world.tenant.id, "test"), office.world.account.id
    async with transaction(api.make) as session:
        _, key = await accounts.issue_api_key(
            Tx(session, system, T0), name=name, scopes=scopes, accounts=[here]
        )
    return Asker(name, key, PAGE.of_scopes(scopes), frozenset({here}))


async def on_duty(api: Api, office: Office) -> Asker:
    """A guard of the furnished company, with the rows of the guard's own work, found by reading the tables."""
    tenant_id = office.world.tenant.id
    async with api.make() as session:
        [duty, *_] = await session.scalars(
            select(Duty)
            .where(Duty.tenant_id == tenant_id, Duty.ended_at.is_(None), Duty.site_id.is_not(None))
            .order_by(Duty.id)  # the guard of `victims`, who has no other work
        )
        at_hand = set(
            await session.scalars(select(Incident.id).where(Incident.site_id == duty.site_id))
        )
        own_duties = await session.scalars(select(Duty.id).where(Duty.user_id == duty.user_id))
        stays = await session.scalars(select(Presence.id).where(Presence.duty_id == duty.id))
        promises = list(
            await session.scalars(select(Promise).where(Promise.incident_id.in_(at_hand)))
        )
        attached = await session.scalars(
            select(FileAttachment.file_id).where(FileAttachment.subject_id.in_(at_hand))
        )
        files = set(attached)
        entries = set(
            await session.scalars(
                select(OccurrenceEntry.id).where(OccurrenceEntry.site_id == duty.site_id)
            )
        )
        corrections = await session.scalars(
            select(OccurrenceCorrection.id).where(OccurrenceCorrection.entry_id.in_(entries))
        )
        reports = await session.scalars(
            select(ShiftReport.id).where(ShiftReport.site_id == duty.site_id)
        )
        keys = await session.scalars(
            select(RegisteredKey.id).where(RegisteredKey.holder_id == duty.user_id)
        )
        of_user: dict[str, set[UUID]] = {}
        for model in nodes():
            kind: Any = model
            if "user_id" in inspect(kind).columns:
                mine = await session.scalars(select(kind.id).where(kind.user_id == duty.user_id))
                of_user[model.__name__] = set(mine)
    assert at_hand
    own: dict[str, set[UUID]] = of_user | {
        "Tenant": {tenant_id}, "Account": {duty.account_id}, "Site": {duty.site_id or tenant_id},
        "Incident": at_hand, "File": files, "OccurrenceEntry": entries, "ReportedEntry": entries,
        "OccurrenceCorrection": set(corrections), "ShiftReport": set(reports), "RegisteredKey": set(keys),
        "Duty": (duties := set(own_duties)), "Presence": set(stays),
        "GuardPosition": duties, "Device": {duty.device_id}, "User": {duty.user_id}, "Message": set(),
        "Promise": {each.id for each in promises if not each.internal},
        "PromiseTerm": {each.term_id for each in promises if not each.internal},
    }  # fmt: skip
    return Asker(
        "GUARD", api.token(duty.user_id), PAGE.rights["GUARD"], None, duty.user_id,
        {kind: frozenset(each) for kind, each in own.items()},
    )  # fmt: skip


async def company(api: Api) -> tuple[Office, prober.Side, UUID]:
    """A company with one of everything, and another client without anything."""
    office = await victims.furnished(api)
    world = office.world
    system = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        other = await accounts.create_account(Tx(session, system, T0), name="Elders")
    side = await prober.side(api, office.manager, world.tenant.id)
    side.owned["Account"] = world.account.id
    async with transaction(api.make) as session:
        await incidents.update(
            Tx(session, world.staff, api.state.now()),
            side.owned["Incident"],
            body="Between us",
            client_visible=False,
        )
    return office, side, other.id


async def askers(api: Api, office: Office, other: UUID) -> list[Asker]:
    """Somebody of every role, limited to another client too, and keys of every scope."""
    here = office.world.account.id
    staff = (Role.DISPATCHER, Role.RELATIONSHIP_MANAGER, Role.FINANCE, Role.AUDITOR)
    return [
        await of_role(api, office, Role.CLIENT_USER, here),
        await of_role(api, office, Role.CLIENT_ADMIN, here),
        await on_duty(api, office),
        *[await of_role(api, office, role) for role in staff],
        *[await of_role(api, office, role, other) for role in staff],
        await of_role(api, office, Role.DISPATCHER, here, name="DISPATCHER here"),
        await of_scopes(api, office, "PARTNER", *DEFAULT_SCOPES),
        *[await of_scopes(api, office, f"PARTNER {scope}", scope) for scope in SCOPES],
    ]


async def everything(api: Api) -> tuple[Roles, list[Asker]]:
    """The prober, and everybody it asks as."""
    office, side, other = await company(api)
    everybody = await askers(api, office, other)
    await prober.number(api)
    assert await filled.fill(api.make, api.state.engine.documents.schema) > 50
    expectation = Expectation(PAGE, await held(api.make, office.world.account.id))
    return Roles(api, expectation, office.manager, side), everybody


@pytest.mark.slow
async def test_every_role_reads_what_the_page_says(api: Api) -> None:
    roles, everybody = await everything(api)
    found = await roles.run(everybody)
    must_find_nothing(found, share=ARMED, probes=5_000)


@pytest.mark.slow
async def test_every_role_does_what_the_page_says(api: Api) -> None:
    roles, everybody = await everything(api)
    found = await Doing(roles).run(everybody)
    must_find_nothing(found, share=ARMED, probes=2_000)
