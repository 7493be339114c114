"""Verdicts of an older evaluator: they stay until they are evaluated again, and operators get advice on how."""

from time import monotonic
from typing import TYPE_CHECKING

from api.support.first_look import has_older_verdicts

if TYPE_CHECKING:
    from domain.core.db import Sessions

ADVICE = (
    "Some verdicts were made by the evaluator of an older release. To judge them again: waarborg evaluate"
    " (waarborg evaluate --verify shows first what would change)."
)
EVERY_S = 60


class OlderVerdicts:
    """Whether there are any, looked up once a minute however often it is asked."""

    def __init__(self, make: "Sessions") -> None:
        self._make = make
        self._there = False
        self._look_at = 0.0

    async def there(self) -> bool:
        """Whether a verdict of an older evaluator is stored; the last answer while the database is away."""
        from sqlalchemy.exc import DBAPIError

        from domain import promises

        if monotonic() >= self._look_at:
            self._look_at = monotonic() + EVERY_S
            try:
                async with self._make() as session:
                    self._there = await promises.has_older_verdicts(session)
            except (DBAPIError, OSError):
                self._look_at = 0.0
        return self._there


def advice(system_url: str) -> str | None:
    """Return the advice for the command line; None when there are none."""
    return ADVICE if has_older_verdicts(system_url) else None
