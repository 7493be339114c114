"""The text of an invitation is for the reader of the letter: no answer, row, fact, job or export holds it."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.core.db import transaction
from domain.metadata import metadata
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.gate.test_invitations import letter, mailing
from tests.gate.test_sign_in import post

INVITE = "mutation ($id: ID!) { inviteUser(input: {userId: $id}) { __typename } }"
EXPORT = """mutation ($id: ID!) { exportUser(input: {id: $id}) {
    __typename ... on PersonalData { told } } }"""
LEDGER = "{ ledger(last: 100) { nodes { kind actor body words } } }"
READABLE = (
    "{ messages(first: 50) { nodes { template subject body } } }",
    LEDGER,
    "{ users { nodes { id } } }",
)
ADDRESS = "owner-of-the-mailbox@client.example"


async def added(api: Api, office: Office, role: Role, email: str = ADDRESS) -> User:
    """Somebody who never signed in, under an address that may be another person's."""
    system = Actor.system(office.world.tenant.id, "test")
    clients = [office.world.account.id] if role.name.startswith("CLIENT") else []
    async with transaction(api.make) as session:
        return await accounts.add_user(
            Tx(session, system, build.T0), email=email, name="Never", role=role, accounts=clients
        )


async def inviters(api: Api, office: Office) -> dict[str, str]:
    """Tokens of everybody who may invite a user of the client."""
    system = Actor.system(office.world.tenant.id, "test")
    admin = await added(api, office, Role.CLIENT_ADMIN, "admin@client.example")
    async with transaction(api.make) as session:
        _, key = await accounts.issue_api_key(
            Tx(session, system, build.T0), name="k", role=Role.MANAGEMENT, all_accounts=True
        )
    return {"management": office.manager, "key": key, "client admin": api.token(admin.id)}


@pytest.mark.parametrize("who", ["management", "key", "client admin"])
async def test_whoever_invites_is_not_told_the_text(api: Api, office: Office, who: str) -> None:
    token = (await inviters(api, office))[who]
    user = await added(api, office, Role.CLIENT_USER)
    answer = await post(api, "/auth/invitations", token, userId=ids.write("User", user.id))
    assert (answer.status_code, set(answer.json())) == (200, {"expiresAt"})


async def rows(api: Api) -> str:
    """Everything that the database holds, as text."""
    async with api.make() as session:
        found = [
            str(await session.scalar(text(f"SELECT string_agg(t::text, '') FROM {name} t")))
            for name in metadata.tables
        ]
    return "".join(found)


async def told(api: Api, token: str, user: User) -> str:
    """What somebody is answered about everything near an invitation."""
    answers: list[Any] = [await api.ask(token, query) for query in READABLE]
    answers.append(await api.ask(token, EXPORT, id=ids.write("User", user.id)))
    return json.dumps(answers)


async def test_the_text_of_a_letter_stands_in_the_letter_only(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with mailing(database_url, redis_url, tmp_path) as (api, box, office, _):
        user = await added(api, office, Role.CLIENT_USER)
        tokens = await inviters(api, office)
        invited = await api.data(tokens["client admin"], INVITE, id=ids.write("User", user.id))
        assert invited["inviteUser"]["__typename"] == "User"
        _, path = await letter(box, ADDRESS)
        secret = path.rpartition("/")[2]
        everything = await rows(api)
        assert str(user.id) in everything
        assert secret not in everything
        for who, token in {**tokens, "dispatcher": office.dispatcher}.items():
            answers = await told(api, token, user)
            assert ("user.invited" in answers) == (who in {"management", "key"})
            assert ("PersonalData" in answers) == (who != "dispatcher")
            assert secret not in answers, who
