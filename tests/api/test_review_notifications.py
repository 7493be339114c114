"""Notifications of platforms: one with the right signature has the source read at once, any other changes nothing."""

from base64 import b64encode
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from domain.core.db import transaction
from domain.reputation import ReviewSource, ReviewSourceKind
from tests.api.asking import Api, Office
from tests.reviewing import source
from tests.workers.review_platforms import signature

pytestmark = pytest.mark.anyio
BODY = b'{"events":[{"eventName":"service-review-created","eventData":{"id":"1"}}]}'
LATER = timedelta(hours=1)


async def waiting(
    api: Api, office: Office, kind: ReviewSourceKind, credentials: dict[str, str]
) -> ReviewSource:
    """A source that is read in an hour."""
    found = await source(
        api.make, office.world.tenant.id, kind, credentials=credentials, vault=api.state.desk.vault
    )
    async with transaction(api.make) as session:
        await session.execute(
            update(ReviewSource)
            .where(ReviewSource.id == found.id)
            .values(next_read_at=api.state.now() + LATER)
        )
    return found


async def next_read(api: Api, source_id: UUID) -> datetime:
    """When a source is read next."""
    async with api.make() as session:
        row = await session.get_one(ReviewSource, source_id)
    assert row.next_read_at is not None
    return row.next_read_at


async def test_a_signed_notification_wakes_the_read_and_another_one_does_not(
    api: Api, office: Office
) -> None:
    secrets = {"api_key": "k", "webhook_secret": "hook"}
    found = await waiting(api, office, ReviewSourceKind.TRUSTPILOT, secrets)
    path = f"/reviews/notify/{found.id}"
    right = signature("hook", BODY)
    for given in ("", right[:-1], signature("other", BODY), signature("hook", BODY + b" ")):
        answer = await api.http.post(path, content=BODY, headers={"x-trustpilot-signature": given})
        assert answer.status_code == 401, given
    unknown = await api.http.post(
        f"/reviews/notify/{uuid4()}", content=BODY, headers={"x-trustpilot-signature": right}
    )
    assert (unknown.status_code, unknown.content) == (401, b"")
    assert await next_read(api, found.id) > api.state.now() + LATER / 2
    answer = await api.http.post(path, content=BODY, headers={"x-trustpilot-signature": right})
    assert answer.status_code == 204
    soon = await next_read(api, found.id)
    assert soon <= api.state.now() + timedelta(seconds=6)
    encoded = b64encode(bytes.fromhex(right)).decode()
    answer = await api.http.post(path, content=BODY, headers={"x-trustpilot-signature": encoded})
    assert answer.status_code == 204
    assert await next_read(api, found.id) == soon  # many notifications, one read


async def test_google_proves_itself_by_the_secret_in_the_address(api: Api, office: Office) -> None:
    secrets = {"client_id": "i", "webhook_secret": "s3cret"}
    found = await waiting(api, office, ReviewSourceKind.GOOGLE, secrets)
    path = f"/reviews/notify/{found.id}"
    assert (await api.http.post(path, content=b"{}")).status_code == 401
    assert (await api.http.post(f"{path}?token=s3cre", content=b"{}")).status_code == 401
    assert (await api.http.post(f"{path}?token=s3cret", content=b"{}")).status_code == 204
    assert await next_read(api, found.id) <= api.state.now() + timedelta(seconds=6)


async def test_a_source_that_failed_waits_as_it_asked(api: Api, office: Office) -> None:
    secrets = {"api_key": "k", "webhook_secret": "hook"}
    found = await waiting(api, office, ReviewSourceKind.TRUSTPILOT, secrets)
    async with transaction(api.make) as session:
        row = await session.get_one(ReviewSource, found.id)
        row.failures = 3
    headers = {"x-trustpilot-signature": signature("hook", BODY)}
    answer = await api.http.post(f"/reviews/notify/{found.id}", content=BODY, headers=headers)
    assert answer.status_code == 204
    assert await next_read(api, found.id) > api.state.now() + LATER / 2
