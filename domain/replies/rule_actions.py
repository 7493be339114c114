"""Add and change rules for replies to reviews."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text
from domain.replies.confidential import confidential_pieces
from domain.replies.events import ReplyRuleAdded, ReplyRuleChanged
from domain.replies.model import ReplyMode, ReplyRule
from domain.replies.names import known_names, must_be_publishable
from domain.replies.rules import (
    COMPANY,
    LONGEST_REPLY,
    MOST_TEMPLATES,
    same_text,
    unknown_placeholders,
)
from domain.reputation import ReviewSource

_SHOWN = (
    *("name", "position", "is_active", "mode", "source_id", "share_low", "share_high"),
    *("polarity_low", "polarity_high", "has_words", "languages", "themes", "delay_s", "templates"),
)
_CLEARED = frozenset({"share_low", "share_high", "polarity_low", "polarity_high", "has_words"})
_RANGES = {
    "share_low": (0, 1, "shareAtLeast"),
    "share_high": (0, 1, "shareAtMost"),
    "polarity_low": (-1, 1, "polarityAtLeast"),
    "polarity_high": (-1, 1, "polarityAtMost"),
    "delay_s": (0, 604_800, "delaySeconds"),
    "position": (0, 1_000_000, "position"),
}


async def add_rule(tx: Tx, *, name: str, mode: ReplyMode, **given: Any) -> ReplyRule:
    """Add a rule for replies, tried after the others unless it is given a position."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    values = {key: value for key, value in given.items() if value is not None}
    await _check(tx, values | {"name": name, "mode": mode})
    await _must_be_new(tx, name)
    if "position" not in values:
        last = select(func.max(ReplyRule.position)).where(ReplyRule.tenant_id == tx.actor.tenant_id)
        values["position"] = ((await tx.session.scalar(last)) or 0) + 10
    rule = ReplyRule(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        name=name,
        mode=mode,
        is_active=True,
        created_at=tx.at,
        **{"languages": [], "themes": [], "templates": [], "delay_s": 0} | values,
    )
    tx.session.add(rule)
    after = values_of(rule, _SHOWN)
    tx.record(ReplyRuleAdded(account_id=None, subject_id=rule.id, at=tx.at, after=after))
    await tx.session.flush()
    return rule


async def change_rule(
    tx: Tx, rule_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> ReplyRule:
    """Change a rule, stop it or start it again; None clears a condition. Replies that were drafted stay as they are."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    rule = await tx.get(ReplyRule, rule_id, "rule for replies", lock=True)
    must_be_current(rule.version, expected_version)
    changed = {
        key: value
        for key, value in changes.items()
        if (value is not None or key in _CLEARED) and value != getattr(rule, key)
    }
    await _check(tx, {name: getattr(rule, name) for name in _SHOWN} | changed)
    if "name" in changed:
        await _must_be_new(tx, changed["name"])
    if not changed:
        return rule
    before = values_of(rule, changed)
    for key, value in changed.items():
        setattr(rule, key, value)
    tx.record(
        ReplyRuleChanged(
            account_id=None,
            subject_id=rule.id,
            at=tx.at,
            before=before,
            after=values_of(rule, changed),
        )
    )
    await tx.session.flush()
    return rule


async def _check(tx: Tx, values: Mapping[str, Any]) -> None:
    must_be_line(values["name"], "name")
    for key, (low, high, argument) in _RANGES.items():
        value = values.get(key)
        if value is not None and not low <= value <= high:
            raise Refused(
                Code.INVALID, f"{argument} must be from {low:,} to {high:,}.", argument=argument
            )
    for least, most, name in (
        ("share_low", "share_high", "shareAtLeast"),
        ("polarity_low", "polarity_high", "polarityAtLeast"),
    ):
        if None not in (values.get(least), values.get(most)) and values[least] > values[most]:
            raise Refused(Code.INVALID, f"{name} must not be above the other end.", argument=name)
    for each in values.get("languages") or []:
        must_be_line(each, "languages")
    if values.get("source_id") is not None:
        await tx.get(ReviewSource, values["source_id"], "source of reviews", argument="sourceId")
    templates = values.get("templates") or []
    if values["mode"] is ReplyMode.SEND and not templates:
        raise Refused(
            Code.INVALID, "A rule that sends replies needs templates.", argument="templates"
        )
    await _check_templates(tx, templates)


async def _check_templates(tx: Tx, templates: Sequence[str]) -> None:
    if len(templates) > MOST_TEMPLATES:
        raise Refused(
            Code.INVALID,
            f"A rule has at most {MOST_TEMPLATES} templates.",
            argument="templates",
        )
    known = await known_names(tx.session, tx.actor.tenant_id) if templates else None
    for each in templates:
        must_be_text(each, "templates")
        must_be_short(each, "templates")
        if strange := unknown_placeholders(each):
            raise Refused(
                Code.INVALID,
                f"{strange[0]} means nothing in a template; only {COMPANY} does.",
                argument="templates",
            )
        if known is not None:
            must_be_publishable(confidential_pieces(each, known), "templates")
    if len({same_text(each) for each in templates}) < len(templates):
        raise Refused(
            Code.INVALID, "Two templates of the rule are the same text.", argument="templates"
        )


def must_be_short(words: str, argument: str) -> None:
    """Refuse a reply that is longer than platforms take."""
    if len(words) > LONGEST_REPLY:
        raise Refused(
            Code.INVALID,
            f"A reply has at most {LONGEST_REPLY:,} characters; this one has {len(words):,}.",
            argument=argument,
        )


async def _must_be_new(tx: Tx, name: str) -> None:
    known = select(ReplyRule.id).where(
        ReplyRule.tenant_id == tx.actor.tenant_id, ReplyRule.name == name
    )
    if await tx.session.scalar(known) is not None:
        raise Refused(
            Code.ALREADY_EXISTS, "Another rule for replies has this name.", argument="name"
        )
