"""Refusals: an append-only list of codes, and the exception that carries a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID


class Code(StrEnum):
    """Code of a refusal. Append only: clients branch on these."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    INVALID = "INVALID"
    STALE_VERSION = "STALE_VERSION"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    INCIDENT_NOT_NEW = "INCIDENT_NOT_NEW"
    INCIDENT_NOT_OPEN = "INCIDENT_NOT_OPEN"
    INCIDENT_NOT_PAUSED = "INCIDENT_NOT_PAUSED"
    INCIDENT_NOT_RESOLVED = "INCIDENT_NOT_RESOLVED"
    ALREADY_DONE = "ALREADY_DONE"
    PAUSES_USED_UP = "PAUSES_USED_UP"
    TIME_REVERSED = "TIME_REVERSED"
    TERMS_OVERLAP = "TERMS_OVERLAP"
    NO_TERMS_IN_FORCE = "NO_TERMS_IN_FORCE"
    CURSOR_INVALID = "CURSOR_INVALID"
    BUSY = "BUSY"
    SIGN_OFF_NEEDED = "SIGN_OFF_NEEDED"
    TOO_MANY = "TOO_MANY"
    LEDGER_RESTORED = "LEDGER_RESTORED"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request: the code, the argument it is about, and whether a retry can help."""

    code: Code
    message: str
    argument: str | None = None
    retryable: bool = False
    existing: tuple[str, UUID] | None = None
    """Type and id of the row that exists already; only ever a row that the caller may see."""


class Refused(Exception):
    """Raised by an action and returned by the API as a `Refusal`; the transaction is rolled back."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        argument: str | None = None,
        retryable: bool = False,
        existing: tuple[str, UUID] | None = None,
    ) -> None:
        super().__init__(message)
        self.refusal = Refusal(code, message, argument, retryable, existing)


@contextmanager
def naming_only(*arguments: str) -> Iterator[None]:
    """Refuse without an argument's name unless it is one of these, while an action passes values of its own to others.

    A client shows a refusal beside the argument that it names, which must be one that the client gave.
    """
    try:
        yield
    except Refused as error:
        if error.refusal.argument not in arguments:
            error.refusal = replace(error.refusal, argument=None)
        raise


def must_be_current(version: int, expected: int | None) -> None:
    """Refuse an edit of a row that changed since the caller read it."""
    if expected is not None and expected != version:
        raise Refused(
            Code.STALE_VERSION,
            f"It has changed since: version {version}, you read {expected}. Read it again.",
            argument="expectedVersion",
            retryable=True,
        )
