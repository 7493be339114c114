"""Find the values of parameters in force: two queries at most, for any number of accounts, sites and instants."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts.model import Account
from domain.core.base import among
from domain.parameters.definitions import (
    ParameterDefinition,
    ParameterLevel,
    ParameterTier,
    Quantity,
)
from domain.parameters.model import ParameterValue
from domain.parameters.registry import definitions
from domain.parameters.rules import default_of, definition_of, most_specific


class ParameterScope(NamedTuple):
    """What values are for: a site of an account, an account, or (with neither) the company."""

    tenant_id: UUID
    account_id: UUID | None = None
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EffectiveParameter:
    """The value of a parameter that applies, the level that it comes from, and the row that set it."""

    definition: ParameterDefinition
    quantity: Quantity | None
    level: ParameterLevel
    row: ParameterValue | None

    @property
    def name(self) -> str:
        """The name of the parameter."""
        return self.definition.name


class _Place(NamedTuple):
    """Parameter and level, and the company, tier, account or site that a row is for."""

    name: str
    level: ParameterLevel
    id: UUID
    tier: ParameterTier | None = None


@dataclass(frozen=True, slots=True)
class ParameterValues:
    """Rows of the scopes that were asked for, by place in the order of their validity, and the tiers of accounts."""

    rows: Mapping[_Place, Sequence[ParameterValue]]
    tiers: Mapping[UUID | None, Collection[ParameterTier]]

    def effective(
        self, definition: ParameterDefinition, scope: ParameterScope, *, at: datetime
    ) -> EffectiveParameter:
        """Return the value that applies at `at`: the most specific one, else the default."""
        tiers = [each for each in self.tiers.get(scope.account_id, ()) if each in definition.tiers]
        found = {
            place.level: row
            for place in _places(definition.name, scope, tiers)
            if (row := self._newest(place, at)) is not None
        }
        level = most_specific((level, row.quantity) for level, row in found.items())
        if level is None:
            default = default_of(definition, tiers)
            return EffectiveParameter(definition, default, ParameterLevel.DEFAULT, None)
        return EffectiveParameter(definition, found[level].quantity, level, found[level])

    def required(
        self, definition: ParameterDefinition, scope: ParameterScope, *, at: datetime
    ) -> Quantity:
        """Return the value of a parameter that always has one."""
        found = self.effective(definition, scope, at=at).quantity
        if found is None:
            raise LookupError(f"the parameter {definition.name} has no default")
        return found

    def _newest(self, place: _Place, at: datetime) -> ParameterValue | None:
        rows = self.rows.get(place, ())
        number = bisect_right(rows, at, key=lambda row: row.valid_from)
        return rows[number - 1] if number else None


def _places(name: str, scope: ParameterScope, tiers: Iterable[ParameterTier]) -> Iterable[_Place]:
    yield _Place(name, ParameterLevel.TENANT, scope.tenant_id)
    for tier in tiers:
        yield _Place(name, ParameterLevel.TIER, scope.tenant_id, tier)
    if scope.account_id is not None:
        yield _Place(name, ParameterLevel.ACCOUNT, scope.account_id)
    if scope.site_id is not None:
        yield _Place(name, ParameterLevel.SITE, scope.site_id)


async def load_values(
    session: AsyncSession,
    scopes: Collection[ParameterScope],
    wanted: Collection[ParameterDefinition],
    *,
    until: datetime,
    known_at: datetime | None = None,
) -> ParameterValues:
    """Load everything that decides these parameters in these scopes up to `until`, as it was set by `known_at`."""
    row = ParameterValue
    accounts = {each.account_id for each in scopes if each.account_id is not None}
    sites = {each.site_id for each in scopes if each.site_id is not None}
    found = await session.scalars(
        select(row)
        .where(
            among(row.tenant_id, {each.tenant_id for each in scopes}),
            among(row.name, [each.name for each in wanted]),
            row.valid_from <= until,
            true() if known_at is None else row.set_at <= known_at,
            or_(
                row.account_id.is_(None),
                (row.level == ParameterLevel.ACCOUNT) & among(row.account_id, accounts),
                (row.level == ParameterLevel.SITE) & among(row.site_id, sites),
            ),
        )
        .order_by(row.valid_from, row.set_at, row.id)
    )
    rows: defaultdict[_Place, list[ParameterValue]] = defaultdict(list)
    for each in found:
        about = each.site_id or each.account_id or each.tenant_id
        rows[_Place(each.name, each.level, about, each.tier)].append(each)
    by_tier = any(place.tier is not None for place in rows)
    if accounts and (by_tier or any(each.tier_defaults for each in wanted)):
        return ParameterValues(rows, await _tiers(session, accounts))
    return ParameterValues(rows, {})


async def _tiers(
    session: AsyncSession, accounts: Collection[UUID]
) -> dict[UUID | None, Collection[ParameterTier]]:
    rows = await session.execute(
        select(Account.id, Account.service_tier, Account.cadence_tier).where(
            among(Account.id, accounts)
        )
    )
    return {row_id: [ParameterTier(each.value) for each in tiers] for row_id, *tiers in rows}


async def required_in(
    session: AsyncSession, scope: ParameterScope, definition: ParameterDefinition, *, at: datetime
) -> Quantity:
    """Return the value of one parameter that applies at `at` in one scope."""
    values = await load_values(session, (scope,), (definition,), until=at)
    return values.required(definition, scope, at=at)


def readable_definitions(
    actor: Actor, names: Collection[str] | None = None
) -> list[ParameterDefinition]:
    """Return the definitions whose values the actor may read, by name; of `names` only, where given."""
    known = definitions()
    wanted = known if names is None else sorted({definition_of(known, each).name for each in names})
    return [
        known[name] for name in wanted if (right := known[name].right) is None or actor.may(right)
    ]
