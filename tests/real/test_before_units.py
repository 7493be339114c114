"""The same verdicts and credits as before promises were about units of any kind: digests of both, then and now.

The digests were made by this file with the code before `promises: name the unit that a promise is about, of any kind`;
they hold no data. A row says what the promise of an incident came to, without ids, which are new in each run. Clocks
that nothing stopped have no figures, because they run until today. `PRINT=1` prints digests instead of comparing them.

Roots of the audit tree hold the ids of facts, so two runs never have the same. What goes into the leaves is compared
instead: the kind, time and body of each fact, with every id replaced by a mark, and without the fields that came
since (the service of an incident, the grade of an arrival). That the rows of one database keep their bytes, and so
their roots, is shown by `tests/journeys/test_filled_database_goes_down_and_up.py`.
"""

import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from api.demo import data, seed
from api.embedded import Servers
from domain.core.db import connect, sessions
from tests.conftest import superuser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real logs")]

AT = datetime(2026, 3, 30, 9, tzinfo=UTC)
LOGS = {
    "SFFD": ("sffd_calls_open.parquet", "sffd"),
    "UCI": ("uci_incident_events_open.parquet", "uci_servicenow"),
    "Boston": ("boston311_2015_h1.parquet", "boston311"),
}
NOTHING = (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
BEFORE: dict[str, dict[str, tuple[int, str]]] = {
    "SFFD": {
        "verdicts": (1_033, "ca53fe54bf88140c6cc7d4b5ca04921133f217c280cf98022f1b84339e75328f"),
        "credits": NOTHING,
        "facts": (11_002, "d20611711fc330fb262a51a7b5e8f6fa43736b183091945115f04250234bc801"),
    },
    "UCI": {
        "verdicts": (14_955, "676c87c730a9eff5a0c466c69db23805b95b07ee270a5a09b5f25bd224ff8f61"),
        "credits": NOTHING,
        "facts": (107_618, "6dc18057f0fc3000c6fe4fc8f5ecfa2170d8c09c6f861389132d60eba48b5472"),
    },
    "Boston": {
        "verdicts": (65_866, "63bbfa390ef3d57f9a5c488cea1587bf24fed5a5dac76fb19bbc1c617369fa2e"),
        "credits": NOTHING,
        "facts": (282_569, "dc3cc16af9a1065549fd155e28bd8bc08d1b3df7245ac6a9304e224d87fcb96f"),
    },
    "demo": {
        "verdicts": (948, "d94d77e91cf46005c6d3c88dc4c7dff2697243b7cd821fdacebd4b1fac21b3b5"),
        "credits": (13, "fd286c97c0ed1215221af577bd75fc9898b6f4f5a56694bac26b2f6f8ca1a137"),
        "facts": (3_072, "7c791b1fbc25e1ebbc55deccef0f7b0a44a3c5f8d208672b3141bac7ccc533dc"),
    },
}
VERDICTS = """
SELECT i.source, i.summary, i.opened_at, i.priority, p.name, p.kind, p.part, p.priority, p.internal, p.held,
  p.started_at,
  CASE WHEN p.decided_at IS NULL THEN 'open' ELSE p.state END, p.decided_at, p.target_us,
  CASE WHEN p.decided_at IS NULL OR p.stopped_at IS NULL THEN NULL ELSE p.elapsed_us END,
  CASE WHEN p.decided_at IS NULL OR p.stopped_at IS NULL THEN NULL ELSE p.paused_us END, p.stopped_at, p.due_at
FROM promise p JOIN incident i ON i.id = p.incident_id JOIN tenant t ON t.id = p.tenant_id WHERE t.name = $1"""
CREDITS = """
SELECT i.summary, i.opened_at, p.name, p.part, c.kind, c.state, c.turn, c.amount_cents, c.uncapped_cents, c.units_milli,
  c.currency, c.month_on, c.override_cents
FROM credit c LEFT JOIN promise p ON p.id = c.promise_id LEFT JOIN incident i ON i.id = c.incident_id
  JOIN tenant t ON t.id = c.tenant_id WHERE t.name = $1"""
FACTS = """
SELECT l.kind, l.at, (CASE
  WHEN l.kind LIKE 'promise.%' THEN l.body - 'elapsed_us'
  WHEN l.kind = 'incident.opened' THEN l.body - 'service'
  WHEN l.kind = 'incident.arrived' THEN l.body - '{grade,source,reasons,proven_from,contradicted}'::text[]
  ELSE l.body END)::text
FROM ledger l JOIN tenant t ON t.id = l.tenant_id
WHERE t.name = $1 AND (l.kind LIKE 'promise.%' OR l.kind LIKE 'credit.%' OR l.kind LIKE 'incident.%')"""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b")


def digest(rows: list[Any]) -> tuple[int, str]:
    """How many rows there are, and a hash of them in sorted order."""
    lines = sorted(_ID.sub("id", json.dumps(list(row), default=str)) for row in rows)
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def digests(url: str, tenant: str) -> dict[str, tuple[int, str]]:
    """Digests of the verdicts, the credits and the facts of a company."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET timezone = 'UTC'")
        found = {}
        for name, query in (("verdicts", VERDICTS), ("credits", CREDITS), ("facts", FACTS)):
            found[name] = digest(await connection.fetch(query, tenant))
        return found
    finally:
        await connection.close()


def must_be_as_before(name: str, found: dict[str, tuple[int, str]]) -> None:
    if os.environ.get("PRINT"):
        sys.stdout.write(f"    {name!r}: {found},\n")
    else:
        assert found == BEFORE[name]


@pytest.fixture(scope="session")
def whole(pair: Servers, owner_url: str) -> str:
    """The database of the real logs, as whoever is stopped by no row-level security."""
    database = make_url(owner_url).database
    return make_url(superuser(pair)).set(database=database).render_as_string(hide_password=False)


@pytest.mark.parametrize("tenant", LOGS)
def test_a_real_log_has_the_verdicts_and_credits_of_before(
    tenant: str, whole: str, imported: Callable[..., Any], log: Callable[[str], Path]
) -> None:
    file, profile = LOGS[tenant]
    imported(log(file), profile, tenant)
    must_be_as_before(tenant, asyncio.run(digests(whole, tenant)))


def test_the_demo_company_has_the_verdicts_and_credits_of_before(
    whole: str, system_url: str
) -> None:
    async def play() -> dict[str, tuple[int, str]]:
        engine = connect(system_url)
        await seed.seed(sessions(engine), at=AT, tell=lambda _done, _of: None)
        await engine.dispose()
        return await digests(whole, data.COMPANY)

    must_be_as_before("demo", asyncio.run(play()))
