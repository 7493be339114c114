"""Compare every planned answer of the tests with graphql-core's: `pytest -p tests.plan_comparison`."""

import dataclasses
import sys
from collections import Counter
from typing import Any

import msgspec
import pytest

from api.execution.document_cache import Operation
from api.execution.executor import GraphQLExecutor, GraphQLRequest, Result
from api.execution.plan import Missed, Plan
from schema.core.context import Context

compared: list[str] = []
differing: list[str] = []
missed: list[str] = []


def encoded(result: Result) -> bytes:
    """The answer as it is sent."""
    return msgspec.json.encode(result.answer)


@pytest.fixture(autouse=True)
def _compare(monkeypatch: pytest.MonkeyPatch) -> Any:
    plain, run = GraphQLExecutor.answer, Plan.run

    async def running(self: Plan, *given: Any) -> Any:
        try:
            return await run(self, *given)
        except Missed as miss:
            missed.append(repr(miss.__cause__))
            raise

    monkeypatch.setattr(Plan, "run", running)

    async def answer(
        self: GraphQLExecutor,
        operation: Operation,
        ask: GraphQLRequest,
        ctx: Context | None,
        trace_id: str,
    ) -> Result:
        if operation.plan is None or ctx is None:
            return await plain(self, operation, ask, ctx, trace_id)
        again = ctx.fresh()
        again.at = ctx.at
        result = await plain(self, operation, ask, ctx, trace_id)
        unplanned = dataclasses.replace(operation, plan=None)
        expected = await plain(self, unplanned, ask, again, trace_id)
        compared.append(ask.query)
        if encoded(result) != encoded(expected):
            differing.append(f"{ask.query}\n{encoded(result)!r}\n{encoded(expected)!r}")
        return result

    monkeypatch.setattr(GraphQLExecutor, "answer", answer)
    before = len(differing)
    yield
    assert not differing[before:], "\n".join(differing[before:])[:4000]


def pytest_sessionfinish() -> None:
    """Print the number of answers compared."""
    causes = Counter(each[:150] for each in missed).most_common(30)
    lines = [
        f"\nplans compared: {len(compared)}, differing: {len(differing)}, missed: {len(missed)}"
    ]
    lines += [f"  {count} × {cause}" for cause, count in causes]
    sys.stdout.write("\n".join(lines) + "\n")
