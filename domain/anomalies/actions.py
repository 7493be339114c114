"""Acknowledge anomalies: by what explains them, or as false alarms."""

from uuid import UUID

from domain.access import Right, Tx
from domain.anomalies.events import AnomalyAcknowledged
from domain.anomalies.model import Anomaly, AnomalyState
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line
from domain.incidents.model import Incident


async def acknowledge(
    tx: Tx,
    anomaly_id: UUID,
    *,
    explanation: str,
    incident_id: UUID | None = None,
    expected_version: int | None = None,
) -> Anomaly:
    """Say what explains an anomaly, with the incident that caused it; it may be said anew, also of a false alarm."""
    tx.actor.must(Right.HANDLE)
    must_be_line(explanation, "explanation")
    row = await _locked(tx, anomaly_id, expected_version)
    if incident_id is not None:
        incident = await tx.get(Incident, incident_id, "incident", argument="incidentId")
        if incident.account_id != row.account_id:
            raise Refused(
                Code.INVALID,
                "The incident is of another client; name one of the anomaly's client.",
                argument="incidentId",
            )
    _settle(tx, row, AnomalyState.EXPLAINED, explanation, incident_id)
    return row


async def reject(
    tx: Tx, anomaly_id: UUID, *, reason: str, expected_version: int | None = None
) -> Anomaly:
    """Mark an anomaly as a false alarm: its series raises nothing alike for four weeks."""
    tx.actor.must(Right.HANDLE)
    must_be_line(reason, "reason")
    row = await _locked(tx, anomaly_id, expected_version)
    if row.state is AnomalyState.FALSE_ALARM:
        raise Refused(Code.ALREADY_DONE, "This anomaly is a false alarm already.", argument="id")
    _settle(tx, row, AnomalyState.FALSE_ALARM, reason, None)
    return row


async def _locked(tx: Tx, anomaly_id: UUID, expected_version: int | None) -> Anomaly:
    row = await tx.get(Anomaly, anomaly_id, "anomaly", lock=True)
    must_be_current(row.version, expected_version)
    return row


def _settle(
    tx: Tx, row: Anomaly, state: AnomalyState, words: str, incident_id: UUID | None
) -> None:
    before, incident_before = row.state, row.incident_id
    row.state, row.explanation, row.incident_id = state, words, incident_id
    row.acknowledged_at, row.acknowledged_by = tx.at, tx.actor.subject
    tx.record(
        AnomalyAcknowledged(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=before.value,
            after=state.value,
            incident_before=incident_before,
            incident_after=incident_id,
        )
    )
