"""Kinds of facts over the API: listed with their fields, and refused where one does not exist."""

import pytest

from tests.api.asking import Api, Office
from tests.api.conftest import api, office

__all__ = ["api", "office"]
pytestmark = pytest.mark.anyio

KINDS = "{ factKinds { kind description fields { name type nullable values } } }"
LEDGER = "query($kinds: [String!]) { ledger(first: 1, kinds: $kinds) { nodes { kind } } }"
FEED = """subscription($a: ID!, $kinds: [String!]) { accountEvents(accountId: $a, kinds: $kinds) { kind } }"""
HOOK = """mutation($input: AddWebhookInput!) { addWebhook(input: $input) {
  __typename ... on Refusal { code argument } } }"""


async def test_kinds_are_listed_with_typed_bodies(api: Api, office: Office) -> None:
    found = {each["kind"]: each for each in (await api.data(office.client, KINDS))["factKinds"]}
    assert len(found) > 100
    fields = {each["name"]: each for each in found["promise.breached"]["fields"]}
    assert (fields["incident_id"]["type"], fields["due_at"]["nullable"]) == ("UUID", True)


@pytest.mark.parametrize("kind", ["incident.nope", "", "INCIDENT.OPENED", "incident.*"])
async def test_a_kind_that_does_not_exist_is_refused_wherever_kinds_are_named(
    api: Api, office: Office, kind: str
) -> None:
    told = {"name": "x", "url": "https://x.example/", "kinds": ["incident.opened", kind]}
    refused = (await api.data(office.manager, HOOK, input=told))["addWebhook"]
    assert refused == {"__typename": "Refusal", "code": "INVALID", "argument": "kinds"}
    answer = await api.ask(office.manager, LEDGER, kinds=[kind])
    assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    asked = {"query": FEED, "variables": {"a": office.account, "kinds": ["incident.opened", kind]}}
    headers = {"authorization": f"Bearer {office.client}", "accept": "text/event-stream"}
    stream = await api.http.post("/graphql", json=asked, headers=headers)
    assert '"INVALID"' in stream.text
    assert "kinds" in stream.text
