"""The load test itself: it passes on a server as it is, and fails when a line loses, repeats, swaps or misdelivers."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from api.commands import company
from domain.core.settings import Settings
from tests.api import asking
from tests.journeys.watching import HOME, Workers
from tests.loadtests.tampering import Tamperer, tampering

FREE = 'baseline = "POST viewer"\nfloor_ms = 1\nfailures = 0\nleast_looked_at = 0\n[p95]\n'
"""Budgets that say nothing about time: this machine has other things to do."""


def prepare(place: Path, companies: list[str]) -> None:
    place.mkdir()
    (place / "budgets.toml").write_text(FREE)
    (place / "companies.jsonl").write_text("".join(companies))


async def run(
    port: int, settings: Settings, place: Path, capsys: Any
) -> tuple[int, dict[str, Any]]:
    """A run of seconds against the server on `port`: its exit code and report."""
    capsys.readouterr()
    for name in ("A", "B"):
        await asyncio.to_thread(company.run, settings, f"{place.name} {name}", True)
    printed = capsys.readouterr().out.splitlines(keepends=True)
    prepare(place, [line for line in printed if line.startswith('{"company"')])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests", "--host", f"http://127.0.0.1:{port}",
        "--companies", str(place / "companies.jsonl"), "--budgets", str(place / "budgets.toml"),
        "--minutes", "0.13", "--users", "30", "--out", str(place),
        cwd=HOME, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(100):
        _, errors = await process.communicate()
    report = place / "report.json"
    assert report.exists(), errors.decode()[-3000:]
    page = (place / "report.html").read_text()
    assert "never a fact that a reader never heard" in page
    assert process.returncode is not None
    return process.returncode, json.loads(report.read_text())


@pytest.mark.slow
async def test_a_run_passes_and_one_on_tampered_lines_fails_and_says_with_what(
    database_url: str, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = asking.settings(database_url, redis_url, tmp_path)
    workers = Workers(settings)
    workers.start()
    try:
        async with asking.serving(settings) as server:
            code, report = await run(server.port, settings, tmp_path / "honest", capsys)
            assert (code, report["violations"], report["errors"]) == (0, [], [])
            assert report["passed"]
            assert report["deliveries"] > 0
            tamperer = Tamperer(["lose", "repeat", "reorder", "foreign"])
            async with tampering(server.port, tamperer) as port:
                code, report = await run(port, settings, tmp_path / "tampered", capsys)
    finally:
        workers.kill()
    wrong = {words.partition(":")[0] for words in report["violations"]}
    assert tamperer.done == ["lose", "repeat", "reorder", "foreign"]
    assert code == 1
    assert not report["passed"]
    assert wrong - {"UNTOLD"} == {"LOST", "REPEATED", "REORDERED", "FOREIGN"}
