"""Who says when an incident happened, within which limits, and who corrects it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access import Role
from tests.api.asking import Api, Office
from tests.schema.test_reporting import user

OPEN = """mutation ($input: OpenIncidentInput!) { openIncident(input: $input) {
  __typename ... on Incident { id openedAt occurredAt } ... on Refusal { code argument message } } }"""
CORRECT = """mutation ($input: CorrectIncidentOccurrenceInput!) { correctIncidentOccurrence(input: $input) {
  __typename ... on Incident { id occurredAt } ... on Refusal { code argument message } } }"""
SOURCES = {Role.CLIENT_USER: "CLIENT", Role.GUARD: "GUARD", Role.DISPATCHER: "SYSTEM"}


def ago(**how: float) -> str:
    return (datetime.now(UTC) - timedelta(**how)).isoformat()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def opened(api: Api, token: str, site: str, source: str, **given: Any) -> dict[str, Any]:
    values = {"siteId": site, "priority": "LOW", "summary": "Fence cut", "reporter": "x"}
    found = await api.data(token, OPEN, input=values | {"source": source} | given)
    answer: dict[str, Any] = found["openIncident"]
    return answer


async def corrected(api: Api, token: str, **given: Any) -> dict[str, Any]:
    found = await api.data(token, CORRECT, input=given)
    answer: dict[str, Any] = found["correctIncidentOccurrence"]
    return answer


@pytest.mark.parametrize("role", SOURCES)
async def test_who_reports_says_when_it_happened_and_corrects_it(
    api: Api, office: Office, role: Role
) -> None:
    token = await user(api, office, role)
    then = ago(hours=3)
    told = await opened(
        api, token, office.site, SOURCES[role], occurredAt=then, occurrenceReason="seen on camera"
    )
    assert told["__typename"] == "Incident", told
    assert instant(told["occurredAt"]) == instant(then) < instant(told["openedAt"])

    better = ago(hours=2)
    answer = await corrected(
        api, token, id=told["id"], occurredAt=better, reason="the camera's clock was an hour slow"
    )
    assert instant(answer["occurredAt"]) == instant(better)
    again = await corrected(api, token, id=told["id"], occurredAt=better, reason="the same")
    assert again["code"] == "ALREADY_DONE"


async def test_only_who_opened_it_and_the_control_room_correct_it(api: Api, office: Office) -> None:
    guard = await user(api, office, Role.GUARD)
    auditor = await user(api, office, Role.AUDITOR)
    told = await opened(api, office.dispatcher, office.site, "SYSTEM", occurredAt=ago(minutes=1))
    for token in (guard, office.client):
        answer = await corrected(
            api, token, id=told["id"], occurredAt=ago(minutes=2), reason="I know better"
        )
        assert answer["code"] == "NOT_ALLOWED", answer
    refused = await api.ask(
        auditor, CORRECT, input={"id": told["id"], "occurredAt": None, "reason": "x"}
    )
    assert "NOT_ALLOWED" in str(refused) or "FORBIDDEN" in str(refused), refused
    unknown = await corrected(api, office.dispatcher, id=told["id"], occurredAt=None, reason="?")
    assert unknown["occurredAt"] is None


@pytest.mark.parametrize(
    ("days", "reason", "argument"),
    [(-0.01, "x", "occurredAt"), (8, "x", "occurredAt"), (0.5, None, "occurrenceReason")],
)
async def test_what_cannot_be_or_is_not_explained_is_refused(
    api: Api, office: Office, days: float, reason: str | None, argument: str
) -> None:
    answer = await opened(
        api, office.dispatcher, office.site, "SYSTEM",
        occurredAt=ago(days=days), occurrenceReason=reason,
    )  # fmt: skip
    assert (answer["code"], answer["argument"]) == ("INVALID", argument), answer


async def test_management_may_go_further_back(api: Api, office: Office) -> None:
    given = {"occurredAt": ago(days=300), "occurrenceReason": "found at the stocktaking"}
    found = await opened(api, office.manager, office.site, "SYSTEM", **given)
    assert found["__typename"] == "Incident", found
    further = await opened(
        api, office.manager, office.site, "SYSTEM", **given | {"occurredAt": ago(days=367)}
    )
    assert further["argument"] == "occurredAt"


async def test_a_reason_without_a_time_is_refused(api: Api, office: Office) -> None:
    answer = await opened(api, office.dispatcher, office.site, "SYSTEM", occurrenceReason="late")
    assert (answer["code"], answer["argument"]) == ("INVALID", "occurredAt")
