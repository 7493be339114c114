"""Mistakes in the table of access, made on purpose and in memory, each of which the prober of roles must find."""

import inspect
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from graphql import GraphQLSchema
from sqlalchemy import ColumnElement, Select, func, select

from api.live import shared_subscriptions
from domain.access import Actor, facts
from domain.access.rights import RIGHTS, SCOPES, Right, Role
from domain.access.rows import ROWS
from domain.access.rule import in_company
from domain.positions import LivePosition
from realtime import feed
from realtime.topics import Topic
from schema import live_map
from schema.core import lists
from schema.core.context import Context
from schema.core.pagination import Order, Page, page

Making = Callable[[GraphQLSchema], AbstractContextManager[None]]


@dataclass(frozen=True)
class Mistake:
    """What is wrong with the table, and who finds it where."""

    name: str
    asker: str
    only: str
    make: Making


RIGHTS_TOO_MANY = """
DISPATCHER READ_MONEY invoices
DISPATCHER READ_BOOKS trialBalance
DISPATCHER READ_PEOPLE User
DISPATCHER READ_RELATIONSHIP touchpoints
DISPATCHER READ_RECOVERY recoveryCases
DISPATCHER READ_EVERY_FACT ledger
CLIENT_USER READ_INTERNAL promises
CLIENT_USER READ_NOTES incidents
CLIENT_USER READ_STAFF users
CLIENT_USER READ_ESCALATIONS escalations
CLIENT_USER READ_ACTORS auditFacts
CLIENT_USER READ_RELATIONSHIP Account
CLIENT_ADMIN READ_INTERNAL credits
CLIENT_ADMIN READ_RELATIONSHIP Contact
FINANCE READ_NOTES incidents
FINANCE READ_ROSTER duties
FINANCE LOCATE positions
FINANCE READ_ESCALATIONS escalationPolicies
FINANCE READ_PEOPLE User
FINANCE READ_DEVICES devices
RELATIONSHIP_MANAGER READ_BOOKS trialBalance
RELATIONSHIP_MANAGER READ_PEOPLE User
RELATIONSHIP_MANAGER OPERATE outbox
RELATIONSHIP_MANAGER READ_EVERY_FACT ledger
AUDITOR READ_WORDS ledger
AUDITOR READ_CONTACTS Contact
AUDITOR READ_USERS users
AUDITOR LOCATE positions
AUDITOR READ_NOTES incidents
AUDITOR READ_MESSAGES messages
AUDITOR READ_DEVICES devices
GUARD READ_ALL_WORK duties
GUARD READ_INTERNAL promises
"""
"""Role, right that it does not have, and what to ask about."""
DEEDS_TOO_MANY = """
CLIENT_USER MANAGE_WEBHOOKS pauseWebhook
CLIENT_ADMIN HANDLE acknowledgeIncident
RELATIONSHIP_MANAGER APPROVE_CREDITS approveCredit
DISPATCHER MANAGE_ACCOUNTS addSite
DISPATCHER CONTEST contestVerdict
FINANCE MANAGE_COMPANY changeCompany
FINANCE ROSTER endDuty
AUDITOR REPORT openIncident
GUARD HANDLE resolveIncident
"""
"""The same for what is done; these come last, because what is done changes what is there."""
RIGHTS_TOO_FEW = """
DISPATCHER READ_SITES sites
FINANCE READ_MONEY invoices
CLIENT_ADMIN READ_PROMISES promises
CLIENT_USER READ_LEDGER ledger
AUDITOR READ_BOOKS trialBalance
"""
RULES = """
AUDITOR contact rights Contact
DISPATCHER invoice rights invoices
AUDITOR message rights messages
CLIENT_USER promise unless promises
CLIENT_USER incident_update unless incidents
CLIENT_USER app_user unless users
CLIENT_ADMIN webhook scope webhooks
DISPATCHER~limited app_user scope users
DISPATCHER~limited outbox scope outbox
DISPATCHER~limited calendar scope calendars
GUARD duty own duties
GUARD device own devices
GUARD site none sites
GUARD incident none incidents
"""
"""Who, the rule, what is left out, and what to ask about; `own` shows all, `none` nothing of the own work."""
KINDS = """
DISPATCHER user.added READ_ACCOUNTS ledger
FINANCE api_key.issued READ_ACCOUNTS ledger
DISPATCHER incident.opened MANAGE_KEYS ledger
DISPATCHER credit.granted READ_ACCOUNTS ledger
"""
"""Who, a kind of fact, the wrong right, and what to ask about."""
OPENED = """
DISPATCHER Account.yearlyRevenueCents Account
FINANCE Contact.tone Contact
DISPATCHER Terms.creditCapCents Terms
DISPATCHER User.email User
GUARD Account.kvkNumber Account
DISPATCHER Subscription.credits live~credits
GUARD Subscription.fleet live~fleet
"""
"""Who, a field that no longer asks for a right, and what to ask about."""
GRANTED = """
sites:read READ_CONTACTS Contact
contacts:read READ_RELATIONSHIP Contact
agreements:read READ_MONEY invoices
promises:read READ_INTERNAL promises
roster:read LOCATE positions
ledger:read READ_INCIDENTS ledger
"""
"""A scope, a right too many, and what to ask about."""


