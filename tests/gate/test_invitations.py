"""Invitations and forgotten passwords: by letter, to the owner of the mailbox, once, and only while they are meant."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from api.identity import login as login_module
from api.support.rate_limit import RateLimit
from domain import accounts, credentials
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.core.db import transaction
from schema.core import ids
from tests import build, facts
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate.letters import text_for
from tests.gate.test_sign_in import PASSWORD, Person, login, person, post
from tests.servers import Postbox, postbox
from workers.main import serve

ANOTHER = "another long sentence"
CHANGE = """mutation ($input: ChangeUserInput!) { changeUser(input: $input) {
    __typename ... on User { id role } ... on Refusal { code argument message } } }"""


async def manager(api: Api, office: Office) -> User:
    """Another manager of the office."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        return await accounts.add_user(
            Tx(session, system, build.T0),
            email="second@guards.example",
            name="Second",
            role=Role.MANAGEMENT,
        )


async def invited(api: Api, token: str, user: User) -> str:
    answer = await post(api, "/auth/invitations", token, userId=ids.write("User", user.id))
    assert answer.status_code == 200, answer.text
    return await text_for(api, user.id)


async def used(api: Api, text: str) -> int:
    answer = await post(api, "/auth/password", invitation=text, password=PASSWORD)
    status: int = answer.status_code
    return status


@pytest.mark.parametrize(
    "ends",
    ["disabled", "demoted", "limited", "another one", "expired", "key revoked", "disabled invited"],
)
async def test_an_invitation_dies_with_its_reason(api: Api, office: Office, ends: str) -> None:
    inviter, whom = await manager(api, office), office.world.client_user
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        key, secret = await accounts.issue_api_key(
            Tx(session, system, build.T0), name="k", role=Role.MANAGEMENT, all_accounts=True
        )
    token = secret if ends == "key revoked" else api.token(inviter.id)
    text = await invited(api, token, whom)
    async with transaction(api.make) as session:
        if ends == "disabled":
            await accounts.disable_user(Tx(session, system, build.T0), inviter.id)
        elif ends == "disabled invited":
            await accounts.disable_user(Tx(session, system, build.T0), whom.id)
        elif ends == "key revoked":
            await accounts.revoke_api_key(Tx(session, system, build.T0), key.id)
        elif ends == "expired":
            gone = api.state.now() - timedelta(seconds=1)
            await session.execute(update(credentials.Invitation).values(expires_at=gone))
    if ends == "demoted":
        await change(api, office.manager, inviter, role="AUDITOR")
    elif ends == "limited":
        async with transaction(api.make) as session:
            other = await accounts.create_account(Tx(session, system, build.T0), name="Other")
        there = ids.write("Account", other.id)
        await change(api, office.manager, inviter, accountIds=[there])
    elif ends == "another one":
        await invited(api, office.manager, whom)
    assert await used(api, text) == 401


async def change(api: Api, token: str, user: User, **changes: Any) -> Any:
    asked = {"id": ids.write("User", user.id), **changes}
    return (await api.data(token, CHANGE, input=asked))["changeUser"]


async def test_a_new_password_of_inviter_or_invited_ends_open_invitations(
    api: Api, office: Office
) -> None:
    inviter, whom = await manager(api, office), office.world.client_user
    assert await used(api, await invited(api, office.manager, inviter)) == 204
    for_client = await invited(api, api.token(inviter.id), whom)
    someone = Person(inviter, inviter.email, office.world.tenant.name)
    token = (await login(api, someone)).json()["accessToken"]
    changed = await post(api, "/auth/password", token, current=PASSWORD, password=ANOTHER)
    assert changed.status_code == 204
    assert await used(api, for_client) == 401


@asynccontextmanager
async def mailing(
    database_url: str, redis_url: str, data: Path
) -> AsyncIterator[tuple[Api, Postbox, Office, Person]]:
    """An API, a worker that sends letters, an office, and somebody whose invitation was used before the worker.

    So no letter of that invitation is sent, however fast the worker is.
    """
    with postbox() as box:
        configured = asking.settings(
            database_url, redis_url, data, smtp_host="127.0.0.1", smtp_port=box.port,
            smtp_from="desk@guards.example", public_url="https://desk.guards.example/",
        )  # fmt: skip
        async with asking.running(configured) as api:
            office = await asking.office(api)
            someone = await person(api, office)
            worker = configured.model_copy(update={"database_url": configured.system_database_url})
            task = asyncio.create_task(serve(worker))
            try:
                yield api, box, office, someone
            finally:
                task.cancel()
                await asyncio.wait({task}, timeout=45)


