"""A dispatcher who asks the same small question again and again, and how long the answers take."""

import asyncio
import time
from collections.abc import Sequence

import httpx2

P99_S = 0.3
"""What a dispatcher waits for at most, whatever others do."""
QUICK = "{ incidents(first: 5) { edges { node { summary } } } }"


class Dispatcher:
    """Asks the same small question again and again."""

    def __init__(self, http: httpx2.AsyncClient, token: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}

    async def ask(self) -> float:
        """Ask once; how long the answer took."""
        began = time.monotonic()
        response = await self._http.post("/graphql", json={"query": QUICK}, headers=self._headers)
        took = time.monotonic() - began
        assert len(response.json()["data"]["incidents"]["edges"]) > 0, response.text
        return took

    async def times(self, seconds: float) -> list[float]:
        """How long the answers took, in order of length."""
        until = time.monotonic() + seconds
        took = []
        while time.monotonic() < until:
            took.append(await self.ask())
            await asyncio.sleep(0.01)
        return sorted(took)


def told(times: Sequence[float]) -> str:
    """The median and the slowest of a hundred, in milliseconds."""
    return f"p50 {median(times) * 1000:.0f} p99 {hundredth(times) * 1000:.0f}"


def median(times: Sequence[float]) -> float:
    """Half of the answers took no longer."""
    return times[len(times) // 2]


def hundredth(times: Sequence[float]) -> float:
    """99 of a hundred answers took no longer."""
    return times[len(times) * 99 // 100]


async def answers(http: httpx2.AsyncClient) -> bool:
    """Whether the API is ready."""
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx2.HTTPError:
        return False
