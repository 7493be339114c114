"""Refusals: the `Refusal` type of the schema, and refusals derived from failed SQL statements."""

from typing import Annotated

import strawberry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from domain.core import errors
from domain.core.db import is_busy, sqlstate
from domain.core.errors import Code
from schema.core import ids
from schema.core.types import enum, from_row, resolver

enum(
    Code,
    "RefusalCode",
    not_found="The object does not exist or is not visible to you; the response does not reveal which.",
    not_allowed="Your role does not have the right to do this.",
    invalid="A value is not valid; `argument` names it.",
    stale_version="The row changed since you read it; read it again.",
    already_exists="An object with this unique value exists already.",
    idempotency_key_reused="The idempotency key was used with another payload.",
    incident_not_new="The incident was acknowledged before.",
    incident_not_open="The incident is resolved or closed.",
    incident_not_paused="The incident is not paused: its clocks are running.",
    incident_not_resolved="The incident is not in status resolved.",
    already_done="The requested state is reached already; nothing to do.",
    pauses_used_up="The pauses of the incident have reached their maximum total duration.",
    time_reversed="The time of the event lies before the event it must follow.",
    terms_overlap="Another version of the terms is in force at that time.",
    no_terms_in_force="No terms were in force at that time.",
    cursor_invalid="The cursor does not belong to this list or order.",
    busy="The row is locked by another request; try again.",
    sign_off_needed="The simulated cost of the terms exceeds the limit; the simulation must be signed off first.",
    too_many="The request exceeds a limit on number or rate; try again later.",
    ledger_restored="The ledger was restored from a backup: read it again from the beginning.",
)


@from_row(errors.Refusal)
class Refusal:
    """Refused mutation: the reason, the argument concerned, and whether a retry can help."""

    code: Annotated[Code, "Stable code of the reason, for programs. Codes are only ever added."]
    message: Annotated[str, "Message for people, in English."]
    argument: Annotated[str | None, "Name of the argument concerned; null when there is none."]
    retryable: Annotated[
        bool, "Whether a retry can help, unchanged or after reading the row again."
    ]

    @resolver(strawberry.ID | None)
    @staticmethod
    def existing_id(row: strawberry.Parent[errors.Refusal]) -> str | None:
        """Global id of the object that exists already, when visible to you; `node(id)` returns it."""
        return None if row.existing is None else ids.write(*row.existing)


def refusal_of(error: DBAPIError | StaleDataError) -> errors.Refusal | None:
    """Return the refusal that a failed statement means for the actor; None when it is an error of ours."""
    if isinstance(error, StaleDataError):
        return errors.Refusal(
            Code.STALE_VERSION, "The row changed during the request. Read it again.", None, True
        )
    if is_busy(error):
        return errors.Refusal(
            Code.BUSY, "The row is locked by another request; try again.", None, True
        )
    state = sqlstate(error)
    if state == "23505":
        return errors.Refusal(
            Code.ALREADY_EXISTS, "An object with this unique value exists already."
        )
    if state.startswith("22"):
        return errors.Refusal(
            Code.INVALID, "A value is out of range or contains forbidden characters."
        )
    return None
