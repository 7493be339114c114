"""Verdicts of an older evaluator: they stay until they are evaluated again, and operators get advice on how."""

import asyncio
from time import monotonic

from sqlalchemy.exc import DBAPIError, ProgrammingError

from domain import promises
from domain.core.db import Sessions, connect, sessions

ADVICE = (
    "Some verdicts were made by the evaluator of an older release. To judge them again: waarborg evaluate"
    " (waarborg evaluate --verify shows first what would change)."
)
EVERY_S = 60


class OlderVerdicts:
    """Whether there are any, looked up once a minute however often it is asked."""

    def __init__(self, make: Sessions) -> None:
        self._make = make
        self._there = False
        self._look_at = 0.0

    async def there(self) -> bool:
        """Whether a verdict of an older evaluator is stored; the last answer while the database is away."""
        if monotonic() >= self._look_at:
            self._look_at = monotonic() + EVERY_S
            try:
                async with self._make() as session:
                    self._there = await promises.has_older_verdicts(session)
            except (DBAPIError, OSError):
                self._look_at = 0.0
        return self._there


async def are_there(system_url: str) -> bool:
    """The same of a database; False while its tables are not of this release."""
    engine = connect(system_url, pool_size=1)
    try:
        async with sessions(engine)() as session:
            return await promises.has_older_verdicts(session)
    except ProgrammingError:
        return False
    finally:
        await engine.dispose()


def advice(system_url: str) -> str | None:
    """Return the advice for the command line; None when there are none."""
    return ADVICE if asyncio.run(are_there(system_url)) else None
