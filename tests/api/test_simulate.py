"""The word `simulate`: terms in TOML, an answer for people or programs, an exit code for scripts."""

import asyncio
import json
from pathlib import Path

import pytest

from api.commands.simulate import run
from api.support.failures import CommandFailure
from domain.core.db import connect, sessions
from domain.core.settings import Settings
from tests import build

TERMS = """
period_fee_cents = 1_000_000
[[promises]]
name = "first_response"
kind = "first_response"
calendar = "24x7"
targets = { critical = { elapsed_s = 900 } }
credits = { any = { fixed_cents = 5_000 } }
"""


@pytest.fixture
def settings(system_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=system_url, system_database_url=system_url, redis_url=redis_url, data=tmp_path
    )


def test_a_misspelt_key_is_said(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text(TERMS.replace("targets", "tragets"))
    with pytest.raises(CommandFailure, match="tragets"):
        run(settings, file, "nobody", None, 0, False)


def test_a_client_that_is_not_there_is_said(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text(TERMS)
    with pytest.raises(CommandFailure, match="no account nobody"):
        run(settings, file, "nobody", None, 0, False)


def test_an_account_without_history_costs_nothing(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], world_id: str
) -> None:
    file = tmp_path / "terms.toml"
    file.write_text(TERMS)

    code = run(settings, file, world_id, None, 7, True)

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["units"], told["weeks"], told["p95_cents"], told["seed"]) == (0, 0, 0, 7)
    assert told["limit_cents"] == 100_000


@pytest.fixture
def world_id(system_url: str) -> str:
    async def client() -> str:
        engine = connect(system_url)
        try:
            return str((await build.client(sessions(engine))).account.id)
        finally:
            await engine.dispose()

    return asyncio.run(client())
