"""Base of HTTP users: an API key each, documents, and a check that responses hold visible accounts only."""

import random
from typing import Any, ClassVar
from uuid import uuid4

import gevent
from locust.contrib.fasthttp import FastHttpUser

from loadtests.audit import Wrong, fenced
from loadtests.company import Client, Company
from loadtests.documents import DOCUMENTS
from loadtests.run import Run
from loadtests.watching import Eyes

AGAIN_S = 0.2  # before a retryable mutation is repeated


class Asker(FastHttpUser):
    """A user with an API key."""

    abstract = True
    run_of: ClassVar[Run]
    role: ClassVar[str]
    limited: ClassVar[bool] = True
    """Whether the key has access to one client only."""

    def on_start(self) -> None:
        """Choose a company and a client, and issue a key."""
        self.company: Company
        self.client_of: Client
        self.company, self.client_of = self.run_of.place()
        clients = [self.client_of] if self.limited else []
        self.key = self.company.key(self.role, *clients)
        self.allowed = frozenset(each.account for each in clients) or self.company.accounts
        self.headers = {"authorization": f"Bearer {self.key}"}

    def eyes(self, only: str | None = None) -> Eyes:
        """Return the view of this user: of its client, or with `only` certain facts of all clients."""
        account = None if only else self.client_of.account
        return Eyes(self.key, self.role, self.allowed, account, only)

    def ask(self, document: str, /, **variables: Any) -> dict[str, Any] | None:
        """Execute an operation and return its data; None when it failed, which Locust counts."""
        answer = self._answer(document, variables)
        return None if answer is None else answer.get("data")

    def do(self, document: str, /, **given: Any) -> dict[str, Any] | None:
        """Execute a mutation and return its result or refusal, repeating it under the same key until it is answered."""
        given["idempotencyKey"] = str(uuid4())
        opens = document == "open_incident"
        self.run_of.unanswered[self.company.name] += opens
        for _ in range(20):
            answer = self._answer(document, {"input": given})
            done: dict[str, Any] | None = (answer or {}).get("data", {}).get("done")
            if done is not None and not done.get("retryable"):
                self.run_of.unanswered[self.company.name] -= opens
                if opens and done["__typename"] == "Incident":
                    self.run_of.note_opened(self.company, done["id"])
                if random.random() < 0.1:
                    self._repeat(document, given, done)
                return done
            gevent.sleep(AGAIN_S)
        return None

    def _repeat(self, document: str, given: dict[str, Any], done: dict[str, Any]) -> None:
        """Repeat a mutation as a client without a response does; the result must be the same."""
        again = ((self._answer(document, {"input": given}) or {}).get("data") or {}).get("done")
        self.run_of.audit.saw(Wrong.TWICE)
        if again is not None and again.get("id") != done.get("id"):
            self.run_of.audit.blame(Wrong.TWICE, f"{document}: {done} and then {again}")

    def _answer(self, document: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        body = {"query": DOCUMENTS[document], "variables": variables}
        with self.client.post(
            "/graphql", json=body, headers=self.headers, name=document, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}: {(response.text or '')[:200]}")
                return None
            answer: dict[str, Any] = response.json()
            errors = answer.get("errors")
            if errors:
                code = (errors[0].get("extensions") or {}).get("code")
                if code == "RATE_LIMITED":
                    gevent.sleep(errors[0]["extensions"]["retryAfterMs"] / 1000)
                response.failure(f"{code}: {errors[0]['message'][:200]}")
                return None
        fenced(self.run_of.audit, f"{self.company.name} ({self.role})", answer, self.allowed)
        return answer
