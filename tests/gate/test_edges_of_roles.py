"""Values at the edges, pages, cursors and ids, asked as every role: whatever is given, the answer is no bug of ours."""

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

import pytest
from graphql import GraphQLField, get_named_type

from schema.core import ids
from tests.api import asking
from tests.api.asking import Api
from tests.gate import edges, paging, prober, victims
from tests.gate.prober import Side
from tests.gate.test_edges import Edges, sent
from tests.gate.test_fuzz import bugs
from tests.gate.test_roles import askers, company

pytestmark = pytest.mark.slow
ROOTS = ("query", "mutation", "subscription")


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An API whose budgets are not exhausted by many questions."""
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


class Everybody:
    """Somebody of every role beside another company, and how often each was asked."""

    def __init__(self, api: Api, own: Side, other: Side, tokens: dict[str, str]) -> None:
        self.api, self.own, self.other, self.tokens = api, own, other, tokens
        self.manager = Edges(api, own, own, own.token)
        self.edges = {
            name: Edges(api, Side(token, own.owned), own, own.token)
            for name, token in tokens.items()
        }
        self.asked: Counter[str] = Counter()
        self.bugs: list[str] = []

    def one_for(self, label: str) -> str:
        """Whose turn it is: the same for the same question, and everybody for many."""
        names = sorted(self.tokens)
        return names[crc32(label.encode(errors="replace")) % len(names)]

    async def ask(
        self, label: str, operation: str, document: str, variables: dict[str, Any]
    ) -> Any:
        """Ask as one of them, and note a bug."""
        name = self.one_for(label)
        self.asked[name] += 1
        answer = await sent(self.edges[name], operation, document, variables)
        if bugs(answer):
            self.bugs.append(f"{name}: {label}: {json.dumps(answer)[:300]}")
        return answer

    def said(self) -> None:
        """Print what was asked of whom."""
        sys.stdout.write(
            f"{sum(self.asked.values())} questions as {len(self.asked)} roles and keys"
            f" ({min(self.asked.values())} to {max(self.asked.values())} each), {len(self.bugs)} bugs\n"
        )


async def everybody(api: Api) -> Everybody:
    """A furnished company with somebody of every role and keys of every scope, and another furnished company."""
    office, own, account_id = await company(api)
    asking_too = await askers(api, office, account_id)
    strangers = await victims.furnished(api)
    other = await prober.side(api, strangers.manager, strangers.world.tenant.id)
    await prober.number(api)
    return Everybody(api, own, other, {each.name: each.token for each in asking_too})


def roots(everyone: Everybody) -> Iterator[tuple[str, str, GraphQLField]]:
    """Every query, mutation and subscription."""
    for operation in ROOTS:
        root = getattr(everyone.manager.schema, f"{operation}_type")
        for name, each in root.fields.items():
            yield operation, name, each


async def test_values_at_the_edges_are_no_bug_whoever_gives_them(api: Api) -> None:
    all_of_them = await everybody(api)
    for operation, name, each in roots(all_of_them):
        document, variables = all_of_them.manager.asked(operation, name, each)
        for argument_name in variables:
            for leaf in edges.leaves(each.args[argument_name].type, (argument_name,)):
                for value in leaf.values:
                    given = edges.changed(variables, leaf, value)
                    if given is not None:
                        path = ".".join(map(str, leaf.path))
                        label = f"{name}({path}): {str(value)[:40]!r}"
                        await all_of_them.ask(label, operation, document, given)
    all_of_them.said()
    assert all_of_them.bugs == []
    assert all_of_them.asked.keys() == all_of_them.tokens.keys()


def wrong_ids(everyone: Everybody, aim: str) -> dict[str, str]:
    """Ids that name nothing of one's own here."""
    wrong = next(kind for kind in everyone.own.owned if kind != aim)
    own = everyone.own.owned.get(aim, uuid4())
    return {
        "another company's": everyone.other.id_of(aim),
        "of another type": everyone.own.id_of(wrong),
        "own row, another type": ids.write(wrong, own),
        "of nothing": ids.write(aim, uuid4()),
        "bare": str(own),
        "of no type": ids.write("Nonsense", own),
        "nil": ids.write(aim, UUID(int=0)),
        "long": ids.write(aim, own) * 500,
        "half": ids.write(aim, own)[:-5],
    }


