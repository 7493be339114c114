"""Accounts and the people around them: what is refused, who may let whom in, and what the ledger says."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.accounts import Complexity, Contact
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from tests import build
from tests.build import T0

pytestmark = pytest.mark.anyio


def management(world: build.World, *, limited: bool) -> Actor:
    reach = frozenset({world.account.id}) if limited else None
    return Actor(world.tenant.id, Role.MANAGEMENT, "user:boss", reach)


async def test_a_changed_account_says_which_fields_and_commits_to_their_values(
    make: Sessions,
) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        changed = await accounts.change_account(
            Tx(session, management(world, limited=True), T0),
            world.account.id,
            expected_version=world.account.version,
            complexity=Complexity.COMPLEX,
            growth_potential=5,
            name=world.account.name,
        )
    assert changed.version == world.account.version + 1
    async with make() as session:
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == world.account.id, LedgerRow.kind == "account.changed"
            )
        )
    assert fact.body["fields"] == ["complexity", "growth_potential"]
    assert all(fact.body[side].startswith("sha256:") for side in ("before", "after"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", "  "),
        ("name", "x" * 301),
        ("name", "two\nlines"),
        ("name", "a\x00b"),
        ("language", None),
        ("kvk_number", "١٢٣٤٥٦٧٨"),
        ("yearly_revenue_cents", -1),
        ("growth_potential", 6),
        ("time_zone", "../etc/passwd"),
        ("regions", ["Utrecht", "a\x00b"]),
    ],
)
async def test_a_value_that_cannot_be_is_refused_by_its_name_on_the_wire(
    make: Sessions, field: str, value: Any
) -> None:
    world = await build.client(make)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await accounts.change_account(
                Tx(session, management(world, limited=False), T0),
                world.account.id,
                **{field: value},
            )
    assert no.value.refusal.code is Code.INVALID
    assert no.value.refusal.argument in {"name", "language", "kvkNumber", "yearlyRevenueCents",
                                         "growthPotential", "timeZone", "regions"}  # fmt: skip


async def test_a_contact_may_lose_its_phone_but_not_its_name(make: Sessions) -> None:
    world = await build.client(make)
    boss, contact = management(world, limited=False), world.contacts[0]
    async with transaction(make) as session:
        await accounts.change_contact(Tx(session, boss, T0), contact.id, phone="+31 30 000 00 00")
        await accounts.change_contact(Tx(session, boss, T0), contact.id, phone=None)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await accounts.change_contact(Tx(session, boss, T0), contact.id, name=None)
    async with make() as session:
        row = await session.get_one(Contact, contact.id)
    assert (row.phone, row.name) == (None, "Contact 0")
    assert no.value.refusal.argument == "name"


async def test_who_is_limited_to_some_accounts_issues_no_key_that_reaches_all(
    make: Sessions,
) -> None:
    world = await build.client(make)
    limited = management(world, limited=True)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await accounts.issue_api_key(Tx(session, limited, T0), name="Everything")
    async with transaction(make) as session:
        key, _ = await accounts.issue_api_key(
            Tx(session, limited, T0), name="Ours", accounts=[world.account.id]
        )
    assert no.value.refusal.code is Code.NOT_ALLOWED
    assert key.account_ids == [world.account.id]


async def test_who_is_limited_to_some_accounts_stops_no_key_that_reaches_further(
    make: Sessions,
) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        boss = management(world, limited=False)
        everything, _ = await accounts.issue_api_key(
            Tx(session, boss, T0), name="Everything", all_accounts=True
        )
        ours, _ = await accounts.issue_api_key(
            Tx(session, boss, T0), name="Ours", accounts=[world.account.id]
        )
    limited = management(world, limited=True)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await accounts.revoke_api_key(Tx(session, limited, T0), everything.id)
    async with transaction(make) as session:
        stopped = await accounts.revoke_api_key(
            Tx(session, limited, T0 + timedelta(minutes=1)), ours.id
        )
    assert no.value.refusal.code is Code.NOT_FOUND
    assert stopped.revoked_at == T0 + timedelta(minutes=1)


async def test_a_client_s_key_needs_an_account(make: Sessions) -> None:
    world = await build.client(make)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await accounts.issue_api_key(
                Tx(session, management(world, limited=False), T0),
                name="Portal",
                role=Role.CLIENT_USER,
            )
    assert no.value.refusal.argument == "accountIds"
