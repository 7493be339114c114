"""Clients know guards by a number of their own, wherever a fact names who did something."""

import json
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api import verify
from domain import accounts, audit, duties, incidents
from domain.access import Actor, Role, Tx
from domain.accounts import Account, Site
from domain.agreements import Priority
from domain.audit import bundle
from domain.core.db import transaction
from domain.incidents import Source
from schema.core import ids
from tests import build, guards
from tests.api.asking import Api, Office
from tests.gate import prober
from tests.guards import Guard

FACTS = "query ($a: ID!) { ledger(accountId: $a, first: 100) { nodes { kind actor words } } }"
UPDATES = "{ incidents(first: 5) { nodes { updates { author body } } } }"
PROOFS = (
    """query ($a: ID!) { auditFacts(accountId: $a, first: 100) { facts { text disclosures } } }"""
)
EXPORT = "mutation ($id: ID!) { exportUser(input: {id: $id}) { ... on PersonalData { told } } }"


class Place:
    """A client with a user of its own, at whom the guard and a dispatcher did something."""

    def __init__(self, account: Account, site: Site, token: str, number: int) -> None:
        self.account, self.site, self.token, self.number = account, site, token, number

    @property
    def id(self) -> str:
        return ids.write("Account", self.account.id)


@pytest.fixture
async def places(api: Api, office: Office) -> tuple[Guard, list[Place]]:
    """One guard at two clients of one company."""
    world = office.world
    system = Actor.system(world.tenant.id, "test")
    guard = await guards.on_duty(api.make, world)
    async with transaction(api.make) as session:
        other = await accounts.create_account(Tx(session, system, build.T0), name="De buren")
        there = await accounts.add_site(Tx(session, system, build.T0), other.id, name="Hiernaast")
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email="buur@example.org",
            name="Buur",
            role=Role.CLIENT_ADMIN,
            accounts=[other.id],
        )
    now = api.state.now()
    async with transaction(api.make) as session:
        await duties.end(Tx(session, system, now), guard.duty.id)
        second = await duties.assign(
            Tx(session, system, now),
            guard.device.id,
            other.id,
            from_at=now,
            until_at=guard.duty.until_at,
            site_id=there.id,
        )
    found = [
        Place(world.account, guard.site, office.client, guard.duty.number),
        Place(other, there, api.token(user.id), second.number),
    ]
    doers = (Actor(world.tenant.id, Role.GUARD, f"user:{guard.user.id}"), world.staff)
    for place in found:
        for doer in (replaced(doers[0], Role.MANAGEMENT), doers[1]):
            async with transaction(api.make) as session:
                incident = await incidents.open_incident(
                    Tx(session, doer, now),
                    site_id=place.site.id,
                    priority=Priority.LOW,
                    summary="x",
                    source=Source.GUARD,
                    reporter="y",
                )
                await incidents.update(Tx(session, doer, now), incident.id, body="seen")
                await incidents.reassign(
                    Tx(session, replaced(doer, Role.MANAGEMENT), now), incident.id, to="J. de Wit"
                )
    await prober.number(api)
    signer = audit.Signer(Ed25519PrivateKey.generate(), "pseudonyms")
    async with transaction(api.make) as session:
        while await audit.append(session, world.tenant.id):
            pass
        await audit.sign(session, signer, world.tenant.id, at=now)
    return guard, found


def replaced(actor: Actor, role: Role) -> Actor:
    """The same person with another role, to whom no duty is needed for an incident."""
    return Actor(actor.tenant_id, role, actor.subject)


def actors(told: Any) -> set[str]:
    return {each["actor"] for each in told["ledger"]["nodes"] if each["kind"].startswith("inc")}


async def test_two_clients_cannot_tell_that_it_was_the_same_guard(
    api: Api, office: Office, places: tuple[Guard, list[Place]]
) -> None:
    guard, found = places
    for place in found:
        facts = await api.data(place.token, FACTS, a=place.id)
        assert actors(facts) == {f"guard:{place.number}", "staff"}
        updates = await api.data(place.token, UPDATES)
        authors = {u["author"] for i in updates["incidents"]["nodes"] for u in i["updates"]}
        assert authors == {f"guard:{place.number}", "staff"}
        proofs = await api.data(place.token, PROOFS, a=place.id)
        everything = json.dumps([facts, updates, proofs])
        assert str(guard.user.id) not in everything
        assert "user:dispatcher" not in everything
        assert "J. de Wit" not in everything
    assert found[0].number != found[1].number
    own = await api.data(office.dispatcher, FACTS, a=found[0].id)
    assert f"user:{guard.user.id}" in actors(own)
    assert any((each["words"] or {}).get("to") == "J. de Wit" for each in own["ledger"]["nodes"])


async def test_a_clients_own_users_are_shown_as_they_are(
    api: Api, office: Office, places: tuple[Guard, list[Place]]
) -> None:
    told = await api.data(
        office.client,
        """mutation ($site: ID!) { openIncident(input: {siteId: $site, priority: LOW, summary: "x",
            source: CLIENT, reporter: "x"}) { __typename ... on Incident { id } } }""",
        site=ids.write("Site", places[1][0].site.id),
    )
    assert told["openIncident"]["__typename"] == "Incident"
    await prober.number(api)
    own = actors(await api.data(office.client, FACTS, a=office.account))
    assert f"user:{office.world.client_user.id}" in own


async def test_proofs_hold_with_actors_hidden_and_open_for_the_company(
    api: Api, office: Office, places: tuple[Guard, list[Place]]
) -> None:
    guard, found = places
    tenant_id = office.world.tenant.id
    system = Actor.system(tenant_id, "test")
    async with api.make() as session:
        signed = await audit.checkpoint(session, tenant_id)
    assert signed is not None
    records: list[Any] = []
    for account_id in (found[0].account.id, found[1].account.id, None):
        async with api.make() as session:
            records = [r async for r in bundle.records(session, system, signed, account_id)]
        told = verify.CheckLog()
        verify.check(
            json.loads(json.dumps(records)), verify.PriorKnowledge(key=signed.verifier_key), told
        )
        assert told.broken == 0, told.lines
        assert (str(guard.user.id) in json.dumps(records)) == (account_id is None)
    tampered = json.loads(json.dumps(records))
    opened = [r["fact"] for r in tampered if "actor" in r.get("fact", {}).get("disclosures", {})]
    assert len(opened) > 5
    opened[0]["disclosures"]["actor"]["words"] = f"user:{UUID(int=1)}"
    told = verify.CheckLog()
    verify.check(tampered, verify.PriorKnowledge(key=signed.verifier_key), told)
    assert told.broken == 1