DELIVERED = """
CLIENT_USER feed.is_visible is_kept_inside live~accountEvents
GUARD feed.is_visible own live~accountEvents
DISPATCHER feed.is_visible kinds live~accountEvents
DISPATCHER~limited feed.is_visible scope live~breaches
CLIENT_USER feed.visible_to everything live~accountEvents
DISPATCHER~limited feed.authorize_topic nothing live~accountEvents
CLIENT_USER feed.authorize_topic nothing live~credits
CLIENT_USER live_map.is_position_visible track live~positions
DISPATCHER~limited live_map.is_position_visible scope live~positions
DISPATCHER~limited live_map.must_see_site nothing live~positions
CLIENT_USER shared_subscriptions.SharedSubscriptions._key actor live~accountEvents
"""
"""Who, what forgets something where events are delivered, what it forgets, and what to follow."""
DELIVERED_RIGHTS = """
DISPATCHER READ_MONEY live~credits
CLIENT_USER READ_INTERNAL live~breaches
CLIENT_ADMIN WATCH_ALL live~credits
AUDITOR LOCATE live~fleet
FINANCE READ_ROSTER live~accountEvents
CLIENT_USER TRACK live~positions
"""
DELIVERED_KINDS = """
DISPATCHER credit.granted READ_ACCOUNTS live~accountEvents
DISPATCHER user.added READ_ACCOUNTS live~accountEvents
"""
DELIVERED_RULES = """
CLIENT_USER promise unless live~accountEvents
"""
COUNTED = """
CLIENT_USER lists.page scope count~promises
CLIENT_USER lists.page scope count~users
"""
"""Who, what forgets something where rows are counted, what it forgets, and what to count."""
COUNTED_RIGHTS = """
RELATIONSHIP_MANAGER OPERATE count~outbox
FINANCE READ_DEVICES count~devices
AUDITOR READ_MESSAGES count~messages
CLIENT_USER READ_INTERNAL count~accountStatus
"""
COUNTED_RULES = """
DISPATCHER~limited app_user scope count~users
GUARD duty own count~duties
CLIENT_USER promise unless count~duePromises
"""
HARMLESS_DELIVERED = """
CLIENT_USER feed.is_visible kinds live~accountEvents
"""
"""Changes nothing: clients have READ_EVERY_FACT, so no kind is left out; what they must not see says so itself."""
HARMLESS_COUNTED = """
DISPATCHER~limited lists.page scope count~incidents
"""
"""Changes nothing: row-level security leaves the same rows (`test_second_fence`); rights are not known there."""


