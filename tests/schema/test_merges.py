"""Sites and contacts that were recorded twice become one, and everything that referred to either still answers."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import accounts, health, posts
from domain.access import Actor, Tx
from domain.accounts import Contact, Site
from domain.agreements import PromiseTerm
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.health import ObservationDraft, ObservationKind
from domain.messages import Unsubscription
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.schema.test_health import computed

pytestmark = pytest.mark.anyio

SITES = """mutation ($input: MergeSitesInput!) { mergeSites(input: $input) {
  ... on Site { id name } ... on Refusal { code argument message } } }"""
CONTACTS = """mutation ($input: MergeContactsInput!) { mergeContacts(input: $input) {
  ... on Contact { id name email } ... on Refusal { code argument message } } }"""
READ_SITE = """query ($id: ID!, $incident: ID!, $account: ID!) {
  node(id: $id) { id ... on Site { name } } incident(id: $incident) { site { id name } }
  incidents(siteId: $id) { nodes { id } } sites(accountId: $account) { nodes { id } } }"""
READ_CONTACT = """query ($id: ID!, $account: ID!) { node(id: $id) { id ... on Contact { name email } }
  observations(accountId: $account) { nodes { kind contact { id } } }
  account(id: $account) { contacts { id } } }"""
CHANGE = """mutation ($input: ChangeContactInput!) { changeContact(input: $input) {
  ... on Contact { id } ... on Refusal { code argument message } } }"""


def system(office: Office) -> Actor:
    return Actor.system(office.world.tenant.id, "test")


async def twin_site(api: Api, office: Office, name: str = "Hoofdkantoor (dubbel)") -> Site:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office), build.T0)
        return await accounts.add_site(tx, office.world.account.id, name=name)


async def facts(api: Api, office: Office, kind: str) -> list[LedgerRow]:
    async with api.make() as session:
        rows = select(LedgerRow).where(
            LedgerRow.tenant_id == office.world.tenant.id, LedgerRow.kind == kind
        )
        return list(await session.scalars(rows.order_by(LedgerRow.id)))


async def test_a_site_is_merged_and_its_incidents_are_found_at_the_other_one(
    api: Api, office: Office
) -> None:
    first = await build.incident(api.make, office.world)
    twin = await twin_site(api, office)
    gone, kept = office.site, ids.write("Site", twin.id)
    before = await facts(api, office, "incident.opened")
    given = {"id": gone, "intoId": kept, "reason": "Recorded twice."}
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, SITES, input=given))["mergeSites"]["code"] == "NOT_ALLOWED"
    same = await api.data(office.manager, SITES, input=given | {"intoId": gone})
    assert (same["mergeSites"]["code"], same["mergeSites"]["argument"]) == ("INVALID", "intoId")
    stale = await api.data(office.manager, SITES, input=given | {"expectedVersion": 9})
    assert stale["mergeSites"]["code"] == "STALE_VERSION"

    done = (await api.data(office.manager, SITES, input=given))["mergeSites"]
    assert done == {"id": kept, "name": twin.name}
    for asked in (gone, kept):
        found = await api.data(
            office.client, READ_SITE,
            id=asked, incident=ids.write("Incident", first.id), account=office.account,
        )  # fmt: skip
        assert found["node"] == {"id": kept, "name": twin.name}
        assert found["incident"]["site"] == {"id": kept, "name": twin.name}
        assert found["incidents"]["nodes"] == [{"id": ids.write("Incident", first.id)}]
        assert found["sites"]["nodes"] == [{"id": kept}]
    again = (await api.data(office.manager, SITES, input=given))["mergeSites"]
    assert (again["code"], again["argument"]) == ("NOT_FOUND", "id")
    [fact] = await facts(api, office, "site.merged")
    assert (fact.subject_id, UUID(fact.body["into_id"])) == (office.world.site.id, twin.id)
    assert fact.body["moved"]["incident.site_id"] == 1
    assert fact.body["before"]["name"] == "Hoofdkantoor"
    after = await facts(api, office, "incident.opened")
    assert [each.body for each in after] == [each.body for each in before]  # never rewritten

    third = await twin_site(api, office, "Loods")
    given = {"id": kept, "intoId": ids.write("Site", third.id), "reason": "Again."}
    await api.data(office.manager, SITES, input=given)
    found = await api.data(
        office.client, READ_SITE,
        id=gone, incident=ids.write("Incident", first.id), account=office.account,
    )  # fmt: skip
    assert found["node"]["name"] == "Loods"  # over two merges


async def test_a_site_that_terms_name_or_whose_post_exists_twice_is_not_merged(
    api: Api, office: Office
) -> None:
    twin = await twin_site(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, system(office), build.T0)
        for site in (office.world.site.id, twin.id):
            await posts.add_post(
                tx, site, name="Poort", service="objectbeveiliging", valid_from_on=build.T0.date()
            )
    given = {"id": office.site, "intoId": ids.write("Site", twin.id), "reason": "Twice."}
    refused = (await api.data(office.manager, SITES, input=given))["mergeSites"]
    assert refused["code"] == "ALREADY_EXISTS"
    assert "Poort" in refused["message"]
    async with transaction(api.make) as session:
        term = await session.scalar(
            select(PromiseTerm).where(PromiseTerm.account_id == office.world.account.id).limit(1)
        )
        assert term is not None
        term.site_ids = [office.world.site.id]
    refused = (await api.data(office.manager, SITES, input=given))["mergeSites"]
    assert (refused["code"], refused["argument"]) == ("INVALID", "id")
    assert office.world.agreement.reference in refused["message"]
    assert await facts(api, office, "site.merged") == []


async def test_rows_of_two_clients_are_not_merged(api: Api, office: Office) -> None:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office), build.T0)
        other = await accounts.create_account(tx, name="Ander")
        site = await accounts.add_site(tx, other.id, name="Loods")
    given = {"id": office.site, "intoId": ids.write("Site", site.id), "reason": "Twice."}
    refused = (await api.data(office.manager, SITES, input=given))["mergeSites"]
    assert (refused["code"], refused["argument"]) == ("INVALID", "intoId")


async def test_a_contact_is_merged_with_what_people_observed_and_its_refusals(
    api: Api, office: Office
) -> None:
    one, two = office.world.contacts[:2]
    gone, kept = (ids.write("Contact", each.id) for each in (one, two))
    account = office.world.account.id
    async with transaction(api.make) as session:
        tx = Tx(session, system(office), api.state.now() - timedelta(hours=1))
        await accounts.change_contact(tx, one.id, phone="+31201234567")
        for who in (one.id, two.id):
            draft = ObservationDraft(ObservationKind.CHAMPION, 1, None, who)
            await health.record_observation(tx, account, draft)
        session.add(
            Unsubscription(
                id=uuid7(), tenant_id=office.world.tenant.id, account_id=account,
                contact_id=one.id, topic="surveys", at=tx.at,
            )
        )  # fmt: skip
    first = await computed(api, office)
    given = {"id": gone, "intoId": kept, "reason": "One person."}
    refused = (await api.data(office.client, CONTACTS, input=given))["mergeContacts"]
    assert refused["code"] == "NOT_ALLOWED"
    done = (await api.data(office.manager, CONTACTS, input=given))["mergeContacts"]
    assert done == {"id": kept, "name": two.name, "email": two.email}
    found = await api.data(office.manager, READ_CONTACT, id=gone, account=office.account)
    assert found["node"]["id"] == kept
    assert {each["contact"]["id"] for each in found["observations"]["nodes"]} == {kept}
    assert found["account"]["contacts"] == [{"id": kept}]
    changed = await api.data(office.manager, CHANGE, input={"id": gone, "name": "X"})
    assert changed["changeContact"]["code"] == "NOT_FOUND"
    async with api.make() as session:
        row = await session.get_one(Contact, two.id)
        assert row.phone == "+31201234567"
        [no] = await session.scalars(
            select(Unsubscription).where(Unsubscription.account_id == account)
        )
        assert no.contact_id == two.id
        # As of before the merge the score is what it was.
        earlier = await health.compute(
            session, office.world.tenant.id, [account], at=first.as_of, known_at=first.as_of
        )
    assert earlier[account].columns["content"] == first.content
    [fact] = await facts(api, office, "contact.merged")
    assert fact.body["moved"] == {"observation.contact_id": 1, "unsubscription.contact_id": 1}
