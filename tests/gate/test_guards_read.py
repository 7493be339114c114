"""A guard reads the own work, nested lists too, and nothing of money, people or other duties."""

from sqlalchemy import select

from domain.duties import Duty
from tests import facts
from tests.api.asking import Api, Office
from tests.gate import victims

OWN = """{ incidents(first: 9) { nodes { id updates { body } promises { name } site { name incidents { id } }
    account { name incidents { id } } credits { id } } } duties(first: 9) { nodes { id } } }"""
OTHERS = """{ agreements(first: 3) { nodes { id } } credits(first: 3) { nodes { id } }
    invoices(first: 3) { nodes { id } } trialBalance { amountCents } messages(first: 3) { nodes { id } }
    touchpoints(first: 3) { nodes { id } } escalations(first: 3) { nodes { id } }
    users(first: 9) { nodes { name } } }"""


async def test_a_guard_reads_the_own_work_only(api: Api) -> None:
    office = await victims.furnished(api)
    async with api.make() as session:
        duties = select(Duty.user_id).where(Duty.tenant_id == office.world.tenant.id)
        user_id = (await session.scalars(duties.order_by(Duty.id))).first()
    assert user_id is not None
    token = api.token(user_id)
    own = await api.data(token, OWN)
    assert own["incidents"]["nodes"]
    assert all(each["credits"] == [] for each in own["incidents"]["nodes"])
    assert any(each["promises"] for each in own["incidents"]["nodes"])
    assert len(own["duties"]["nodes"]) == 1
    others = await api.data(token, OTHERS)
    assert len(others.pop("users")["nodes"]) == 1
    assert others.pop("trialBalance") == []
    assert all(each == {"nodes": []} for each in others.values())


async def test_values_about_the_relationship_are_kept_from_the_client(
    api: Api, office: Office
) -> None:
    """A change of what is noted about a client is a fact of the client's; its values are the company's own."""
    change = "mutation ($a: ID!) { changeAccount(input: {id: $a, growthPotential: 5}) { ... on Account { id } } }"
    await api.data(office.manager, change, a=office.account)
    await facts.number_all(api.make)
    read = '{ ledger(first: 9, kinds: ["account.changed"]) { nodes { kind words } } }'
    [seen] = (await api.data(office.manager, read))["ledger"]["nodes"]
    assert "growth_potential" in seen["words"]["after"]
    for fact in (await api.data(office.client, read))["ledger"]["nodes"]:
        assert fact["words"] == {"before": None, "after": None}
