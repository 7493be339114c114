"""The prober of roles, where something is counted: `totalCount` and filters of every list, and the numbers of a status.

A number tells about rows as much as the rows do. What the management is answered is cut down to what the page promises
an asker; that many rows, and no other number, are what the asker's list and its `totalCount` must come to, for the
whole list and under each filter. A filter by a row that the asker does not see must find nothing. Where a filter
selects no row of the company as it is, it is asked while the rows are arranged so that it does (`arranged`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLEnumType, GraphQLField, get_named_type

from schema.core import ids
from tests.gate.arranged import Round, arranged, rounds, wanted
from tests.gate.expected import Asker
from tests.gate.findings import Findings
from tests.gate.roles import LONG, Roles

AT_ONCE = 6
MOST = 50
EARLIER, LATER = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
FIRST = ("From", "fromAt")
"""How the name of an argument ends whose rows come after its instant."""
PAGES = frozenset({"first", "after", "last", "before"})
WORDS = {"search": "number", "externalSource": "externalSource", "externalId": "externalId"}
WORDS |= {"parameter": "name", "onDay": "onDay", "languages": "language"}
"""Argument → the field of a row that holds a value to ask for."""
ROW_OF = {"assigneeId": "User"}
READ_BY = {("incidents", "dueBefore"): "nextDueAt", ("incidents", "orderBy"): "nextDueAt"}
"""Query and argument → the field without which a row is left out; who may not read the field finds nothing."""
STATUSES = {"NEW": "new", "ACKNOWLEDGED": "inProgress", "IN_PROGRESS": "inProgress"}
STATUSES |= {"PAUSED": "paused", "RESOLVED": "resolved"}
STATES = {"RUNNING": "running", "AT_RISK": "atRisk", "PAUSED": "held", "PENDING": "held"}
NUMBERS = tuple(dict.fromkeys([*STATUSES.values(), *STATES.values()]))


def most_of(name: str) -> int:
    """Return the size of a page that holds all rows of a list here."""
    return 2 * MOST if name in LONG else MOST


@dataclass(frozen=True)
class Question:
    """One list with at most one filter."""

    name: str
    argument: str
    value: Any

    @property
    def label(self) -> str:
        """The list and its filter."""
        return f"{self.name}({self.argument}: {self.value})" if self.argument else self.name

    def __hash__(self) -> int:
        return hash(self.label)

    @property
    def filter(self) -> tuple[str, str, Any]:
        """The list, the argument and the value."""
        return self.name, self.argument, self.value


@dataclass
class Counting:
    """Counts the rows of every list as every asker."""

    roles: Roles
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self.round: Round = {}

    async def run(self, askers: Iterable[Asker], *, only: frozenset[str] | None = None) -> Findings:
        """Count as all of them; `only` names queries, as `count incidents`."""
        askers = list(askers)
        left = await self.questions(only)
        status = self.roles.is_asked("count accountStatus", only)
        tenant_id = self.roles.company.owned["Tenant"]
        for one in [{}, *await self._rounds(left, status=status)]:
            async with arranged(self.roles.api.make, tenant_id, one):
                self.round = one
                whole = {each: await self._whole(each) for each in left if self._is_now(each)}
                asked = [each for each in whole if one == {} or whole[each]]
                asked = [each for each in asked if whole[each] or wanted(*each.filter) is None]
                for asker in askers:
                    await self._ask(asker, asked, whole)
                    if status:
                        await self._count_status(asker)
            left = [each for each in left if each not in asked]
        self.findings.found += [f"never asked: {each.label}" for each in left]
        return self.findings

    async def _ask(
        self, asker: Asker, asked: list[Question], whole: dict[Question, list[Any]]
    ) -> None:
        for start in range(0, len(asked), AT_ONCE):
            await self._count(asker, asked[start : start + AT_ONCE], whole)

    async def _rounds(self, asked: list[Question], *, status: bool) -> list[Round]:
        """How the rows are arranged for what selects none of them, and for each number of a status."""
        filters = [each.filter for each in asked if not await self._whole(each)]
        if status:
            filters += [("incidents", "statuses", (each,)) for each in STATUSES]
            filters += [("promises", "states", (each,)) for each in STATES]
        return rounds(filters)

    def _is_now(self, question: Question) -> bool:
        """Whether a question is asked in this round: first all of them, then those that the rows are arranged for."""
        if not self.round:
            return True
        table, values = wanted(*question.filter) or ("", {})
        there = self.round.get(table, {})
        return bool(values) and all(
            column in there and there[column] == value for column, value in values.items()
        )

    async def questions(self, only: frozenset[str] | None) -> list[Question]:
        """Every list, whole and under each filter with each value."""
        query = self.roles.schema.query_type
        assert query is not None
        found = []
        for name, each in query.fields.items():
            if not get_named_type(each.type).name.endswith("Connection"):
                continue
            if name == "ledger" or not self.roles.is_asked(f"count {name}", only):
                continue  # the ledger is not counted, and compared fact by fact
            found.append(everything := Question(name, "", None))
            rows = await self._whole(everything)
            for argument in each.args.keys() - PAGES:
                values = self._values(each, name, argument, rows)
                found += [Question(name, argument, one) for one in values]
        return sorted(found, key=lambda each: each.label)

    def _values(self, each: GraphQLField, name: str, argument: str, rows: list[Any]) -> list[Any]:
        kind = get_named_type(each.args[argument].type)
        if isinstance(kind, GraphQLEnumType):
            many = str(each.args[argument].type).startswith("[")
            return [(one,) if many else one for one in kind.values]
        if kind.name == "ID":
            named = (row.get(argument.removesuffix("Id")) for row in rows)
            kind_of_row = ROW_OF.get(argument) or self.roles.maker._aims(name, argument)[0]
            of_company = self.roles.company.id_of(kind_of_row)
            return [next((one["id"] for one in named if one), of_company)]
        if kind.name == "Boolean":
            return [True, False]
        if kind.name == "DateTime":
            return [EARLIER if argument.endswith(FIRST) else LATER]
        if kind.name == "Float":
            return [1.0 if argument.endswith("AtMost") else 0.0]
        if kind.name == "Date" and argument not in WORDS:
            return [LATER[:10]]
        held = (row[WORDS[argument]] for row in rows)
        one = next((one for one in held if one is not None), "1")
        one = one[:10] if kind.name == "Date" else one
        return [[one] if str(each.args[argument].type).startswith("[") else one]

    def _document(self, batch: list[Question], inside: str) -> tuple[str, dict[str, Any]]:
        query = self.roles.schema.query_type
        assert query is not None
        declared, asked, variables = [], [], {}
        for n, (name, argument, value) in enumerate((q.name, q.argument, q.value) for q in batch):
            given = ""
            if argument:
                declared.append(f"$v{n}: {query.fields[name].args[argument].type}")
                variables[f"v{n}"] = value
                given = f", {argument}: $v{n}"
            asked.append(
                f"r{n}: {name}(first: {most_of(name)}{given}) {{ totalCount nodes {inside} }}"
            )
        head = f"query({', '.join(declared)})" if declared else "query"
        return f"{head} {{ {' '.join(asked)} }}", variables

    async def _whole(self, question: Question) -> list[Any]:
        """The rows that the management is answered, with all that their visibility depends on."""
        key = f"count {question.label} {self.round}"
        if key in self.roles.remembered:
            rows: list[Any] = self.roles.remembered[key]
            return rows
        query = self.roles.schema.query_type
        assert query is not None
        page: Any = get_named_type(query.fields[question.name].type)
        kind = get_named_type(page.fields["nodes"].type)
        management = Asker("MANAGEMENT", "", self.roles.page.rights["MANAGEMENT"])
        answer: dict[str, Any] = {}
        for depth in (1, 0):
            inside = self.roles._selection(management, kind, depth)
            document, variables = self._document([question], inside)
            answer = await self.roles.api.ask(self.roles.manager, document, **variables)
            if answer.get("data") is not None:
                break
        data = answer["data"]["r0"]
        rows = self.roles.remembered[key] = data["nodes"]
        assert data["totalCount"] == len(rows), question
        return rows

    async def _count(
        self, asker: Asker, batch: list[Question], whole: dict[Question, list[Any]]
    ) -> None:
        document, variables = self._document(batch, "{ __typename }")
        answer = await self.roles.api.ask(asker.token, document, **variables)
        for n, question in enumerate(batch):
            label = f"{asker.name}|count {question.label}"
            self.findings.note(label, armed=bool(whole[question]))
            told = (answer.get("data") or {}).get(f"r{n}")
            if told is None:
                self.findings.found.append(f"error: {label}: {str(answer)[:200]}")
                continue
            expected = await self._expected(asker, question, whole[question])
            counted = told["totalCount"], len(told["nodes"])
            if counted != (expected, expected):
                found = "leak" if max(counted) > expected else "loss"
                self.findings.found.append(f"{found}: {label}: {counted}, not {expected}")

    async def _expected(self, asker: Asker, question: Question, rows: list[Any]) -> int:
        """How many rows the page promises."""
        if isinstance(question.value, str) and (found := ids.read(question.value)) is not None:
            named = {"__typename": found[0], "id": question.value}
            row = await self._row(named)
            if row is None or not self.roles.expectation.sees(asker, row):
                return 0
        seen = [each for each in rows if self.roles.expectation.sees(asker, each)]
        shown = READ_BY.get((question.name, question.argument))
        if shown is None or question.value == "NEWEST":
            return len(seen)
        if self.roles.page.fields["Incident", shown] not in asker.rights:
            return 0
        if "READ_INTERNAL" in asker.rights:
            return len(seen)
        return await self._with(asker, question.name, shown)

    async def _with(self, asker: Asker, name: str, shown: str) -> int:
        """How many rows of a list show a value to an asker."""
        document = f"{{ {name}(first: {most_of(name)}) {{ nodes {{ {shown} }} }} }}"
        data = await self.roles.api.data(asker.token, document)
        return sum(each[shown] is not None for each in data[name]["nodes"])

    async def _row(self, named: dict[str, str]) -> Any:
        """A row that a filter names, as the management sees it."""
        key = f"row {named['id']} {self.round}"
        if key not in self.roles.remembered:
            kind = named["__typename"]
            management = Asker("MANAGEMENT", "", self.roles.page.rights["MANAGEMENT"])
            inside = self.roles._selection(management, self.roles.schema.type_map[kind], 0)
            document = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {inside} }} }}"
            data = await self.roles.api.data(self.roles.manager, document, id=named["id"])
            self.roles.remembered[key] = data["node"]
        return self.roles.remembered[key]

    async def _count_status(self, asker: Asker) -> None:
        """Compare the numbers of a status with the rows that the page promises."""
        account_id = self.roles.company.id_of("Account")
        document = f"""query ($id: ID!) {{ accountStatus(accountId: $id) {{
          counts {{ {" ".join(NUMBERS)} }} }} }}"""
        answer = await self.roles.api.ask(asker.token, document, id=account_id)
        told = ((answer.get("data") or {}).get("accountStatus") or {}).get("counts")
        expected: Counter[str] = Counter()
        everything: Counter[str] = Counter()
        for name, key, words in (("incidents", "status", STATUSES), ("promises", "state", STATES)):
            for row in await self._whole(Question(name, "accountId", account_id)):
                if row[key] in words:
                    everything[words[row[key]]] += 1
                    expected[words[row[key]]] += self.roles.expectation.sees(asker, row)
        allowed = self.roles.page.operations["Queries"]["accountStatus"] <= asker.rights
        reached = self.roles.expectation.reaches(asker, *(ids.read(account_id) or ("", None)))
        for name in NUMBERS:
            label = f"{asker.name}|count accountStatus.{name}"
            self.findings.note(label, armed=everything[name] > 0)
            if told is not None and told[name] != expected[name]:
                found = "leak" if told[name] > expected[name] else "loss"
                self.findings.found.append(f"{found}: {label}: {told[name]}, not {expected[name]}")
        if (told is not None) != (allowed and reached):
            self.findings.found.append(f"leak or loss: {asker.name}|count accountStatus: {told}")
