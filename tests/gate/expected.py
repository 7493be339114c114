"""What the page about visibility promises somebody, computed from the page and from what the tables hold.

Nothing here asks the code that enforces the table of access: each condition is written a second time, by its words.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, or_, select

from api.commands.parameters import PATH as PARAMETERS_PAGE
from domain.accounts.model import Account, Reach
from domain.agreements.model import PromiseTerm
from domain.calendars.model import CalendarVersion
from domain.core.db import Sessions
from domain.dashboards import Dashboard
from domain.occurrences import OccurrenceCorrection, OccurrenceEntry
from domain.webhooks import Webhook
from schema.build import nodes
from schema.core import ids
from tests.gate.table import LEFT, Page, Rights, Row, readable_with

TABLES = {model.__name__: model.__tablename__ for model in nodes()} | {
    "JournalEntry": "journal_entry", "JournalLine": "journal_line", "InvoiceLine": "invoice_line",
    "CreditNoteLine": "credit_note_line", "CreditBand": "credit_band", "RecoveryStep": "recovery_step",
    "MessageAttempt": "message_attempt", "EscalationStep": "escalation_step",
    "WebhookAttempt": "webhook_attempt", "BudgetBurn": "burn_state",
    "AuditCheckpoint": "audit_checkpoint", "GuardPosition": "whereabouts",
    "TrialLine": "journal_line", "SiteStatus": "site", "RoamingStatus": "duty",
    "ReportedEntry": "occurrence_entry", "Backlog": "outbox", "Suppression": "outbox", "DeferredWork": "deferral",
}  # fmt: skip
PARAMETERS = readable_with(PARAMETERS_PAGE.read_text())
"""Parameter → the rights that reading it needs."""
SHARED = "; clients: where the company shares it"
"""Ends the condition on rows that clients see without the right, if the company wants that."""
CLIENT_RULES = ("account_id", "user_id")
NO_ROW = UUID(int=0)
NOBODY: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Asker:
    """Somebody inside the company, with the rights that the page promises."""

    name: str
    token: str
    rights: Rights
    reach: frozenset[UUID] | None = None
    """The clients in reach; None for all."""
    user_id: UUID | None = None
    own: Mapping[str, frozenset[UUID]] | None = None
    """For guards: type → the rows of the own work."""


@dataclass(frozen=True)
class Holdings:
    """What the tables say about whom a row belongs to."""

    here: UUID
    """The furnished client: what has no id of its own is of this one."""
    account: Mapping[UUID, UUID | None]
    user: Mapping[UUID, UUID | None]
    reach: Mapping[UUID, frozenset[UUID]]
    """User → the clients that limit the user; none for those who reach all."""
    followed: Mapping[UUID, frozenset[tuple[UUID, bool]]]
    """Calendar, or version of one → client and whether internal, of the terms that follow it."""
    hidden: frozenset[UUID] = NOBODY
    """Entries of the occurrence log that are internal, and corrections of what is or was so."""


async def held(make: Sessions, here: UUID) -> Holdings:
    """Read whom each row belongs to."""
    account: dict[UUID, UUID | None] = {}
    user: dict[UUID, UUID | None] = {}
    followed: dict[UUID, set[tuple[UUID, bool]]] = {}
    reach: dict[UUID, frozenset[UUID]] = {}
    async with make() as session:
        for model in nodes():
            kind: Any = model
            columns = inspect(kind).columns
            names = [name for name in CLIENT_RULES if name in columns]
            read = select(*(columns[name] for name in ("id", *names)))
            for row_id, *values in await session.execute(read):
                given = dict(zip(names, values, strict=True))
                account[row_id] = row_id if kind is Account else given.get("account_id")
                user[row_id] = given.get("user_id")
        versions = select(CalendarVersion.id, CalendarVersion.calendar_id)
        calendars = {row.id: row.calendar_id for row in await session.execute(versions)}
        terms = select(
            PromiseTerm.calendar_version_id, PromiseTerm.account_id, PromiseTerm.internal
        )
        for version, client, internal in await session.execute(terms):
            for row_id in (version, calendars[version]):
                followed.setdefault(row_id, set()).add((client, internal))
        for user_id, account_id in await session.execute(select(Reach.user_id, Reach.account_id)):
            reach[user_id] = reach.get(user_id, NOBODY) | {account_id}
        for webhook in await session.scalars(select(Webhook)):
            user[webhook.id] = UUID(webhook.owner.partition(":")[2])
        for board in await session.scalars(select(Dashboard).where(~Dashboard.shared)):
            user[board.id] = UUID(board.owner.partition(":")[2])
        entries = select(OccurrenceEntry.id).where(OccurrenceEntry.internal)
        hidden = set(await session.scalars(entries))
        was_hidden = select(OccurrenceCorrection.id).where(
            or_(OccurrenceCorrection.earlier_internal, OccurrenceCorrection.entry_id.in_(entries))
        )
        hidden |= set(await session.scalars(was_hidden))
    terms_of = {key: frozenset(each) for key, each in followed.items()}
    return Holdings(here, account, user, reach, terms_of, frozenset(hidden))


@dataclass(frozen=True)
class Expectation:
    """What the page promises."""

    page: Page
    holdings: Holdings

    def sees(self, asker: Asker, row: Row) -> bool:
        """Whether the page promises an asker a row of the management's answer."""
        kind = row["__typename"]
        if kind in {"LedgerEntry", "AuditFact", "FeedEvent"}:
            return self.sees_fact(asker, row)
        if kind == "EffectiveParameter":
            return PARAMETERS[row["name"]] <= asker.rights
        if kind not in TABLES:
            return True
        if self._is_oneself(asker, row):
            return True
        rule = self.page.rows[TABLES[kind]]
        if rule.where.endswith(SHARED) and asker.name.startswith("CLIENT_"):
            return self.in_reach(asker, subject(row))  # the furnished office shares it
        if not rule.rights <= asker.rights:
            return False
        if kind == "ReviewVersion" and "READ_RELATIONSHIP" not in asker.rights:
            return self.holdings.account.get(subject(row) or NO_ROW) in (asker.reach or NOBODY)
        if any(right not in asker.rights and not LEFT[w](row) for right, w in rule.left.items()):
            return False
        row_id = subject(row)
        if not WITHIN[rule.where](self, asker, row_id):
            return False
        if asker.own is None:
            return True
        mine = asker.own.get(kind)
        return rule.own and (row_id is None or mine is None or row_id in mine)

    def reaches(self, asker: Asker, kind: str, row_id: UUID) -> bool:
        """Whether an asker may name a row in an argument."""
        if kind not in TABLES:
            return True
        rule = self.page.rows[TABLES[kind]]
        if not WITHIN[rule.where](self, asker, row_id):
            return False
        return asker.own is None or (rule.own and row_id in asker.own.get(kind, NOBODY))

    def sees_fact(self, asker: Asker, row: Row) -> bool:
        """Whether the page promises an asker a fact."""
        if "READ_LEDGER" not in asker.rights:
            return False
        kind, actor, account, body = fact(row)
        if asker.reach is not None and account not in asker.reach:
            return False
        inside = body.get("internal") is True or body.get("client_visible") is False
        if inside and "READ_INTERNAL" not in asker.rights:
            return False
        if "READ_ALL_WORK" not in asker.rights and actor != f"user:{asker.user_id}":
            return False
        return "READ_EVERY_FACT" in asker.rights or self.page.kinds.get(kind) in asker.rights

    def cut(self, asker: Asker, whole: Any) -> Any:
        """The part of the management's answer that the page promises an asker."""
        if isinstance(whole, list):
            cut = (self.cut(asker, item) for item in whole)
            return [item for item in cut if item is not None]
        if not isinstance(whole, dict) or "__typename" not in whole:
            return whole
        if not self.sees(asker, whole):
            return None
        kind, told = whole["__typename"], {}
        for name, value in whole.items():
            right = self.page.fields.get((kind, name))
            may = right is None or right in asker.rights
            may = may or (kind == "User" and subject(whole) == asker.user_id)
            may = may and ((kind, name) not in FROM_FACTS or "READ_ALL_WORK" in asker.rights)
            told[name] = self.cut(asker, value) if may else None
            if name == "figure" and whole.get("code") in OF_THE_CAMERA and inside_only(asker):
                told[name] = None
            if name == "disclosures":
                told[name] = words_for(asker, fact(whole)[0], value)
        return told

    def _is_oneself(self, asker: Asker, row: Row) -> bool:
        kind, row_id = row["__typename"], subject(row)
        if asker.user_id is None or row_id is None:
            return False
        if kind == "User":
            return row_id == asker.user_id
        return kind in {"SignIn", "Message"} and self.holdings.user.get(row_id) == asker.user_id

    def in_reach(self, asker: Asker, row_id: UUID | None) -> bool:
        """Rows of the clients in reach; what has no id of its own goes with the row that it is part of."""
        if asker.reach is None:
            return True
        account = self.holdings.here if row_id is None else self.holdings.account.get(row_id)
        return account in asker.reach

    def or_general(self, asker: Asker, row_id: UUID | None) -> bool:
        """The same, and rows of no client."""
        general = row_id is not None and self.holdings.account.get(row_id) is None
        return general or self.in_reach(asker, row_id)

    def user_in_reach(self, asker: Asker, row_id: UUID | None) -> bool:
        """Users who reach nothing else."""
        if asker.reach is None or row_id is None:
            return True
        limits = self.holdings.reach.get(row_id, NOBODY)
        return bool(limits) and limits <= asker.reach

    def of_user_in_reach(self, asker: Asker, row_id: UUID | None) -> bool:
        """Rows of such users."""
        return row_id is None or self.user_in_reach(asker, self.holdings.user.get(row_id))

    def own_or_of_user_in_reach(self, asker: Asker, row_id: UUID | None) -> bool:
        """The same, and one's own."""
        return self._is_ones_own(asker, row_id) or self.of_user_in_reach(asker, row_id)

    def own_or_of_colleagues(self, asker: Asker, row_id: UUID | None) -> bool:
        """Whether a dashboard is the asker's own, or shared with somebody of the company."""
        owner = None if row_id is None else self.holdings.user.get(row_id)
        return "READ_INTERNAL" in asker.rights if owner is None else owner == asker.user_id

    def own_or_in_reach(self, asker: Asker, row_id: UUID | None) -> bool:
        """Rows of the clients in reach, and one's own."""
        return self._is_ones_own(asker, row_id) or self.in_reach(asker, row_id)

    def shown_in_reach(self, asker: Asker, row_id: UUID | None) -> bool:
        """Rows of the clients in reach; internal ones for guards and the office only."""
        sees_internal = bool(asker.rights & {"ATTEND", "READ_INTERNAL"})
        return self.in_reach(asker, row_id) and (
            sees_internal or row_id not in self.holdings.hidden
        )

    def own_or_shown(self, asker: Asker, row_id: UUID | None) -> bool:
        """The same, and one's own."""
        return self._is_ones_own(asker, row_id) or self.shown_in_reach(asker, row_id)

    def _is_ones_own(self, asker: Asker, row_id: UUID | None) -> bool:
        if asker.user_id is None or row_id is None:
            return False
        return self.holdings.user.get(row_id) == asker.user_id

    def is_followed(self, asker: Asker, row_id: UUID | None) -> bool:
        """Calendars that terms in reach follow."""
        if asker.reach is None or row_id is None:
            return True
        seen = "READ_INTERNAL" in asker.rights
        return any(
            client in asker.reach and (seen or not internal)
            for client, internal in self.holdings.followed.get(row_id, frozenset())
        )

    def is_own_webhook(self, asker: Asker, row_id: UUID | None) -> bool:
        """One's own webhooks; all for those who manage keys. Deliveries are reached through them."""
        return "MANAGE_KEYS" in asker.rights or (
            row_id is not None and self.holdings.user.get(row_id) == (asker.user_id or row_id)
        )


