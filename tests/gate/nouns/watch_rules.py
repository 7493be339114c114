"""Incidents that the system opened, for the probes of the gate."""

from domain import watch_rules
from domain.access import Actor, Tx
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.watch_rules import RuleEvent, WatchRule
from tests.api.asking import Api, Office


async def furnish(api: Api, office: Office) -> None:
    """Open an incident for a no-show."""
    site = office.world.site
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        event = RuleEvent(
            WatchRule.NO_SHOW, uuid7(), site.account_id, site.id, "No-show at a post", "Nobody came"
        )
        await watch_rules.open_once(tx, event)
