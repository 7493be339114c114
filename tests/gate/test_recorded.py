"""Every verb that changes something records a fact, and changes of settings say what was and what is."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain.core import ledger
from domain.core.erasable_text import ErasableText
from domain.core.ledger import Fact, LedgerRow
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api
from tests.gate import doable, prober, victims
from tests.gate.test_edges import Edges

NOT_IN_THE_LEDGER = {"reportPositions"}
"""Positions have a store of their own; what they prove becomes facts later."""
CHANGED_NOTHING = {"readMessage", "resubscribeContact", "retryDeadConsequences"}
"""Here what they ask for is so already: the message is read, the contact subscribed, and nothing is dead."""
SETTINGS = {
    "account.changed", "contact.changed", "billing_party.set", "quality_policy.set",
    "report_plan.set", "compensation_policy.chosen", "calendar.defined", "credit.overridden",
    "recovery.step_handed_over", "webhook.delivery_retried",
}  # fmt: skip


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An API whose budgets are not exhausted by many questions."""
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def test_every_verb_that_is_done_records_a_fact(api: Api) -> None:
    office = await victims.furnished(api)
    own = await prober.side(api, office.manager, office.world.tenant.id)
    asker = Edges(api, own, own, office.manager)
    done, silent = set(), []

    async def facts() -> int:
        async with api.make() as session:
            return await session.scalar(select(func.count()).select_from(LedgerRow)) or 0

    mutation = asker.schema.mutation_type
    assert mutation is not None
    for name in sorted(mutation.fields, key=doable.order):
        document, variables = asker.asked("mutation", name, mutation.fields[name])
        given = variables["input"]
        given.pop("expectedVersion", None)
        prepare = doable.DOABLE.get(name)
        if prepare is None and name.endswith("Incident") and name != "openIncident":
            prepare = doable.INCIDENTS
        if prepare is not None:
            given |= await prepare(api, office)
            given = {argument: value for argument, value in given.items() if value is not None}
        before = await facts()
        answer = await api.ask(office.manager, document, input=given)
        assert answer.get("data"), (name, answer)
        if answer["data"][name]["__typename"] == "Refusal":
            sys.stdout.write(f"{name}: {json.dumps(answer['data'][name])}\n")
            continue
        done.add(name)
        if await facts() == before and name not in NOT_IN_THE_LEDGER | CHANGED_NOTHING:
            silent.append(name)
    sys.stdout.write(f"{len(done)} of {len(mutation.fields)} verbs done\n")
    assert silent == [], silent
    undone = mutation.fields.keys() - done - NOT_IN_THE_LEDGER
    assert undone == doable.LEFT.keys(), undone ^ doable.LEFT.keys()


def kinds_of(base: type[Fact]) -> dict[str, type[Fact]]:
    """Every kind of fact by its name."""
    found = {}
    for each in base.__subclasses__():
        if hasattr(each, "kind"):
            found[each.kind] = each
        found |= kinds_of(each)
    return found


def test_facts_about_settings_hold_the_values_before_and_after() -> None:
    known = kinds_of(ledger.Fact)
    for kind in sorted(SETTINGS):
        assert {"before", "after"} <= set(known[kind].__struct_fields__), kind


CHANGE = """mutation($id: ID!, $name: String) { changeContact(input: {id: $id, name: $name}) {
  ... on Contact { id } ... on Refusal { code message } } }"""


async def test_personal_values_before_and_after_are_beside_the_fact_and_can_be_erased(
    api: Api,
) -> None:
    office = await asking.office(api)
    contact = office.world.contacts[0]
    was = contact.name
    await api.data(office.manager, CHANGE, id=ids.write("Contact", contact.id), name="Anna de Boer")
    async with api.make() as session:
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == contact.id, LedgerRow.kind == "contact.changed"
            )
        )
        words = {
            name: await session.scalar(
                select(ErasableText.words).where(ErasableText.commitment == fact.body[name])
            )
            for name in ("before", "after")
        }
    assert fact.body["fields"] == ["name"]
    assert "Anna" not in json.dumps(fact.body)
    assert words == {
        "before": json.dumps({"name": was}, separators=(",", ":")),
        "after": '{"name":"Anna de Boer"}',
    }
