"""Failures that people meet, with what to do about them instead of a traceback; anything else is a bug."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; scripts rely on them (docs/reference/cli.md)."""

    DONE = 0
    DIFFERS = 1  # a check ran and the answer is no
    USAGE = 2  # a command or option that does not exist
    INPUT = 3  # a setting, a file or an argument that cannot be used
    SERVERS = 4  # no database, no Redis, no port, no room on the disk
    REFUSED = 5  # the domain said no
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class CommandFailure(Exception):
    """A failure of a command that its user can mend; the text says how."""

    def __init__(self, message: str, exit_code: Exit = Exit.INPUT) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def explained(error: BaseException) -> tuple[Exit, str] | None:
    """The exit code and the words for a failure we know; None for a bug."""
    if isinstance(error, CommandFailure):
        return error.exit_code, str(error)
    if (
        isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError)
        and error.filename
    ):
        return Exit.INPUT, f"{error.filename}: {error.strerror}."
    return _of_settings(error) or _of_servers(error) or _of_domain(error)


def _of_settings(error: BaseException) -> tuple[Exit, str] | None:
    from pydantic import ValidationError

    if isinstance(error, ValidationError) and error.title == "Settings":
        lines = [
            f"WAARBORG_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        ]
        return Exit.INPUT, "A setting cannot be used.\n" + "\n".join(lines)
    return None


def _of_servers(error: BaseException) -> tuple[Exit, str] | None:
    import asyncpg
    import redis.exceptions
    import sqlalchemy.exc
    from alembic.util import CommandError

    from api.embedded import EmbeddedError

    if isinstance(error, EmbeddedError):
        return Exit.SERVERS, str(error)
    if isinstance(error, CommandError):
        return (
            Exit.SERVERS,
            f"{error}\nThe database and this release of Waarborg do not belong together.",
        )
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
        return explained(cause)
    for kinds, words in (
        (asyncpg.UndefinedTableError, "The database is not up to date ({0}): waarborg migrate"),
        (asyncpg.DiskFullError, "PostgreSQL's disk is full: {0}"),
        (
            asyncpg.PostgresConnectionError
            | asyncpg.InvalidAuthorizationSpecificationError
            | asyncpg.InvalidCatalogNameError
            | asyncpg.CannotConnectNowError
            | asyncpg.TooManyConnectionsError,
            "PostgreSQL cannot be used: {0}. See WAARBORG_DATABASE_URL.",
        ),
        (redis.exceptions.RedisError, "Redis cannot be used: {0}. See WAARBORG_REDIS_URL."),
        (ConnectionError | TimeoutError, "A server does not answer: {0}."),
    ):
        if isinstance(error, kinds):
            return Exit.SERVERS, words.format(str(error) or type(error).__name__)
    return None


def _of_domain(error: BaseException) -> tuple[Exit, str] | None:
    from domain.core.errors import Code, Refused

    if not isinstance(error, Refused):
        return None
    unusable = error.refusal.code is Code.INVALID
    return (Exit.INPUT if unusable else Exit.REFUSED), str(error)
