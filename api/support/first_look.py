"""What a database holds, asked before the models are imported: that takes two seconds of a start."""

import asyncio

import asyncpg

from domain.evaluator.version import EVALUATOR


def is_empty(url: str) -> bool:
    """Whether there is no security company yet."""
    return not asyncio.run(_exists(url, "SELECT EXISTS (SELECT FROM tenant)"))


def has_older_verdicts(url: str) -> bool:
    """Whether a verdict of an older evaluator is stored; False while the tables are not of this release."""
    return asyncio.run(
        _exists(url, "SELECT EXISTS (SELECT FROM promise WHERE evaluator < $1)", EVALUATOR)
    )


async def _exists(url: str, query: str, *values: object) -> bool:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        return bool(await connection.fetchval(query, *values))
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        return False
    finally:
        await connection.close()
