"""The audit trail's proofs over GraphQL, as a client reads them, and the verifier on the wire."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from api import verify
from domain import incidents
from domain.access import Tx
from domain.core.db import transaction
from domain.privacy import Person
from schema.core import ids
from tests import build, facts
from tests.api.asking import Api, Office, Server
from tests.api.asking import office as make_office
from tests.domain.audit.bundles import signed

pytestmark = pytest.mark.anyio

FACTS = """query($id: ID!, $size: Long, $after: Long! = -1, $first: Int! = 100) {
  auditFacts(accountId: $id, treeSize: $size, after: $after, first: $first) {
    account treeSize facts { position text hashes disclosures } } }"""


async def story(api: Api, office: Office) -> None:
    """A ticket that was reopened for a reason."""
    world = office.world
    incident = await build.incident(api.make, world)
    at = build.T0 + build.minutes(5)
    async with transaction(api.make) as session:
        await incidents.resolve(Tx(session, world.staff, at), incident.id, resolution="Mended")
        await incidents.reopen(Tx(session, world.client, at), incident.id, reason="It broke again")


async def test_a_client_gets_proofs_for_its_own_facts_that_hold(api: Api, office: Office) -> None:
    await story(api, office)
    checkpoint = await signed(api.make, office.world.tenant.id)
    data = await api.data(
        office.client, "{ auditCheckpoint { size note verifierKey rootHash signedAt } }"
    )
    shown = data["auditCheckpoint"]
    found = (await api.data(office.client, FACTS, id=office.account))["auditFacts"]
    root = b64decode(shown["rootHash"])
    told = [json.loads(fact["text"]) for fact in found["facts"]]
    assert verify.checkpoint_of(shown["note"], checkpoint.verifier_key).root == root
    assert (found["account"], found["treeSize"]) == (str(office.world.account.id), checkpoint.size)
    assert [each["nth"] for each in told] == list(range(1, len(told) + 1))
    assert {each["account"] for each in told} == {str(office.world.account.id)}
    for fact in found["facts"]:
        leaf = verify.leaf_hash(fact["text"].encode())
        hashes = [b64decode(each) for each in fact["hashes"]]
        assert verify.root_by_inclusion(fact["position"], checkpoint.size, leaf, hashes) == root
    [reopened] = [fact for fact in found["facts"] if "incident.reopened" in fact["text"]]
    assert reopened["disclosures"]["reason"]["words"] == "It broke again"


async def test_one_fact_of_the_ledger_is_proven_by_its_cursor(api: Api, office: Office) -> None:
    await story(api, office)
    checkpoint = await signed(api.make, office.world.tenant.id)
    page = await api.data(
        office.client, "{ ledger(first: 100) { nodes { kind cursor body words } } }"
    )
    [fact] = [n for n in page["ledger"]["nodes"] if n["kind"] == "incident.reopened"]
    query = "query($id: String!) { auditProof(entryId: $id) { position text hashes } }"
    proof = (await api.data(office.client, query, id=fact["cursor"]))["auditProof"]
    hashes = [b64decode(each) for each in proof["hashes"]]
    leaf = verify.leaf_hash(proof["text"].encode())
    assert json.loads(proof["text"])["body"] == fact["body"]
    assert fact["words"] == {"reason": "It broke again"}
    assert (
        verify.root_by_inclusion(proof["position"], checkpoint.size, leaf, hashes)
        == checkpoint.root
    )


async def test_a_fact_that_is_not_signed_yet_has_no_proof(api: Api, office: Office) -> None:
    empty = await api.data(office.client, "{ auditCheckpoint { size } }")
    await signed(api.make, office.world.tenant.id)
    await story(api, office)
    await facts.number_all(api.make)
    page = await api.data(office.client, "{ ledger(last: 1) { nodes { cursor } } }")
    query = "query($id: String!) { auditProof(entryId: $id) { position } }"
    [last] = page["ledger"]["nodes"]
    assert empty["auditCheckpoint"] is None
    assert (await api.data(office.client, query, id=last["cursor"]))["auditProof"] is None


async def test_consistency_is_shown_between_what_was_signed_and_nothing_else(
    api: Api, office: Office
) -> None:
    first = await signed(api.make, office.world.tenant.id)
    await story(api, office)
    second = await signed(api.make, office.world.tenant.id)
    query = "query($a: Long!, $b: Long!) { auditConsistency(from: $a, to: $b) { hashes } }"

    async def asked(old: int, new: int) -> Any:
        return (await api.data(office.client, query, a=old, b=new))["auditConsistency"]

    proof = [b64decode(each) for each in (await asked(first.size, second.size))["hashes"]]
    assert verify.is_consistent(first.size, second.size, first.root, second.root, proof)
    assert await asked(second.size, first.size) is None
    assert await asked(first.size - 1, second.size) is None


async def test_facts_and_proofs_of_others_do_not_exist(api: Api, office: Office) -> None:
    other = await make_office(api)
    await story(api, other)
    await signed(api.make, other.world.tenant.id)
    await signed(api.make, office.world.tenant.id)
    assert (await api.data(office.client, FACTS, id=other.account))["auditFacts"] is None
    assert (await api.data(office.manager, FACTS, id=other.account))["auditFacts"] is None
    page = await api.data(other.client, "{ ledger(last: 1) { nodes { cursor } } }")
    query = "query($id: String!) { auditProof(entryId: $id) { position } }"
    answer = await api.ask(office.manager, query, id=page["ledger"]["nodes"][0]["cursor"])
    assert answer["data"]["auditProof"] is None
    assert answer["errors"][0]["extensions"]["code"] == "CURSOR_INVALID"


async def test_personal_data_is_shown_and_forgotten_over_the_api(api: Api, office: Office) -> None:
    contact = ids.write("Contact", office.world.contacts[0].id)
    shown = await api.data(
        office.manager,
        """mutation($id: ID!) { exportContact(input: {id: $id}) {
             ... on PersonalData { told } ... on Refusal { code } } }""",
        id=contact,
    )
    asked = await api.data(
        office.manager,
        """mutation($id: ID!) { eraseContact(input: {id: $id}) {
             ... on Contact { id name } ... on Refusal { code } } }""",
        id=contact,
    )
    refused = await api.data(
        office.client,
        """mutation($id: ID!) { eraseContact(input: {id: $id}) {
             ... on Contact { id } ... on Refusal { code } } }""",
        id=contact,
    )
    assert shown["exportContact"]["told"]["row"]["email"] == office.world.contacts[0].email
    assert shown["exportContact"]["told"]["person"] == Person.CONTACT
    assert asked["eraseContact"]["id"] == contact
    assert refused["eraseContact"] == {"code": "NOT_ALLOWED"}


async def test_the_verifier_asks_over_the_wire_and_remembers(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    office = await make_office(server.api)
    for _ in range(9):
        await story(server.api, office)
    first = await signed(server.api.make, office.world.tenant.id)
    monkeypatch.setenv("WAARBORG_TOKEN", office.client)
    arguments = [
        "--url", f"http://127.0.0.1:{server.port}/graphql", "--account", office.account,
        "--keep", str(tmp_path / "kept.json"),
    ]  # fmt: skip
    one = await asyncio.to_thread(verify.main, [*arguments, "--key", first.verifier_key])
    said = capsys.readouterr().out
    await story(server.api, office)
    await signed(server.api.make, office.world.tenant.id)
    two = await asyncio.to_thread(verify.main, arguments)
    again = capsys.readouterr().out
    monkeypatch.setenv("WAARBORG_TOKEN", "nobody")
    three = await asyncio.to_thread(verify.main, arguments)
    assert (one, two, three) == (0, 0, 3), said + again
    assert "everything holds" in said
    assert f"nothing changed in the {first.size} facts of the kept checkpoint" in again
