"""The quick start for partners, run as it stands; only installing packages and naming a key are left to the test."""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain import accounts
from domain.actor import Actor, Role
from domain.db import transaction
from tests import build
from tests.api import asking
from tests.api.asking import Office, Server
from tests.gate import node, prober

PAGE = Path(__file__).parents[2] / "docs" / "quick-start.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
GIVEN = ("export ", "npm install", "pip install")


@dataclass(frozen=True)
class Partner:
    """A directory to work in, and a key."""

    office: Office
    place: Path
    environment: dict[str, str]

    async def sh(self, script: str) -> str:
        """What a block of shell prints."""
        said = "\n".join(line for line in script.splitlines() if not line.startswith(GIVEN))
        process = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", said,
            cwd=self.place, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(90):
            out, err = await process.communicate()
        assert process.returncode == 0, (said, out.decode()[-1000:], err.decode()[-2000:])
        return out.decode()


@pytest.fixture
async def partner(server: Server, tmp_path: Path) -> Partner:
    office = await asking.office(server.api)
    async with transaction(server.api.make) as session:
        actor = Actor.system(office.world.tenant.id, "test")
        _, key = await accounts.issue_api_key(
            session, actor, name="quick start", role=Role.PARTNER, all_accounts=True, at=build.T0
        )
    place = tmp_path / "partner"
    place.mkdir()
    for name, text in FILE.findall(PAGE.read_text()):
        (place / name).write_text(text)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "WAARBORG": f"http://127.0.0.1:{server.port}",
        "WAARBORG_KEY": key,
        "SITE": office.site,
        "ACCOUNT": office.account,
        "ONE": "yes",
    }
    return Partner(office, place, environment)


def section(title: str) -> list[str]:
    """The blocks of shell of a section, in order."""
    text = PAGE.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
    blocks = [block for kind, block in BLOCK.findall(text) if kind == "sh"]
    assert blocks
    return blocks


async def follow(partner: Partner, server: Server, command: str) -> str:
    """Start what follows the account, and let something happen until it has said so."""
    await prober.number(server.api)  # what happened before is no news to somebody who begins now
    following = asyncio.create_task(partner.sh(command))
    while not following.done():
        await build.incident(server.api.make, partner.office.world, summary="Gate does not close")
        await prober.number(server.api)
        await asyncio.wait([following], timeout=1)
    return await following


async def test_curl(partner: Partner) -> None:
    viewer, listed, opened = [json.loads(await partner.sh(block)) for block in section("curl")]
    again = json.loads(await partner.sh(section("curl")[2]))
    assert viewer["data"]["viewer"]["role"] == "PARTNER"
    [account] = listed["data"]["accounts"]["nodes"]
    assert (account["id"], account["sites"][0]["id"]) == (
        partner.office.account,
        partner.office.site,
    )
    assert opened["data"]["openIncident"]["__typename"] == "Incident"
    assert again["data"] == opened["data"], "the same key, the same ticket"


async def test_typescript(partner: Partner, server: Server) -> None:
    place = await asyncio.to_thread(node.installed)
    (partner.place / "node_modules").symlink_to(place / "node_modules")
    (partner.place / "package.json").write_text('{"type": "module"}')
    fetch, run = section("TypeScript")
    await partner.sh(fetch)
    generate, start = run.strip().splitlines()
    await partner.sh(generate)
    assert "Follow" in (partner.place / "generated" / "graphql.ts").read_text()
    said = await follow(partner, server, start)
    assert re.match(r"(incident|promise)\.\w+ Gate does not close", said)


async def test_python(partner: Partner, server: Server) -> None:
    install, run = section("Python")
    assert install.startswith("pip install")
    said = await follow(partner, server, run)
    assert re.match(r"(incident|promise)\.\w+ Gate does not close", said)
