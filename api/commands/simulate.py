"""`simulate`: what proposed terms would have come to on a client's own history."""

import asyncio
import json
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import dataclass_transform
from uuid import UUID

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.support.failures import CommandFailure
from domain import simulation
from domain.access import Actor, Tx
from domain.accounts import Account, Site, Tenant
from domain.agreements import (
    BandDraft,
    ClockStart,
    CreditDraft,
    PerCause,
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
    TermsDraft,
)
from domain.agreements.model import TicketKind
from domain.calendars import Calendar, CalendarVersion
from domain.core.base import JSON
from domain.core.db import connect, sessions, transaction
from domain.core.settings import Settings
from domain.simulation import Simulation


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class _StrictTerms(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An unknown key is an error: a misspelt one would silently change what is simulated."""


class _Promise(_StrictTerms):
    name: str
    kind: PromiseKind
    calendar: str
    targets: dict[Priority, Target]
    credits: dict[str, CreditDraft] = {}  # by priority, or "any"
    bands: list[BandDraft] = []
    ticket_kinds: list[TicketKind] = []
    category: str | None = None
    site_ids: frozenset[UUID] = frozenset()
    services: frozenset[str] = frozenset()
    hours: str | None = None  # name of a calendar: applies to incidents opened in its hours
    objective_ppm: int = 990_000
    clock_start: ClockStart = ClockStart.TOLD
    pausable: bool = True
    internal: bool = False


class _Terms(_StrictTerms):
    promises: list[_Promise]
    period_fee_cents: int = 0
    currency: str = "EUR"
    credit_cap_cents: int | None = None
    per_cause: PerCause = PerCause.LARGEST


def run(
    settings: Settings,
    file: Path,
    account: str,
    tenant: str | None,
    seed: int,
    as_json: bool,
) -> int:
    """Print expected compliance and credits of a month; 1 when the terms would need a sign-off."""
    try:
        terms = msgspec.convert(tomllib.loads(file.read_text()), _Terms)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise CommandFailure(f"{file}: {error}") from error
    found, sites, currency = asyncio.run(_simulate(settings, terms, account, tenant, seed))
    report = _told(found, sites)
    sys.stdout.write(json.dumps(report) + "\n" if as_json else _table(report, currency))
    return int(found.p95_cents > found.limit_cents)


async def _simulate(
    settings: Settings, terms: _Terms, account: str, tenant: str | None, seed: int
) -> tuple[Simulation, dict[str, str], str]:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            client = await _account(session, account, tenant)
            draft = await _draft(session, client, terms)
            actor = Actor.system(client.tenant_id, "simulate")
            found = await simulation.simulate(
                Tx(session, actor, datetime.now(UTC)), client.id, terms=draft, seed=seed
            )
            rows = await session.execute(
                select(Site.id, Site.name).where(Site.account_id == client.id)
            )
            return found, {str(row.id): row.name for row in rows}, draft.currency
    finally:
        await engine.dispose()


async def _account(session: AsyncSession, named: str, tenant: str | None) -> Account:
    query = select(Account).join(Tenant, Tenant.id == Account.tenant_id)
    if tenant is not None:
        query = query.where(Tenant.name == tenant)
    try:
        query = query.where(or_(Account.name == named, Account.id == UUID(named)))
    except ValueError:
        query = query.where(Account.name == named)
    found = (await session.scalars(query.limit(2))).all()
    if len(found) != 1:
        many = "There are several accounts" if found else "There is no account"
        raise CommandFailure(f"{many} {named}; name it with its id, or its company with --tenant.")
    return found[0]


async def _draft(session: AsyncSession, client: Account, terms: _Terms) -> TermsDraft:
    rows = await session.execute(
        select(Calendar.name, CalendarVersion.id)
        .join(CalendarVersion, CalendarVersion.calendar_id == Calendar.id)
        .where(Calendar.tenant_id == client.tenant_id)
        .order_by(CalendarVersion.number)
    )
    newest = {row.name: row.id for row in rows}
    named = {name for each in terms.promises for name in (each.calendar, each.hours) if name}
    unknown = sorted(named - newest.keys())
    if unknown:
        raise CommandFailure(f"No calendar {unknown[0]!r}; there are: {', '.join(sorted(newest))}.")
    drafts = tuple(
        PromiseDraft(
            name=each.name,
            kind=each.kind,
            calendar_version_id=newest[each.calendar],
            targets=each.targets,
            ticket_kinds=tuple(each.ticket_kinds),
            category=each.category,
            site_ids=each.site_ids,
            services=each.services,
            hours_id=None if each.hours is None else newest[each.hours],
            objective_ppm=each.objective_ppm,
            clock_start=each.clock_start,
            pausable=each.pausable,
            internal=each.internal,
            credits={_whose(key): credit for key, credit in each.credits.items()},
            bands=tuple(each.bands),
        )
        for each in terms.promises
    )
    return TermsDraft(
        drafts, terms.period_fee_cents, terms.currency, terms.credit_cap_cents, terms.per_cause
    )


def _whose(key: str) -> Priority | None:
    try:
        return None if key == "any" else Priority(key)
    except ValueError as error:
        known = ", ".join(Priority)
        raise CommandFailure(f"Credits are for {known} or any, not for {key}.") from error


def _told(found: Simulation, sites: dict[str, str]) -> JSON:
    lines = [line | {"site": sites.get(line["site_id"] or "")} for line in found.report["lines"]]
    names = (
        *("units", "kept", "weeks", "p50_cents", "p95_cents", "limit_cents", "seed"),
        *("from_at", "until_at"),
    )
    plain = {name: msgspec.to_builtins(getattr(found, name)) for name in names}
    needed = found.p95_cents > found.limit_cents
    return {"id": str(found.id), **plain, "sign_off_needed": needed, "lines": lines}


def _table(report: JSON, currency: str) -> str:
    def money(cents: int) -> str:
        return f"{cents / 100:,.2f} {currency}"

    out = [
        (
            f"{report['units']:,} promises decided from {report['from_at'][:10]} to {report['until_at'][:10]},"
            f" {report['kept']:,} kept; {report['weeks']} whole weeks."
        ),
        (
            f"Credits of a month: {money(report['p50_cents'])} (median), {money(report['p95_cents'])} (95 of 100);"
            f" limit {money(report['limit_cents'])}."
        ),
    ]
    for line in report["lines"]:
        share = line["kept"] / line["n"]
        where = "" if line["site_id"] is None else f"  at {line['site']}"
        broken = "  breaks its objective" if line["breaks"] else ""
        out.append(
            f"  {line['promise']}{where}: {share:.2%} of {line['n']:,}, {money(line['cents'])}{broken}"
        )
    if report["sign_off_needed"]:
        out.append("These terms need a sign-off before they can hold.")
    return "\n".join(out) + "\n"
