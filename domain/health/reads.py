"""Load the facts that health is computed from: a constant number of queries for any number of accounts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Contact
from domain.core.base import among
from domain.core.ledger import LedgerRow
from domain.health.contacts import load_contacts
from domain.health.facts import DAY, AccountFacts, HealthFact
from domain.health.parameters import PARAMETERS, SHARED, policies_at
from domain.health.registry import AccountReading, read_account
from domain.parameters import ParameterScope, load_values
from domain.surveys.model import QuestionnaireVersion, Survey

FREQUENT = frozenset(
    {"promise.kept", "promise.breached", "promise.revised", "promise.cancelled", "message.sent"}
)
"""Kinds of which there are many, and of which the last months decide."""
KINDS = FREQUENT | {
    *("message.answered", "touchpoint.made", "meeting.held", "meeting.cancelled"),
    *("survey.asked", "survey.withdrawn", "survey.answered", "survey.corrected"),
    *(
        "incident.closed",
        "incident.reopened",
        "incident.opened",
        "incident.resolved",
        "escalation.stepped",
    ),
    *("shift.published", "shift.ended", "shift.attendance_corrected"),
    *("agreement.amended", "agreement.planned", "agreement.ended", "account.created"),
    *("invoice.issued", "invoice.paid", "invoice.payment_reversed"),
    *("recovery.opened", "recovery.closed", "recovery.reopened", "promise.dispute_decided"),
    *("observation.recorded", "observation.withdrawn"),
    *("sentiment.read", "sentiment.corrected"),
    *("commitment.made", "commitment.done", "commitment.late"),
    *("agreement.duration_agreed", "renewal.opened", "renewal.moved"),
    *("renewal.due", "renewal.decided"),
    *("playbook_run.opened", "playbook_run.task_begun", "playbook_run.task_unowned"),
    *("playbook_run.closed", "churn.signs_changed"),
    *("referral.made", "reference_call.held", "case_study.published", "case_study.withdrawn"),
    *("champion.named", "champion.ended"),
}
"""Kinds of facts that health follows from."""
LOOK_BACK, LOOK_BACK_FREQUENT = 730 * DAY, 300 * DAY
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


async def load_facts(
    session: AsyncSession,
    tenant_id: UUID,
    account_ids: Collection[UUID],
    *,
    at: datetime,
    known_at: datetime | None = None,
    since: datetime | None = None,
) -> dict[UUID, AccountFacts]:
    """Load the facts of accounts up to `at`, as recorded by `known_at`, so that `since` can be read as well."""
    row, first = LedgerRow, since or at
    query = (
        select(row.account_id, row.id, row.kind, row.at, row.subject_id, row.actor, row.body)
        .where(
            row.tenant_id == tenant_id,
            among(row.account_id, account_ids),
            row.at <= at,
            or_(
                and_(among(row.kind, sorted(FREQUENT)), row.at > first - LOOK_BACK_FREQUENT),
                and_(among(row.kind, sorted(KINDS - FREQUENT)), row.at > first - LOOK_BACK),
            ),
        )
        .order_by(row.at, row.id)
    )
    if known_at is not None:
        query = query.where(row.recorded_at <= known_at)
    merged_by = at if known_at is None else min(at, known_at)
    merged = await _merged(session, tenant_id, account_ids, merged_by)
    by_account: defaultdict[UUID, defaultdict[str, list[HealthFact]]] = defaultdict(
        lambda: defaultdict(list)
    )
    rows: Iterable[Any] = await session.execute(query)
    for account_id, *fact in rows:
        known = HealthFact(*fact)
        by_account[account_id][known.kind].append(known._replace(body=_named(known.body, merged)))
    contacts = await load_contacts(
        session, tenant_id, account_ids, known_at=known_at, merged_by=merged_by
    )
    scales = await _scales(session, tenant_id)
    return {
        each: AccountFacts(at, by_account[each], contacts[each], scales) for each in account_ids
    }


async def _merged(
    session: AsyncSession, tenant_id: UUID, account_ids: Collection[UUID], by: datetime
) -> dict[str, str]:
    """Return the contact that stays for each contact of accounts that was merged by an instant, as texts."""
    rows = await session.execute(
        select(Contact.id, Contact.merged_into_id).where(
            Contact.tenant_id == tenant_id,
            among(Contact.account_id, account_ids),
            Contact.merged_at <= by,
        )
    )
    return {str(gone): str(kept) for gone, kept in rows}


def _named(body: Mapping[str, Any], merged: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the body of a fact with the contact that stays in place of a merged one."""
    found = dict(body)
    if merged and found.get("contact_id") in merged:
        found["contact_id"] = merged[found["contact_id"]]
    if merged and "contact_ids" in found:
        found["contact_ids"] = [merged.get(each, each) for each in found["contact_ids"]]
    return found if merged else body


async def read_accounts(
    session: AsyncSession,
    tenant_id: UUID,
    facts: Mapping[UUID, AccountFacts],
    *,
    known_at: datetime | None = None,
) -> dict[UUID, tuple[AccountReading, bool]]:
    """Read every signal of accounts by the policy of their instant, and whether their clients may see the score."""
    scopes = {each: ParameterScope(tenant_id, each) for each in facts}
    until = max((each.at for each in facts.values()), default=_FIRST)
    values = await load_values(
        session, [*scopes.values()], PARAMETERS, until=until, known_at=known_at
    )
    return {
        each: (
            read_account(known, policies_at(values, scopes[each], at=known.at)),
            values.required(SHARED, scopes[each], at=known.at).number == 1,
        )
        for each, known in facts.items()
    }


async def _scales(session: AsyncSession, tenant_id: UUID) -> dict[tuple[str, str], str]:
    """Return the kinds of questions of published questionnaires, by survey and key."""
    rows = await session.execute(
        select(Survey.id, QuestionnaireVersion.content)
        .join(
            QuestionnaireVersion, QuestionnaireVersion.questionnaire_id == Survey.questionnaire_id
        )
        .where(Survey.tenant_id == tenant_id, QuestionnaireVersion.published_at.is_not(None))
        .order_by(Survey.id, QuestionnaireVersion.number)
    )
    return {
        (str(survey_id), question["key"]): question["kind"]
        for survey_id, content in rows
        for question in content
    }
