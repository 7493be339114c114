"""History of an incident: selection of its facts by indexed subjects, without a scan of other facts."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, any_, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from domain.alarms import Alarm
from domain.compensation import Credit
from domain.core.ledger import LedgerRow
from domain.escalation import Escalation
from domain.files.model import File, FileAttachment
from domain.lone_workers.model import DistressSign
from domain.occurrences.model import OccurrenceEntry
from domain.promises import Promise
from domain.recovery import RecoveryCase
from domain.reputation.model import ReviewLink
from domain.watch_rules.model import SystemOpening

BESIDES = (
    *(Promise, Credit, RecoveryCase, Escalation, File, OccurrenceEntry),
    *(Alarm, DistressSign, SystemOpening),
)
"""Types of subjects whose facts can name an incident in their body."""


def timeline_facts(incident_id: UUID) -> ColumnElement[bool]:
    """Select the facts about an incident, and those about its promises, credits, cases and reviews that name it.

    Bodies have no index: without the subjects the query of an incident whose client has 200,000 facts took 94
    ms, with them 0.1 ms. The subjects are selected in the same statement, so that none is missed that is
    added during a read.
    """
    its = union_all(
        *(select(row.id).where(_incident_of(row) == incident_id) for row in BESIDES),
        select(FileAttachment.file_id).where(FileAttachment.subject_id == incident_id),
        select(ReviewLink.review_id).where(ReviewLink.incident_id == incident_id),
    )
    subjects = union_all(select(literal(incident_id, Uuid())), its).scalar_subquery()
    return and_(
        LedgerRow.subject_id == any_(func.array(subjects, type_=ARRAY(Uuid()))),
        or_(
            LedgerRow.subject_id == incident_id,
            LedgerRow.body.contains({"incident_id": str(incident_id)}),
        ),
    )


def _incident_of(row: Any) -> Any:
    """Return the column that names the incident; a file names it as what it was uploaded for."""
    return row.subject_id if row is File else row.incident_id
