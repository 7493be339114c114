"""What the process says about itself: alive, ready, and what is not; its numbers; its pages."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from api.endpoints import health
from api.support.telemetry import _trace_id
from domain.core.db import transaction
from domain.core.outbox import Outbox, OutboxState
from tests import build, facts
from tests.api import asking
from tests.api.asking import Api, Office


async def test_ready_names_every_part(api: Api) -> None:
    await facts.number_all(api.make)
    assert (await api.http.get("/livez")).json() == {"status": "alive"}
    response = await api.http.get("/readyz")
    assert response.status_code == 200
    parts = response.json()["parts"]
    assert {name: part["ready"] for name, part in parts.items()} == {
        "postgres": True, "redis": True, "migrations": True, "relay": True,
        "fence": True, "outbox": True,
    }  # fmt: skip
    assert response.json()["status"] == "ready"


async def test_a_lost_redis_is_told_and_serving_goes_on(database_url: str, tmp_path: Path) -> None:
    lost = asking.settings(database_url, f"unix://{tmp_path}/none.sock", tmp_path)
    async with asking.running(lost) as api:
        response = await api.http.get("/readyz")
        assert response.status_code == 200
        assert response.json()["parts"]["redis"]["ready"] is False
        office = await asking.office(api)
        assert await api.data(office.client, "{ viewer { role } }")


async def test_a_lost_database_is_told_and_the_process_lives(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    away = database_url.partition("?")[0] + f"?host={tmp_path}"
    lost = asking.settings(away, redis_url, tmp_path)
    async with asking.running(lost) as api:
        response = await api.http.get("/readyz")
        assert response.status_code == 503
        assert response.json()["parts"]["postgres"]["ready"] is False
        assert (await api.http.get("/livez")).status_code == 200
        assert "waarborg_database_up 0.0" in (await api.http.get("/metrics")).text


async def test_tables_of_another_release_are_not_ready(api: Api) -> None:
    api.state.revisions = ("ffff",)
    response = await api.http.get("/readyz")
    assert response.status_code == 503
    assert "ffff" in response.json()["parts"]["migrations"]["why"]


async def test_a_relay_that_does_not_work_is_told_but_turns_no_traffic_away(
    api: Api, office: Office
) -> None:
    await build.incident(api.make, office.world)
    async with api.make.begin() as session:
        waiting = await session.scalar(text("SELECT count(*) FROM ledger WHERE seq IS NULL"))
    assert waiting
    soon = api.state.now
    api.state.now = lambda: soon() + build.minutes(1)
    response = await api.http.get("/readyz")
    assert response.status_code == 200
    relay = response.json()["parts"]["relay"]
    assert relay["ready"] is False
    assert relay["lagSeconds"] > 50
    await facts.number_all(api.make)


async def test_a_backlog_is_shown_as_degraded_and_turns_no_traffic_away(
    api: Api, office: Office
) -> None:
    await build.incident(api.make, office.world)
    await facts.number_all(
        api.make, {"incident.opened": ("tell_opened",)}, at=datetime.now(UTC) + timedelta(days=1)
    )
    soon = api.state.now
    api.state.now = lambda: soon() + build.minutes(2)
    api.app.state.health.forget()
    response = await api.http.get("/readyz")
    page = (await api.http.get("/metrics")).text
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    told = response.json()["parts"]["outbox"]
    assert told["ready"] is False
    assert told["pending"] >= 1
    assert told["lagSeconds"] > 110
    [lag] = [line for line in page.splitlines() if line.startswith("waarborg_outbox_lag_seconds ")]
    assert float(lag.split()[1]) > 110
    async with transaction(api.make) as session:
        await session.execute(update(Outbox).values(state=OutboxState.DONE))


@pytest.mark.parametrize("is_busy", [True, False])
async def test_a_part_is_not_called_away_while_the_process_itself_was_slow(
    monkeypatch: pytest.MonkeyPatch, is_busy: bool
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.1)

    async def check() -> dict[str, Any]:
        if is_busy:
            time.sleep(0.5)  # noqa: ASYNC251 - the loop does not run meanwhile
        await asyncio.sleep(60)
        return {"ready": True}

    part = await health._part(check())
    assert part["ready"] is is_busy
    assert ("too busy" in part["why"]) is is_busy


async def test_metrics_count_what_is_asked(api: Api, office: Office) -> None:
    def count(told: str) -> float:
        name = 'waarborg_graphql_operations_total{outcome="ok",type="query"} '
        return sum(
            float(line.removeprefix(name)) for line in told.splitlines() if line.startswith(name)
        )

    before = count((await api.http.get("/metrics")).text)
    await api.data(office.client, "{ viewer { role } }")
    told = (await api.http.get("/metrics")).text
    assert count(told) == before + 1
    for name in (
        "outbox_pending",
        "outbox_dead",
        "ledger_lag_seconds",
        "sockets",
        "database_up 1.0",
    ):
        assert f"waarborg_{name}" in told


async def test_logs_hold_neither_tokens_nor_bodies(
    api: Api, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "a very private summary"
    await api.ask(office.client, "query ($x: String) { viewer { role } }", x=secret)
    await api.http.get(f"/graphql?query=%7Bviewer%7D&token={office.client}")
    told = "".join(capsys.readouterr())
    assert "request" in told
    assert office.client not in told
    assert secret not in told


async def test_the_first_page_and_its_files_are_served_with_a_policy(api: Api) -> None:
    page = await api.http.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text, "the policy would not let it run"
    for name in ("page.js", "page.css", "socket.js", "shield.svg"):
        assert (await api.http.get(f"/console/{name}")).status_code == 200
    assert (await api.http.get("/console/../pyproject.toml")).status_code == 404
    assert (await api.http.get("/console/%2e%2e/pyproject.toml")).status_code == 404


async def test_tokens_are_not_handed_out_unless_asked_for(api: Api) -> None:
    shown = await api.http.get("/demo/tokens", headers={"host": "127.0.0.1:8000"})
    assert shown.status_code == 404


def test_a_trace_id_is_taken_over_when_it_is_one() -> None:
    good = "0af7651916cd43dd8448eb211c80319c"

    def given(value: str) -> str:
        return _trace_id({"headers": [(b"traceparent", value.encode())]})

    assert given(f"00-{good}-b7ad6b7169203331-01") == good
    for nonsense in ("", "x", f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{good}", f"{good}"):
        assert len(given(nonsense)) == 32
        assert given(nonsense) not in {good, "0" * 32}
    assert json.dumps(given("x")), "plain text"
