"""Verdicts of an older release: who upgrades is told everywhere how they are judged again."""

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from domain.agreements import Priority
from domain.core.db import transaction
from tests import build
from tests.api import asking
from tests.api.asking import settings
from tests.api.test_cli import waarborg

SAID = "waarborg evaluate"


@pytest.mark.slow
async def test_after_an_upgrade_everything_names_the_command_that_judges_again(
    database_url: str, owner_url: str, redis_url: str, tmp_path: Path
) -> None:
    system_url = settings(database_url, redis_url, tmp_path).system_database_url
    environment = {
        "WAARBORG_DATABASE_URL": database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": system_url,
        "WAARBORG_OWNER_DATABASE_URL": make_url(owner_url).render_as_string(hide_password=False),
        "WAARBORG_REDIS_URL": redis_url,
    }
    place = ("--data", str(tmp_path / "commands"))
    async with asking.running(settings(database_url, redis_url, tmp_path)) as api:
        world = await build.client(api.make)
        await build.incident(api.make, world, priority=Priority.HIGH)
        async with transaction(api.make) as session:
            await session.execute(
                text("UPDATE promise SET evaluator = 1 WHERE tenant_id = :t"),
                {"t": world.tenant.id},
            )
    async with asking.running(settings(database_url, redis_url, tmp_path)) as api:
        assert SAID in (await api.http.get("/")).text
    migrated = waarborg("migrate", "--json", *place, **environment)
    assert json.loads(migrated.stdout)["older_verdicts"] is True, migrated.stderr
    assert SAID in migrated.stderr
    looked = json.loads(waarborg("doctor", "--json", *place, **environment).stdout)
    [found] = [each for each in looked["findings"] if each["part"] == "verdicts"]
    assert (found["state"], found["remedy"]) == ("worrying", SAID)

    judged = waarborg("evaluate", "--tenant", str(world.tenant.id), *place, **environment)
    assert judged.returncode == 0, judged.stderr

    migrated = waarborg("migrate", "--json", *place, **environment)
    assert json.loads(migrated.stdout)["older_verdicts"] is False
    assert SAID not in migrated.stderr
    looked = json.loads(waarborg("doctor", "--json", *place, **environment).stdout)
    [found] = [each for each in looked["findings"] if each["part"] == "verdicts"]
    assert found["state"] == "fine"
    async with asking.running(settings(database_url, redis_url, tmp_path)) as api:
        assert SAID not in (await api.http.get("/")).text
