"""Find the free texts that name a person, and redact those that were confirmed."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy import true as always
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain import feedback
from domain.access import Actor, Right
from domain.access.facts import HIDDEN_WORDS
from domain.access.fields import RIGHT_OF_FIELD
from domain.access.visibility import visible_to
from domain.account_teams.model import TeamMember
from domain.accounts.model import Contact, Reach, User
from domain.action_plans.model import ActionPlan, ActionPlanComment
from domain.advocacy.model import CaseStudy, Champion, ReferenceCall, Referral
from domain.anomalies.model import Anomaly
from domain.commitments.model import Commitment
from domain.compensation.model import Credit, Dispute
from domain.core.erasable_text import ErasableText
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.crises import Crisis
from domain.files import File
from domain.health.model import Observation
from domain.incidents.model import Incident, IncidentUpdate, Pause, Source
from domain.lifecycle.model import StageChange
from domain.meetings import Meeting
from domain.occurrences import OccurrenceCorrection, OccurrenceEntry, ShiftReport
from domain.patrols.model import PatrolScan
from domain.playbooks.model import PlaybookRun, PlaybookTask
from domain.posts import PostOrders
from domain.privacy.rules import ERASED, identifiers, pattern
from domain.raid.model import RaidEntry
from domain.recovery.model import RecoveryCase, RecoveryStep
from domain.renewals import Renewal
from domain.replies.model import ReviewReply
from domain.retention.model import ClientOutcome
from domain.shifts import Attendance, Shift
from domain.simulation.model import Simulation
from domain.status_reports import StatusReport
from domain.success_plans import SuccessComment, SuccessGoal, SuccessPlan, SuccessReading
from domain.surveys.model import SurveyAnswer
from domain.testimonials.model import Testimonial

TEXTS: tuple[InstrumentedAttribute[Any], ...] = (
    Incident.summary,
    Incident.reporter,
    IncidentUpdate.body,
    Pause.note,
    Credit.decision_reason,
    Dispute.reason,
    Dispute.outcome,
    File.name,
    PostOrders.body,
    Shift.cancel_reason,
    Attendance.reason,
    OccurrenceEntry.words,
    OccurrenceCorrection.earlier_words,
    OccurrenceCorrection.reason,
    ShiftReport.handover,
    RecoveryCase.summary,
    RecoveryStep.note,
    SurveyAnswer.words,
    Observation.note,
    PatrolScan.answer,
    Meeting.agenda,
    Meeting.notes,
    Meeting.open_questions,
    Meeting.cancel_reason,
    Commitment.words,
    Commitment.note,
    Commitment.withdrawn_reason,
    RaidEntry.words,
    RaidEntry.rationale,
    RaidEntry.outcome,
    Renewal.note,
    StatusReport.summary,
    StatusReport.reason,
    TeamMember.left_reason,
    StageChange.reason,
    ClientOutcome.note,
    PlaybookTask.words,
    PlaybookRun.closing_note,
    Anomaly.explanation,
    Testimonial.words,
    Crisis.reason,
    Referral.prospect,
    Referral.note,
    Referral.reason,
    CaseStudy.title,
    CaseStudy.words,
    CaseStudy.evidence_note,
    CaseStudy.end_reason,
    ReferenceCall.prospect,
    ReferenceCall.outcome_note,
    ReferenceCall.cancel_reason,
    Champion.evidence_note,
    Champion.end_note,
    ReviewReply.words,
    ReviewReply.posted_words,
    ReviewReply.reason,
    ActionPlan.title,
    ActionPlan.words,
    ActionPlan.outcome,
    ActionPlan.drop_reason,
    ActionPlanComment.words,
    SuccessPlan.title,
    SuccessPlan.words,
    SuccessPlan.dependencies,
    SuccessPlan.resources,
    SuccessPlan.outcome,
    SuccessGoal.title,
    SuccessGoal.criterion_words,
    SuccessReading.evidence_words,
    SuccessComment.words,
    Simulation.sign_off_reason,
    ErasableText.words,
)
"""Free text in which people may be named."""

MOST = 100
"""A name found in more texts than this is a common word, not a reference to one person."""
SEARCHED = 20_000
"""Rows of each kind that are searched, newest first, so that one export cannot occupy the database."""


class Mention(NamedTuple):
    """One text that names the person; a confirmation repeats `place`."""

    place: str
    where: str
    id: str
    text: str
    erasable: bool


class Mentions(NamedTuple):
    """The texts that were found; not `complete` when the name is so common that only addresses were searched for."""

    found: list[Mention]
    complete: bool


async def mentions(session: AsyncSession, actor: Actor, row: Contact | User) -> Mentions:
    """List the texts that name a person, in the person's accounts, as far as the actor may read them."""
    accounts = await accounts_of(session, actor, row)
    complete = True
    for wanted in (pattern(identifiers(row)), pattern(identifiers(row, name=False))):
        if wanted is None:
            continue
        found: list[Mention] = []
        for text in _readable_texts(actor):
            query = _search(actor, row, text, accounts, wanted)
            rows = await session.execute(query.limit(MOST + 1 - len(found)))
            found += [_mention(text, *each) for each in rows]
            if len(found) > MOST:
                break
        if len(found) <= MOST:
            return Mentions(found, complete)
        complete = False
    return Mentions([], complete)