def words_for(asker: Asker, kind: str, words: Mapping[str, Any]) -> dict[str, Any]:
    """The free text of a fact, and who did it, as far as an asker reads it."""
    needed = {field: {"READ_WORDS"} for field in words} | {"actor": {"READ_ACTORS"}}
    if kind == "incident.reassigned":
        needed |= {field: {"READ_WORDS", "READ_STAFF"} for field in ("before", "to")}
    if kind == "webhook.added":
        needed["owner"] = {"READ_WORDS", "READ_ACTORS"}
    return {field: each for field, each in words.items() if needed[field] <= asker.rights}


FROM_FACTS = {("Incident", "arrivalEvidence"), ("Promise", "evidence")}
"""Fields that follow from facts of others, of which guards read their own only."""
OF_THE_CAMERA = {"PHOTO_DELAY", "PHOTO_AHEAD", "CLOCKS_DIFFER", "OUTSIDE", "THUMBNAIL_DIFFERS"}
"""Reasons with figures that tell what a camera wrote, which the description of `reasons` keeps from clients."""


def inside_only(asker: Asker) -> bool:
    """Whether an asker does not read what a camera wrote."""
    return "READ_EVIDENCE" not in asker.rights


PART_OF = {
    "ReportedEntry": "entry",
    "GuardPosition": "duty",
    "RoamingStatus": "duty",
    "SiteStatus": "site",
}
"""Type without an id → the row that it is about."""


