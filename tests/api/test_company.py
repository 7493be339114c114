"""`waarborg company`: a company from nothing, whose first key opens everything else."""

import asyncio
import json

import pytest

from api.commands.company import run
from api.commands.failures import Failure
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
    with pytest.raises(Failure, match="already"):
        await asyncio.to_thread(run, api.state.settings, "Dubbel Beveiliging", False)
