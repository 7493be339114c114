"""The company's settings and a site are changed by who may, with a fact that says what was and what is."""

from typing import Any

from tests.api.asking import Api, Office

COMPANY = """mutation ($name: String, $zone: String, $kvk: String, $permit: String) {
  changeCompany(input: {name: $name, timeZone: $zone, kvkNumber: $kvk, permitNumber: $permit}) {
    ... on Tenant { name kvkNumber permitNumber timeZone } ... on Refusal { code argument } } }"""
SITE = """mutation ($id: ID!, $name: String, $lat: Float, $lon: Float) {
  changeSite(input: {id: $id, name: $name, lat: $lat, lon: $lon}) {
    ... on Site { name lat lon } ... on Refusal { code argument } } }"""
FENCE = """mutation ($id: ID!, $radius: Float) {
  fenceSite(input: {siteId: $id, radiusM: $radius}) { ... on Site { id } ... on Refusal { code message } } }"""
FACTS = (
    """query ($kind: String!) { ledger(first: 9, kinds: [$kind]) { edges { node { body } } } }"""
)


async def facts(api: Api, office: Office, kind: str) -> list[Any]:
    from tests import facts as relay

    await relay.number_all(api.make)
    found = await api.data(office.manager, FACTS, kind=kind)
    return [edge["node"]["body"] for edge in found["ledger"]["edges"]]


async def test_management_changes_the_company_and_nobody_else(api: Api, office: Office) -> None:
    for token in (office.dispatcher, office.client):
        refused = await api.data(token, COMPANY, name="Gekaapt")
        assert refused["changeCompany"]["code"] == "NOT_ALLOWED"
    before = office.world.tenant.name
    changed = await api.data(office.manager, COMPANY, name=f"{before} B.V.", kvk="12345678")
    assert changed["changeCompany"]["name"] == f"{before} B.V."
    told = await api.data(office.manager, COMPANY, permit="ND 1234", zone="America/Curacao")
    assert told["changeCompany"] == {
        "name": f"{before} B.V.", "kvkNumber": "12345678", "permitNumber": "ND 1234",
        "timeZone": "America/Curacao",
    }  # fmt: skip
    fact, _permit = await facts(api, office, "company.changed")
    assert fact["before"] == {"name": before, "kvk_number": None}
    assert fact["after"] == {"name": f"{before} B.V.", "kvk_number": "12345678"}


async def test_settings_that_cannot_be_name_their_argument(api: Api, office: Office) -> None:
    for given, argument in (
        ({"zone": "Mars/Olympus"}, "timeZone"),
        ({"kvk": "12"}, "kvkNumber"),
        ({"name": None}, "name"),
        ({"name": "  "}, "name"),
    ):
        refused = await api.data(office.manager, COMPANY, **given)
        assert refused["changeCompany"] == {"code": "INVALID", "argument": argument}
    assert await facts(api, office, "company.changed") == []


async def test_a_site_gets_its_coordinates_later(api: Api, office: Office) -> None:
    assert (await api.data(office.client, SITE, id=office.site, name="Van mij"))["changeSite"][
        "code"
    ] == "NOT_ALLOWED"
    half = await api.data(office.manager, SITE, id=office.site, lat=52.1)
    assert half["changeSite"] == {"code": "INVALID", "argument": "lon"}
    moved = await api.data(office.manager, SITE, id=office.site, lat=52.1, lon=5.1)
    assert moved["changeSite"] == {"name": office.world.site.name, "lat": 52.1, "lon": 5.1}
    [fact] = await facts(api, office, "site.changed")
    assert fact["before"] == {"lat": None, "lon": None}
    assert fact["after"] == {"lat": 52.1, "lon": 5.1}


async def test_a_fenced_site_keeps_its_coordinates(api: Api, office: Office) -> None:
    await api.data(office.manager, SITE, id=office.site, lat=52.1, lon=5.1)
    assert (
        "code"
        not in (await api.data(office.manager, FENCE, id=office.site, radius=100.0))["fenceSite"]
    )
    refused = await api.data(office.manager, SITE, id=office.site, lat=53.1, lon=5.1)
    assert refused["changeSite"] == {"code": "INVALID", "argument": "lat"}
    renamed = await api.data(office.manager, SITE, id=office.site, name="Nieuwe naam")
    assert renamed["changeSite"]["name"] == "Nieuwe naam"
