"""Facts reach the health of their account within seconds, and those who follow it."""

from pathlib import Path
from typing import Any

import pytest

from domain.core import cursor
from domain.health import ObservationDraft, ObservationKind
from tests.api import asking
from tests.schema.test_health import GOOD, observed
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio
K = ObservationKind
FOLLOW_BAND = """subscription ($id: ID!, $after: String) {
  healthChanged(accountId: $id, after: $after) { kind body } }"""
FOLLOW = """subscription ($id: ID!, $after: String) {
  warningRaised(accountId: $id, after: $after) { kind body } }"""


async def test_warnings_and_changes_of_the_band_are_followed(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server, working():
        office = await asking.office(server.api)
        tenant = office.world.tenant.id
        start = cursor.of_seq(server.api.state.cursor_secret, tenant, 0)
        async with server.socket(office.manager) as socket:
            await socket.subscribe("1", FOLLOW, id=office.account, after=start)
            await observed(server.api, office, *GOOD, ObservationDraft(K.BUDGET, 0))
            event: Any = (await socket.next())["warningRaised"]
            while event["body"]["rule"] != "budget_pressure":
                event = (await socket.next())["warningRaised"]
        async with server.socket(office.manager) as socket:
            await socket.subscribe("2", FOLLOW_BAND, id=office.account, after=start)
            event = (await socket.next())["healthChanged"]
        assert event["body"]["before"] is None
        assert event["body"]["after"] >= 3
