"""Saying no: the one `Refusal` of the graph, and what a failed statement means as one."""

from typing import Annotated, Any

import strawberry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from domain.core import errors
from domain.core.errors import Code
from schema.core import ids
from schema.core.types import enum, from_row, resolver

enum(
    Code,
    "RefusalCode",
    not_found="There is no such thing, or it is not yours: the two are not told apart.",
    not_allowed="Your role may not do this.",
    invalid="A value cannot be; `argument` names it.",
    stale_version="It changed since you read it; read it again.",
    already_exists="There is one already.",
    idempotency_key_reused="The idempotency key was used with another payload.",
    incident_not_new="The ticket has been acknowledged before.",
    incident_not_open="The ticket is resolved or closed.",
    incident_not_paused="The ticket's clocks are running.",
    incident_not_resolved="The ticket is not resolved.",
    already_done="It is so already.",
    pauses_used_up="The ticket's clocks have been held as long as they may be.",
    time_reversed="It would happen before what it follows.",
    terms_overlap="Another version of the terms holds then.",
    no_terms_in_force="No terms were in force for this.",
    cursor_invalid="The cursor is not one that was given for this.",
    busy="Somebody else is changing it right now; ask again.",
    sign_off_needed="The terms may cost more than the limit; somebody has to sign off their simulation.",
    too_many="More at once than you may ask for; ask again later.",
    ledger_restored="The ledger was restored from a backup: read it again from the beginning.",
)


@from_row(errors.Refusal)
class Refusal:
    """The answer is no: why, about which argument, and whether asking again can help."""

    code: Annotated[Code, "Branch on this; codes are only ever added."]
    message: Annotated[str, "For people, in English."]
    argument: Annotated[str | None, "Which argument it is about."]
    retryable: Annotated[bool, "Whether asking again, unchanged or after reading again, can help."]

    @resolver(strawberry.ID | None)
    @staticmethod
    def existing_id(row: strawberry.Parent[errors.Refusal]) -> str | None:
        """The id of what is there already, where it is yours: `node(id)` finds it."""
        return None if row.existing is None else ids.write(*row.existing)


def refusal_of(error: DBAPIError | StaleDataError) -> errors.Refusal | None:
    """What a failed statement means to the asker; None when it is our fault."""
    if isinstance(error, StaleDataError):
        return errors.Refusal(
            Code.STALE_VERSION, "It changed while you did this. Read it again.", None, True
        )
    state = _sqlstate(error)
    if state in {"55P03", "40P01", "40001"}:  # a lock not had in time, a deadlock, a serialisation
        return errors.Refusal(
            Code.BUSY, "Somebody else is changing it right now; ask again.", None, True
        )
    if state == "23505":
        return errors.Refusal(Code.ALREADY_EXISTS, "There is one already.")
    if state.startswith("22"):
        return errors.Refusal(
            Code.INVALID, "A value is out of range or holds forbidden characters."
        )
    return None


def _sqlstate(error: DBAPIError) -> str:
    cause: Any = error.orig
    while cause is not None:
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            return state
        cause = cause.__cause__
    return ""
