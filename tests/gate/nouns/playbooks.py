"""Playbooks for the probes of the gate: the shipped ones, an open run, and a closed one."""

from typing import Any

from domain import playbooks
from domain.access import Actor, Tx
from domain.account_teams import TeamRole
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.playbooks import Playbook, PlaybookRun, PlaybookTrigger, PlayOutcome, TaskTemplate
from schema.core import ids
from tests.api.asking import Api, Office


def _tx(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def _playbook(tx: Tx) -> Playbook:
    """A playbook of its own trigger."""
    tasks = [TaskTemplate("call", "Call the client", TeamRole.SUPPORT, 1, "The client answers")]
    row = Playbook(
        id=uuid7(), tenant_id=tx.actor.tenant_id, name=f"Play {uuid7()}",
        trigger_kind=PlaybookTrigger.DATE, trigger_value="anniversary", days_before=1,
        trigger=f"date:anniversary:{uuid7()}", set_at=tx.at,
        content=[{"key": each.key, "words": each.words, "owner_role": each.owner_role,
                  "working_days": each.working_days, "wanted": each.wanted, "depends_on": []}
                 for each in tasks],
    )  # fmt: skip
    tx.session.add(row)
    await tx.session.flush()
    return row


async def run(api: Api, office: Office) -> PlaybookRun:
    """An open run of a playbook."""
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        found = await _playbook(tx)
        return await playbooks.open_by_hand(tx, office.world.account.id, playbook_id=found.id)


async def furnish(api: Api, office: Office) -> None:
    """Take the shipped playbooks over, open two, and close one."""
    async with transaction(api.make) as session:
        await playbooks.adopt_shipped(_tx(api, office, session))
    await run(api, office)
    closed = await run(api, office)
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        await playbooks.close_by_hand(
            tx, closed.id, outcome=PlayOutcome.RESOLVED, note="The client is content."
        )


async def _defined(_api: Api, _office: Office) -> dict[str, Any]:
    task = {
        "key": "call", "words": "Call", "ownerRole": "SUPPORT", "workingDays": 1, "wanted": "Known",
        "dependsOn": [],
    }  # fmt: skip
    return {
        "name": "A new one", "tasks": [task], "kpi": "COMPLAINTS", "band": None, "warning": None,
        "date": None, "daysBefore": 0,
    }  # fmt: skip


async def _retired(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        row = await _playbook(_tx(api, office, session))
    return {"id": ids.write("Playbook", row.id)}


async def _opened(api: Api, office: Office) -> dict[str, Any]:
    found = await _retired(api, office)
    return {"accountId": office.account, "playbookId": found["id"]}


async def _closed(api: Api, office: Office) -> dict[str, Any]:
    row = await run(api, office)
    return {"id": ids.write("PlaybookRun", row.id), "outcome": "RESOLVED"}


DOABLE = {
    "definePlaybook": _defined,
    "retirePlaybook": _retired,
    "openPlaybookRun": _opened,
    "closePlaybookRun": _closed,
}
LAST_FACTS = {"playbookEvents": "playbook_run.closed"}
