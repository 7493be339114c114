"""The prober of roles finds mistakes: each that is made in the table of access, one at a time, is noticed."""

import sys
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from api.execution.document_cache import KEPT_BYTES
from api.support.lru import WeightedCache
from domain import accounts
from domain.access import Actor, Tx
from domain.accounts import Account
from domain.core.db import transaction
from tests.api.asking import Api
from tests.build import T0
from tests.gate.expected import Asker
from tests.gate.findings import Findings, made
from tests.gate.mistakes import Mistake, mistakes
from tests.gate.roles import Roles
from tests.gate.roles_doing import Doing
from tests.gate.test_roles import api, everything

__all__ = ["api"]
LEAST = 50


async def found_by(roles: Roles, asker: Asker, only: frozenset[str]) -> list[str]:
    """What is found when one asks about one thing."""
    roles.findings = Findings()
    await roles.run([asker], only=only)
    doing = Doing(roles)
    await doing.run([asker], only=only)
    return roles.findings.found + doing.findings.found


async def afresh(roles: Roles, asker: Asker) -> Asker:
    """The same asker; of a partner another key, because the server remembers for a while what a key may."""
    _, _, scope = asker.name.partition("PARTNER ")
    if not scope:
        return asker
    here = roles.expectation.holdings.here
    async with transaction(roles.api.make) as session:
        account = await session.get_one(Account, here)
        system = Actor.system(account.tenant_id, "test")
        _, key = await accounts.issue_api_key(
            Tx(session, system, T0), name=scope, scopes=[scope], accounts=[here]
        )
    return replace(asker, token=key)


async def is_missed(roles: Roles, asker: Asker, mistake: Mistake) -> bool:
    """Whether a mistake goes unnoticed, or something is found without it."""
    only = frozenset({mistake.only})
    without = await found_by(roles, asker, only)
    documents = roles.api.state.engine.documents
    empty: WeightedCache[str, Any] = WeightedCache(KEPT_BYTES)
    with made(mistake, roles.schema), patch.object(documents, "_kept", empty):  # plans hold rights
        found = await found_by(roles, await afresh(roles, asker), only)
    if without:
        sys.stdout.write(f"without {mistake.name}: {without[:3]}\n")
    return bool(without) or not found


@pytest.mark.slow
async def test_each_mistake_in_the_table_is_found(api: Api) -> None:
    roles, everybody = await everything(api)
    by_name = {asker.name: asker for asker in everybody}
    tried = mistakes()
    missed = [
        mistake.name for mistake in tried if await is_missed(roles, by_name[mistake.asker], mistake)
    ]
    sys.stdout.write(f"{len(tried)} mistakes, {len(missed)} missed: {missed}\n")
    assert missed == []
    assert len(tried) >= LEAST
