"""Verbs over the wire: what they answer, what they refuse, and that they happen once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.accounts import Account
from domain.core.idempotency import StoredResponse
from domain.core.ledger import LedgerRow
from domain.incidents import Incident
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office

REFUSAL = "... on Refusal { code argument message retryable }"
CREATE = f"""mutation ($name: String!, $key: String) {{
  createAccount(input: {{name: $name, idempotencyKey: $key}}) {{ __typename ... on Account {{ id name }} {REFUSAL} }}
}}"""
OPEN = f"""mutation ($site: ID!, $key: String, $priority: Priority! = HIGH) {{
  openIncident(input: {{siteId: $site, priority: $priority, summary: "Broken window", source: GUARD,
                       reporter: "J. Jansen", idempotencyKey: $key}}) {{
    __typename ... on Incident {{ id version status promises {{ name state }} }} {REFUSAL} }}
}}"""


def on_incident(verb: str, fields: str = "") -> str:
    title = verb[0].upper() + verb[1:]
    return f"""mutation ($input: {title}Input!) {{ {verb}(input: $input) {{
      __typename ... on Incident {{ id status version priority acknowledgedAt {fields} }} {REFUSAL} }} }}"""


async def opened(api: Api, office: Office) -> dict[str, Any]:
    data = await api.data(office.dispatcher, OPEN, site=office.site)
    incident: dict[str, Any] = data["openIncident"]
    assert incident["__typename"] == "Incident"
    return incident


async def act(api: Api, token: str, verb: str, **given: Any) -> dict[str, Any]:
    data = await api.data(token, on_incident(verb), input=given)
    answer: dict[str, Any] = data[verb]
    return answer


async def test_a_ticket_goes_through_its_whole_life(api: Api, office: Office) -> None:
    incident = await opened(api, office)
    assert incident["status"] == "NEW"
    assert {"first_response", "resolution"} <= {p["name"] for p in incident["promises"]}
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("acknowledgeIncident", {}, "ACKNOWLEDGED"),
        ("startWorkOnIncident", {}, "IN_PROGRESS"),
        ("arriveAtIncident", {}, "IN_PROGRESS"),
        ("updateIncident", {"body": "Glazier called"}, "IN_PROGRESS"),
        ("reassignIncident", {"to": "night shift"}, "IN_PROGRESS"),
        ("changeIncidentPriority", {"priority": "LOW", "reason": "boarded up"}, "IN_PROGRESS"),
        ("pauseIncident", {"cause": "ACCESS_DENIED", "note": "gate locked"}, "PAUSED"),
        ("resumeIncident", {}, "IN_PROGRESS"),
        ("resolveIncident", {"resolution": "New window"}, "RESOLVED"),
        ("closeIncident", {}, "CLOSED"),
        ("reopenIncident", {"reason": "It broke again"}, "IN_PROGRESS"),
    ]
    for verb, given, status in steps:
        answer = await act(api, office.dispatcher, verb, id=incident["id"], **given)
        assert answer["__typename"] == "Incident", (verb, answer)
        assert answer["status"] == status, verb
    seen = await api.data(
        office.client,
        """query ($id: ID!) { incident(id: $id) { timeToAcknowledgeSeconds timeToResolveSeconds pauses { cause note }
           reopenedCount updates(last: 5) { body } } }""",
        id=incident["id"],
    )
    assert seen["incident"]["pauses"] == [{"cause": "ACCESS_DENIED", "note": "gate locked"}]
    assert seen["incident"]["reopenedCount"] == 1
    assert "Glazier called" in [update["body"] for update in seen["incident"]["updates"]]


@pytest.mark.parametrize(
    ("verb", "given", "code"),
    [
        ("startWorkOnIncident", {}, None),
        ("resumeIncident", {}, "INCIDENT_NOT_PAUSED"),
        ("closeIncident", {}, "INCIDENT_NOT_RESOLVED"),
        ("reopenIncident", {"reason": "x"}, "INCIDENT_NOT_RESOLVED"),
        ("updateIncident", {"body": "  "}, "INVALID"),
        ("resolveIncident", {"resolution": ""}, "INVALID"),
        ("changeIncidentPriority", {"priority": "HIGH", "reason": "x"}, "ALREADY_DONE"),
        ("acknowledgeIncident", {"expectedVersion": 99}, "STALE_VERSION"),
        ("acknowledgeIncident", {"id": "nonsense"}, "NOT_FOUND"),
        ("updateIncident", {"body": "nul \0 byte"}, "INVALID"),
        ("acknowledgeIncident", {"idempotencyKey": ""}, "INVALID"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_code(
    api: Api, office: Office, verb: str, given: dict[str, Any], code: str | None
) -> None:
    incident = await opened(api, office)
    answer = await act(api, office.dispatcher, verb, **{"id": incident["id"], **given})
    assert answer.get("code") == code, answer
    assert (answer["__typename"] == "Refusal") == (code is not None)


async def test_a_refusal_leaves_nothing_behind(api: Api, office: Office) -> None:
    incident = await opened(api, office)
    first = await act(api, office.dispatcher, "acknowledgeIncident", id=incident["id"])
    again = await act(api, office.dispatcher, "acknowledgeIncident", id=incident["id"])
    assert again["code"] == "INCIDENT_NOT_NEW"
    seen = await api.data(
        office.dispatcher, "query ($id: ID!) { incident(id: $id) { version } }", id=incident["id"]
    )
    assert seen["incident"]["version"] == first["version"]


async def test_a_client_may_not_handle_tickets(api: Api, office: Office) -> None:
    incident = await opened(api, office)
    answer = await act(api, office.client, "acknowledgeIncident", id=incident["id"])
    assert answer["code"] == "NOT_ALLOWED"


async def test_another_companys_ticket_is_not_found(api: Api, office: Office) -> None:
    incident = await opened(api, office)
    stranger = await asking.office(api)
    answer = await act(api, stranger.dispatcher, "acknowledgeIncident", id=incident["id"])
    assert answer["code"] == "NOT_FOUND"


async def test_agreements_are_signed_and_amended_over_the_wire(api: Api, office: Office) -> None:
    terms = {
        "periodFeeCents": 5_000_000_000,
        "creditCapCents": 100_000,
        "promises": [
            {
                "name": "answer",
                "kind": "FIRST_RESPONSE",
                "calendarVersionId": office.calendar,
                "targets": [{"priority": "HIGH", "elapsedSeconds": 900}],
                "creditRules": [{"fixedCents": 2500}],
            }
        ],
    }
    signed = await api.data(
        office.manager,
        f"""mutation ($input: SignAgreementInput!) {{ signAgreement(input: $input) {{ __typename
          ... on Agreement {{ id version terms {{ number periodFeeCents inForceUntil promises {{
              name calendar {{ spec }} targets {{ elapsedSeconds }}
              creditRules {{ fixedCents }} }} }} }} {REFUSAL} }} }}""",
        input={
            "accountId": office.account,
            "reference": "X-1",
            "title": "Extra",
            "signedOn": "2026-01-01",
            "inForceFrom": "2026-02-01T00:00:00+01:00",
            "terms": terms,
        },
    )
    agreement = signed["signAgreement"]
    assert agreement["__typename"] == "Agreement", agreement
    [first] = agreement["terms"]
    assert first["periodFeeCents"] == 5_000_000_000
    assert first["promises"][0]["targets"] == [{"elapsedSeconds": 900}]
    amended = await api.data(
        office.manager,
        f"""mutation ($input: AmendAgreementInput!) {{ amendAgreement(input: $input) {{ __typename
          ... on Terms {{ number agreement {{ terms {{ number inForceFrom inForceUntil }} }} }} {REFUSAL} }} }}""",
        input={
            "id": agreement["id"],
            "inForceFrom": "2026-06-01T00:00:00Z",
            "terms": terms,
            "expectedVersion": agreement["version"],
        },
    )
    assert amended["amendAgreement"]["number"] == 2
    assert amended["amendAgreement"]["agreement"]["terms"] == [
        {"number": 2, "inForceFrom": "2026-06-01T00:00:00Z", "inForceUntil": None},
        {
            "number": 1,
            "inForceFrom": "2026-01-31T23:00:00Z",
            "inForceUntil": "2026-06-01T00:00:00Z",
        },
    ]


async def test_a_client_is_changed_and_an_agreement_ended_over_the_wire(
    api: Api, office: Office
) -> None:
    account = ids.write("Account", office.world.account.id)
    agreement = ids.write("Agreement", office.world.agreement.id)
    changed = await api.data(
        office.manager,
        f"""mutation ($id: ID!) {{ changeAccount(input: {{id: $id, regions: ["Utrecht"], complexity: COMPLEX,
              vertical: null, growthPotential: 5}}) {{
              ... on Account {{ regions complexity vertical growthPotential }} {REFUSAL} }} }}""",
        id=account,
    )
    assert changed["changeAccount"] == {
        "regions": ["Utrecht"], "complexity": "COMPLEX", "vertical": None, "growthPotential": 5,
    }  # fmt: skip
    end = f"""mutation ($id: ID!, $at: DateTime!) {{ endAgreement(input: {{id: $id, endedAt: $at, reason: "Sold"}}) {{
              ... on Agreement {{ endedAt }} {REFUSAL} }} }}"""
    ended = await api.data(office.manager, end, id=agreement, at="2035-01-01T00:00:00Z")
    past = await api.data(office.manager, end, id=agreement, at="2020-01-01T00:00:00Z")
    assert ended["endAgreement"] == {"endedAt": "2035-01-01T00:00:00Z"}
    assert past["endAgreement"]["code"] == "TIME_REVERSED"


async def test_two_targets_for_one_priority_are_refused(api: Api, office: Office) -> None:
    targets = [{"priority": "LOW", "elapsedSeconds": n} for n in (60, 90)]
    promise = {"name": "p", "kind": "ARRIVAL", "calendarVersionId": office.calendar}
    data = await api.data(
        office.manager,
        f"""mutation ($input: SignAgreementInput!) {{ signAgreement(input: $input) {{ __typename {REFUSAL} }} }}""",
        input={
            "accountId": office.account,
            "reference": "X-2",
            "title": "Twice",
            "signedOn": "2026-01-01",
            "inForceFrom": "2026-01-01T00:00:00Z",
            "terms": {"promises": [promise | {"targets": targets}]},
        },
    )
    assert data["signAgreement"]["code"] == "INVALID"


async def test_what_may_not_be_empty_is_refused_by_name_and_not_a_bug(
    api: Api, office: Office
) -> None:
    contact = ids.write("Contact", office.world.contacts[0].id)
    for field in ("name", "language", "channel", "wantsServiceMessages", "timeZone"):
        data = await api.data(
            office.manager,
            f"""mutation ($id: ID!) {{ changeContact(input: {{id: $id, {field}: null}}) {{
                  __typename {REFUSAL} }} }}""",
            id=contact,
        )
        assert data["changeContact"]["code"] == "INVALID", field
        assert data["changeContact"]["argument"] == field


async def test_a_calendar_is_defined_over_the_wire(api: Api, office: Office) -> None:
    define = f"""mutation ($input: DefineCalendarInput!) {{ defineCalendar(input: $input) {{ __typename
        ... on CalendarVersion {{ number spec calendar {{ name }} }} {REFUSAL} }} }}"""
    hours = [
        {"day": "mon", "fromTime": "13:00", "untilTime": "17:00"},
        {"day": "mon", "fromTime": "08:30", "untilTime": "12:00"},
    ]
    given = {"name": "office", "country": "NL", "hours": hours}
    made = await api.data(office.manager, define, input=given)
    assert made["defineCalendar"]["spec"]["hours"] == {
        "mon": [["08:30", "12:00"], ["13:00", "17:00"]]
    }
    bad = await api.data(office.manager, define, input={"name": "office", "zone": "Mars/Base"})
    assert bad["defineCalendar"]["code"] == "INVALID"


@pytest.mark.parametrize(
    ("begins", "ends", "stored"),
    [
        ("00:00", "23:59:59", {"mon": [["00:00", "24:00"]]}),
        ("00:00", "23:59:59.999", {"mon": [["00:00", "24:00"]]}),
        ("08:00", "24:00", {"mon": [["08:00", "24:00"]]}),
        ("08:00", "24:00:00", {"mon": [["08:00", "24:00"]]}),
        ("08:00", "00:00", {"mon": [["08:00", "24:00"]]}),
        ("22:00", "06:00", {"mon": [["22:00", "24:00"]], "tue": [["00:00", "06:00"]]}),
        ("08:00", "17:30:30", None),
        ("08:00:01", "17:00", None),
        ("24:00", "06:00", None),
        ("08:00", "08:00", None),
    ],
)
async def test_hours_end_at_midnight_or_over_it_and_never_a_minute_early(
    api: Api, office: Office, begins: str, ends: str, stored: dict[str, Any] | None
) -> None:
    define = f"""mutation ($input: DefineCalendarInput!) {{ defineCalendar(input: $input) {{ __typename
        ... on CalendarVersion {{ spec }} {REFUSAL} }} }}"""
    hours = [{"day": "mon", "fromTime": begins, "untilTime": ends}]
    data = await api.data(office.manager, define, input={"name": "night", "hours": hours})
    answer = data["defineCalendar"]
    if stored is None:
        assert answer["code"] == "INVALID"
    else:
        assert answer["spec"]["hours"] == stored


async def test_a_target_that_its_calendar_never_reaches_is_refused_at_signing(
    api: Api, office: Office
) -> None:
    define = f"""mutation ($input: DefineCalendarInput!) {{ defineCalendar(input: $input) {{
        ... on CalendarVersion {{ id }} {REFUSAL} }} }}"""
    hours = [{"day": "mon", "fromTime": "09:00", "untilTime": "10:00"}]
    calendar = await api.data(office.manager, define, input={"name": "hour", "hours": hours})
    sign = f"""mutation ($input: SignAgreementInput!) {{ signAgreement(input: $input) {{
        __typename {REFUSAL} }} }}"""

    def given(reference: str, **target: int) -> dict[str, Any]:
        promise = {
            "name": "slow", "kind": "RESOLUTION",
            "calendarVersionId": calendar["defineCalendar"]["id"],
            "targets": [{"priority": "HIGH", **target}],
        }  # fmt: skip
        return {
            "accountId": office.account, "reference": reference, "title": "t", "signedOn": "2026-01-01",
            "inForceFrom": "2026-01-01T00:00:00Z", "terms": {"promises": [promise]},
        }  # fmt: skip

    for target in ({"elapsedSeconds": 366 * 86_400}, {"elapsedSeconds": 7_000_000}):
        data = await api.data(office.manager, sign, input=given("never", **target))
        assert (data["signAgreement"]["code"], data["signAgreement"]["argument"]) == (
            "INVALID",
            "promises",
        )
    for n, target in enumerate(({"elapsedSeconds": 500 * 3_600}, {"businessDays": 366})):
        data = await api.data(office.manager, sign, input=given(f"ever {n}", **target))
        assert data["signAgreement"]["__typename"] == "Agreement", data
        incident = await api.data(office.dispatcher, OPEN, site=office.site)
        assert incident["openIncident"]["__typename"] == "Incident"


async def test_what_is_left_out_of_a_change_stays_and_null_takes_away(
    api: Api, office: Office
) -> None:
    contact = office.world.contacts[0]
    change = f"""mutation ($input: ChangeContactInput!) {{ changeContact(input: $input) {{ __typename
        ... on Contact {{ name email version }} {REFUSAL} }} }}"""
    contact_id = ids.write("Contact", contact.id)
    renamed = await api.data(office.manager, change, input={"id": contact_id, "name": "New name"})
    assert renamed["changeContact"]["email"] == contact.email
    bare = await api.data(
        office.manager, change, input={"id": contact_id, "email": None, "expectedVersion": 2}
    )
    assert bare["changeContact"] == {
        "__typename": "Contact", "name": "New name", "email": None, "version": 3,
    }  # fmt: skip


async def test_the_same_key_gets_the_same_answer_and_one_effect(api: Api, office: Office) -> None:
    first = await api.data(office.manager, CREATE, name="Haven", key="k-1")
    again = await api.data(office.manager, CREATE, name="Haven", key="k-1")
    assert first == again
    assert first["createAccount"]["__typename"] == "Account"
    assert await count(api, Account, Account.name == "Haven", office) == 1


async def test_a_key_with_another_payload_is_refused(api: Api, office: Office) -> None:
    await api.data(office.manager, CREATE, name="Haven", key="k-2")
    other = await api.data(office.manager, CREATE, name="Kade", key="k-2")
    assert other["createAccount"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await count(api, Account, Account.name == "Kade", office) == 0


async def test_a_refusal_is_repeated_under_its_key_even_when_it_would_go_through_now(
    api: Api, office: Office
) -> None:
    incident = await opened(api, office)
    early = await act(
        api, office.dispatcher, "closeIncident", id=incident["id"], idempotencyKey="close"
    )
    assert early["code"] == "INCIDENT_NOT_RESOLVED"
    await act(api, office.dispatcher, "resolveIncident", id=incident["id"], resolution="done")
    again = await act(
        api, office.dispatcher, "closeIncident", id=incident["id"], idempotencyKey="close"
    )
    assert again == early


async def test_twenty_duplicates_at_once_have_one_effect(api: Api, office: Office) -> None:
    answers = await asyncio.gather(
        *(api.data(office.dispatcher, OPEN, site=office.site, key="storm") for _ in range(20))
    )
    assert {answer["openIncident"]["id"] for answer in answers} == {
        answers[0]["openIncident"]["id"]
    }
    assert await count(api, Incident, Incident.site_id == office.world.site.id, office) == 1
    assert await count(api, LedgerRow, LedgerRow.kind == "incident.opened", office) == 1


async def test_two_people_do_not_meet_under_one_key(api: Api, office: Office) -> None:
    stranger = await asking.office(api)
    mine = await api.data(office.manager, CREATE, name="Haven", key="same")
    theirs = await api.data(stranger.manager, CREATE, name="Haven", key="same")
    colleague = await api.data(office.dispatcher, CREATE, name="Elders", key="same")
    assert mine["createAccount"]["id"] != theirs["createAccount"]["id"]
    assert colleague["createAccount"]["code"] == "NOT_ALLOWED"


async def test_a_retryable_refusal_is_not_kept(api: Api, office: Office) -> None:
    incident = await opened(api, office)
    stale = await act(
        api, office.dispatcher, "acknowledgeIncident",
        id=incident["id"], expectedVersion=7, idempotencyKey="try",
    )  # fmt: skip
    assert (stale["code"], stale["retryable"]) == ("STALE_VERSION", True)
    assert await count(api, StoredResponse, StoredResponse.key.endswith(" try"), office) == 0


async def test_a_keys_text_is_told_once(api: Api, office: Office) -> None:
    issue = f"""mutation {{ issueApiKey(input: {{name: "partner", allAccounts: true, idempotencyKey: "key"}}) {{
        ... on IssuedApiKey {{ secret apiKey {{ id prefix role }} }} {REFUSAL} }} }}"""
    first = (await api.data(office.manager, issue))["issueApiKey"]
    again = (await api.data(office.manager, issue))["issueApiKey"]
    assert first["secret"].startswith(f"wb_{first['apiKey']['prefix']}_")
    assert again == {"secret": None, "apiKey": first["apiKey"]}
    seen = await api.data(first["secret"], "{ viewer { role subject user { id } } }")
    assert seen["viewer"]["role"] == "PARTNER"


async def test_a_lock_that_is_not_had_is_a_refusal_to_try_again(api: Api, office: Office) -> None:
    incident = await opened(api, office)
    row_id = ids.known(incident["id"], "Incident")
    async with api.make.begin() as session:
        await session.execute(select(Incident).where(Incident.id == row_id).with_for_update())
        answer = await act(api, office.dispatcher, "acknowledgeIncident", id=incident["id"])
    assert (answer["code"], answer["retryable"]) == ("BUSY", True)


async def count(api: Api, model: Any, condition: Any, office: Office) -> int:
    async with api.make() as session:
        found = select(func.count()).select_from(model)
        mine = model.tenant_id == office.world.tenant.id
        return await session.scalar(found.where(condition, mine)) or 0


async def test_facts_name_the_request_they_come_from(api: Api, office: Office) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    response = await api.http.post(
        "/graphql",
        json={"query": CREATE, "variables": {"name": "Traced"}},
        headers={
            "authorization": f"Bearer {office.manager}",
            "traceparent": f"00-{trace_id}-b7ad6b7169203331-01",
        },
    )
    assert response.headers["x-trace-id"] == trace_id
    async with api.make() as session:
        fact = await session.scalar(
            select(LedgerRow).where(
                LedgerRow.tenant_id == office.world.tenant.id, LedgerRow.trace_id == trace_id
            )
        )
    assert fact is not None
    assert fact.kind == "account.created"