def mistakes() -> list[Mistake]:
    """List those that reading and doing must find."""
    found: list[Mistake] = []
    for role, right, only in _lines(RIGHTS_TOO_MANY):
        found.append(Mistake(f"{role} has {right}", role, only, _rights(role, right, more=True)))
    for role, right, only in _lines(RIGHTS_TOO_FEW):
        found.append(Mistake(f"{role} lacks {right}", role, only, _rights(role, right, more=False)))
    for asker, table, part, only in _lines(RULES):
        found.append(Mistake(f"{table} without {part}", asker, only, _rule(table, part)))
    for asker, kind, right, only in _lines(KINDS):
        found.append(Mistake(f"{kind} opened by {right}", asker, only, _kind(kind, right)))
    for asker, name, only in _lines(OPENED):
        found.append(Mistake(f"{name} open", asker, only, _open(name)))
    for scope, right, only in _lines(GRANTED):
        found.append(
            Mistake(f"{scope} has {right}", f"PARTNER {scope}", only, _scope(scope, right))
        )
    return found


def mistakes_delivered() -> list[Mistake]:
    """List those that following subscriptions must find."""
    return _of_a_kind(DELIVERED, DELIVERED_RIGHTS, DELIVERED_RULES) + [
        Mistake(f"{kind} opened by {right}", asker, only, _kind(kind, right))
        for asker, kind, right, only in _lines(DELIVERED_KINDS)
    ]


def mistakes_counted() -> list[Mistake]:
    """List those that counting must find."""
    return _of_a_kind(COUNTED, COUNTED_RIGHTS, COUNTED_RULES)


def harmless_delivered() -> list[Mistake]:
    """List those where subscriptions are delivered that another defence makes harmless."""
    return _of_a_kind(HARMLESS_DELIVERED, "", "")


def harmless_counted() -> list[Mistake]:
    """List those where rows are counted that another defence makes harmless."""
    return _of_a_kind(HARMLESS_COUNTED, "", "")


def _of_a_kind(forgotten: str, rights: str, rules: str) -> list[Mistake]:
    found = [
        Mistake(f"{where} forgets {what}", asker, only, _forgets(where, what))
        for asker, where, what, only in _lines(forgotten)
    ]
    for role, right, only in _lines(rights):
        found.append(Mistake(f"{role} has {right}", role, only, _rights(role, right, more=True)))
    for asker, table, part, only in _lines(rules):
        found.append(Mistake(f"{table} without {part}", asker, only, _rule(table, part)))
    return found


def _lines(text: str) -> list[list[str]]:
    return [[word.replace("~", " ") for word in line.split()] for line in text.strip().splitlines()]


def _rights(role: str, right: str, *, more: bool) -> Making:
    @contextmanager
    def making(_schema: GraphQLSchema) -> Iterator[None]:
        kept, one = RIGHTS[Role[role]], frozenset({Right[right]})
        assert (one <= kept) is not more, f"{role} {right}"
        RIGHTS[Role[role]] = kept | one if more else kept - one
        try:
            yield
        finally:
            RIGHTS[Role[role]] = kept

    return making


def _rule(table: str, part: str) -> Making:
    changes: dict[str, dict[str, Any]] = {
        "rights": {"rights": (), "unless": {}},
        "unless": {"unless": {}},
        "scope": {"scope": in_company},
        "own": {"own": in_company},
        "none": {"own": None},
    }

    @contextmanager
    def making(_schema: GraphQLSchema) -> Iterator[None]:
        kept = ROWS[table]
        ROWS[table] = replace(kept, **changes[part])
        try:
            yield
        finally:
            ROWS[table] = kept

    return making


def _kind(kind: str, right: str) -> Making:
    @contextmanager
    def making(_schema: GraphQLSchema) -> Iterator[None]:
        kept = facts.RIGHT_OF_KIND[kind]
        facts.RIGHT_OF_KIND[kind] = Right[right]
        facts._kinds.cache_clear()
        try:
            yield
        finally:
            facts.RIGHT_OF_KIND[kind] = kept
            facts._kinds.cache_clear()

    return making


