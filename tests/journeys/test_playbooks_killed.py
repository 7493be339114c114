"""A champion leaves: warned of within seconds, and answered by a playbook once, while workers are killed."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import health
from domain.access import Tx
from domain.core.db import transaction
from domain.health import ObservationDraft, ObservationKind
from schema.core import ids
from tests.api import asking
from tests.journeys.watching import Workers
from tests.surveying import system

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

RUNS = """query ($account: ID!) { playbookRuns(accountId: $account) { nodes {
  playbook { triggerValue } fact { kind } tasks { key state } } } }"""
WARNINGS = """query ($account: ID!) { earlyWarnings(accountId: $account, isOpen: true) { nodes {
  rule evidence { kind } } } }"""
RECORD = """mutation ($input: RecordObservationInput!) { recordObservation(input: $input) {
  ... on Observation { id } ... on Refusal { message } } }"""


async def test_a_champion_who_leaves_is_seen_in_seconds_and_answered_once_while_workers_are_killed(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        workers = Workers(configured)
        contact = ids.write("Contact", office.world.contacts[0].id)
        try:
            workers.start()
            async with transaction(api.make) as session:
                tx = Tx(
                    session, system(office.world.tenant.id), api.state.now() - timedelta(days=1)
                )
                champion = ObservationDraft(
                    ObservationKind.CHAMPION, 1, None, office.world.contacts[0].id
                )
                await health.record_observation(tx, office.world.account.id, champion)

            async def warned() -> dict[str, Any]:
                found = await api.data(office.manager, WARNINGS, account=office.account)
                return {each["rule"]: each for each in found["earlyWarnings"]["nodes"]}

            async def plays() -> Counter[str]:
                found = await api.data(office.manager, RUNS, account=office.account)
                return Counter(
                    each["playbook"]["triggerValue"] for each in found["playbookRuns"]["nodes"]
                )

            async with asyncio.timeout(120):  # until the worker has computed the account
                while "SINGLE_THREAD" not in await warned():  # noqa: ASYNC110 - a worker raises it
                    await asyncio.sleep(0.2)
            sent = {"accountId": office.account, "kind": "CONTACT_LEFT", "contactId": contact}
            begun = time.monotonic()
            await api.data(office.manager, RECORD, input=sent)
            async with asyncio.timeout(60):
                while "KEY_CONTACT_CHANGED" not in await warned():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            took = time.monotonic() - begun
            workers.kill()
            for _ in range(3):
                workers.start()
                workers.start()
                await asyncio.sleep(3)
                workers.kill()
            workers.start()
            async with asyncio.timeout(120):
                while not (await plays())["key_contact_changed"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            await asyncio.sleep(3)
            found = await plays()
            print(f"warned after {took:.1f} s; runs {dict(found)}")  # noqa: T201 - the figure is asked for
            assert found["key_contact_changed"] == 1
            evidence = (await warned())["KEY_CONTACT_CHANGED"]["evidence"]
            assert [each["kind"] for each in evidence] == ["observation.recorded"]
        finally:
            workers.kill()
