"""`waarborg company`: a company from nothing, whose first key opens everything else."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from api.commands.company import run
from api.support.failures import CommandFailure
from schema.build import build
from tests.api.asking import Api

ADDRESSES = ("database_url", "system_database_url", "redis_url")


async def test_its_first_key_opens_clients(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    code = await asyncio.to_thread(run, api.state.settings, "Begin Beveiliging", True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    create = (
        """mutation { createAccount(input: {name: "Eerste klant"}) { ... on Account { name } } }"""
    )
    seen = "{ viewer { role tenant { name } } accounts(first: 2) { nodes { name } } }"
    assert (code, told["company"]) == (0, "Begin Beveiliging")
    assert await api.data(told["key"], create) == {"createAccount": {"name": "Eerste klant"}}
    assert await api.data(told["key"], seen) == {
        "viewer": {"role": "MANAGEMENT", "tenant": {"name": "Begin Beveiliging"}},
        "accounts": {"nodes": [{"name": "Eerste klant"}]},
    }


async def test_a_second_one_of_the_same_name_is_none(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(run, api.state.settings, "Dubbel Beveiliging", False)
    assert capsys.readouterr().out.startswith("wb_")
    with pytest.raises(CommandFailure, match="already"):
        await asyncio.to_thread(run, api.state.settings, "Dubbel Beveiliging", False)


async def test_a_first_client_comes_with_a_site_and_the_default_promises(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await asyncio.to_thread(
        run, api.state.settings, "Eerste Beveiliging", True, client="Klant B.V.", site="Magazijn"
    )
    key = json.loads(capsys.readouterr().out.splitlines()[-1])["key"]
    seen = """{ accounts(first: 2) { nodes { name sites(first: 2) { id name }
      agreements(first: 2) { terms { promises { name } } } } } }"""
    [client] = (await api.data(key, seen))["accounts"]["nodes"]
    assert code == 0
    assert client["name"] == "Klant B.V."
    assert [site["name"] for site in client["sites"]] == ["Magazijn"]
    assert len(client["agreements"][0]["terms"][0]["promises"]) >= 3
    opened = """mutation ($s: ID!) { openIncident(input: {siteId: $s, priority: HIGH, summary: "Poort open",
      source: GUARD, reporter: "J"}) { ... on Incident { promises { state } } ... on Refusal { code } } }"""
    made = (await api.data(key, opened, s=client["sites"][0]["id"]))["openIncident"]
    assert made["promises"], "the clocks of a new company run at once"


async def test_a_site_without_a_client_is_an_argument_that_cannot_be_used(api: Api) -> None:
    with pytest.raises(CommandFailure, match="--client"):
        await asyncio.to_thread(run, api.state.settings, "Losse Locatie", False, site="Magazijn")


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "new-company.md"


async def test_the_page_for_a_new_company_runs_and_names_mutations_that_there_are(
    api: Api,
) -> None:
    page = PAGE.read_text()
    [line] = re.findall(r"^\$ \.venv/bin/waarborg (.*)$", page, re.MULTILINE)
    words = shlex.split(line)
    urls = {f"WAARBORG_{each.upper()}": getattr(api.state.settings, each) for each in ADDRESSES}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api.cli", *words), cwd=PAGE.parents[2], env=os.environ | urls,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    [key] = [word for word in out.decode().split() if word.startswith("wb_")]
    seen = await api.data(
        key, "{ viewer { role tenant { name } } sites(first: 2) { nodes { name } } }"
    )
    assert seen == {
        "viewer": {"role": "MANAGEMENT", "tenant": {"name": words[1]}},
        "sites": {"nodes": [{"name": words[words.index("--site") + 1]}]},
    }
    table = [row.split("|")[2] for row in page.splitlines() if row.startswith("| ")]
    named = {word for cell in table for word in re.findall(r"`([a-z][A-Za-z]+)`", cell)}
    mutations = build()._schema.mutation_type
    assert mutations is not None
    assert len(named) >= 12
    assert named <= mutations.fields.keys()