def _open(name: str) -> Making:
    @contextmanager
    def making(schema: GraphQLSchema) -> Iterator[None]:
        kind, _, field_name = name.partition(".")
        field = schema.type_map[kind].fields[field_name]  # type: ignore[attr-defined]
        way = "subscribe" if kind == "Subscription" else "resolve"
        kept = getattr(field, way)
        setattr(field, way, inspect.getclosurevars(kept).nonlocals["inner"])
        try:
            yield
        finally:
            setattr(field, way, kept)

    return making


def _scope(scope: str, right: str) -> Making:
    @contextmanager
    def making(_schema: GraphQLSchema) -> Iterator[None]:
        kept = SCOPES[scope]
        SCOPES[scope] = kept | {Right[right]}
        try:
            yield
        finally:
            SCOPES[scope] = kept

    return making


def _visible_but(what: str) -> Callable[..., bool]:
    """The check of a fact in memory without one of its conditions."""

    def is_visible(actor: Actor, fact: facts.LedgerFact) -> bool:
        kinds = facts.kinds_for(actor)
        return (
            fact.tenant_id == actor.tenant_id
            and (what == "scope" or actor.can_access(fact.account_id))
            and actor.may(Right.READ_LEDGER)
            and (what == "own" or actor.may(Right.READ_ALL_WORK) or fact.actor == actor.subject)
            and (
                what == "is_kept_inside"
                or actor.may(Right.READ_INTERNAL)
                or not facts.is_kept_inside(fact.body)
            )
            and (what == "kinds" or kinds is None or fact.kind in kinds)
        )

    return is_visible


def _position_but(what: str) -> Callable[..., bool]:
    """The check of a position in memory without one of its conditions."""

    def is_position_visible(actor: Actor, position: LivePosition) -> bool:
        return (
            position.tenant_id == actor.tenant_id
            and not position.over
            and (what == "scope" or actor.can_access(position.account_id))
            and (what == "track" or actor.may(Right.TRACK) or position.site_id is not None)
        )

    return is_position_visible


async def _any_topic(_session: Any, actor: Actor, account_id: UUID | None) -> Topic:
    return actor.tenant_id, account_id


async def _any_site(_session: Any, _actor: Actor, _site_id: UUID | None) -> None:
    """Refuse no site."""


def _company_wide(actor: Actor, model: Any) -> ColumnElement[bool]:
    return in_company(actor, model)


def _same_for_all(self: Any, operation: Any, ask: Any, actor: Actor) -> Hashable:
    """A key of a group without what tells one actor from another."""
    somebody = replace(actor, role=Role.MANAGEMENT, accounts=None, subject="somebody")
    return _KEY(self, operation, ask, somebody)


async def _counting_all(
    ctx: Context, query: Select[Any], order: Order, window: Any, only: Any = None
) -> Page:
    """A page of which the count forgets which rows are shown."""

    async def counted() -> int | None:
        everything = select(func.count()).select_from(*query.get_final_froms())
        async with ctx.sessions() as session:
            return await session.scalar(everything)

    return replace(await _PAGE(ctx, query, order, window, only), counted=counted)


_KEY, _PAGE = shared_subscriptions.SharedSubscriptions._key, page
_WRONG: dict[str, Callable[[str], Any]] = {
    "feed.is_visible": _visible_but,
    "feed.visible_to": lambda _what: _company_wide,
    "feed.authorize_topic": lambda _what: _any_topic,
    "live_map.is_position_visible": _position_but,
    "live_map.must_see_site": lambda _what: _any_site,
    "shared_subscriptions.SharedSubscriptions._key": lambda _what: _same_for_all,
    "lists.page": lambda _what: _counting_all,
}


def _forgets(where: str, what: str) -> Making:
    *path, name = where.split(".")
    holder: Any = {
        "feed": feed, "live_map": live_map, "shared_subscriptions": shared_subscriptions,
        "lists": lists,
    }[path[0]]  # fmt: skip
    for each in path[1:]:
        holder = getattr(holder, each)

    @contextmanager
    def making(_schema: GraphQLSchema) -> Iterator[None]:
        kept = getattr(holder, name)
        setattr(holder, name, _WRONG[where](what))
        try:
            yield
        finally:
            setattr(holder, name, kept)

    return making
