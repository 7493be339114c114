"""Reading about a client's contacts is a fact: who, when, whose; once an hour."""

from sqlalchemy import select

from domain.core.ledger import LedgerRow
from tests.api.asking import Api, Office

CONTACTS = "query ($id: ID!) { account(id: $id) { name contacts { name email phone } } }"


async def read_facts(api: Api, office: Office) -> list[LedgerRow]:
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind == "account.contacts_read",
            )
            .order_by(LedgerRow.id)
        )
        return list(rows)


async def test_reading_contacts_is_recorded_once_an_hour_for_each_reader(
    api: Api, office: Office
) -> None:
    for token in (office.manager, office.client, office.manager, office.client):
        assert (await api.data(token, CONTACTS, id=office.account))["account"]["contacts"]
    facts = await read_facts(api, office)
    readers = {fact.actor for fact in facts}
    assert len(facts) == 2
    assert f"user:{office.world.client_user.id}" in readers
    assert facts[0].body == {"internal": True}
    assert facts[0].trace_id


async def test_what_is_not_personal_is_not_recorded(api: Api, office: Office) -> None:
    query = "query ($id: ID!) { account(id: $id) { name sites { name } } }"
    await api.data(office.manager, query, id=office.account)
    assert await read_facts(api, office) == []


async def test_a_stranger_who_reads_nothing_is_not_recorded(api: Api, office: Office) -> None:
    from tests.api import asking

    stranger = await asking.office(api)
    assert (await api.data(stranger.manager, CONTACTS, id=office.account))["account"] is None
    assert await read_facts(api, office) == []


async def test_clients_are_not_told_who_read(api: Api, office: Office) -> None:
    from tests.gate import prober

    await api.data(office.manager, CONTACTS, id=office.account)
    await prober.number(api)
    query = '{ ledger(kinds: ["account.contacts_read"], first: 10) { nodes { kind } } }'
    assert (await api.data(office.client, query))["ledger"]["nodes"] == []
    assert len((await api.data(office.manager, query))["ledger"]["nodes"]) == 1
