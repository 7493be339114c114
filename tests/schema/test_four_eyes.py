"""Money above the threshold needs two persons, and terms need the whole history."""

from typing import Any

import pytest

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio

GIVE = """mutation($input: GiveCreditInput!) { giveCredit(input: $input) {
  ... on Credit { id state } ... on Refusal { code argument message } } }"""
APPROVE = """mutation($id: ID!) { approveCredit(input: {id: $id, reason: "Agreed."}) {
  ... on Credit { id state } ... on Refusal { code argument message } } }"""
POLICY = """mutation($above: Long) { chooseCompensationPolicy(input: {approvalAboveCents: $above}) {
  ... on CompensationPolicy { approvalAboveCents } ... on Refusal { code message } } }"""
KEY = """mutation { issueApiKey(input: {name: "Mine", role: MANAGEMENT, allAccounts: true}) {
  ... on IssuedApiKey { secret } ... on Refusal { code message } } }"""


async def person(api: Api, office: Office, role: Role, name: str, email: str) -> str:
    """A token of a new colleague."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        row = await accounts.add_user(
            Tx(session, system, build.T0), email=email, name=name, role=role
        )
    return api.token(row.id)


async def gesture(api: Api, office: Office, token: str, cents: int) -> dict[str, Any]:
    """What a gesture to the client answers."""
    agreement = ids.write("Agreement", office.world.agreement.id)
    given = {"agreementId": agreement, "amountCents": cents, "reason": "Sorry."}
    answer: dict[str, Any] = (await api.data(token, GIVE, input=given))["giveCredit"]
    return answer


async def approved(api: Api, token: str, credit: str) -> str:
    """The credit's state after a yes, or the code of the refusal."""
    answer = (await api.data(token, APPROVE, id=credit))["approveCredit"]
    found: str = answer.get("state") or answer["code"]
    return found


async def threshold(api: Api, token: str, cents: int | None) -> None:
    """Choose the threshold."""
    answer = await api.data(token, POLICY, above=cents)
    assert answer["chooseCompensationPolicy"] == {"approvalAboveCents": cents}


async def test_who_gives_a_gesture_does_not_approve_it_in_any_role_or_by_any_key(
    api: Api, office: Office
) -> None:
    await threshold(api, office.manager, 10_000)
    jan = await person(api, office, Role.MANAGEMENT, "Jan de Wit", "jan@guards.example")
    again = [
        jan,
        await person(api, office, Role.FINANCE, "jan  DE Wit", "finance@guards.example"),
        await person(api, office, Role.FINANCE, "Finance", "jan+money@guards.example"),
        (await api.data(jan, KEY))["issueApiKey"]["secret"],
    ]
    credit = await gesture(api, office, jan, 5_000_000)
    assert credit["state"] == "AWAITING"
    for token in again:
        assert await approved(api, token, credit["id"]) == "NOT_ALLOWED"
    finance = await person(api, office, Role.FINANCE, "Els Bos", "els@guards.example")
    assert await approved(api, finance, credit["id"]) == "GRANTED"


async def test_a_gesture_of_a_key_is_one_of_the_person_who_issued_it(
    api: Api, office: Office
) -> None:
    await threshold(api, office.manager, 10_000)
    jan = await person(api, office, Role.MANAGEMENT, "Jan de Wit", "jan@guards.example")
    key = (await api.data(jan, KEY))["issueApiKey"]["secret"]
    credit = await gesture(api, office, key, 10_001)
    assert (credit["state"], await approved(api, jan, credit["id"])) == ("AWAITING", "NOT_ALLOWED")
    assert await approved(api, office.manager, credit["id"]) == "GRANTED"


async def test_gestures_of_one_person_to_one_client_count_together(
    api: Api, office: Office
) -> None:
    await threshold(api, office.manager, 10_000)
    jan = await person(api, office, Role.MANAGEMENT, "Jan de Wit", "jan@guards.example")
    key = (await api.data(jan, KEY))["issueApiKey"]["secret"]
    states = [(await gesture(api, office, token, 5_000))["state"] for token in (jan, key, jan, key)]
    assert states == ["GRANTED", "GRANTED", "AWAITING", "AWAITING"]
    els = await person(api, office, Role.MANAGEMENT, "Els Bos", "els@guards.example")
    assert (await gesture(api, office, els, 10_000))["state"] == "GRANTED"


async def test_a_threshold_that_one_raises_counts_for_others(api: Api, office: Office) -> None:
    await threshold(api, office.manager, 10_000)
    jan = await person(api, office, Role.MANAGEMENT, "Jan de Wit", "jan@guards.example")
    for above in (1_000_000, None):
        await threshold(api, jan, above)
        assert (await gesture(api, office, jan, 10_001))["state"] == "AWAITING"
    els = await person(api, office, Role.MANAGEMENT, "Els Bos", "els@guards.example")
    assert (await gesture(api, office, els, 50_000))["state"] == "GRANTED"
