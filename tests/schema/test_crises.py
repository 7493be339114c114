"""A crisis of a client lets surveys, check-ins and requests for testimonials wait, and ends by somebody's word."""

from typing import Any

import pytest
from sqlalchemy import update

from domain import surveys, testimonials
from domain.access import Tx
from domain.accounts.model import Account, Stage
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.surveys import Survey, SurveyWave
from tests import surveying
from tests.api import asking
from tests.api.asking import Api, Office
from tests.reviewing import system

pytestmark = pytest.mark.anyio
BEGIN = """mutation ($id: ID!) { beginCrisis(input: {accountId: $id, reason: "Overval"}) {
  ... on Crisis { id reason endedAt account { id } } ... on Refusal { code argument } } }"""
END = """mutation ($id: ID!) { endCrisis(input: {id: $id}) {
  ... on Crisis { id endedAt } ... on Refusal { code argument } } }"""
LIST = "{ crises(lasting: true) { nodes { id } } }"


async def lasting(api: Api, token: str) -> list[str]:
    """The crises that somebody sees."""
    nodes: list[dict[str, Any]] = (await api.data(token, LIST))["crises"]["nodes"]
    return [each["id"] for each in nodes]


async def asked(api: Api, office: Office) -> int:
    """How many contacts a round asks."""
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        return len(await testimonials.ask_everybody(tx))


async def test_a_client_in_a_crisis_is_left_alone(api: Api, office: Office) -> None:
    async with transaction(api.make) as session:
        await session.execute(
            update(Account)
            .where(Account.id == office.world.account.id)
            .values(stage=Stage.DELIVERY)
        )
    for token in (office.client, office.dispatcher):
        answer = (await api.data(token, BEGIN, id=office.account))["beginCrisis"]
        assert answer["code"] == "NOT_ALLOWED"
    stranger = await asking.office(api)
    answer = (await api.data(stranger.manager, BEGIN, id=office.account))["beginCrisis"]
    assert answer["code"] == "NOT_FOUND"
    begun = (await api.data(office.manager, BEGIN, id=office.account))["beginCrisis"]
    assert (begun["account"]["id"], begun["endedAt"]) == (office.account, None)
    again = (await api.data(office.manager, BEGIN, id=office.account))["beginCrisis"]
    assert again == {"code": "ALREADY_EXISTS", "argument": "accountId"}
    assert await lasting(api, office.manager) == [begun["id"]]
    assert await lasting(api, office.client) == await lasting(api, stranger.manager) == []
    assert await asked(api, office) == 0
    wave = await due_wave(api, office)
    assert wave not in await due(api)
    ended = (await api.data(office.manager, END, id=begun["id"]))["endCrisis"]
    assert ended["endedAt"]
    assert (await api.data(office.manager, END, id=begun["id"]))["endCrisis"][
        "code"
    ] == "ALREADY_DONE"
    assert wave in await due(api)
    assert await asked(api, office) > 0


async def due_wave(api: Api, office: Office) -> Any:
    """A wave of a survey that is due now."""
    survey: Survey = await surveying.survey(api.make, office.world.tenant.id, api.state.now())
    async with transaction(api.make) as session:
        row = SurveyWave(
            id=uuid7(), tenant_id=survey.tenant_id, account_id=office.world.account.id,
            survey_id=survey.id, name="crisis", due_at=api.state.now(),
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return row.id


async def due(api: Api) -> set[Any]:
    """The waves that are due."""
    async with api.make() as session:
        found = await surveys.due_waves(session, at=api.state.now(), limit=10_000)
    return {each.id for each in found}
