"""`outbox`: what is still to be done, failed or was given up, and which addresses get no letters; change either."""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from api.state import utc_now
from api.support.failures import CommandFailure, Exit
from domain import messages
from domain.access import Actor, Tx
from domain.accounts import Tenant
from domain.core.backlog import Backlog, backlog
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.deferral import Deferral, deferred
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox, OutboxState
from domain.core.settings import Settings
from domain.messages import SuppressedAddress

MOST = 200  # rows shown; the counts are of all


def run(
    settings: Settings,
    action: str | None,
    consequence: str | None,
    everything: bool,
    tenant: str | None,
    as_json: bool,
) -> int:
    """Show, retry one or all that was given up, or lift a suppression. Raises `Failure` on what is not understood."""
    if action not in {None, "retry", "lift"}:
        raise CommandFailure(
            f"outbox knows no {action}; say: outbox retry ID, or --all.", Exit.USAGE
        )
    if action == "lift":
        if consequence is None or everything:
            raise CommandFailure("Say which: outbox lift ADDRESS.", Exit.USAGE)
        return asyncio.run(_with_sessions(settings, action, consequence, tenant, as_json))
    if action == "retry" and (consequence is None) != everything:
        raise CommandFailure("Say which: outbox retry ID, or outbox retry --all.", Exit.USAGE)
    wanted = None if consequence is None else _id(consequence)
    return asyncio.run(_with_sessions(settings, action, wanted, tenant, as_json))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandFailure(f"{text} is no id; they stand in the first column.") from None


async def _with_sessions(
    settings: Settings,
    action: str | None,
    wanted: UUID | str | None,
    tenant: str | None,
    as_json: bool,
) -> int:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        make = sessions(engine)
        whose = await _tenants(make, tenant)
        if action is None:
            await _show(make, whose if tenant is not None else None, as_json)
        elif isinstance(wanted, str):
            await _lift(make, whose, wanted, as_json)
        else:
            await _retry(make, whose, wanted, as_json)
    finally:
        await engine.dispose()
    return 0


async def _tenants(make: Sessions, named: str | None) -> list[UUID]:
    query = select(Tenant.id)
    if named is not None:
        query = query.where((Tenant.name == named) | (Tenant.id == _maybe_id(named)))
    async with make() as session:
        found = list(await session.scalars(query))
    if not found and named is not None:
        raise CommandFailure(f"There is no company {named}.")
    return found


def _maybe_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _retry(make: Sessions, whose: Sequence[UUID], wanted: UUID | None, as_json: bool) -> None:
    count = 0
    async with transaction(make) as session:
        if wanted is not None:
            row = await session.scalar(
                select(Outbox).where(Outbox.id == wanted, Outbox.tenant_id.in_(whose))
            )
            if row is None:
                raise CommandFailure(f"There is no consequence {wanted}.")
            await messages.retry(Tx(session, _actor(row.tenant_id), utc_now()), wanted)
            count = 1
        else:
            for tenant_id in whose:
                count += await messages.retry_all(Tx(session, _actor(tenant_id), utc_now()))
    line = json.dumps({"retried": count}) if as_json else f"{count} to be tried again now"
    sys.stdout.write(line + "\n")


async def _lift(make: Sessions, whose: Sequence[UUID], address: str, as_json: bool) -> None:
    """In every company that has suppressed it, unless one is named."""
    count = 0
    async with transaction(make) as session:
        for each in await messages.suppressions(session, whose):
            if each.address.lower() == address.lower():
                actor = _actor(each.tenant_id)
                count += await messages.unsuppress(Tx(session, actor, utc_now()), address)
    if not count:
        raise CommandFailure(f"Nothing keeps letters from {address}.")
    line = json.dumps({"lifted": count}) if as_json else f"letters go to {address} again"
    sys.stdout.write(line + "\n")


def _actor(tenant_id: UUID) -> Actor:
    return Actor.system(tenant_id, "operator")


