"""`waarborg export audit` and `waarborg-verify`, as an operator and a client use them."""

import asyncio
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from api import verify
from api.support.failures import Exit
from domain.core.db import Sessions
from tests import build
from tests.build import World
from tests.domain.audit.bundles import signed

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
Urls = dict[str, str]


@pytest.fixture
def urls(database_url: str, system_url: str, owner_url: str, redis_url: str) -> Urls:
    """The surroundings of the command line."""
    return {
        "WAARBORG_DATABASE_URL": database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": system_url,
        "WAARBORG_OWNER_DATABASE_URL": owner_url,
        "WAARBORG_REDIS_URL": redis_url,
    }


async def exported(urls: Urls, *arguments: str | Path) -> tuple[int, str, str]:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "api.cli", "export", "audit", *map(str, arguments)],
        cwd=ROOT, env=os.environ | urls, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


async def signed_client(make: Sessions) -> tuple[World, str]:
    """A client with a ticket, and the key its checkpoint is signed with."""
    world = await build.client(make)
    await build.incident(make, world)
    return world, (await signed(make, world.tenant.id)).verifier_key


async def test_a_clients_bundle_and_the_whole_trail_verify(
    make: Sessions, urls: Urls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, key = await signed_client(make)
    own, whole = tmp_path / "own.jsonl", tmp_path / "whole.jsonl"
    one = await exported(urls, "--account", world.account.name, "--out", own)
    two = await exported(urls, "--tenant", world.tenant.name, "--out", whole)
    assert (one[0], two[0]) == (Exit.DONE, Exit.DONE), one[2] + two[2]
    assert key in one[2]
    assert verify.main([str(own), "--key", key]) == 0
    assert verify.main([str(whole), "--key", key]) == 0
    assert "facts of account" in capsys.readouterr().out


async def test_without_a_file_the_bundle_is_printed(make: Sessions, urls: Urls) -> None:
    world, _key = await signed_client(make)
    code, out, _err = await exported(urls, "--account", str(world.account.id))
    assert code == Exit.DONE
    assert out.startswith('{"bundle":"waarborg-audit"')


async def test_what_is_not_clear_or_not_signed_is_said(make: Sessions, urls: Urls) -> None:
    world = await build.client(make)
    early = await exported(urls, "--account", world.account.name)
    unknown = await exported(urls, "--account", "Nobody")
    await build.client(make)
    unclear = await exported(urls)
    assert early[0] == Exit.INPUT
    assert "Nothing is signed yet" in early[2]
    assert unknown[0] == Exit.INPUT
    assert "no account Nobody" in unknown[2]
    assert unclear[0] == Exit.INPUT
    assert "Name the --account" in unclear[2]


def test_the_verifier_is_a_program_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["waarborg-verify"] == "api.verify:main"
