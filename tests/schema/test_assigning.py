"""Who handles an incident: dispatchers say so, the one who handles it finds it, clients do not read who."""

from typing import Any

from sqlalchemy import select

from domain import accounts, incidents
from domain.access import Actor, Role, Tx, is_visible
from domain.core.db import transaction
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0

ASSIGN = """mutation ($input: AssignIncidentInput!) { assignIncident(input: $input) {
  ... on Refusal { code argument } ... on Incident { version reassignedCount assignee { name } } } }"""
MINE = """query ($who: ID) { incidents(assigneeId: $who) { totalCount nodes { id assignee { name } } } }"""
ONE = "query ($id: ID!) { incident(id: $id) { assignee { name } } }"


async def guard(api: Api, office: Office, name: str, role: Role = Role.GUARD) -> accounts.User:
    async with transaction(api.make) as session:
        return await accounts.add_user(
            Tx(session, Actor.system(office.world.tenant.id, "test"), T0),
            email=f"{name}@example.org",
            name=name,
            role=role,
        )


async def test_an_incident_is_assigned_found_by_its_assignee_and_let_go(
    api: Api, office: Office
) -> None:
    ticket = await build.incident(api.make, office.world)
    await build.incident(api.make, office.world)
    ann, bob = [await guard(api, office, name) for name in ("ann", "bob")]
    auditor = await guard(api, office, "audit", Role.AUDITOR)
    stranger = await asking.office(api)
    foreign = await guard(api, stranger, "carl")
    given: dict[str, Any] = {"id": ids.write("Incident", ticket.id)}

    async def assign(token: str, user: accounts.User | None) -> dict[str, Any]:
        user_id = None if user is None else ids.write("User", user.id)
        answer: dict[str, Any] = (await api.data(token, ASSIGN, input=given | {"userId": user_id}))[
            "assignIncident"
        ]
        return answer

    for wrong in (office.client, api.token(ann.id)):
        assert (await assign(wrong, ann))["code"] == "NOT_ALLOWED"
    assert (await assign(stranger.dispatcher, foreign))["code"] == "NOT_FOUND"
    for nobody in (auditor, foreign):
        assert (await assign(office.dispatcher, nobody)) == {
            "code": "NOT_FOUND", "argument": "userId",
        }  # fmt: skip
    assert (await api.data(api.token(ann.id), MINE))["incidents"]["nodes"] == []

    told = await assign(office.dispatcher, ann)
    assert (told["assignee"], told["reassignedCount"]) == ({"name": "ann"}, 0)
    assert (await assign(office.dispatcher, ann))["code"] == "ALREADY_DONE"
    mine = {"who": ids.write("User", ann.id)}
    found = (await api.data(api.token(ann.id), MINE, **mine))["incidents"]
    assert [(each["id"], each["assignee"]) for each in found["nodes"]] == [
        (given["id"], {"name": "ann"})
    ]
    assert (await api.data(office.dispatcher, MINE, **mine))["incidents"]["totalCount"] == 1
    assert (await api.data(office.client, MINE, **mine))["incidents"]["totalCount"] == 0
    assert (await api.data(office.client, ONE, id=given["id"]))["incident"] == {"assignee": None}
    assert (await api.data(api.token(bob.id), ONE, id=given["id"]))["incident"] is None

    told = await assign(office.dispatcher, bob)
    assert (told["assignee"], told["reassignedCount"]) == ({"name": "bob"}, 1)
    told = await assign(office.manager, None)
    assert (told["assignee"], told["reassignedCount"]) == (None, 1)

    async with api.make() as session:
        rows = list(
            await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.subject_id == ticket.id, LedgerRow.kind == "incident.assigned")
                .order_by(LedgerRow.id)
            )
        )
    assert [(row.body["before"], row.body["after"]) for row in rows] == [
        (None, str(ann.id)), (str(ann.id), str(bob.id)), (str(bob.id), None),
    ]  # fmt: skip
    assert [is_visible(office.world.client, row) for row in rows] == [False] * 3
    assert [is_visible(office.world.staff, row) for row in rows] == [True] * 3


async def test_a_reassignment_states_the_name_before_and_after(api: Api, office: Office) -> None:
    ticket = await build.incident(api.make, office.world)
    ann, bob = [await guard(api, office, name) for name in ("ann", "bob")]

    async def assign(user: accounts.User | None) -> None:
        async with transaction(api.make) as session:
            await incidents.assign(
                Tx(session, office.world.staff, T0),
                ticket.id,
                user_id=None if user is None else user.id,
            )

    async def reassign(to: str) -> None:
        async with transaction(api.make) as session:
            await incidents.reassign(Tx(session, office.world.staff, T0), ticket.id, to=to)

    await reassign("day shift")
    await reassign("night shift")
    await assign(ann)
    await assign(bob)
    await reassign("day shift")
    await assign(None)
    await reassign("night shift")

    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.subject_id == ticket.id, LedgerRow.kind == "incident.reassigned")
            .order_by(LedgerRow.id)
        )
        told = [
            tuple(
                [
                    await session.scalar(
                        select(ErasableText.words).where(ErasableText.commitment == row.body[field])
                    )
                    for field in ("before", "to")
                ]
            )
            for row in rows
        ]
    assert told == [
        (None, "day shift"), ("day shift", "night shift"), ("ann", "bob"), ("bob", "day shift"),
        (None, "night shift"),
    ]  # fmt: skip


async def test_who_had_an_incident_before_a_reassignment_does_not_see_it_by_that_name(
    api: Api, office: Office
) -> None:
    ticket = await build.incident(api.make, office.world)
    ann, bob = [await guard(api, office, name) for name in ("ann", "bob")]
    for user in (ann, bob):
        async with transaction(api.make) as session:
            await incidents.assign(Tx(session, office.world.staff, T0), ticket.id, user_id=user.id)
    given = ids.write("Incident", ticket.id)
    seen = [(await api.data(api.token(user.id), ONE, id=given))["incident"] for user in (ann, bob)]
    assert seen == [None, {"assignee": {"name": "bob"}}]