def subject(row: Row) -> UUID | None:
    """The id that says whom a row belongs to."""
    about = PART_OF.get(row["__typename"])
    told = row.get("id") if about is None else row[about]["id"]
    found = None if told is None else ids.read(told)
    return None if found is None else found[1]


def fact(row: Row) -> tuple[str, str, UUID | None, Row]:
    """Kind, actor, client and body of a fact of the ledger, or of one that a proof holds as text."""
    if row["__typename"] == "AuditFact":
        told = json.loads(row["text"])
        account = told["account"]
        return told["kind"], told["actor"], None if account is None else UUID(account), told["body"]
    found = None if row["account"] is None else ids.read(row["account"]["id"])
    return row["kind"], row["actor"], None if found is None else found[1], row["body"]


Within = Callable[[Expectation, Asker, UUID | None], bool]


def _always(_expectation: Expectation, _asker: Asker, _row_id: UUID | None) -> bool:
    return True


def _whole(_expectation: Expectation, asker: Asker, _row_id: UUID | None) -> bool:
    return asker.reach is None


WITHIN: dict[str, Within] = {
    "the own company": _always,
    "the own company, with access to every account": _whole,
    "accessible accounts": Expectation.in_reach,
    "accessible accounts; always one's own uploads there": Expectation.in_reach,
    "accessible accounts, and what applies to all accounts": Expectation.or_general,
    "users with access to nothing else; always oneself": Expectation.user_in_reach,
    "of users with access to nothing else": Expectation.of_user_in_reach,
    "of users with access to nothing else; always one's own": Expectation.own_or_of_user_in_reach,
    "accessible accounts; always one's own": Expectation.own_or_in_reach,
    "accessible accounts, internal ones for ATTEND or READ_INTERNAL only; always one's own entries": (
        Expectation.own_or_shown
    ),
    "of entries that the actor sees, and saw before": Expectation.shown_in_reach,
    "accessible accounts; always one's own; the position only until the incident is resolved": (
        Expectation.own_or_in_reach
    ),
    "accessible accounts; for API keys always those they sent": Expectation.in_reach,
    "own, and those that colleagues share": Expectation.own_or_of_colleagues,
    "accessible accounts, without anonymous ones": Expectation.in_reach,
    "accessible accounts, and linked to no client": Expectation.or_general,
    "accessible accounts, and linked to no client, without anonymous ones": Expectation.or_general,
    "accessible accounts; clients: where the company shares it": Expectation.in_reach,
    "of users one manages; always one's own": Expectation.of_user_in_reach,
    "of roles one manages, with accessible accounts only": _whole,
    "used by accessible terms": Expectation.is_followed,
    "one's own": Expectation.is_own_webhook,
    "of one's own webhooks": Expectation.is_own_webhook,
}
"""What rows are limited to, by the page's words."""