async def must_be_mentions(
    session: AsyncSession, actor: Actor, row: Contact | User, places: Collection[str]
) -> None:
    """Refuse a confirmation of texts that the actor was not shown, or may not change."""
    if not places:
        return
    if len(places) > MOST:
        raise Refused(Code.INVALID, f"Confirm at most {MOST} places.", argument="mentions")
    found, _ = await mentions(session, actor, row)
    if set(places) - {each.place for each in found if each.erasable}:
        raise Refused(
            Code.INVALID,
            "Confirm only places that the export of this person lists as erasable.",
            argument="mentions",
        )


async def redact(
    session: AsyncSession, actor: Actor, row: Contact | User, places: Collection[str]
) -> tuple[int, int]:
    """Replace the person's identifiers in the confirmed texts; return how many disclosures and other texts lost them.

    The text of a fact is deleted as a whole, because a commitment covers all of it.
    """
    wanted = pattern(identifiers(row))
    if wanted is None or not places:
        return 0, 0
    accounts = await accounts_of(session, actor, row)
    counts = {True: 0, False: 0}
    for text in TEXTS:
        model: Any = text.class_
        prefix = f"{_where(text)}:"
        keys = [each.removeprefix(prefix) for each in places if each.startswith(prefix)]
        if not keys:
            continue
        within = and_(
            actor.scope(model),
            _in_accounts(model, accounts),
            text.regexp_match(wanted, "i"),
            _erasable(actor, row, text),
            cast(_key(model), Text).in_(keys),
        )
        change: Any = (
            delete(model)
            if model is ErasableText
            else update(model).values({text.key: func.regexp_replace(text, wanted, ERASED, "gi")})
        )
        gone = await session.scalars(
            change.where(within).returning(_key(model)).execution_options(synchronize_session=False)
        )
        changed = gone.all()
        if text in {SurveyAnswer.words, IncidentUpdate.body}:
            await feedback.forget_words(session, changed)
        counts[model is ErasableText] += len(changed)
    return counts[True], counts[False]


async def accounts_of(
    session: AsyncSession, actor: Actor, row: Contact | User
) -> frozenset[UUID] | None:
    """Return the accounts whose texts can be about this person; None for staff of the whole company."""
    if isinstance(row, Contact):
        return frozenset({row.account_id})
    reach = await session.scalars(select(Reach.account_id).where(Reach.user_id == row.id))
    return frozenset(reach) or actor.accounts


def _search(
    actor: Actor,
    row: Contact | User,
    text: InstrumentedAttribute[Any],
    accounts: frozenset[UUID] | None,
    wanted: str,
) -> Select[Any]:
    model: Any = text.class_
    newest = ErasableText.at if model is ErasableText else model.id
    readable = (
        _of_a_fact(visible_to(actor, LedgerRow), _is_shown(actor))
        if model is ErasableText
        else visible_to(actor, model)
    )
    some = (
        select(_key(model).label("key"), newest.label("newest"))
        .where(actor.scope(model), _in_accounts(model, accounts), text.is_not(None))
        .order_by(newest.desc())
        .limit(SEARCHED)
        .subquery()
    )
    return (
        select(_key(model), text, _erasable(actor, row, text))
        .join(some, some.c.key == _key(model))
        .where(text.regexp_match(wanted, "i"), readable)
        .order_by(some.c.newest)
    )


def _readable_texts(actor: Actor) -> list[InstrumentedAttribute[Any]]:
    """List the texts whose field the actor may read, by the table that the API uses too."""
    return [
        text
        for text in TEXTS
        if text.class_ is ErasableText
        or (right := RIGHT_OF_FIELD[text.class_.__name__, _field(text)]) is None
        or actor.may(right)
    ]


def _field(text: InstrumentedAttribute[Any]) -> str:
    """Return the name of a column in the API: `decisionReason` for `decision_reason`."""
    first, *others = text.key.split("_")
    return first + "".join(each.capitalize() for each in others)


def _of_a_fact(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a text belongs to a fact that fulfils the conditions."""
    return exists().where(
        LedgerRow.subject_id == ErasableText.subject_id,
        cast(LedgerRow.body, Text).contains(ErasableText.commitment),
        *conditions,
    )


def _is_shown(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor reads the field of the fact that a text stands in."""
    if not actor.may(Right.READ_WORDS):
        return false()
    hidden = [
        and_(LedgerRow.kind == kind, LedgerRow.body[name].astext == ErasableText.commitment)
        for right, kinds in HIDDEN_WORDS.items()
        if not actor.may(right)
        for kind, names in kinds.items()
        for name in sorted(names)
    ]
    return not_(or_(false(), *hidden))


def _erasable(
    actor: Actor, row: Contact | User, text: InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """Return whether the actor may redact a text: a client may redact only what its own people wrote."""
    if not actor.is_client:
        return always()
    writers = (f"user:{row.id}", actor.subject)
    own: dict[Any, ColumnElement[bool]] = {
        Incident: Incident.source == Source.CLIENT,
        IncidentUpdate: IncidentUpdate.author.in_(writers),
        File: File.uploaded_by.in_(writers),
        Dispute: Dispute.opened_by.in_(writers) if text is Dispute.reason else false(),
    }
    return own.get(text.class_, false())


def _in_accounts(model: Any, accounts: frozenset[UUID] | None) -> ColumnElement[bool]:
    return always() if accounts is None else model.account_id.in_(accounts)


def _key(model: Any) -> Any:
    return ErasableText.commitment if model is ErasableText else model.id


def _where(text: InstrumentedAttribute[Any]) -> str:
    return f"{text.class_.__tablename__}.{text.key}"


def _mention(text: InstrumentedAttribute[Any], key: Any, words: str, erasable: bool) -> Mention:
    where = _where(text)
    return Mention(f"{where}:{key}", where, str(key), words, erasable)