async def _show(make: Sessions, whose: Sequence[UUID] | None, as_json: bool) -> None:
    mine: list[ColumnElement[bool]] = [] if whose is None else [Outbox.tenant_id.in_(whose)]
    async with make() as session:
        left = await backlog(session, *mine, at=utc_now())
        rows = (
            await session.execute(
                select(Outbox, LedgerRow.kind)
                .join(LedgerRow, LedgerRow.id == Outbox.fact_id)
                .where(Outbox.state != OutboxState.DONE, *mine)
                .order_by(Outbox.state, Outbox.due_at, Outbox.id)
                .limit(MOST)
            )
        ).all()
        barred = await messages.suppressions(session, whose)
        mine = [] if whose is None else [Deferral.tenant_id.in_(whose)]
        told_deferred = [_deferred(each) for each in await deferred(session, *mine, limit=MOST)]
    rows_shown = [_row(row, kind) for row, kind in rows]
    if as_json:
        counts = {"pending": left.pending, "failed": left.failed, "dead": left.dead}
        due_at = None if left.oldest_due_at is None else left.oldest_due_at.isoformat()
        suppressed = [_barred(each) for each in barred]
        more = {
            "oldest_due_at": due_at,
            "oldest_s": round(left.oldest_s, 3),
            "lag_s": round(left.lag_s, 3),
            "rows": rows_shown,
            "suppressed": suppressed,
            "deferred": told_deferred,
        }
        sys.stdout.write(json.dumps(counts | more) + "\n")
    elif sys.stdout.isatty():
        _table(left, rows_shown, [_barred(each) for each in barred])
        for each in told_deferred:
            sys.stdout.write("deferred: " + "  ".join(str(value) for value in each.values()) + "\n")
    else:
        for each in [*rows_shown, *({"id": "suppressed", **_barred(each)} for each in barred)]:
            sys.stdout.write("\t".join(str(value) for value in each.values()) + "\n")


def _row(row: Outbox, kind: str) -> dict[str, Any]:
    """One consequence: `failed` is pending after a failure."""
    failed = row.state is OutboxState.PENDING and row.error is not None
    return {
        "id": str(row.id),
        "state": "failed" if failed else row.state.value,
        "job": row.job,
        "fact": kind,
        "attempts": row.attempts,
        "due_at": _instant(row.due_at),
        "error": " ".join((row.error or "").split()),
    }


def _deferred(each: Deferral) -> dict[str, Any]:
    """Periodic work that failed and waits for its next attempt."""
    return {
        "part": each.part,
        "subject": str(each.subject_id),
        "attempts": each.attempts,
        "next_try_at": _instant(each.next_try_at),
        "error": " ".join(each.error.split()),
    }


def _barred(each: SuppressedAddress) -> dict[str, Any]:
    return {
        "address": each.address,
        "since": _instant(each.since),
        "stopped": each.stopped,
        "error": " ".join((each.error or "").split()),
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _table(
    left: Backlog, rows_shown: Sequence[dict[str, Any]], barred: Sequence[dict[str, Any]]
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if rows_shown:
        table = Table(box=None, header_style="dim")
        for name in rows_shown[0]:
            table.add_column(name, overflow="fold", no_wrap=name == "id")
        for each in rows_shown:
            colour = {"dead": "red", "failed": "yellow"}.get(each["state"])
            table.add_row(*(str(value) for value in each.values()), style=colour)
        console.print(table)
    console.print(
        f"{left.pending} pending, of them {left.failed} failed and come again; {left.dead} given up;"
        f" the oldest fact is {left.oldest_s:.0f} s old, work waits for {left.lag_s:.0f} s",
        style="yellow" if left.is_late else None,
    )
    if left.dead:
        console.print("Try again: waarborg outbox retry ID, or --all")
    for each in barred:
        console.print(
            f"{each['address']} gets no letters since {each['since']} ({each['stopped']} stopped):"
            f" {each['error']}",
            style="yellow",
        )
    if barred:
        console.print("When it was put right: waarborg outbox lift ADDRESS")
