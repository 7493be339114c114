"""`restored`: begin a new epoch of the ledger after a backup was restored."""

import asyncio

from api.state import utc_now
from domain.core import epoch
from domain.core.db import connect, sessions, transaction
from domain.core.settings import Settings


def run(settings: Settings, reason: str) -> None:
    """Begin the epoch and print its id."""
    asyncio.run(_begin(settings, reason))


async def _begin(settings: Settings, reason: str) -> None:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            found = await epoch.begin(session, reason=reason, at=utc_now())
        print(f"Epoch {found.id} began after fact {found.began_after_seq}.")
        print("Restart the API processes: open subscriptions end with the notice RESTORED.")
    finally:
        await engine.dispose()
