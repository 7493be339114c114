"""Open a recovery case, take its steps, and close it only when the client is satisfied."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Right, Tx
from domain.accounts.model import Account, User
from domain.compensation.model import Credit
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text
from domain.incidents.model import Incident
from domain.parameters import ParameterScope, required_in
from domain.recovery.events import CaseClosed, CaseOpened, CaseReopened, StepDone, StepHandedOver
from domain.recovery.model import (
    CaseState,
    RecoveryCase,
    RecoveryStep,
    Remedy,
    Size,
    StepKind,
)
from domain.recovery.parameters import STEPS
from domain.recovery.rules import before, check_remedies, due


async def open_case(
    tx: Tx,
    incident_id: UUID | None = None,
    *,
    size: Size,
    summary: str,
    owner_id: UUID,
    account_id: UUID | None = None,
) -> RecoveryCase:
    """Open a recovery case for an incident, or for an account alone; an incident has one open case at a time."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    if account_id is not None:
        await tx.get(Account, account_id, "account", argument="accountId")
    if incident_id is not None:
        incident = await tx.get(Incident, incident_id, "incident", argument="incidentId")
        if account_id not in {None, incident.account_id}:
            raise Refused(Code.INVALID, "The incident is of another account.", argument="accountId")
        account_id = incident.account_id
    if account_id is None:
        raise Refused(Code.INVALID, "Give incidentId or accountId.", argument="incidentId")
    case = await _insert(tx, account_id, size, summary, owner_id, incident_id=incident_id)
    if case is None:
        raise Refused(
            Code.ALREADY_EXISTS, "The incident already has an open case.", argument="incidentId"
        )
    return case


async def open_for_response(
    tx: Tx, account_id: UUID, response_id: UUID, *, summary: str, owner_id: UUID
) -> RecoveryCase | None:
    """Open a small case that follows up a low answer, once for each response; None when there is one already."""
    return await _insert(tx, account_id, Size.SMALL, summary, owner_id, response_id=response_id)


async def _insert(
    tx: Tx,
    account_id: UUID,
    size: Size,
    summary: str,
    owner_id: UUID,
    *,
    incident_id: UUID | None = None,
    response_id: UUID | None = None,
) -> RecoveryCase | None:
    must_be_line(summary, "summary")
    await _colleague(tx, owner_id)
    case: RecoveryCase | None = await tx.session.scalar(
        insert(RecoveryCase)
        .values(
            id=uuid7(),
            tenant_id=tx.actor.tenant_id,
            account_id=account_id,
            incident_id=incident_id,
            response_id=response_id,
            size=size,
            summary=summary,
            state=CaseState.OPEN,
            round=1,
            opened_at=tx.at,
            version=1,
        )
        .on_conflict_do_nothing()
        .returning(RecoveryCase)
    )
    if case is None:
        return None
    await _begin(tx, case, dict.fromkeys(StepKind, owner_id))
    tx.record(
        CaseOpened(
            account_id=account_id,
            subject_id=case.id,
            at=tx.at,
            incident_id=incident_id,
            size=size,
            response_id=response_id,
        )
    )
    await tx.session.flush()
    return case


