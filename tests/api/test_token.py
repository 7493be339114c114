"""`waarborg token`: a token that works, and plain words when there is nobody to give it to."""

import asyncio
import json

import pytest

from api.commands.token import run
from api.support.failures import CommandFailure
from tests.api.asking import Api, Office


async def test_it_prints_a_token_that_works(
    api: Api, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:

    settings = api.state.settings
    world = office.world
    for role, account in (("dispatcher", None), ("client_admin", world.account.name)):
        code = await asyncio.to_thread(run, settings, role, world.tenant.name, account, True)
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert code == 0
        assert told["role"] == role
        assert (await api.data(told["token"], "{ viewer { role } }"))["viewer"][
            "role"
        ] == role.upper()
    await asyncio.to_thread(run, settings, "management", world.tenant.name, None, False)
    bare = capsys.readouterr().out.splitlines()[-1]
    assert await api.data(bare, "{ viewer { role } }")


@pytest.mark.parametrize("role", ["finance", "king"])
async def test_it_says_who_there_is_when_there_is_nobody(
    api: Api, office: Office, role: str
) -> None:

    with pytest.raises(CommandFailure) as failed:
        await asyncio.to_thread(
            run, api.state.settings, role, office.world.tenant.name, None, False
        )
    assert "dispatcher" in str(failed.value)


async def test_it_makes_nobody(api: Api, office: Office) -> None:

    count = "{ users { nodes { id } } }"
    before = await api.data(office.manager, count)
    with pytest.raises(CommandFailure):
        await asyncio.to_thread(
            run, api.state.settings, "guard", office.world.tenant.name, None, False
        )
    assert await api.data(office.manager, count) == before