async def letter(box: Postbox, to: str, *, nth: int = 1) -> tuple[str, str]:
    """The text of the nth letter with a link for a password to somebody, and the path of its link."""

    def linked() -> list[tuple[str, str]]:
        texts = [body_of(each) for each in box.to(to)]
        found = [
            (text, re.search(r"//desk\.guards\.example(/password/\S+)", text)) for text in texts
        ]
        return [(text, link[1]) for text, link in found if link is not None]

    await facts.until(lambda: len(linked()) >= nth, within_s=30)
    return linked()[nth - 1]


def body_of(mail: EmailMessage) -> str:
    """The plain text of a letter."""
    part = mail.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


async def form(api: Api, path: str, language: str = "en", **fields: str) -> Any:
    return await api.http.post(path, data=fields, headers={"accept-language": language})


async def test_an_invited_user_sets_a_password_on_a_page_without_scripts(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with mailing(database_url, redis_url, tmp_path) as (api, box, office, _):
        added = await api.data(
            office.manager,
            """mutation ($account: ID!) { addUser(input: {email: "Eva@client.example", name: "Eva",
            role: CLIENT_USER, accountIds: [$account], language: "en"}) { ... on User { id } } }""",
            account=office.account,
        )
        query = "mutation ($id: ID!) { inviteUser(input: {userId: $id}) { __typename } }"
        told = await api.data(office.manager, query, id=added["addUser"]["id"])
        assert told["inviteUser"]["__typename"] == "User"
        text, path = await letter(box, "eva@client.example")
        assert "works once" in text
        shown = await api.http.get(path)
        assert shown.status_code == 200
        assert '<html lang="en">' in shown.text
        assert "eva@client.example" in shown.text
        assert "<script" not in shown.text
        assert '<label for="password">' in shown.text
        assert shown.headers["referrer-policy"] == "no-referrer"
        differ = await form(api, path, password=PASSWORD, again=ANOTHER)
        weak = await form(api, path, password="short", again="short")
        assert (differ.status_code, weak.status_code) == (422, 422)
        assert 'role="alert"' in weak.text
        done = await form(api, path, password=PASSWORD, again=PASSWORD)
        assert (done.status_code, (await form(api, path)).status_code) == (200, 410)
        signed = await post(api, "/auth/login", email="eva@client.example", password=PASSWORD)
        assert signed.status_code == 200


async def test_a_forgotten_password_is_set_by_letter_and_nobody_learns_who_exists(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with mailing(database_url, redis_url, tmp_path) as (api, box, _, someone):
        known = await post(api, "/auth/forgotten", email=someone.email.upper())
        unknown = await post(api, "/auth/forgotten", email="nobody@nowhere.example")
        assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
        _, path = await letter(box, someone.email)
        page = await api.http.get("/password", headers={"accept-language": "en"})
        assert '<input id="email"' in page.text
        assert (await form(api, "/password", email=someone.email)).status_code == 200
        _, second = await letter(box, someone.email, nth=2)
        done = await form(api, path, password=ANOTHER, again=ANOTHER)
        assert done.status_code == 200
        late = await form(api, second, password=PASSWORD, again=PASSWORD)
        assert late.status_code == 410, "a new password ends the other letters"
        assert (await login(api, someone)).status_code == 401
        assert (await login(api, someone, ANOTHER)).status_code == 200


async def test_letters_to_one_mailbox_and_from_one_client_are_few(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = await person(api, office)
    answers = [await post(api, "/auth/forgotten", email=someone.email) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}, "nothing is told"
    async with api.make() as session:
        resets = await session.scalars(
            credentials.Invitation.__table__.select().where(
                credentials.Invitation.user_id == someone.user.id,
                credentials.Invitation.purpose == credentials.Purpose.RESET,
            )
        )
        assert len(resets.all()) == 3
    monkeypatch.setattr(login_module, "RESETS_OF_A_CLIENT", RateLimit(per_s=1 / 60, burst=0.5))
    assert (await post(api, "/auth/forgotten", email="a@b.example")).status_code == 429
