"""RAID log for the probes of the gate: a risk, an internal issue, an action, and a risk with a late review."""

from datetime import timedelta
from typing import Any

from domain import raid
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.raid import RaidDraft, RaidEntry, RaidKind
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.commitments import owner_of
from workers.raid import look_at_reviews


async def entry(api: Api, office: Office, kind: RaidKind, **more: Any) -> RaidEntry:
    """An open entry."""
    async with transaction(api.make) as session:
        raised = api.state.now() - timedelta(days=more.pop("days", 0))
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), raised)
        draft = RaidDraft(kind, "The gate may fail", await owner_of(tx), **more)
        return await raid.raise_entry(tx, office.world.account.id, draft)


async def furnish(api: Api, office: Office) -> None:
    """Raise entries of several kinds."""
    await entry(api, office, RaidKind.ISSUE, impact=3, internal=True)
    await entry(api, office, RaidKind.DECISION, rationale="The lock is old.")
    await entry(api, office, RaidKind.ACTION, due_at=api.state.now() + timedelta(days=3_000))
    await entry(api, office, RaidKind.RISK, impact=4, likelihood=3, days=9)
    await look_at_reviews(api.make, at=api.state.now())


async def _risk(api: Api, office: Office) -> dict[str, Any]:
    row = await entry(api, office, RaidKind.RISK, impact=2, likelihood=2)
    return {"id": ids.write("RaidEntry", row.id)}


async def _raised(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        owner = await owner_of(tx)
    return {
        "ownerUserId": ids.write("User", owner), "kind": "RISK", "impact": 2, "likelihood": 3,
        "rationale": None, "dueAt": None,
    }  # fmt: skip


async def _reviewed(api: Api, office: Office) -> dict[str, Any]:
    return await _risk(api, office) | {"impact": 5, "likelihood": 1}


async def _handed_over(api: Api, office: Office) -> dict[str, Any]:
    given = await _raised(api, office)
    return await _risk(api, office) | {"ownerUserId": given["ownerUserId"]}


DOABLE = {
    "raiseRaidEntry": _raised,
    "reviewRaidEntry": _reviewed,
    "handOverRaidEntry": _handed_over,
    "closeRaidEntry": _risk,
}
LAST_FACTS = {"raidEvents": "raid.review_late"}
