"""Each kind of periodic work: what fails for one company is deferred alone, and another company gets its own."""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, func, select, update

from domain import accounts, audit, compensation, incidents, privacy, reports, touchpoints, webhooks
from domain.access import Actor, Role, Tx
from domain.accounts.model import User
from domain.audit import Leaf
from domain.core.db import Sessions, transaction
from domain.core.deferral import Deferral, deferred
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.duties import Duty
from domain.incidents import Pause, PauseCause
from domain.invoices import Invoice
from domain.messages.model import Message
from domain.privacy import ERASED
from domain.reports import Report, ReportPlan
from domain.touchpoints import Touchpoint
from domain.webhooks import EventFilter, SecretCipher, WebhookDelivery
from tests import build, facts, guards
from tests.build import T0, World
from tests.domain.audit.bundles import SIGNER
from tests.domain.invoices.test_billing import MARCH, known
from tests.workers.refusing import refuse
from workers.audit import expire_all, grow_all, publish_due, sign_due
from workers.check_in_notices import ask_all
from workers.invoices import bill_months
from workers.outbound.http_client import WebhookClient
from workers.periodic import WorkContext
from workers.positions import end_duties
from workers.reports import adopt_all, follow_all, plan_all
from workers.sweepers import end_pauses
from workers.webhooks import WebhookDispatcher

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
LATER = T0 + 60 * DAY
KEPT = privacy.Retention(messages=10 * DAY, words=20 * DAY, users=30 * DAY)


@dataclass(frozen=True)
class Case:
    """One kind of periodic work: what makes it due, what refuses it, what does it, and what is there afterwards."""

    part: str
    prepare: Callable[[Sessions, World], Awaitable[object]]
    refused: tuple[str, str]
    run: Callable[[Sessions], Awaitable[object]]
    done: Callable[[World], Select[Any]]


def system(world: World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def paused(make: Sessions, world: World) -> None:
    incident = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.pause(
            Tx(session, world.staff, T0), incident.id, cause=PauseCause.WAITING_ON_CLIENT
        )


async def on_duty(make: Sessions, world: World) -> None:
    await guards.on_duty(make, world, from_at=T0)


async def nothing(_make: Sessions, _world: World) -> None:
    return None


async def to_be_asked(make: Sessions, world: World) -> None:
    async with transaction(make) as session:
        await touchpoints.plan(session, world.account, at=T0)
        await session.execute(
            update(Touchpoint)
            .where(Touchpoint.account_id == world.account.id)
            .values(due_on=T0.date())
        )


async def reported(make: Sessions, world: World) -> None:
    async with transaction(make) as session:
        await reports.adopt(session, at=T0, only=world.account.id)
        plan_id = await session.scalar(
            select(ReportPlan.id).where(ReportPlan.account_id == world.account.id).limit(1)
        )
        assert plan_id is not None
        await reports.make_next(session, plan_id, at=LATER)


async def written_to(make: Sessions, world: World) -> None:
    await build.bounced(make, world)


async def described(make: Sessions, world: World) -> None:
    incident = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.reassign(Tx(session, world.staff, T0), incident.id, to="A. Visser")


async def disabled(make: Sessions, world: World) -> None:
    async with transaction(make) as session:
        await accounts.disable_user(Tx(session, system(world), T0), world.client_user.id)


async def numbered(make: Sessions, world: World) -> None:
    await facts.number_all(make)


async def grown(make: Sessions, world: World) -> None:
    await facts.number_all(make)
    async with transaction(make) as session:
        await audit.append(session, world.tenant.id)


async def signed(make: Sessions, world: World) -> None:
    await grown(make, world)
    async with transaction(make) as session:
        await audit.sign(session, SIGNER, world.tenant.id, at=datetime.now(UTC) - 14 * DAY)
    await build.incident(make, world)
    await grown(make, world)


async def hooked(make: Sessions, world: World) -> None:
    await facts.number_all(make)
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, system(world), T0),
            email=f"{uuid4()}@example.org",
            name="M",
            role=Role.MANAGEMENT,
        )
        await webhooks.add(
            Tx(session, Actor(world.tenant.id, Role.MANAGEMENT, f"user:{user.id}"), T0),
            SecretCipher.of(Settings(data=Path(tempfile.mkdtemp()))),
            name="test",
            url="https://example.org/hook",
            wanted=EventFilter(world.account.id),
        )
    await build.incident(make, world)
    await facts.number_all(make)


async def lay_down_all(make: Sessions) -> None:
    vault = SecretCipher.of(Settings(data=Path(tempfile.mkdtemp())))
    outside = WebhookClient(loopback=False)
    try:
        await WebhookDispatcher(make, vault, outside, None).lay_down_all()
    finally:
        await outside.close()


