"""Add and change sources of reviews: pages of the company at platforms, feeds, and files."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert

from domain.access import Right, Tx
from domain.core.base import JSON, uuid7
from domain.core.changes import values_of
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line
from domain.reputation.events import ReviewSourceAdded, ReviewSourceChanged
from domain.reputation.model import ReviewSource
from domain.reputation.rules import SCALES, RatingScale, ReviewSourceKind
from domain.webhooks import check_url

CREDENTIALS: dict[ReviewSourceKind, frozenset[str]] = {
    ReviewSourceKind.GOOGLE: frozenset(
        {"client_id", "client_secret", "refresh_token", "webhook_secret"}
    ),
    ReviewSourceKind.KIYOH: frozenset({"token"}),
    ReviewSourceKind.TRUSTPILOT: frozenset(
        {"api_key", "api_secret", "refresh_token", "webhook_secret"}
    ),
    ReviewSourceKind.JSON_FEED: frozenset({"authorization"}),
    ReviewSourceKind.RSS: frozenset({"authorization"}),
    ReviewSourceKind.FILE: frozenset(),
}
"""Names of the credentials that a kind of source can have."""
_SHOWN = ("kind", "name", "location", "url", "settings", "interval_s", "is_active")


async def add_source(
    tx: Tx,
    vault: SecretCipher,
    *,
    kind: ReviewSourceKind,
    name: str,
    location: str,
    credentials: JSON | None = None,
    loopback: bool = False,
    **settings: Any,
) -> ReviewSource:
    """Add a source, which is read from now on; credentials are encrypted and never shown again."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(name, "name")
    must_be_line(location, "location")
    _check_credentials(kind, credentials)
    scale = _scale(kind, settings.pop("scale_low", None), settings.pop("scale_high", None))
    _check(settings, loopback=loopback)
    is_feed = kind in {ReviewSourceKind.JSON_FEED, ReviewSourceKind.RSS}
    if is_feed and not settings.get("url"):
        raise Refused(Code.INVALID, "A feed needs its url.", argument="url")
    source_id = uuid7()
    source: ReviewSource | None = await tx.session.scalar(
        insert(ReviewSource)
        .values(
            id=source_id,
            tenant_id=tx.actor.tenant_id,
            kind=kind,
            name=name,
            location=location,
            url=settings.get("url"),
            settings=settings.get("settings") or {},
            sealed=_sealed(vault, source_id, credentials),
            scale_low=scale.low,
            scale_high=scale.high,
            interval_s=settings.get("interval_s") or 900,
            is_active=True,
            created_at=tx.at,
            next_read_at=None if kind is ReviewSourceKind.FILE else tx.at,
            failures=0,
            unreadable=0,
            version=1,
        )
        .on_conflict_do_nothing(index_elements=[ReviewSource.tenant_id, ReviewSource.name])
        .returning(ReviewSource)
    )
    if source is None:
        raise Refused(
            Code.ALREADY_EXISTS, "Another source of reviews has this name.", argument="name"
        )
    after = values_of(source, _SHOWN) | {"credentials": sorted(credentials or {})}
    tx.record(ReviewSourceAdded(account_id=None, subject_id=source.id, at=tx.at, after=after))
    await tx.session.flush()
    return source


async def change_source(
    tx: Tx,
    vault: SecretCipher,
    source_id: UUID,
    *,
    credentials: JSON | None = None,
    expected_version: int | None = None,
    loopback: bool = False,
    **changes: Any,
) -> ReviewSource:
    """Change a source, stop it or start it again; it is then read at once. Given credentials replace all of them."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    source = await tx.get(ReviewSource, source_id, "source of reviews", lock=True)
    must_be_current(source.version, expected_version)
    _check(changes, loopback=loopback)
    changed = {
        key: value
        for key, value in changes.items()
        if value is not None and value != getattr(source, key)
    }
    before, named = values_of(source, changed), {}
    for key, value in changed.items():
        setattr(source, key, value)
    if credentials is not None:
        _check_credentials(source.kind, credentials)
        source.sealed = _sealed(vault, source.id, credentials)
        named = {"credentials": sorted(credentials)}
    if changed or named:
        if source.kind is not ReviewSourceKind.FILE:
            source.next_read_at = tx.at if source.is_active else None
        source.failures, source.error = 0, None
        tx.record(
            ReviewSourceChanged(
                account_id=None,
                subject_id=source.id,
                at=tx.at,
                before=before,
                after=values_of(source, changed) | named,
            )
        )
        await tx.session.flush()
    return source


def credentials_of(vault: SecretCipher, source: ReviewSource) -> dict[str, str]:
    """Decrypt the credentials of a source; none when it has none."""
    if source.sealed is None:
        return {}
    return msgspec.json.decode(vault.open(source.id, source.sealed), type=dict[str, str])


def seal_credentials(vault: SecretCipher, source: ReviewSource, credentials: JSON) -> None:
    """Encrypt new credentials of a source, such as a refresh token that the platform replaced."""
    source.sealed = _sealed(vault, source.id, credentials)


def _sealed(vault: SecretCipher, source_id: UUID, credentials: JSON | None) -> bytes | None:
    return vault.seal(source_id, msgspec.json.encode(credentials)) if credentials else None


def _check_credentials(kind: ReviewSourceKind, credentials: JSON | None) -> None:
    allowed = CREDENTIALS[kind]
    for key, value in (credentials or {}).items():
        if key not in allowed or not isinstance(value, str) or not value:
            known = ", ".join(sorted(allowed)) or "none"
            raise Refused(
                Code.INVALID,
                f"credentials of {kind} are texts named: {known}.",
                argument="credentials",
            )


def _check(settings: dict[str, Any], *, loopback: bool) -> None:
    must_be_line(settings.get("name"), "name")
    must_be_line(settings.get("location"), "location")
    if (url := settings.get("url")) is not None:
        check_url(url, loopback=loopback)
    interval_s = settings.get("interval_s")
    if interval_s is not None and not 60 <= interval_s <= 604_800:
        raise Refused(
            Code.INVALID, "intervalSeconds must be from 60 to 604,800.", argument="intervalSeconds"
        )


def _scale(kind: ReviewSourceKind, low: float | None, high: float | None) -> RatingScale:
    known = SCALES.get(kind)
    if known is not None:
        if (low, high) not in {(None, None), tuple(known)}:
            raise Refused(
                Code.INVALID,
                f"Ratings of {kind} are from {known.low:g} to {known.high:g}; leave scaleLow out.",
                argument="scaleLow",
            )
        return known
    found = RatingScale(1 if low is None else low, 5 if high is None else high)
    if not found.low < found.high:
        raise Refused(Code.INVALID, "scaleLow must be below scaleHigh.", argument="scaleLow")
    return found
