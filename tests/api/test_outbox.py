"""`waarborg outbox`: what is still to be done, and having it tried again."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from api.commands import outbox as command
from api.support.failures import CommandFailure
from domain.core.db import Sessions, transaction
from domain.core.outbox import Outbox, OutboxState
from domain.core.settings import Settings
from tests import build, facts

pytestmark = pytest.mark.anyio


async def given_up(make: Sessions, count: int) -> list[Outbox]:
    """Consequences of a company of its own that were given up."""
    whom = await facts.client(make)
    await facts.number_all(make)
    await facts.note(make, whom, *range(count))
    await facts.number_all(make, {"test.noted": ("ring",)}, at=datetime(2100, 1, 1, tzinfo=UTC))
    async with transaction(make) as session:
        rows = list(
            await session.scalars(
                select(Outbox).where(Outbox.tenant_id == whom.actor.tenant_id).order_by(Outbox.id)
            )
        )
        for row in rows:
            row.state, row.error = OutboxState.DEAD, "RuntimeError: no\nluck"
    return rows


async def said(
    settings: Settings, capsys: pytest.CaptureFixture[str], *words: object, all_: bool = False
) -> str:
    """What the command prints; it runs a loop of its own, so it gets a thread of its own."""
    from asyncio import to_thread

    action, wanted, tenant, as_json = words
    await to_thread(command.run, settings, action, wanted, all_, tenant, as_json)  # type: ignore[arg-type]
    return capsys.readouterr().out


async def test_what_was_given_up_is_listed_and_tried_again(
    make: Sessions, system_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(database_url=system_url)
    first, second = await given_up(make, 2)
    tenant = str(first.tenant_id)
    told = json.loads(await said(settings, capsys, None, None, tenant, True))
    assert (told["pending"], told["dead"]) == (0, 2)
    assert [row["id"] for row in told["rows"]] == [str(first.id), str(second.id)]
    assert told["rows"][0]["error"] == "RuntimeError: no luck"
    lines = (await said(settings, capsys, None, None, tenant, False)).splitlines()
    assert lines[0].split("\t")[:4] == [str(first.id), "dead", "ring", "test.noted"]
    retried = await said(settings, capsys, "retry", str(first.id), None, True)
    assert json.loads(retried) == {"retried": 1}
    retried = await said(settings, capsys, "retry", None, tenant, True, all_=True)
    assert json.loads(retried) == {"retried": 1}
    told = json.loads(await said(settings, capsys, None, None, tenant, True))
    assert (told["pending"], told["failed"], told["dead"]) == (2, 2, 0)


@pytest.mark.parametrize(
    ("action", "wanted", "all_"),
    [("dance", None, False), ("retry", None, False), ("retry", "x", True), ("retry", "x", False)],
)
def test_what_cannot_be_understood_is_said(action: str, wanted: str | None, all_: bool) -> None:
    with pytest.raises(CommandFailure):
        command.run(Settings(), action, wanted, all_, None, False)


async def test_an_address_that_gets_no_letters_is_listed_and_freed(
    make: Sessions, system_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(database_url=system_url)
    world = await build.client(make, contacts=1)
    address, tenant = str(world.contacts[0].email), str(world.tenant.id)
    await build.bounced(make, world)
    told = json.loads(await said(settings, capsys, None, None, tenant, True))
    [barred] = told["suppressed"]
    assert (barred["address"], barred["stopped"], barred["error"]) == (address, 0, "5.1.1 nobody")
    line = (await said(settings, capsys, None, None, tenant, False)).splitlines()[-1]
    assert line.split("\t")[:2] == ["suppressed", address]
    lifted = await said(settings, capsys, "lift", address, None, True)
    assert json.loads(lifted) == {"lifted": 1}
    told = json.loads(await said(settings, capsys, None, None, tenant, True))
    assert told["suppressed"] == []
    with pytest.raises(CommandFailure):
        await said(settings, capsys, "lift", address, None, True)
