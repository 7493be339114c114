"""GraphQL over HTTP for preparation and audit, not for load."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2

from loadtests.documents import DOCUMENTS

PATIENCE_S = 60.0


class Refusal(Exception):
    """Raised when the server answered with an error or a refusal."""


class Wire:
    """Client of one actor. Raises `Refusal` for errors and refusals, httpx2's errors without a response."""

    def __init__(self, host: str, key: str) -> None:
        self._http = httpx2.Client(
            base_url=host, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S
        )

    def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """Execute an operation and return its data; wait when the budget is spent."""
        body = {"query": DOCUMENTS[document], "variables": variables}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer: dict[str, Any] = self._http.post("/graphql", json=body).json()
            errors = answer.get("errors")
            if not errors:
                data: dict[str, Any] = answer["data"]
                return data
            wait_ms = errors[0].get("extensions", {}).get("retryAfterMs")
            if wait_ms is None or time.monotonic() > deadline:
                raise Refusal(f"{document}: {errors[0]}")
            time.sleep(wait_ms / 1000)

    def do(self, document: str, /, **given: Any) -> dict[str, Any]:
        """Execute a mutation and return its result. Raises `Refusal` when it was refused."""
        done: dict[str, Any] = self.ask(document, input=given)["done"]
        if done["__typename"] == "Refusal":
            raise Refusal(f"{document}: {done['code']} {done['message']}")
        return done

    def rows(self, document: str, /, **variables: Any) -> Iterator[dict[str, Any]]:
        """Yield every row of the connection that the document aliases as `page`, page by page."""
        after = variables.pop("after", None)
        while True:
            page = self.ask(document, after=after, **variables)["page"]
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]