def rows(model: type[Any], *conditions: Any) -> Callable[[World], Select[Any]]:
    """The company's rows of a kind that are as they are when the work is done."""
    return lambda world: select(func.count()).where(model.tenant_id == world.tenant.id, *conditions)


def none_of(model: type[Any]) -> Callable[[World], Select[Any]]:
    """1 when the company has no such row any more."""
    return lambda world: select(
        select(func.count()).where(model.tenant_id == world.tenant.id).scalar_subquery() == 0
    )


async def closed(make: Sessions, world: World) -> None:
    await known(make, world)
    async with transaction(make) as session:
        await compensation.close_month(
            Tx(session, system(world), datetime(2026, 4, 3, tzinfo=UTC)), world.agreement.id, MARCH
        )


CASES = (
    Case(
        "invoices", closed, ("invoice", "INSERT"),
        lambda make: bill_months(WorkContext(make, Settings()), 500), rows(Invoice),
    ),
    Case(
        "pauses", paused, ("incident_pause", "UPDATE"), lambda make: end_pauses(make, LATER),
        rows(Pause, Pause.until_at.is_not(None)),
    ),
    Case(
        "duties", on_duty, ("duty", "UPDATE"), lambda make: end_duties(make, LATER),
        rows(Duty, Duty.ended_at.is_not(None)),
    ),
    Case(
        "touchpoints", nothing, ("touchpoint", "INSERT"), lambda make: plan_all(make, at=LATER),
        rows(Touchpoint),
    ),
    Case(
        "check-ins", to_be_asked, ("message", "INSERT"), lambda make: ask_all(make, at=LATER),
        rows(Message, Message.template == "check_in"),
    ),
    Case(
        "report plans", nothing, ("report_plan", "INSERT"), lambda make: adopt_all(make, at=LATER),
        rows(ReportPlan),
    ),
    Case(
        "report deliveries", reported, ("report", "UPDATE"),
        lambda make: follow_all(make, at=LATER + DAY), rows(Report, Report.look_at.is_(None)),
    ),
    Case(
        "old messages", written_to, ("message", "UPDATE"),
        lambda make: expire_all(make, KEPT, at=LATER), rows(Message, Message.body == ERASED),
    ),
    Case(
        "old words", described, ("disclosure", "DELETE"),
        lambda make: expire_all(make, KEPT, at=LATER), none_of(ErasableText),
    ),
    Case(
        "old users", disabled, ("app_user", "UPDATE"), lambda make: expire_all(make, KEPT, at=LATER),
        rows(User, User.name == ERASED),
    ),
    Case("audit", numbered, ("audit_leaf", "INSERT"), grow_all, rows(Leaf)),
    Case(
        "checkpoints", grown, ("audit_checkpoint", "INSERT"),
        lambda make: sign_due(make, SIGNER, every=DAY), rows(audit.Checkpoint),
    ),
    Case(
        "weekly checkpoints", signed, ("audit_checkpoint", "INSERT"),
        lambda make: publish_due(make, SIGNER),
        rows(LedgerRow, LedgerRow.kind == "checkpoint.published"),
    ),
    Case("webhooks", hooked, ("webhook_delivery", "INSERT"), lay_down_all, rows(WebhookDelivery)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.part.replace(" ", "-"))
async def test_what_fails_for_one_company_is_deferred_and_done_for_another(
    make: Sessions, owner_url: str, case: Case
) -> None:
    bad, good = await build.client(make), await build.client(make)
    for world in (bad, good):
        await case.prepare(make, world)
    await refuse(owner_url, bad.tenant.id, *case.refused)

    done: dict[UUID, Any] = {}
    waiting: Sequence[Deferral] = ()
    for _ in range(20):  # other tests of this database may have left work, too
        await case.run(make)
        async with make() as session:
            done = {
                world.tenant.id: await session.scalar(case.done(world)) for world in (bad, good)
            }
            waiting = await deferred(
                session, Deferral.part == case.part, Deferral.tenant_id == bad.tenant.id
            )
        if done[good.tenant.id] and waiting:
            break

    assert done[good.tenant.id]
    assert not done[bad.tenant.id]
    [row] = waiting
    assert (row.attempts, bool(row.error)) == (1, True)
    async with make() as session:
        others = await deferred(
            session, Deferral.part == case.part, Deferral.tenant_id == good.tenant.id
        )
    assert not others

    await case.run(make)  # it waits for its next attempt

    async with make() as session:
        [row] = await deferred(
            session, Deferral.part == case.part, Deferral.tenant_id == bad.tenant.id
        )
    assert row.attempts == 1
