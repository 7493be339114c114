"""Addresses of contacts: one that no letter can reach is refused, one mailbox is one contact and gets one letter."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update

from domain import messages
from domain.access import Actor, Tx
from domain.accounts import Channel, Contact
from domain.core import mailboxes
from domain.core.base import uuid7
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.messages import Message, MessageState
from schema.core import ids
from tests import build, servers
from tests.api import asking
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


USER = """mutation($input: AddUserInput!) { addUser(input: $input) {
  __typename ... on User { email } ... on Refusal { code argument message } } }"""
CONTACT = """mutation($input: AddContactInput!) { addContact(input: $input) {
  __typename ... on Contact { id email } ... on Refusal { code argument message } } }"""
CHANGED = CHANGE.replace("{ code argument }", "{ code argument message }")


async def entered(api: Api, office: Office, email: str) -> list[dict[str, str]]:
    """What is answered wherever an address is entered."""
    contact = {"accountId": office.account, "name": "An", "role": "facility", "email": email}
    user = {"email": f"1{email}", "name": "An", "role": "DISPATCHER"}
    known = ids.write("Contact", office.world.contacts[0].id)
    change = {"id": known, "email": f"2{email}"}
    return [
        (await api.data(office.manager, document, input=given))[name]
        for document, name, given in (
            (CONTACT, "addContact", contact),
            (USER, "addUser", user),
            (CHANGED, "changeContact", change),
        )
    ]


async def test_a_name_outside_ascii_is_refused_with_the_reason_until_the_mail_server_takes_it(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    for takes in (False, True):
        configured = asking.settings(database_url, redis_url, tmp_path, smtp_utf8=takes)
        async with asking.running(configured) as api:
            office = await asking.office(api)
            told = await entered(api, office, "jörg@y.example")
            nowhere = await entered(api, office, "jö..rg@y.example")
        if takes:
            emails = ["jörg@y.example", "1jörg@y.example", "2jörg@y.example"]
            assert [each.get("email") for each in told] == emails
        for each in told if not takes else []:
            assert (each["code"], each["argument"]) == ("INVALID", "email")
            assert "ö before the @" in each["message"]
            assert "WAARBORG_SMTP_UTF8" in each["message"]
        for each in nowhere:
            assert (each["code"], each["argument"]) == ("INVALID", "email")
            assert "WAARBORG_SMTP_UTF8" not in each["message"]


def test_a_sender_outside_ascii_is_refused() -> None:
    with pytest.raises(ValueError, match="WAARBORG_SMTP_FROM"):
        Settings(smtp_from="jörg@g.example", smtp_utf8=True)
    assert Settings(smtp_from="desk@müller.example").smtp_from


@pytest.mark.parametrize(
    ("address", "plain", "with_utf8"),
    [
        ("jan@y.nl", True, True),
        ("jan@müller.nl", True, True),
        ("jörg@y.nl", False, True),
        ("郵件@y.nl", False, True),
        (f"{'ö' * 32}@y.nl", False, True),
        (f"{'ö' * 33}@y.nl", False, False),
        ("jö rg@y.nl", False, False),
        ("jö\u2028rg@y.nl", False, False),
        ("jö\u202erg@y.nl", False, False),
        ("\ud800@y.nl", False, False),
        (".jörg@y.nl", False, False),
    ],
)
def test_letters_are_made_for_names_outside_ascii_only_with_smtputf8(
    address: str, plain: bool, with_utf8: bool
) -> None:
    assert mailboxes.is_mailbox(address) is plain
    assert mailboxes.is_mailbox(address, smtp_utf8=True) is with_utf8
    assert mailboxes.needs_smtp_utf8(address) is (with_utf8 and not plain)


def test_two_writings_of_one_name_are_one_mailbox() -> None:
    assert mailboxes.mailbox("JÖRG@y.nl") == mailboxes.mailbox("jo\u0308rg@Y.NL")


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
            Tx(session, Actor.system(world.tenant.id, "test"), build.T0),
            world.account.id,
            intent=f"test:{uuid4()}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
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
            Tx(session, Actor.system(world.tenant.id, "test"), evening),
            world.account.id,
            intent=f"test:{uuid4()}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
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