async def test_ids_of_something_else_are_no_bug_and_show_nothing_of_another_company(
    api: Api,
) -> None:
    all_of_them = await everybody(api)
    asker, leaks = all_of_them.manager, []
    strange = all_of_them.other.words - all_of_them.own.words
    for operation, name, each in roots(all_of_them):
        document, variables = asker.asked(operation, name, each)
        for argument_name in variables:
            for leaf in edges.leaves(each.args[argument_name].type, (argument_name,)):
                if not set(edges.EDGES["ID"]) <= {v for v in leaf.values if isinstance(v, str)}:
                    continue
                aim = asker._aims(name, leaf.name)[0]
                for what, value in wrong_ids(all_of_them, aim).items():
                    given = edges.changed(variables, leaf, value)
                    if given is None:
                        continue
                    label = f"{name}({'.'.join(map(str, leaf.path))}): {what}"
                    answer = await all_of_them.ask(label, operation, document, given)
                    told = json.dumps(answer).replace(value, "")
                    leaks += [f"{label}: {word}" for word in strange if word in told]
    all_of_them.said()
    assert all_of_them.bugs == []
    assert leaks == []


async def a_cursor(api: Api, token: str, listing: paging.Listing, row: str) -> str | None:
    """The cursor of the first row of a list, as its own company is given it."""
    if listing.inside != paging.INFO:
        return None
    variables: dict[str, Any] = {"first": 1} if "first" in listing.field.args else {}
    answer = await api.ask(token, listing.document(), **variables | ({"id": row} if row else {}))
    data = answer.get("data") or {}
    found = ((data.get("node") or {}) if listing.kind else data).get(listing.name) or {}
    cursor: str | None = found.get("pageInfo", {}).get("endCursor")
    return cursor


async def test_pages_at_the_edges_are_no_bug_and_foreign_cursors_are_refused(api: Api) -> None:
    everyone = await everybody(api)
    found = list(paging.listings(everyone.manager.schema))
    rows = {each.label: everyone.own.id_of(each.kind) if each.kind else "" for each in found}
    own = {
        each.label: await a_cursor(api, everyone.own.token, each, rows[each.label])
        for each in found
    }
    theirs = {
        each.label: await a_cursor(
            api, everyone.other.token, each, everyone.other.id_of(each.kind) if each.kind else ""
        )
        for each in found
    }
    taken, refused = [], 0
    for listing in found:
        row = {"id": rows[listing.label]} if listing.kind else {}
        for given in paging.sizes(listing):
            await everyone.ask(
                f"{listing.label}{given}", "query", listing.document(), {**row, **given}
            )
        foreign = {
            cursor
            for each in found
            if each.label != listing.label and (cursor := own[each.label]) is not None
        }
        taken_here = [a for n, a in listing.field.args.items() if n in {"after", "before"}]
        are_cursors = any(get_named_type(each.type).name == "String" for each in taken_here)
        stranger = theirs[listing.label]
        strange = [*sorted(foreign)[:6], *([] if stranger is None else [stranger])]
        for cursor in [*paging.made_up(own[listing.label]), *strange]:
            for given in paging.around(listing, cursor) if are_cursors else ():
                variables = {**row, **given}
                label = f"{listing.label}{str(given)[:80]}"
                await everyone.ask(label, "query", listing.document(), variables)
                answer = await sent(everyone.manager, "query", listing.document(), variables)
                codes = {e["extensions"].get("code") for e in answer.get("errors", ())}
                if codes and codes <= {"CURSOR_INVALID", "INVALID", "BAD_REQUEST"}:
                    refused += 1
                else:
                    taken.append(f"{label}: {json.dumps(answer)[:200]}")
    everyone.said()
    with_cursors = sum(cursor is not None for cursor in own.values())
    sys.stdout.write(
        f"{len(found)} lists, {with_cursors} with rows, {refused} cursors refused, {len(taken)} taken\n"
    )
    assert everyone.bugs == []
    assert taken == []
    assert with_cursors > 15
