"""The prober of roles, where something is done: mutations, subscriptions and downloads."""

import json
import re
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import anyio
from graphql import GraphQLField

from api.execution.document_cache import Invalid
from api.execution.executor import GraphQLRequest
from api.identity.authenticator import traced
from schema.core import ids
from tests.gate.expected import Asker
from tests.gate.findings import Findings
from tests.gate.roles import Roles

TOGETHER = 8
QUICK_S, PATIENT_S = 0.4, 5.0
"""How long a subscription is given to be refused: where nothing else is expected, and where a refusal is."""
PATHS = {
    "/reports/{id}.pdf": "Report",
    "/business-reviews/{id}.pdf": "BusinessReview",
    "/business-reviews/{id}.html": "BusinessReview",
    "/credit-notes/{id}.pdf": "CreditNote",
    "/credit-notes/{id}.xml": "CreditNote",
    "/surveys/{id}.csv": "Survey",
}
_VARIABLE = re.compile(r"\$(\w+)")


class Doing:
    """Tries every mutation, subscription and download as every asker."""

    def __init__(self, roles: Roles) -> None:
        self.roles, self.findings = roles, Findings()

    async def run(self, askers: Iterable[Asker], *, only: frozenset[str] | None = None) -> Findings:
        """Follow and download first, because mutations that are allowed do change things."""
        askers = list(askers)
        for asker in askers:
            await self.follow(asker, only)
            await self.download(asker, only)
        for asker in askers:
            await self.act(asker, only)
        return self.findings

    async def act(self, asker: Asker, only: frozenset[str] | None) -> None:
        """Try every mutation: with rows of the company where the page forbids it, else with made-up ids."""
        mutation = self.roles.schema.mutation_type
        assert mutation is not None
        names = [name for name in mutation.fields if self.roles.is_asked(name, only)]
        if "manager" not in self.roles.remembered:
            self.roles.remembered["manager"] = {}
        known = self.roles.remembered["manager"]
        for start in range(0, len(names), TOGETHER):
            batch = names[start : start + TOGETHER]
            if missing := [name for name in batch if name not in known]:
                known |= await self._refused(self.roles.manager, missing, set(missing))
            allowed = {
                name
                for name in batch
                if self.roles.page.operations["Mutations"][name] <= asker.rights
            }
            refused = await self._refused(asker.token, batch, allowed)
            for name in batch:
                label = f"{asker.name}|{name}"
                self.findings.note(label, armed=not known[name])
                if refused[name] == (name in allowed):
                    self.findings.found.append(f"{'loss' if name in allowed else 'leak'}: {label}")

    def _asked(self, n: int, name: str, *, harmless: bool) -> tuple[str, str, dict[str, Any]]:
        """What a mutation declares, asks and is given, under names of its own."""
        field = self.roles.schema.mutation_type.fields[name]  # type: ignore[union-attr]
        document, variables = self.roles.maker._document("mutation", name, field, "", depth=0)
        head, _, body = document.partition("{")
        declared = _VARIABLE.sub(rf"$m{n}_\1", head.partition("(")[2].rpartition(")")[0])
        body = _VARIABLE.sub(rf"$m{n}_\1", body.rpartition("}")[0])
        given = self._harmless(variables) if harmless else variables
        return declared, f"m{n}: {body}", {f"m{n}_{key}": value for key, value in given.items()}

    def _harmless(self, variables: dict[str, Any]) -> dict[str, Any]:
        told = json.dumps(variables)
        for kind in self.roles.company.owned:
            told = told.replace(self.roles.company.id_of(kind), ids.write(kind, uuid4()))
        changed: dict[str, Any] = json.loads(told)
        return changed

    async def _refused(self, token: str, names: list[str], harmless: set[str]) -> dict[str, bool]:
        """Whether the answers are that the role may not do this."""
        declared: list[str] = []
        asked: list[str] = []
        variables: dict[str, Any] = {}
        for n, name in enumerate(names):
            more, one, given = self._asked(n, name, harmless=name in harmless)
            declared += [more] if more else []
            asked.append(one)
            variables |= given
        head = f"mutation({', '.join(declared)})" if declared else "mutation"
        answer = await self.roles.api.ask(token, f"{head} {{ {' '.join(asked)} }}", **variables)
        told = answer.get("data")
        assert told is not None, (names, answer)
        return {name: _is_refused(told[f"m{n}"] or {}) for n, name in enumerate(names)}

    async def follow(self, asker: Asker, only: frozenset[str] | None) -> None:
        """Begin every subscription, about a client and about all of them."""
        subscription = self.roles.schema.subscription_type
        assert subscription is not None
        for name, each in subscription.fields.items():
            if self.roles.is_asked(f"live {name}", only):
                argument = next(
                    (a for a in ("accountId", "accountIds", "id") if a in each.args), ""
                )
                await self._begin(asker, name, each, argument)
                if argument and str(each.args[argument].type)[-1] != "!":
                    await self._begin(asker, name, each, "")

    async def _begin(self, asker: Asker, name: str, each: GraphQLField, argument: str) -> None:
        kind = "Incident" if argument == "id" else "Account"
        row_id = self.roles.company.owned[kind]
        document, variables = self.roles.maker._document(
            "subscription", name, each, argument, depth=0
        )
        variables = json.loads(json.dumps(variables).replace("<<hole>>", ids.write(kind, row_id)))
        allowed = self.roles.page.operations["Subscriptions"][name] <= asker.rights
        reached = bool(argument) and self.roles.expectation.reaches(asker, kind, row_id)
        if not reached:  # of several clients those in reach are followed, be it none
            several = argument in {"", "accountIds"}
            reached = several and "WATCH_ALL" in asker.rights
        allowed = allowed and reached
        label = f"live {name}({argument})"
        if label not in self.roles.remembered:
            self.roles.remembered[label] = await self._denied(
                self.roles.manager, document, variables, QUICK_S
            )
        self.findings.note(f"{asker.name}|{label}", armed=not self.roles.remembered[label])
        wait_s = QUICK_S if allowed else PATIENT_S
        if await self._denied(asker.token, document, variables, wait_s) == allowed:
            found = "loss" if allowed else "leak"
            self.findings.found.append(f"{found}: {asker.name}|{label}")

    async def _denied(
        self, token: str, document: str, variables: dict[str, Any], wait_s: float
    ) -> bool:
        state = self.roles.api.state
        identity = await state.authenticator.identify(token)
        assert identity is not None
        ask = GraphQLRequest(document, variables)
        try:
            operation = await state.gate.look(ask)
            context = state.context(traced(identity.actor, "0" * 32))
            with anyio.move_on_after(wait_s):
                stream = state.engine.stream(operation, ask, context, "0" * 32)
                async with aclosing(stream) as answers:
                    async for done in answers:
                        return '"errors"' in json.dumps(done.answer, default=str)
        except Invalid:
            return True
        return False

    async def download(self, asker: Asker, only: frozenset[str] | None) -> None:
        """Ask for documents: all that the page forbids, and of those it allows the ones that take no time to make."""
        for path, kind in PATHS.items():
            row_id = self.roles.company.owned[kind]
            allowed = self.roles.page.operations["Downloads"][path] <= asker.rights
            allowed = allowed and self.roles.expectation.reaches(asker, kind, row_id)
            if not self.roles.is_asked(path, only) or (allowed and path.endswith("pdf")):
                continue
            url = path.replace("{id}", str(row_id))
            if url not in self.roles.remembered:
                self.roles.remembered[url] = await self._status(self.roles.manager, url)
            label = f"{asker.name}|{path}"
            self.findings.note(label, armed=self.roles.remembered[url] in {200, 422})
            if (await self._status(asker.token, url) in {200, 422}) != allowed:
                self.findings.found.append(f"{'loss' if allowed else 'leak'}: {label}")

    async def _status(self, token: str, url: str) -> int:
        headers = {"authorization": f"Bearer {token}"}
        response = await self.roles.api.http.get(url, headers=headers)
        return response.status_code


def _is_refused(told: dict[str, Any]) -> bool:
    refused = told.get("Refusal_code") == "NOT_ALLOWED"
    return refused and "may not do this; it needs the right" in told["Refusal_message"]
