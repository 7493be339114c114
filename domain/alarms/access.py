"""Access rules of alarms and keys: clients see those of their sites, guards those they are sent to or hold."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false

from domain.access import Actor, Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _sent_by_self(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the alarms that an API key sent, within its accounts."""
    if not actor.subject.startswith("key:"):
        return false()
    return and_(actor.scope(model), model.sender == actor.subject)


def _held_by_self(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the keys that the actor holds."""
    return false() if actor.user_id is None else model.holder_id == actor.user_id


ACCESS = AccessRules(
    rows={
        "alarm": Rows(
            (Right.READ_INCIDENTS,),
            "accessible accounts; for API keys always those they sent",
            own=own_work.user_is_self,
            always=_sent_by_self,
        ),
        "alarm_system": Rows((Right.READ_SITES, Right.READ_INTERNAL)),
        "registered_key": Rows((Right.READ_SITES,), own=_held_by_self),
        "key_movement": Rows((Right.READ_SITES, Right.READ_USERS, Right.READ_STAFF)),
    },
    row_texts={
        ("alarm", None): "those that the guard was sent to",
        ("registered_key", None): "those that the guard holds",
    },
    fields={
        "Alarm": {
            None: "id kind state senderNumber eventCode zone zoneName details happenedAt receivedAt number"
            " dispatchedAt arrivesAt acceptedAt enRouteAt arrivedAt arrivalGrade inspectedAt inspection"
            " reportedAt outcome falseAlarmCause report calledOffAt policeNumber policeAt version account"
            " site incident",
            Right.READ_STAFF: "user",
            Right.READ_INTERNAL: "distanceM system",
        },
        "AlarmInspection": {None: "item isFine note"},
        "AlarmSystem": {
            None: "id number zones qualifications checklist retiredAt version account site"
        },
        "AlarmSystemZone": {None: "number name"},
        "RegisteredKey": {
            None: "id label registeredAt isOut withdrawnAt account site",
            Right.READ_STAFF: "holder movements",
        },
        "KeyMovement": {None: "id kind movedAt user key"},
        "AlarmUnits": {None: "unitCount units excludedCount excluded speedKmh"},
        "AlarmUnit": {None: "distanceM travelSeconds positionAt isOnDutyHere reason user"},
        "ExcludedAlarmUnit": {None: "reason text user"},
    },
    facts={
        Right.READ_INCIDENTS: "alarm.received alarm.dispatched alarm.accepted alarm.declined alarm.en_route"
        " alarm.arrived alarm.arrival_graded alarm.arrival_withdrawn alarm.reassessed alarm.inspected"
        " alarm.reported alarm.called_off alarm.police_noted",
        Right.READ_SITES: "alarm_system.set alarm_system.retired registered_key.registered"
        " registered_key.issued registered_key.returned registered_key.withdrawn",
    },
    queries={
        "alarms": (),
        "alarmSystems": (),
        "registeredKeys": (),
        "alarmUnits": (Right.ROSTER, Right.LOCATE, Right.READ_STAFF),
    },
    subscriptions={"alarmChanged": (Right.READ_LEDGER, Right.READ_INCIDENTS)},
    mutations={
        Right.TAKE_ALARMS: "receiveAlarm",
        Right.ROSTER: "dispatchAlarm callOffAlarm issueKey returnKey",
        Right.ATTEND: "acceptAlarm declineAlarm reportAlarmEnRoute reportAlarmOnSite inspectAlarm reportAlarm"
        " notePolice",
        Right.MANAGE_ACCOUNTS: "setAlarmSystem retireAlarmSystem registerKey withdrawKey",
    },
    scopes={"alarms:write": frozenset({Right.TAKE_ALARMS})},
)
