"""Set and reset values of parameters, from now or a later instant on. Past calculations keep the values they used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import Account, Site
from domain.core.base import uuid7
from domain.core.bounds import must_be_instant
from domain.core.errors import Code, Refused
from domain.parameters.definitions import (
    ParameterDefinition,
    ParameterLevel,
    ParameterTier,
    ParameterUnit,
    Quantity,
)
from domain.parameters.events import ParameterReset, ParameterSet
from domain.parameters.model import ParameterValue
from domain.parameters.registry import definitions
from domain.parameters.rules import check_level, checked, definition_of


class ParameterPlace(NamedTuple):
    """What a value is set for: a tier, an account or a site; with none of them, the company."""

    tier: ParameterTier | None = None
    account_id: UUID | None = None
    site_id: UUID | None = None


async def set_value(
    tx: Tx,
    name: str,
    *,
    numbers: Sequence[int],
    unit: ParameterUnit,
    place: ParameterPlace,
    valid_from: datetime | None = None,
) -> ParameterValue:
    """Set a parameter of the company, a tier, an account or a site, from now or `valid_from` on."""
    definition = definition_of(definitions(), name)
    row = await _new_row(tx, definition, place, valid_from)
    quantity = checked(definition, numbers, unit)
    row.numbers, row.unit = list(quantity.numbers), quantity.unit
    before = await _value_before(tx, row)
    tx.session.add(row)
    await tx.session.flush()
    fact = ParameterSet(
        account_id=row.account_id,
        subject_id=row.id,
        at=tx.at,
        name=name,
        level=row.level,
        tier=row.tier,
        site_id=row.site_id,
        valid_from=row.valid_from,
        before=None if before is None else _plain(before),
        after=_plain(quantity),
    )
    tx.record(fact)
    return row


async def reset_value(
    tx: Tx, name: str, *, place: ParameterPlace, valid_from: datetime | None = None
) -> ParameterValue:
    """End the value of a level: from now or `valid_from` on the level above decides. Later planned values remain."""
    definition = definition_of(definitions(), name)
    row = await _new_row(tx, definition, place, valid_from)
    before = await _value_before(tx, row)
    if before is None:
        raise Refused(Code.ALREADY_DONE, f"No value is set there for {name}.", argument="name")
    tx.session.add(row)
    await tx.session.flush()
    fact = ParameterReset(
        account_id=row.account_id,
        subject_id=row.id,
        at=tx.at,
        name=name,
        level=row.level,
        tier=row.tier,
        site_id=row.site_id,
        valid_from=row.valid_from,
        before=_plain(before),
    )
    tx.record(fact)
    return row


def _plain(quantity: Quantity) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(quantity)
    return plain


async def _new_row(
    tx: Tx, definition: ParameterDefinition, place: ParameterPlace, valid_from: datetime | None
) -> ParameterValue:
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    if sum(each is not None for each in place) > 1:
        raise Refused(
            Code.INVALID, "Give at most one of tier, accountId and siteId.", argument="accountId"
        )
    level = _level_of(place)
    if place.account_id is None and place.site_id is None:
        _must_manage_company(tx)
    account_id = await _account_of(tx, place)
    check_level(definition, level, place.tier)
    return ParameterValue(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=account_id,
        site_id=place.site_id,
        tier=place.tier,
        level=level,
        name=definition.name,
        valid_from=_begin(tx, valid_from),
        set_at=tx.at,
        set_by=tx.actor.subject,
    )


def _level_of(place: ParameterPlace) -> ParameterLevel:
    if place.tier is not None:
        return ParameterLevel.TIER
    if place.site_id is not None:
        return ParameterLevel.SITE
    return ParameterLevel.TENANT if place.account_id is None else ParameterLevel.ACCOUNT


def _must_manage_company(tx: Tx) -> None:
    """Refuse a value for several accounts unless the actor manages the company and reaches all of its accounts."""
    tx.actor.must(Right.MANAGE_COMPANY)
    if tx.actor.accounts is not None:
        raise Refused(
            Code.NOT_ALLOWED,
            "accountId or siteId is needed: your user is limited to some accounts.",
            argument="accountId",
        )


async def _account_of(tx: Tx, place: ParameterPlace) -> UUID | None:
    """Return the account that a value belongs to; refuse an account or a site that the actor cannot access."""
    if place.site_id is not None:
        return (await tx.get(Site, place.site_id, "site", argument="siteId")).account_id
    if place.account_id is not None:
        return (await tx.get(Account, place.account_id, "account", argument="accountId")).id
    return None


def _begin(tx: Tx, valid_from: datetime | None) -> datetime:
    must_be_instant(valid_from, "validFrom", tx.at)
    if valid_from is not None and valid_from < tx.at:
        raise Refused(
            Code.TIME_REVERSED,
            "A value begins now or later, because past calculations keep theirs. Omit validFrom for now.",
            argument="validFrom",
        )
    return valid_from or tx.at


async def _value_before(tx: Tx, row: ParameterValue) -> Quantity | None:
    """Return the value that the level of a new row has until it begins."""
    known = ParameterValue
    before = await tx.session.scalar(
        select(known)
        .where(
            known.tenant_id == row.tenant_id,
            known.name == row.name,
            known.level == row.level,
            known.tier.is_not_distinct_from(row.tier),
            known.account_id.is_not_distinct_from(row.account_id),
            known.site_id.is_not_distinct_from(row.site_id),
            known.valid_from <= row.valid_from,
        )
        .order_by(known.valid_from.desc(), known.set_at.desc(), known.id.desc())
        .limit(1)
    )
    return None if before is None else before.quantity
