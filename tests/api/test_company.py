"""`waarborg company`: a company from nothing, whose first key opens everything else."""

import asyncio
import json

import pytest

from api.commands.company import run
from api.support.failures import CommandFailure
from tests.api.asking import Api


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
