"""The ledger over the wire: in order, resumable, and with sealed cursors."""

from schema.core import ids
from tests import build, facts
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate import victims

READ = """query ($account: ID, $first: Int, $after: String, $kinds: [String!]) {
  ledger(accountId: $account, first: $first, after: $after, kinds: $kinds) {
    nodes { kind cursor hash subjectId account { id } } pageInfo { hasNextPage endCursor } } }"""


async def test_the_ledger_reads_in_order_and_goes_on_from_any_cursor(
    api: Api, office: Office
) -> None:
    await build.incident(api.make, office.world)
    await facts.number_all(api.make)
    everything = await api.data(office.client, READ, account=office.account, first=100)
    whole = everything["ledger"]["nodes"]
    kinds = [fact["kind"] for fact in whole]
    assert kinds[0] == "account.created"
    assert kinds.index("incident.opened") < kinds.index("promise.started")
    assert all(len(fact["hash"]) == 64 for fact in whole)
    assert {fact["account"]["id"] for fact in whole} == {office.account}
    paged, after = [], None
    while True:
        page = await api.data(office.client, READ, account=office.account, first=3, after=after)
        paged += page["ledger"]["nodes"]
        if not page["ledger"]["pageInfo"]["hasNextPage"]:
            break
        after = page["ledger"]["pageInfo"]["endCursor"]
    assert paged == whole
    rest = await api.data(
        office.client, READ, account=office.account, after=whole[1]["cursor"], first=100
    )
    assert rest["ledger"]["nodes"] == whole[2:]
    newest = """query ($account: ID, $before: String) {
      ledger(accountId: $account, last: 3, before: $before) {
        nodes { cursor } pageInfo { hasPreviousPage startCursor } } }"""
    end = await api.data(office.client, newest, account=office.account)
    assert [f["cursor"] for f in end["ledger"]["nodes"]] == [f["cursor"] for f in whole[-3:]]
    start = end["ledger"]["pageInfo"]["startCursor"]
    assert end["ledger"]["pageInfo"]["hasPreviousPage"]
    earlier = await api.data(office.client, newest, account=office.account, before=start)
    assert [f["cursor"] for f in earlier["ledger"]["nodes"]] == [f["cursor"] for f in whole[-6:-3]]


async def test_what_a_fact_is_about_is_found_by_its_id(api: Api, office: Office) -> None:
    incident = await build.incident(api.make, office.world)
    await facts.number_all(api.make)
    page = await api.data(office.client, READ, kinds=["incident.opened"])
    [fact] = page["ledger"]["nodes"]
    assert fact["subjectId"] == ids.write("Incident", incident.id)


NAMED = """query ($after: String) { ledger(first: 100, after: $after) {
  nodes { kind body ids } pageInfo { hasNextPage endCursor } } }"""


async def test_ids_that_a_body_names_are_found_by_their_global_ids(api: Api) -> None:
    office = await victims.furnished(api)
    await facts.number_all(api.make)
    told, after, more = [], None, True
    while more:
        page = (await api.data(office.manager, NAMED, after=after))["ledger"]
        told += page["nodes"]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    found: dict[str, str] = {}
    for fact in told:
        for field, given in fact["ids"].items():
            plain = fact["body"][field]
            spelled, known = (given, plain) if isinstance(plain, list) else ([given], [plain])
            for global_id, row_id in zip(spelled, known, strict=True):
                named = ids.read(global_id)
                assert named is not None
                assert str(named[1]) == row_id
                found[global_id] = named[0]
    assert len(set(found.values())) > 8
    for global_id, type_name in found.items():
        answer = await api.data(
            office.manager, "query ($id: ID!) { node(id: $id) { __typename } }", id=global_id
        )
        if type_name != "Message":  # of letters to colleagues only the recipient knows
            assert answer["node"] == {"__typename": type_name}, type_name


async def test_another_companys_cursor_is_refused(api: Api, office: Office) -> None:
    await facts.number_all(api.make)
    page = await api.data(office.client, READ, first=1)
    stranger = await asking.office(api)
    answer = await api.ask(stranger.client, READ, after=page["ledger"]["pageInfo"]["endCursor"])
    assert answer["errors"][0]["extensions"]["code"] == "CURSOR_INVALID"


async def test_what_is_no_clients_is_not_found_under_an_id_that_names_no_client(
    api: Api, office: Office
) -> None:
    await facts.number_all(api.make)
    everything = (await api.data(office.manager, READ, first=100))["ledger"]["nodes"]
    assert any(fact["account"] is None for fact in everything)
    for nothing in ("nonsense", office.site):
        found = await api.data(office.manager, READ, account=nothing, first=100)
        assert found["ledger"]["nodes"] == []
