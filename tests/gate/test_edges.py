"""Every argument of every query, verb and subscription at the edges of its type: refused by name, never a bug."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, get_named_type

from tests.api import asking
from tests.api.asking import Api
from tests.gate import documents, edges, prober, victims
from tests.gate.prober import Prober, Side
from tests.gate.test_fuzz import bugs


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An API whose budgets are not exhausted by many questions."""
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


class Edges(Prober):
    """Asks every field with one argument at an edge at a time."""

    def asked(self, operation: str, name: str, each: GraphQLField) -> tuple[str, dict[str, Any]]:
        """A document with every argument, and values that fit."""
        variables: dict[str, Any] = {}
        for argument_name, argument in each.args.items():
            made = documents.value(
                argument_name, argument.type, lambda a, k: self.given(name, a, k), all_fields=True
            )
            if argument_name not in {"first", "last", "after", "before"}:
                variables[argument_name] = made
        if "input" in variables:
            variables["input"] = edges.fitting(variables["input"]) | edges.GIVEN.get(name, {})
        declared = ", ".join(f"${n}: {each.args[n].type}" for n in variables)
        used = ", ".join(f"{n}: ${n}" for n in variables)
        shown = get_named_type(each.type)
        selected = documents.selection(shown, 0)
        if isinstance(
            shown, GraphQLInterfaceType
        ):  # all nodes' fields are more than a document holds
            selected = "{ __typename }"
        head = f"{operation}({declared})" if declared else operation
        return f"{head} {{ {name}{f'({used})' if used else ''} {selected} }}", variables

    def given(self, name: str, argument: str, kind: Any) -> Any:
        """An id of one's own, or a word."""
        if kind.name == "ID":
            return self.attacker.id_of(self._aims(name, argument)[0])
        if argument == "idempotencyKey":
            return None
        plain = {
            "email": "probe@example.org", "timeZone": "Europe/Amsterdam", "kvkNumber": "12345678",
            "iban": "NL91ABNA0417164300",
        }  # fmt: skip
        return plain.get(argument, "nl" if argument == "language" else f"probe {argument}")


async def sent(asker: Edges, operation: str, document: str, variables: dict[str, Any]) -> Any:
    """The answer; of a subscription the first thing it says."""
    if operation != "subscription":
        body = json.dumps({"query": document, "variables": variables})  # halves of pairs as escapes
        headers = {
            "authorization": f"Bearer {asker.attacker.token}", "content-type": "application/json",
        }  # fmt: skip
        response = await asker.api.http.post("/graphql", content=body, headers=headers)
        return response.json()
    said = await asker._follow(asker.attacker.token, document, variables, 0.05)
    return {"said": said, "errors": [{"extensions": {"code": "INTERNAL"}}] * ("INTERNAL" in said)}


@pytest.mark.parametrize("operation", ["query", "mutation", "subscription"])
async def test_values_at_the_edges_are_refused_by_the_name_of_their_argument(
    api: Api, operation: str
) -> None:
    office = await victims.furnished(api)
    own: Side = await prober.side(api, office.manager, office.world.tenant.id)
    asker = Edges(api, own, own, office.manager)
    root = getattr(asker.schema, f"{operation}_type")
    failed, unnamed, count = [], [], 0
    for name, each in root.fields.items():
        document, variables = asker.asked(operation, name, each)
        for argument_name, argument in each.args.items():
            if argument_name not in variables:
                continue
            for leaf in edges.leaves(argument.type, (argument_name,)):
                for value in leaf.values:
                    given = edges.changed(variables, leaf, value)
                    if given is None:
                        continue
                    count += 1
                    answer = await sent(asker, operation, document, given)
                    label = f"{name}({'.'.join(map(str, leaf.path))}): {str(value)[:40]!r}"
                    if bugs(answer):
                        failed.append(label)
                    elif (
                        isinstance(value, str)
                        and value in edges.IMPOSSIBLE
                        and not {"fixes", "scans", "events"} & set(leaf.path)  # refused one by one
                        and leaf.name not in json.dumps(answer)
                    ):
                        unnamed.append(f"{label}: {json.dumps(answer)[:200]}")
    sys.stdout.write(f"{count} values, {len(failed)} bugs, {len(unnamed)} unnamed\n")
    assert failed == []
    assert unnamed == []


DEFINE = """mutation($country: String, $zone: String!) { defineCalendar(input: {
  name: "Days", zone: $zone, country: $country,
  hours: [{day: "mon", fromTime: "09:00", untilTime: "17:00"}]}) {
  __typename ... on Refusal { code argument } } }"""


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("__init__", "Europe/Amsterdam"),
        ("__doc__", "Europe/Amsterdam"),
        ("registry", "Europe/Amsterdam"),
        ("../NL", "Europe/Amsterdam"),
        ("", "Europe/Amsterdam"),
        ("NL", "../../etc/passwd"),
        ("NL", "Europe"),
        ("NL", ""),
    ],
)
async def test_a_country_or_zone_that_is_none_is_refused(api: Api, country: str, zone: str) -> None:
    office = await asking.office(api)
    answer = await api.data(office.manager, DEFINE, country=country, zone=zone)
    if country:
        named = "country" if zone == "Europe/Amsterdam" else "zone"
        assert answer["defineCalendar"]["code"] == "INVALID", answer
        assert answer["defineCalendar"]["argument"] == named
    assert answer["defineCalendar"]["__typename"] in {"Refusal", "CalendarVersion"}
