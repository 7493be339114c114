"""Prepare the target of an import: the company, the account, the site, and the agreement; created when missing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, agreements, calendars
from domain.access import Actor, Origin, Tx
from domain.accounts import Account, Site, Tenant
from domain.agreements import Agreement, PromiseDraft, Target, TermsDraft
from domain.core.errors import Code, Refused
from domain.imports.mapping import AgreementSpec, Profile
from domain.imports.row_target import AccountsAndSites


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """The actor of an import, and the accounts and sites of its rows."""

    actor: Actor
    places: AccountsAndSites


async def prepare_target(
    session: AsyncSession, profile: Profile, *, tenant: str | None, at: datetime
) -> ImportTarget:
    """Find or create everything the profile names; `tenant` (name or id) takes precedence over the profile's.

    An existing agreement is left unchanged, because people may have amended it.
    """
    company = await _tenant(session, profile, tenant)
    actor = Actor.system(company.id, "import", origin=Origin.HISTORY)
    client = await _account(Tx(session, actor, at), profile)
    site = None if client is None else await _site(Tx(session, actor, at), client.id, profile)
    if profile.agreement is not None and client is not None:
        await _sign(Tx(session, actor, at), client.id, profile, profile.agreement)
    await session.flush()
    if client is not None and site is not None:
        return ImportTarget(actor, AccountsAndSites.only(client.id, site.id))
    known = await session.scalars(
        select(Account).where(Account.tenant_id == company.id).order_by(Account.id)
    )
    sites = await session.scalars(
        select(Site).where(Site.tenant_id == company.id).order_by(Site.id)
    )
    account_id = None if client is None else client.id
    places = AccountsAndSites(
        known.all(), sites.all(), account_id=account_id, site=profile.into.site
    )
    return ImportTarget(actor, places)


async def _account(tx: Tx, profile: Profile) -> Account | None:
    """Return the account that the profile names, created when missing; None when a column names it."""
    name = profile.into.account
    if not isinstance(name, str):
        return None
    found = await tx.session.scalar(
        select(Account).where(Account.tenant_id == tx.actor.tenant_id, Account.name == name)
    )
    return found or await accounts.create_account(tx, name=name, time_zone=profile.time_zone)


async def _site(tx: Tx, account_id: UUID, profile: Profile) -> Site | None:
    """Return the site that the profile names, created when missing; None when a column names it."""
    name = profile.into.site
    if not isinstance(name, str):
        return None
    found = await tx.session.scalar(
        select(Site).where(Site.account_id == account_id, Site.name == name)
    )
    return found or await accounts.add_site(
        tx,
        account_id,
        name=name,
        city=profile.into.city,
        country=profile.into.country,
    )


async def _tenant(session: AsyncSession, profile: Profile, named: str | None) -> Tenant:
    name = named or profile.into.tenant
    known: ColumnElement[bool] = Tenant.name == name
    try:
        known = or_(known, Tenant.id == UUID(name))
        company = await session.scalar(select(Tenant).where(known))
        if company is None:
            raise Refused(Code.NOT_FOUND, f"There is no tenant {name}.", argument="tenant")
    except ValueError:
        company = await session.scalar(select(Tenant).where(known))
    if company is None:
        company = await accounts.create_tenant(session, name=name, time_zone=profile.time_zone)
    return company


async def _sign(tx: Tx, account_id: UUID, profile: Profile, spec: AgreementSpec) -> None:
    known = select(Agreement.account_id).where(
        Agreement.tenant_id == tx.actor.tenant_id, Agreement.reference == spec.reference
    )
    owner = await tx.session.scalar(known)
    if owner is not None:
        if owner != account_id:
            raise Refused(
                Code.ALREADY_EXISTS,
                f"The agreement {spec.reference} is another client's; give the profile's agreement another reference.",
                argument="profile",
            )
        return
    versions = {
        name: await calendars.define(tx, name=f"{profile.name}: {name}", spec=hours)
        for name, hours in profile.specs().items()
    }
    drafts = tuple(
        PromiseDraft(
            name=promise.name,
            kind=promise.kind,
            calendar_version_id=versions[promise.calendar].id,
            targets={
                priority: Target(target.elapsed_s, target.business_days)
                for priority, target in promise.targets.items()
            },
            ticket_kinds=tuple(promise.ticket_kinds),
            category=promise.category,
            services=frozenset(promise.services),
            objective_ppm=promise.objective_ppm,
            pausable=promise.pausable,
        )
        for promise in spec.promises
    )
    await agreements.sign(
        tx,
        account_id,
        reference=spec.reference,
        title=spec.title,
        signed_on=spec.signed_on,
        in_force_from=spec.in_force_from,
        terms=TermsDraft(drafts),
    )
