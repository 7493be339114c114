"""What an API key may do: its scopes, its accounts, and nothing that nobody named."""

from typing import Any

import pytest

from domain.access.rights import DEFAULT_SCOPES, SCOPES
from tests.api.asking import Api, Office
from tests.gate import victims

ISSUE = """mutation ($input: IssueApiKeyInput!) { issueApiKey(input: $input) {
    __typename ... on IssuedApiKey { secret apiKey { scopes reachesAllAccounts } }
    ... on Refusal { code argument message } } }"""
MONEY = """{ agreements(first: 3) { nodes { reference terms { number periodFeeCents } rates { priceCents } } }
    credits(first: 3) { nodes { amountCents } } invoices(first: 3) { nodes { grossCents } }
    trialBalance { amountCents } }"""
PEOPLE = """{ users(first: 3) { nodes { name email } } messages(first: 3) { nodes { body } }
    accounts(first: 3) { nodes { name yearlyRevenueCents contacts { name email decisionPower } } } }"""
OPERATIONS = """{ incidents(first: 3) { nodes { summary updates { body clientVisible } promises { name state } } }
    sites(first: 3) { nodes { name } } promises(first: 3) { nodes { name } }
    ledger(first: 3) { nodes { kind } } }"""


async def issued(api: Api, token: str, **given: Any) -> Any:
    return (await api.data(token, ISSUE, input={"name": "partner", **given}))["issueApiKey"]


@pytest.fixture
async def office(api: Api) -> Office:
    return await victims.furnished(api)


async def test_a_key_names_its_accounts_or_says_all(api: Api, office: Office) -> None:
    neither = await issued(api, office.manager)
    both = await issued(api, office.manager, accountIds=[office.account], allAccounts=True)
    none = await issued(api, office.manager, accountIds=[])
    everything = await issued(api, office.manager, allAccounts=True)
    for refused in (neither, both, none):
        assert (refused["code"], refused["argument"]) == ("INVALID", "accountIds")
    assert everything["apiKey"] == {"scopes": list(DEFAULT_SCOPES), "reachesAllAccounts": True}


async def test_a_scope_that_does_not_exist_is_refused_with_those_that_do(
    api: Api, office: Office
) -> None:
    no = await issued(api, office.manager, allAccounts=True, scopes=["incident:reads"])
    empty = await issued(api, office.manager, allAccounts=True, scopes=[])
    assert (no["code"], no["argument"]) == ("INVALID", "scopes")
    assert all(scope in no["message"] for scope in SCOPES)
    assert (empty["code"], empty["argument"]) == ("INVALID", "scopes")


async def test_a_partner_reads_the_operation_of_its_accounts_and_no_money_and_nobody(
    api: Api, office: Office
) -> None:
    key = (await issued(api, office.manager, accountIds=[office.account]))["secret"]
    told = await api.data(key, OPERATIONS)
    assert told["incidents"]["nodes"]
    assert told["sites"]["nodes"]
    assert told["promises"]["nodes"]
    assert told["ledger"]["nodes"]
    money = await api.data(key, MONEY)
    assert money == {
        "agreements": {"nodes": []}, "credits": {"nodes": []}, "invoices": {"nodes": []},
        "trialBalance": [],
    }  # fmt: skip
    people = await api.data(key, PEOPLE)
    assert people["users"] == {"nodes": []}
    assert people["messages"] == {"nodes": []}
    [account] = people["accounts"]["nodes"]
    assert account["name"]
    assert (account["yearlyRevenueCents"], account["contacts"]) == (None, [])


async def test_scopes_open_what_they_name_and_nothing_else(api: Api, office: Office) -> None:
    reach = {"accountIds": [office.account]}
    money = (await issued(api, office.manager, scopes=["money:read"], **reach))["secret"]
    sites = (await issued(api, office.manager, scopes=["sites:read"], **reach))["secret"]
    reader = (await issued(api, office.manager, scopes=["incidents:read"], **reach))["secret"]
    told = await api.data(money, MONEY)
    assert told["credits"]["nodes"]
    assert told["agreements"]["nodes"][0]["terms"][0]["periodFeeCents"] is not None
    assert told["trialBalance"] == []
    assert (await api.data(money, OPERATIONS))["incidents"]["nodes"] == []
    told = await api.data(sites, OPERATIONS)
    assert told["sites"]["nodes"]
    assert (told["incidents"], told["ledger"]) == ({"nodes": []}, {"nodes": []})
    opened = await api.data(
        reader,
        """mutation ($site: ID!) { openIncident(input: {siteId: $site, priority: LOW, summary: "x",
            source: PARTNER, reporter: "x"}) { ... on Refusal { code } } }""",
        site=office.site,
    )
    assert opened["openIncident"] == {"code": "NOT_ALLOWED"}


async def test_a_key_of_a_role_is_bounded_by_the_role(api: Api, office: Office) -> None:
    wide = {"role": "DISPATCHER", "allAccounts": True}
    whole = (await issued(api, office.manager, **wide))["secret"]
    bounded = (await issued(api, office.manager, scopes=["money:read", "sites:read"], **wide))[
        "secret"
    ]
    told = await api.data(whole, OPERATIONS)
    assert told["incidents"]["nodes"]
    assert (await api.data(bounded, OPERATIONS))["incidents"]["nodes"] == []
    assert (await api.data(bounded, OPERATIONS))["sites"]["nodes"]
    for key in (whole, bounded):
        assert (await api.data(key, "{ credits(first: 3) { nodes { id } } }"))["credits"] == {
            "nodes": []
        }
