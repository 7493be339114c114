"""Idempotency keys: a hundred duplicates at once have one effect, and are forgotten after a day."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, select

from domain.accounts import Contact
from domain.core import idempotency
from domain.core.db import transaction
from tests.api.asking import Api, Office

ADD = """
mutation ($input: AddContactInput!) {
  addContact(input: $input) { __typename ... on Contact { id name email } ... on Refusal { code } }
}
"""


async def test_a_hundred_duplicates_at_once_have_one_effect_and_one_answer(
    api: Api, office: Office
) -> None:
    given = {
        "accountId": office.account,
        "name": "Once",
        "role": "concierge",
        "email": f"{uuid4().hex}@client.example",
        "idempotencyKey": uuid4().hex,
    }
    answers = await asyncio.gather(
        *(api.data(office.manager, ADD, input=given) for _ in range(100))
    )
    async with api.make() as session:
        count = await session.scalar(select(func.count()).where(Contact.email == given["email"]))
    assert answers[0]["addContact"]["__typename"] == "Contact"
    assert answers == [answers[0]] * 100
    assert count == 1


async def test_answers_are_kept_for_a_day_and_then_forgotten(api: Api, office: Office) -> None:
    at, tenant_id = api.state.now(), office.world.tenant.id
    async with transaction(api.make) as session:
        for name, age in (("old", 25), ("young", 23)):
            when = at - timedelta(hours=age)
            assert await idempotency.claim(session, tenant_id, name, b"x", at=when) is None
    async with transaction(api.make) as session:
        while await idempotency.delete_expired(session, at=at, limit=10):
            pass
    async with api.make() as session:
        left = await session.scalars(
            select(idempotency.StoredResponse.key).where(
                idempotency.StoredResponse.tenant_id == tenant_id
            )
        )
        assert [*left] == ["young"]
