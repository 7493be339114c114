"""The link at the end of optional mail: looking changes nothing, one click ends it, and only that kind of mail."""

from typing import ClassVar

import pytest
from sqlalchemy import select

from domain import messages
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.messages import Message, Variables
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0
from tests.domain.messages.test_templates import TOLD

pytestmark = pytest.mark.anyio

AGAIN = """mutation($input: ResubscribeContactInput!) { resubscribeContact(input: $input) {
  ... on Contact { name } ... on Refusal { code } } }"""


class Survey(messages.CheckIn, frozen=True, kw_only=True):
    """Mail of another topic."""

    topic: ClassVar[str | None] = "surveys"


async def written(
    api: Api, office: Office, template: str, intent: str, kind: type[Variables] | None = None
) -> list[Message]:
    """Messages to the office's two contacts."""
    world = office.world
    async with transaction(api.make) as session:
        return await messages.compose(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            world.account.id,
            intent=f"{intent}:{world.site.id}",
            template=kind or template,
            variables=TOLD[template],
        )


async def test_looking_at_the_link_asks_and_changes_nothing(api: Api, office: Office) -> None:
    [dutch, english] = await written(api, office, "check_in", "check:1")
    pages = [await api.http.get(f"/u/{each.unsubscribe_key}") for each in (dutch, english)]
    assert [page.status_code for page in pages] == [200, 200]
    assert "Ja, meld mij af" in pages[0].text
    assert "Yes, unsubscribe me" in pages[1].text
    assert len(await written(api, office, "check_in", "check:2")) == 2


async def test_one_click_ends_mail_of_this_topic_for_this_reader_and_no_other(
    api: Api, office: Office
) -> None:
    first, second = await written(api, office, "check_in", "check:1")
    for _ in range(2):
        done = await api.http.post(
            f"/u/{first.unsubscribe_key}", data={"List-Unsubscribe": "One-Click"}
        )
        assert (done.status_code, "location" in done.headers) == (200, False)
    after = await written(api, office, "check_in", "check:2")
    assert [each.contact_id for each in after] == [second.contact_id]
    assert len(await written(api, office, "check_in", "survey:1", Survey)) == 2
    assert len(await written(api, office, "credit_notice", "credit:1")) == 2
    async with api.make() as session:
        facts = await session.scalars(
            select(LedgerRow.body).where(
                LedgerRow.subject_id == first.contact_id, LedgerRow.kind == "contact.unsubscribed"
            )
        )
        assert facts.all() == [{"topic": "check_ins"}]


async def test_what_waits_for_the_morning_is_not_sent_to_who_unsubscribed_meanwhile(
    api: Api, office: Office
) -> None:
    first, _ = await written(api, office, "check_in", "check:1")
    await api.http.post(f"/u/{first.unsubscribe_key}")
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        assert await messages.begin(Tx(session, system, T0), first.id) is None
    async with api.make() as session:
        row = await session.get_one(Message, first.id)
    assert (row.state, row.error) == (messages.MessageState.FAILED, "the reader unsubscribed")


async def test_who_asks_for_it_is_sent_it_again(api: Api, office: Office) -> None:
    first, _ = await written(api, office, "check_in", "check:1")
    await api.http.post(f"/u/{first.unsubscribe_key}")
    wanted = {"contactId": ids.write("Contact", first.contact_id), "topic": "check_ins"}  # type: ignore[arg-type]
    refused = await api.data(office.client, AGAIN, input=wanted)
    assert refused["resubscribeContact"] == {"code": "NOT_ALLOWED"}
    await api.data(office.manager, AGAIN, input=wanted)
    assert len(await written(api, office, "check_in", "check:2")) == 2


@pytest.mark.parametrize("key", ["x", "' OR 1=1", "%2e%2e"])
async def test_a_link_that_nobody_was_sent_is_not_found(api: Api, key: str) -> None:
    assert (await api.http.get(f"/u/{key}")).status_code == 404
    assert (await api.http.post(f"/u/{key}")).status_code == 404
