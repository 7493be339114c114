"""Addresses of contacts: one that no letter can reach is refused, one mailbox is one contact and gets one letter."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update

from domain import messages
from domain.access import Actor
from domain.accounts import Channel, Contact
from domain.core.base import uuid7
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.messages import Message, MessageState
from tests import build, servers
from tests.api.asking import Api, Office
from tests.domain.messages.test_templates import TOLD
from tests.workers.test_sending import sent_by
from workers.outbound.smtp import Email, Smtp

pytestmark = pytest.mark.anyio

ADD = """mutation($input: AddContactInput!) { addContact(input: $input) {
  __typename ... on Contact { id email } ... on Refusal { code argument } } }"""
CHANGE = """mutation($input: ChangeContactInput!) { changeContact(input: $input) {
  __typename ... on Contact { id email } ... on Refusal { code argument } } }"""


async def added(api: Api, office: Office, email: str) -> dict[str, str]:
    told = {"accountId": office.account, "name": "An", "role": "facility", "email": email}
    answer: dict[str, str] = (await api.data(office.manager, ADD, input=told))["addContact"]
    return answer


@pytest.mark.parametrize(
    "email",
    [
        "x@client.example.", "u..x@y.nl", ".u@y.nl", "u.@y.nl", f"u@{'a' * 70}.nl", "jörg@y.nl", "a b@y.nl",
        "a@b@y.nl", "a@-y.nl", "a@y..nl", "a@1.2.3.4", "a@nl", f"{'a' * 65}@y.nl", "a@y_z.nl", "a,b@y.nl",
        "An <a@y.nl>", "a@" + "y." * 126 + "nl",
    ],
)  # fmt: skip
async def test_an_address_that_no_letter_can_be_made_for_is_refused(
    api: Api, office: Office, email: str
) -> None:
    assert await added(api, office, email) == {
        "__typename": "Refusal", "code": "INVALID", "argument": "email",
    }  # fmt: skip


async def test_one_mailbox_is_one_contact_however_it_is_written(api: Api, office: Office) -> None:
    first = await added(api, office, "Jan.Jansen@Müller.Example")
    assert first["__typename"] == "Contact"
    for same in ("jan.jansen@müller.example", "JAN.JANSEN@xn--mller-kva.example"):
        refused = await added(api, office, same)
        assert (refused.get("code"), refused.get("argument")) == ("ALREADY_EXISTS", "email")
    other = await added(api, office, "piet@müller.example")
    change = {"id": other["id"], "email": "jan.Jansen@MÜLLER.example"}
    refused = (await api.data(office.manager, CHANGE, input=change))["changeContact"]
    assert refused.get("code") == "ALREADY_EXISTS"
    own = {"id": first["id"], "email": "jan.jansen@müller.example"}
    changed = (await api.data(office.manager, CHANGE, input=own))["changeContact"]
    assert changed["email"] == "jan.jansen@müller.example"


async def test_who_was_entered_twice_before_gets_one_letter(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    email = str(world.contacts[0].email)
    async with transaction(make) as session:
        await session.execute(
            insert(Contact).values(
                id=uuid7(), tenant_id=world.tenant.id, account_id=world.account.id, name="Again",
                role="x", email=email.upper(), version=1,
            )
        )  # fmt: skip
        written = await messages.compose(
            session, Actor.system(world.tenant.id, "test"), world.account.id,
            intent=f"test:{uuid4()}", template="incident_resolved",
            variables=TOLD["incident_resolved"], at=build.T0,
        )  # fmt: skip
    assert len(written) == 1


async def test_a_letter_goes_to_the_domain_in_ascii_and_its_date_is_when_it_leaves(
    make: Sessions, system_url: str, redis_url: str, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=1)
    settings = Settings(database_url=system_url, redis_url=redis_url, data=tmp_path)
    evening = datetime.now(UTC) - timedelta(hours=9)
    async with transaction(make) as session:
        await session.execute(
            update(Contact)
            .where(Contact.account_id == world.account.id)
            .values(email=f"jan-{world.site.id}@müller.example")
        )
        [message] = await messages.compose(
            session, Actor.system(world.tenant.id, "test"), world.account.id,
            intent=f"test:{uuid4()}", template="incident_resolved",
            variables=TOLD["incident_resolved"], at=evening,
        )  # fmt: skip
    with servers.postbox(enable_SMTPUTF8=False) as box:
        place = settings.model_copy(
            update={"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_from": "desk@g.example"}
        )
        await sent_by(make, {Channel.EMAIL: Email(place, Smtp(place))}, message)
    [letter] = box.letters
    assert letter["To"] == f"jan-{world.site.id}@xn--mller-kva.example"
    assert datetime.now(UTC) - parsedate_to_datetime(letter["Date"]) < timedelta(minutes=2)
    async with make() as session:
        row = await session.scalar(select(Message).where(Message.id == message.id))
    assert row is not None
    assert row.state is MessageState.SENT
