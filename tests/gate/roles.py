"""A prober of roles: everything inside one company, asked as each role, compared with the page about visibility.

The management's answer is cut down to what the page promises a role, and compared with what the role is answered, leaf
by leaf: a value where the page promises none is a leak, none where it promises one is a loss. A probe is one role and
one field, operation or download; it is armed when somebody who may is given a value for the same question.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from schema.build import nodes
from schema.core import ids
from tests.api.asking import Api
from tests.gate import documents
from tests.gate.expected import PART_OF, TABLES, Asker, Expectation, words_for
from tests.gate.findings import EMPTY, NOTHING, Findings
from tests.gate.prober import Prober, Side

AT_ONCE = 6
LEAVES_OF = 10
"""Rows of a list that are compared leaf by leaf; of the others it is compared whether they are there."""
SKIPPED = frozenset({"position", "data", "count", "cursor", "words", "siteCount", "totalCount"})
"""Fields whose presence says nothing, or that are asked about elsewhere."""
COMPUTED = {
    *("kpis", "kpiCatalogue", "kpiFacts", "surveyScores", "coverageGaps", "sentimentTrend"),
    *("retention", "forecastReport", "dashboardValues", "replacementCandidates"),
    "alarmUnits",
}
"""Computed from the rows in reach, so that no part of the management's answer is expected: `test_computed.py`,
`tests/schema/test_kpis.py` and `test_survey_scores.py` ask as each role."""
ELSEWHERE = {"node", "ledger"} | COMPUTED
LEFT_OUT = {
    "presences": frozenset({"lasting"}),
    "touchpoints": frozenset({"overdue"}),
}
"""Filters that would leave nothing to see."""
LONG = frozenset({"auditFacts", "users"})
"""Lists of more than 50 rows, of which each asker is shown others."""
FACTS = """query ($after: String) { ledger(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { __typename kind at recordedAt actor body traceId words subjectId hash account { id } } } }"""


class Root(NamedTuple):
    """A query, or a row of a type, with its variables."""

    label: str
    head: str
    field: GraphQLField
    variables: dict[str, Any]


class Roles:
    """Reads as every asker; `manager` sees everything and arms the probes."""

    def __init__(self, api: Api, expectation: Expectation, manager: str, company: Side) -> None:
        self.api, self.expectation, self.manager = api, expectation, manager
        self.page, self.company = expectation.page, company
        self.schema = documents.over(api.state.engine.documents.schema)
        self.maker = Prober(api, company, company, manager)
        self.findings = Findings()
        self.remembered: dict[str, Any] = {}

    def is_asked(self, name: str, only: frozenset[str] | None) -> bool:
        """Whether a name is among those asked about."""
        return only is None or name in only

    async def run(self, askers: Iterable[Asker], *, only: frozenset[str] | None = None) -> Findings:
        """Read as all of them; `only` names the queries and types to ask about."""
        for asker in askers:
            roots = self.roots(asker, only)
            alone = [each for each in roots if self._is_forbidden(asker, each)]
            together = [each for each in roots if each not in alone]
            for start in range(0, len(together), AT_ONCE):
                await self._read(asker, together[start : start + AT_ONCE])
            for each in alone:
                await self._read(asker, [each])
            await self._hidden(asker, only)
            if self.is_asked("ledger", only):
                await self._facts(asker)
        return self.findings

    def roots(self, asker: Asker, only: frozenset[str] | None) -> list[Root]:
        """Every query, and a row of every type with an id; of users also oneself."""
        found: list[Root] = []
        query = self.schema.query_type
        assert query is not None
        for name, each in query.fields.items():
            if name not in ELSEWHERE and self.is_asked(name, only):
                _, given = self.maker._document("query", name, each, "", depth=0)
                filters = LEFT_OUT.get(name, frozenset())
                variables = {key: given[key] for key in given if key not in filters}
                found.append(Root(name, name, each, variables))
        node = query.fields["node"]
        kinds = [kind.__name__ for kind in nodes() if kind.__name__ in self.company.owned]
        found.extend(
            Root(kind, "node", node, {"id": self.company.id_of(kind)})
            for kind in kinds
            if self.is_asked(kind, only)
        )
        if asker.user_id is not None and self.is_asked("User", only):
            found.append(Root("User", "node", node, {"id": ids.write("User", asker.user_id)}))
        return found

    def _is_forbidden(self, asker: Asker, root: Root) -> bool:
        """Whether the page promises an error for a query, which would take all others in the request along."""
        needed = self.page.operations["Queries"].get(root.head, frozenset())
        return not needed <= asker.rights and isinstance(root.field.type, GraphQLNonNull)

    async def _read(self, asker: Asker, batch: list[Root], depth: int = 2) -> None:
        document, variables = self._document(asker, batch, depth)
        whole = await self._all(document, variables)
        if whole is None:  # more than one operation may ask: half of it, or less deep
            if len(batch) == 1 and depth < 0:
                unanswered = f"error: MANAGEMENT|{document}: {variables}"
                if unanswered not in self.findings.found:
                    self.findings.found.append(unanswered)
                return
            middle = len(batch) // 2
            for part in (batch[:middle], batch[middle:]) if middle else (batch,):
                await self._read(asker, part, depth if middle else depth - 1)
            return
        answer = await self.api.ask(asker.token, document, **variables)
        if answer.get("data") is None and not self._is_forbidden(asker, batch[0]):
            self.findings.found.append(f"error: {asker.name}|{document[:60]}: {answer['errors']}")
            return
        told = answer.get("data") or {}
        for n, root in enumerate(batch):
            everything = whole.get(f"r{n}")
            needed = self.page.operations["Queries"].get(root.head, frozenset())
            may = needed <= asker.rights and (root.head == "node" or self._names(asker, root))
            nothing = NOTHING.get(root.head) if needed <= asker.rights else None
            expected = self.expectation.cut(asker, everything) if may else nothing
            self._compare(asker, root.label, everything, expected, told.get(f"r{n}"))

    def _names(self, asker: Asker, root: Root) -> bool:
        """Whether an asker may name every row that the arguments name."""
        named = [ids.read(value) for value in root.variables.values() if isinstance(value, str)]
        return all(self.expectation.reaches(asker, *each) for each in named if each is not None)

    async def _all(self, document: str, variables: dict[str, Any]) -> Any:
        key = document + json.dumps(variables, sort_keys=True)
        if key not in self.remembered:
            answer = await self.api.ask(self.manager, document, **variables)
            self.remembered[key] = answer.get("data")
        return self.remembered[key]

    def _document(self, asker: Asker, batch: list[Root], depth: int) -> tuple[str, dict[str, Any]]:
        declared, asked, variables = [], [], {}
        for n, (label, head, each, given) in enumerate(batch):
            used = []
            for name, value in given.items():
                declared.append(f"$v{n}_{name}: {each.args[name].type}")
                used.append(f"{name}: $v{n}_{name}")
                variables[f"v{n}_{name}"] = value
            if "first" in each.args:
                used.append("first: 100" if head in LONG else "first: 50")
            kind = self.schema.type_map[label] if head == "node" else get_named_type(each.type)
            inside = self._selection(asker, kind, depth)
            if head == "node":
                inside = f"{{ __typename ... on {label} {inside} }}"
            given_to = f"({', '.join(used)})" if used else ""
            asked.append(f"r{n}: {head}{given_to} {inside}")
        head = f"query({', '.join(declared)})" if declared else "query"
        return f"{head} {{ {' '.join(asked)} }}", variables

    def _selection(self, asker: Asker, kind: Any, depth: int) -> str:
        if is_leaf_type(kind):
            return ""
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return "{ __typename }"
        fields = ["__typename"]
        for name, each in kind.fields.items():
            if any(is_required_argument(a) for a in each.args.values()):
                continue
            if name in self._skipped(kind.name) or self._raises(asker, kind.name, name, each):
                continue
            below = get_named_type(each.type)
            deeper = kind.name.endswith("Connection")
            if is_leaf_type(below):
                fields.append(name)
            elif depth > 0 or deeper:
                few = "(first: 10)" if "first" in each.args else ""
                fields.append(f"{name}{few} {self._selection(asker, below, depth - (not deeper))}")
            elif name in {PART_OF.get(kind.name), "account" * (kind.name == "LedgerEntry")}:
                fields.append(f"{name} {{ id }}")
        return "{ " + " ".join(fields) + " }"

    def _skipped(self, kind: str) -> frozenset[str]:
        more = {"AuditFact": "hashes", "Viewer": "user"}.get(kind, "")
        return (SKIPPED if kind != "AuditFact" else frozenset()) | {"edges", "pageInfo", more}

    def _raises(self, asker: Asker, kind: str, name: str, each: GraphQLField) -> bool:
        """Whether the page promises an error for a field, which would take its row along."""
        right = self.page.fields.get((kind, name))
        if right is None or right in asker.rights or not isinstance(each.type, GraphQLNonNull):
            return False
        return not isinstance(each.type.of_type, GraphQLList)

    async def _hidden(self, asker: Asker, only: frozenset[str] | None) -> None:
        """Ask one by one for what would take its row along."""
        for kind, name in self.page.fields:
            each = self.schema.type_map[kind].fields[name]  # type: ignore[attr-defined]
            asked = kind in self.company.owned and self.is_asked(kind, only)
            if not asked or not self._raises(asker, kind, name, each):
                continue
            document = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {name} }} }} }}"
            variables = {"id": self.company.id_of(kind)}
            whole = (await self._all(document, variables))["node"]
            told = (await self.api.ask(asker.token, document, **variables)).get("data") or {}
            label = f"{asker.name}|{kind}.{name}"
            self.findings.note(label, armed=whole is not None and whole[name] is not None)
            self.findings.differ(label, None, (told.get("node") or {}).get(name))

    async def _facts(self, asker: Asker) -> None:
        """Compare the whole ledger, fact by fact, by kind; and which of it is free text."""
        if "ledger" not in self.remembered:
            self.remembered["ledger"] = await self._ledger(self.manager)
        told = {each["hash"]: each for each in await self._ledger(asker.token)}
        for fact in self.remembered["ledger"]:
            expected = self.expectation.sees_fact(asker, fact)
            label = f"{asker.name}|fact {fact['kind']}"
            self.findings.note(label, armed=True)
            mine = told.pop(fact["hash"], None)
            self.findings.differ(label, fact if expected else None, mine)
            if expected and mine is not None:
                self._compare_words(asker, fact, mine)
        self.findings.found.extend(f"leak: {asker.name}|fact {each}" for each in told)

    def _compare_words(self, asker: Asker, fact: dict[str, Any], mine: dict[str, Any]) -> None:
        may = words_for(asker, fact["kind"], fact["words"])
        for name, words in fact["words"].items():
            label = f"{asker.name}|words of {fact['kind']}"
            self.findings.note(label, armed=words is not None)
            self.findings.differ(label, may.get(name), mine["words"].get(name))

    async def _ledger(self, token: str) -> list[Any]:
        found: list[Any] = []
        after = None
        while True:
            answer = await self.api.ask(token, FACTS, after=after)
            page = (answer.get("data") or {}).get("ledger")
            if page is None:
                return found
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    def _compare(self, asker: Asker, path: str, whole: Any, expected: Any, told: Any) -> None:
        """Note a probe, and another for each leaf below, and where what is told is not what is expected."""
        self.findings.note(f"{asker.name}|{path}", armed=whole not in EMPTY)
        if isinstance(whole, dict) and "__typename" in whole:
            self._compare_fields(asker, path, whole, expected, told)
        elif isinstance(whole, list) and whole and "__typename" in str(whole[0]):
            self._compare_rows(asker, path, whole, expected, told)
        else:
            self.findings.differ(f"{asker.name}|{path}", expected, told)

    def _compare_fields(
        self, asker: Asker, path: str, whole: dict[str, Any], expected: Any, told: Any
    ) -> None:
        kind = whole["__typename"]
        path = kind if kind in TABLES else path
        for name, value in whole.items():
            if name != "__typename":
                mine, wanted = (each.get(name) if each else None for each in (told, expected))
                self._compare(asker, f"{path}.{name}", value, wanted, mine)

    def _compare_rows(
        self, asker: Asker, path: str, whole: list[Any], expected: Any, told: Any
    ) -> None:
        """Rows with an id are matched by it, others by their order among those that are expected."""
        expected, told = list(expected or []), list(told or [])
        key = next((name for name in ("id", "position") if name in whole[0]), "")
        if key and whole[0]["__typename"] != "InvoiceLine":
            right, left = ({each[key]: each for each in rows} for rows in (expected, told))
            for row in whole if key == "position" else whole[:LEAVES_OF]:
                self._compare(asker, path, row, right.get(row[key]), left.get(row[key]))
            for row in [] if key == "position" else whole[LEAVES_OF:]:
                if (row[key] in right) != (row[key] in left):
                    found = "leak" if row[key] in left else "loss"
                    self.findings.found.append(f"{found}: {asker.name}|{path}: row {row[key]}")
            seen = {each[key] for each in whole}
            if (
                key == "position"
            ):  # the management's page ends earlier: it sees more of the same positions
                left = {
                    place: row for place, row in left.items() if int(place) <= max(map(int, seen))
                }
            if left.keys() - seen:
                self.findings.found.append(f"leak: {asker.name}|{path}: rows that nobody sees")
            return
        if len(expected) != len(told):
            found = "leak" if len(told) > len(expected) else "loss"
            self.findings.found.append(
                f"{found}: {asker.name}|{path}: {len(told)} rows, not {len(expected)}"
            )
        for row in whole[:1]:
            self._compare(asker, path, row, next(iter(expected), None), next(iter(told), None))