async def take_step(
    tx: Tx,
    case_id: UUID,
    *,
    kind: StepKind,
    note: str,
    remedies: Collection[Remedy] = (),
    credit_id: UUID | None = None,
    expected_version: int | None = None,
) -> RecoveryCase:
    """Take the next step; the step `compensate` offers remedies that the case's size allows."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(note, "note")
    if kind is StepKind.FOLLOW_UP:
        raise Refused(
            Code.INVALID, "Record a follow-up with satisfied: true or false.", argument="kind"
        )
    case = await _open(tx, case_id, expected_version)
    step = await _next(tx.session, case, kind, argument="kind")
    if kind is StepKind.COMPENSATE:
        check_remedies(case.size, remedies, has_credit=credit_id is not None)
        await _own_credit(tx.session, case, credit_id)
        step.remedies, step.credit_id = sorted(map(str, remedies)), credit_id
    elif remedies or credit_id is not None:
        raise Refused(
            Code.INVALID, "Remedies belong to the step COMPENSATE only.", argument="remedies"
        )
    _done(tx, case, step, note)
    await tx.session.flush()
    return case


async def follow_up(
    tx: Tx, case_id: UUID, *, satisfied: bool, note: str, expected_version: int | None = None
) -> RecoveryCase:
    """Record whether the client is satisfied: yes closes the case, no begins another round. Clients may do this too."""
    tx.actor.must(Right.FOLLOW_UP)
    must_be_text(note, "note")
    case = await _open(tx, case_id, expected_version)
    step = await _next(tx.session, case, StepKind.FOLLOW_UP, argument="id")
    _done(tx, case, step, note)
    case.satisfied = satisfied
    if satisfied:
        case.state, case.closed_at = CaseState.CLOSED, tx.at
        fact: CaseClosed | CaseReopened = CaseClosed(
            account_id=case.account_id, subject_id=case.id, at=tx.at, round=case.round
        )
    else:
        steps = await _steps(tx.session, case)
        owners = {each.kind: each.owner_id for each in steps.values()}
        case.round += 1
        await _begin(tx, case, owners)
        fact = CaseReopened(
            account_id=case.account_id, subject_id=case.id, at=tx.at, round=case.round
        )
    tx.record(fact)
    await tx.session.flush()
    return case


async def hand_over(
    tx: Tx, case_id: UUID, *, kind: StepKind, owner_id: UUID, expected_version: int | None = None
) -> RecoveryCase:
    """Hand over a step that is not done to another user of the company."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    case = await _open(tx, case_id, expected_version)
    await _colleague(tx, owner_id)
    step = (await _steps(tx.session, case))[kind]
    if step.done_at is not None:
        raise Refused(Code.ALREADY_DONE, f"The step {kind} is already done.", argument="kind")
    tx.record(
        StepHandedOver(
            account_id=case.account_id,
            subject_id=case.id,
            at=tx.at,
            step=kind,
            round=case.round,
            before=step.owner_id,
            after=owner_id,
        )
    )
    step.owner_id = owner_id
    await tx.session.flush()
    return case


async def _open(tx: Tx, case_id: UUID, expected_version: int | None) -> RecoveryCase:
    case = await tx.get(RecoveryCase, case_id, "case", lock=True)
    must_be_current(case.version, expected_version)
    if case.state is not CaseState.OPEN:
        raise Refused(Code.ALREADY_DONE, "The case is closed.", argument="id")
    return case


async def _steps(session: AsyncSession, case: RecoveryCase) -> dict[StepKind, RecoveryStep]:
    rows = await session.scalars(
        select(RecoveryStep).where(
            RecoveryStep.case_id == case.id, RecoveryStep.round == case.round
        )
    )
    return {row.kind: row for row in rows}


async def _next(
    session: AsyncSession, case: RecoveryCase, kind: StepKind, *, argument: str
) -> RecoveryStep:
    """Return the step, if those before it are done and it is not; `argument` is what requested it."""
    steps = await _steps(session, case)
    first = next((each for each in before(kind) if steps[each].done_at is None), None)
    if first is not None:
        raise Refused(Code.INVALID, f"The step {first} must be done first.", argument=argument)
    if steps[kind].done_at is not None:
        raise Refused(Code.ALREADY_DONE, f"The step {kind} is already done.", argument=argument)
    return steps[kind]


def _done(tx: Tx, case: RecoveryCase, step: RecoveryStep, note: str) -> None:
    step.done_at, step.done_by, step.note = tx.at, tx.actor.subject, note
    tx.record(
        StepDone(
            account_id=case.account_id,
            subject_id=case.id,
            at=tx.at,
            step=step.kind,
            round=case.round,
        )
    )


async def _begin(tx: Tx, case: RecoveryCase, owners: Mapping[StepKind, UUID]) -> None:
    """Begin a round; its steps are due after the hours that apply to the account now."""
    scope = ParameterScope(case.tenant_id, case.account_id)
    hours = await required_in(tx.session, scope, STEPS[case.size], at=tx.at)
    tx.session.add_all(
        RecoveryStep(
            tenant_id=case.tenant_id,
            account_id=case.account_id,
            case_id=case.id,
            round=case.round,
            kind=kind,
            owner_id=owners[kind],
            due_at=due_at,
            remedies=[],
        )
        for kind, due_at in due(hours.numbers, tx.at).items()
    )


async def _colleague(tx: Tx, user_id: UUID) -> None:
    known = select(User.id).where(
        User.id == user_id,
        User.tenant_id == tx.actor.tenant_id,
        User.role.not_in(CLIENTS),
        User.disabled_at.is_(None),
    )
    if await tx.session.scalar(known) is None:
        raise Refused(Code.NOT_FOUND, "No such user of the company.", argument="ownerUserId")


async def _own_credit(session: AsyncSession, case: RecoveryCase, credit_id: UUID | None) -> None:
    if credit_id is None:
        return
    known = select(Credit.id).where(Credit.id == credit_id, Credit.account_id == case.account_id)
    if await session.scalar(known) is None:
        raise Refused(Code.NOT_FOUND, "No such credit.", argument="creditId")
