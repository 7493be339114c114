"""Expected failures of commands, shown as a message with a remedy; any other exception is a bug with a traceback."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the CLI; scripts rely on them (docs/reference/cli.md)."""

    DONE = 0
    DIFFERS = 1  # a check ran and found a difference
    USAGE = 2  # a command or option that does not exist
    INPUT = 3  # a setting, a file or an argument that cannot be used
    SERVERS = 4  # no database, no Redis, no port, no room on the disk
    REFUSED = 5  # a business rule refused the command
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class CommandFailure(Exception):
    """Raised by a command for a failure that its user can fix; the message says how."""

    def __init__(self, message: str, exit_code: Exit = Exit.INPUT) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def explained(error: BaseException) -> tuple[Exit, str] | None:
    """Return the exit code and message of an expected failure; None for a bug."""
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
        return Exit.INPUT, "A setting is invalid.\n" + "\n".join(lines)
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
            f"{error}\nThe database does not match this release of Waarborg.",
        )
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
        return explained(cause)
    for kinds, template in (
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
        (ConnectionError | TimeoutError, "A server does not respond: {0}."),
    ):
        if isinstance(error, kinds):
            return Exit.SERVERS, template.format(str(error) or type(error).__name__)
    return None


def _of_domain(error: BaseException) -> tuple[Exit, str] | None:
    from domain.core.errors import Code, Refused

    if not isinstance(error, Refused):
        return None
    unusable = error.refusal.code is Code.INVALID
    return (Exit.INPUT if unusable else Exit.REFUSED), str(error)
