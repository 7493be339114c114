"""Anomalies: what is unusual in the daily series of accounts, for the company's own staff."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, anomalies, feedback, incidents
from domain.agreements.model import TicketKind
from domain.anomalies import AnomalySeries, AnomalyState
from domain.core.base import among
from domain.detection import Detector, Direction
from domain.sentiment import Theme
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import (
    ExpectedVersion,
    GlobalIdOf,
    IncidentId,
    MutationContext,
    mutation,
)
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import enum, from_row, resolver, subscription
from schema.feedback import TextSentiment
from schema.incidents import Incident
from schema.sites import Site
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    AnomalySeries,
    "AnomalySeries",
    incidents="Incidents a day, by site and kind.",
    negative_texts="Negative texts of the client a day, by theme and of all themes.",
    response_time="Median time from opening to acknowledgement of incidents, by day.",
)
enum(
    AnomalyState,
    "AnomalyState",
    open="Open: nobody acknowledged it.",
    explained="Explained: acknowledged with what caused it.",
    false_alarm="False alarm: nothing was unusual; the series raises nothing alike for four weeks.",
)
enum(
    Detector,
    "AnomalyDetector",
    daily="Unusual day: compared with the same weekdays of the 56 days before.",
    rare="Burst of rare events: more in a week than the half year before allows.",
    level="Shift of a level that lasts.",
    score="Fall of a score: the last 90 days compared with the year before.",
)
enum(
    Direction,
    "AnomalyDirection",
    high="Higher than what is usual.",
    low="Lower than what is usual.",
)

AnomalyId = Annotated[UUID, GlobalIdOf("Anomaly")]
Row = strawberry.Parent[anomalies.Anomaly]


@from_row(anomalies.Anomaly)
class Anomaly(Node):
    """Unusual period of one daily series of an account; it is raised once and grows while it lasts."""

    series: Annotated[AnomalySeries, "Series in which it was found."]
    incident_kind: Annotated[
        TicketKind | None, "Kind of the incidents that are counted; null for other series."
    ]
    theme: Annotated[
        Theme | None, "Theme of the texts that are counted; null for all, and for other series."
    ]
    detector: Annotated[Detector, "Method that found it."]
    direction: Annotated[Direction, "Whether the values are higher or lower than usual."]
    found_on: Annotated[date, "First day on which it could be known."]
    first_on: Annotated[
        date, "First unusual day; for a shift of level the estimated day of the change."
    ]
    last_on: Annotated[date, "Last unusual day so far."]
    peak_on: Annotated[date, "Most unusual day; value, base, scale and z are of this day."]
    value: Annotated[
        float,
        "Incidents or texts of the day or, for bursts, of the week; seconds for response times.",
    ]
    base: Annotated[float, "Value that the history of the series leads to expect."]
    scale: Annotated[float, "Usual deviation from the base."]
    z: Annotated[float, "Deviation from the base in units of the scale."]
    probability: Annotated[float | None, "Probability of so many by chance; null but for bursts."]
    raised_at: Annotated[datetime, "Time at which it was raised."]
    state: Annotated[AnomalyState, "State of the anomaly: open, explained or a false alarm."]
    acknowledged_at: Annotated[datetime | None, "Time of the acknowledgement; null before."]
    acknowledged_by: Annotated[
        str | None, "Person who acknowledged it, as named in the ledger; null before."
    ]
    explanation: Annotated[
        str | None, "What explains it, or why it is a false alarm; null while open."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    site = to_one(
        Site,
        accounts.Site,
        "site_id",
        "Site of the incidents that are counted; null for other series.",
    )

    account = to_one(Account, accounts.Account, "account_id", "Account of the client concerned.")

    explained_by = to_one(
        Incident,
        incidents.Incident,
        "incident_id",
        "Incident that explains it; null when none was named.",
    )

    @resolver(list[Incident])
    @staticmethod
    async def incidents(row: Row, info: Info) -> list[incidents.Incident]:
        """Incidents of its days, the newest first, at most 20; none for other series."""
        if row.series is AnomalySeries.NEGATIVE_TEXTS:
            return []
        return await info.context.get_all(incidents.Incident, row.evidence_ids)

    @resolver(list[TextSentiment])
    @staticmethod
    async def texts(row: Row, info: Info) -> list[feedback.TextSentiment]:
        """Negative texts of its days, the newest first, at most 20; none for other series."""
        if row.series is not AnomalySeries.NEGATIVE_TEXTS:
            return []
        return await info.context.get_all(feedback.TextSentiment, row.evidence_ids)


@query_fields
class AnomalyQuery:
    """Queries of anomalies."""

    @lists(Anomaly, anomalies.Anomaly.found_on, anomalies.Anomaly.id, descending=True)
    @staticmethod
    def anomalies(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[
            list[AnomalyState] | None, "Only anomalies in these states; null for all."
        ] = None,
    ) -> Rows:
        """Anomalies, the newest first; empty for clients and guards."""
        query = visible(info, anomalies.Anomaly, account_id)
        return query if states is None else query.where(among(anomalies.Anomaly.state, states))


@mutation_fields
class AnomalyMutation:
    """Mutations of anomalies."""

    @mutation(Anomaly)
    @staticmethod
    async def acknowledge_anomaly(
        ask: MutationContext,
        id: Annotated[AnomalyId, "Anomaly that is acknowledged now."],
        explanation: Annotated[str, "What explains it, in one line, such as a storm or an event."],
        incident_id: Annotated[
            IncidentId | None, "Incident of the same client that explains it; null for none."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> anomalies.Anomaly:
        """Acknowledge an anomaly with what explains it; a later explanation takes the place of an earlier one."""
        return await anomalies.acknowledge(
            ask.tx,
            id,
            explanation=explanation,
            incident_id=incident_id,
            expected_version=expected_version,
        )

    @mutation(Anomaly)
    @staticmethod
    async def reject_anomaly(
        ask: MutationContext,
        id: Annotated[AnomalyId, "Anomaly that is a false alarm."],
        reason: Annotated[str, "Reason in one line why nothing was unusual."],
        expected_version: ExpectedVersion = None,
    ) -> anomalies.Anomaly:
        """Mark an anomaly as a false alarm; its series raises nothing alike for four weeks."""
        return await anomalies.reject(ask.tx, id, reason=reason, expected_version=expected_version)


@subscription_fields
class AnomalySubscription:
    """Subscriptions to anomalies."""

    @subscription(FeedEvent)
    def anomaly_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Anomalies as they are raised, continued and acknowledged."""
        return facts_named(info, account_id, after, "anomaly.")
