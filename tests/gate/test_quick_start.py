"""The quick start for partners, run as it stands in an empty directory; only the address and the key are the test's."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from tests import build
from tests.api import asking
from tests.api.asking import Office, Server
from tests.gate import prober
from tests.proxy import FINE, Proxy

PAGE = Path(__file__).parents[2] / "docs" / "quick-start.md"
BLOCK = re.compile(
    r"^(?:`(?P<file>[\w.]+)`:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
ADDRESS = "export WAARBORG=http://127.0.0.1:8000"
KEY = "export WAARBORG_KEY=wb_…"
INSTALL_S = 240.0


@dataclass(frozen=True)
class Partner:
    """A company with a client, an empty directory, and a way to the API that can be cut."""

    server: Server
    office: Office
    place: Path
    key: str
    way: Proxy

    def script(self, *titles: str) -> str:
        """The shell of the page's beginning and of these sections; files are written where the page names them."""
        said = []
        for title, text in sections():
            if title not in {"", *titles}:
                continue
            for block in BLOCK.finditer(text):
                if block["file"] is not None:
                    (self.place / block["file"]).write_text(block["text"])
                elif block["kind"] == "sh":
                    said.append(block["text"])
        script = "\n".join(said)
        assert ADDRESS in script
        assert KEY in script
        script = script.replace(ADDRESS, f"export WAARBORG=http://127.0.0.1:{self.way.port}")
        return script.replace(KEY, f"export WAARBORG_KEY={self.key}")

    @asynccontextmanager
    async def shell(self, script: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A shell that runs a script for the length of a block."""
        strange = {name: text for name, text in os.environ.items() if "WAARBORG" not in name}
        with (self.place / "stderr").open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-euo", "pipefail", "-c", script),
                cwd=self.place,
                env=strange,
                start_new_session=True,
                limit=2**20,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()

    async def happen(self, summary: str) -> None:
        """Something happens at the client."""
        await build.incident(self.server.api.make, self.office.world, summary=summary)
        await prober.number(self.server.api)


def sections() -> list[tuple[str, str]]:
    """Titles and texts of the page; the beginning has no title."""
    first, *others = PAGE.read_text().split("\n## ")
    return [("", first), *((each.partition("\n")[0], each) for each in others)]


@pytest.fixture
async def partner(server: Server, tmp_path: Path) -> AsyncIterator[Partner]:
    office = await asking.office(server.api)
    async with transaction(server.api.make) as session:
        actor = Actor.system(office.world.tenant.id, "test")
        _, key = await accounts.issue_api_key(
            Tx(session, actor, build.T0), name="quick start", role=Role.PARTNER, all_accounts=True
        )
    await prober.number(server.api)
    place = tmp_path / "partner"
    place.mkdir()
    async with Proxy([server.port], seed=1, weather=FINE) as way:
        yield Partner(server, office, place, key, way)


async def heard(process: asyncio.subprocess.Process, wanted: str, *, within_s: float) -> list[str]:
    """What is printed up to a line that ends with `wanted`."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(within_s):
        while not (lines and lines[-1].endswith(wanted)):
            line = await process.stdout.readline()
            assert line, lines
            lines.append(line.decode().strip())
    return lines


async def both_are_heard_after_a_cut(partner: Partner, title: str) -> None:
    """Follow as the page does, cut the line, and let two things happen before it is there again."""
    async with partner.shell(partner.script("curl", title)) as process:
        beginning = asyncio.create_task(heard(process, "First", within_s=INSTALL_S))
        while not beginning.done():
            await partner.happen("First")
            await asyncio.wait([beginning], timeout=1)
        await beginning
        partner.way.cut()
        await partner.happen("Second")
        await partner.happen("Third")
        await asyncio.sleep(2)
        partner.way.clear_up()
        lines = await heard(process, "Third", within_s=30)
        assert "incident.opened Second" in lines
        assert lines.count("incident.opened Second") == 1
        assert lines.index("incident.opened Second") < lines.index("incident.opened Third")


async def test_curl(partner: Partner) -> None:
    async with partner.shell(partner.script("curl")) as process:
        async with asyncio.timeout(60):
            out, _ = await process.communicate()
    assert process.returncode == 0, (partner.place / "stderr").read_text()
    answers, rest = [], out.decode().strip()
    while rest:
        answer, end = json.JSONDecoder().raw_decode(rest)
        answers.append(answer["data"])
        rest = rest[end:].strip()
    viewer, listed, opened = answers
    assert viewer["viewer"]["role"] == "PARTNER"
    [account] = listed["accounts"]["nodes"]
    assert account["id"] == partner.office.account
    assert account["sites"][0]["id"] == partner.office.site
    assert opened["openIncident"]["__typename"] == "Incident"


@pytest.mark.slow
async def test_typescript(partner: Partner) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on this machine")
    await both_are_heard_after_a_cut(partner, "TypeScript")
    assert "Follow" in (partner.place / "generated" / "graphql.ts").read_text()


@pytest.mark.slow
async def test_python(partner: Partner) -> None:
    await both_are_heard_after_a_cut(partner, "Python")
