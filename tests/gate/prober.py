"""A prober of strangers' doors: every field, argument and cursor of the schema, asked with what is somebody else's.

It knows nothing but the schema. For each argument that takes an id it asks twice, with a victim's id and with a made-up
one: answers that differ tell that the row exists. An answer in which something of the victim's shows is a leak, and a
changed row of the victim's is tampering. A probe is armed when the victim's own manager does get another answer with
the same words: a probe that nobody could use proves nothing.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import anyio
from graphql import GraphQLField, GraphQLNamedType, GraphQLSchema, Undefined, get_named_type
from sqlalchemy import inspect, select, text

from api.execution.document_cache import Invalid
from api.execution.executor import GraphQLRequest
from api.identity.authenticator import traced
from domain.access import Role
from domain.accounts import User
from domain.core import sequencing
from domain.core.db import transaction
from domain.metadata import metadata
from schema.build import nodes
from schema.core import ids
from tests.api.asking import Api
from tests.gate import documents

CURSORS = ("after", "before")
HINTED = documents.HINTS.keys()
PERIOD = {"fromAt", "untilAt"}
"""Not given to lists: what was furnished is of today, and the period of the documents is not."""
NO_CURSOR = "no-cursor-of-theirs"
"""Asked where the victim's list is empty. No part of any answer: it is blotted out before answers are compared."""
SILENCE = "silence"
QUICK_S, PATIENT_S = 0.3, 5.0  # for a subscription's first words
_NOISE = re.compile(
    r'"traceId": "[0-9a-f]+"|"cost": \d+|"PatrolUpload_(?:id|receivedAt|skewMs)": [^,}]+'
    r'|"PhoneBatch_(?:id|receivedAt|clockErrorMs)": [^,}]+'
)


@dataclass
class Side:
    """Somebody's token and, for each type, the id of a row of theirs."""

    token: str
    owned: dict[str, UUID]
    words: frozenset[str] = frozenset()
    """What must show in nobody else's answers."""

    def id_of(self, type_name: str) -> str:
        """The global id of a row of this type; made up when there is none."""
        return ids.write(type_name, self.owned.get(type_name, uuid4()))


async def side(api: Api, token: str, tenant_id: UUID, account_id: UUID | None = None) -> Side:
    """Everything of a company's (or of one account's) that has an id."""
    owned: dict[str, UUID] = {}
    words: set[str] = set()
    async with api.make() as session:
        for model in nodes():
            kind: Any = model
            columns = inspect(kind).columns
            if account_id is None:
                mine = columns.get("tenant_id", columns["id"]) == tenant_id
            elif model.__name__ == "Account":
                mine = columns["id"] == account_id
            elif "account_id" in columns:
                mine = columns["account_id"] == account_id
            else:
                continue
            rows = list(await session.scalars(select(kind).where(mine).order_by(kind.id)))
            if (
                kind is User
            ):  # an office user last: guards and clients cannot own what the office does
                rows.sort(key=lambda row: row.role is Role.DISPATCHER)
            for row in rows:
                owned[model.__name__] = row.id
                words |= {str(row.id), row.id.hex, ids.write(model.__name__, row.id)}
                words |= {v for v in (getattr(row, n, None) for n in ("email", "prefix")) if v}
    return Side(token, owned, frozenset(words))


@dataclass
class Findings:
    """What came of the probing."""

    probes: int = 0
    armed: int = 0
    unarmed: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    oracles: list[str] = field(default_factory=list)
    tampered: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of probes that would have hit, had the door been open."""
        return self.armed / max(1, self.probes)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.leaks or self.oracles or self.tampered)

    def __str__(self) -> str:
        found = (
            f"{len(self.leaks)} leaks, {len(self.oracles)} oracles, {len(self.tampered)} tampered"
        )
        return f"{self.probes} probes, {self.share:.1%} armed, {found}; unarmed: {self.unarmed}"


@dataclass(frozen=True)
class Shot:
    """One question with a hole in it."""

    label: str
    document: str
    variables: dict[str, Any]
    hole: str
    aim: tuple[str, ...]
    """The types whose ids may fit; empty for a cursor."""
    live: bool = False


class Prober:
    """Asks as `attacker` about what is the `victim`'s; `owner` is the victim's own manager, for arming."""

    def __init__(
        self, api: Api, attacker: Side, victim: Side, owner: str, *, cursors: bool = True
    ) -> None:
        self.api, self.attacker, self.victim, self.owner = api, attacker, victim, owner
        self.with_cursors = cursors
        self.schema: GraphQLSchema = documents.over(api.state.engine.documents.schema)
        self.findings = Findings()

    async def run(self, tenant_id: UUID) -> Findings:
        """Every probe there is. Control shots of the owner come last, because they do change things."""
        before = await self._rows(tenant_id)
        shots = [shot async for shot in self._shots()]
        for document, variables in self._walks():
            self._look_for_leaks(
                document[:80], await self._ask(self.attacker.token, document, variables)
            )
        for shot in shots:
            await self._shoot(shot)
        after = await self._rows(tenant_id)
        self.findings.tampered = [name for name in before if before[name] != after[name]]
        for shot in shots:
            await self._arm(shot)
        return self.findings

    async def _shoot(self, shot: Shot) -> None:
        self.findings.probes += 1
        for aim in shot.aim or ("",):
            hit = await self._fire(self.attacker.token, shot, self._bullet(shot, aim))
            miss = await self._fire(self.attacker.token, shot, self._blank(shot, aim))
            self._look_for_leaks(f"{shot.label} {aim}", hit)
            if hit != miss and SILENCE in {hit, miss}:  # or was the machine busy?
                hit = await self._fire(
                    self.attacker.token, shot, self._bullet(shot, aim), PATIENT_S
                )
                miss = await self._fire(
                    self.attacker.token, shot, self._blank(shot, aim), PATIENT_S
                )
            if hit != miss:
                self.findings.oracles.append(f"{shot.label} {aim}: {hit[:300]} | {miss[:300]}")

    async def _arm(self, shot: Shot) -> None:
        shot = replace(shot, variables=self._as_the_victims(shot.variables))
        hit = ""
        for aim in shot.aim or ("",):
            miss = await self._fire(self.owner, shot, self._blank(shot, aim))
            hit = await self._fire(self.owner, shot, self._bullet(shot, aim))
            if hit != miss:
                self.findings.armed += 1
                return
        self.findings.unarmed.append(f"{shot.label}: {hit[:200]}")

    def _as_the_victims(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The same question with the victim's own rows around the hole."""
        told = json.dumps(variables)
        for type_name in self.attacker.owned:
            told = told.replace(self.attacker.id_of(type_name), self.victim.id_of(type_name))
        changed: dict[str, Any] = json.loads(told)
        return changed

    def _bullet(self, shot: Shot, aim: str) -> str:
        return self.victim.id_of(aim) if aim else self.cursors.get(shot.label, NO_CURSOR)

    def _blank(self, shot: Shot, aim: str) -> str:
        if aim:
            return ids.write(aim, uuid4())
        cursor = self._bullet(shot, aim)
        return ("A" if cursor[5] != "A" else "B").join((cursor[:5], cursor[6:]))

    async def _fire(self, token: str, shot: Shot, bullet: str, wait_s: float = QUICK_S) -> str:
        variables = json.loads(json.dumps(shot.variables).replace(shot.hole, bullet))
        if shot.live:
            told = await self._follow(token, shot.document, variables, wait_s)
        else:
            told = await self._ask(token, shot.document, variables)
        return told.replace(bullet, "<given>")

    async def _ask(self, token: str, document: str, variables: dict[str, Any]) -> str:
        answer = await self.api.ask(token, document, **variables)
        return _NOISE.sub("", json.dumps(answer, sort_keys=True))

    async def _follow(
        self, token: str, document: str, variables: dict[str, Any], wait_s: float
    ) -> str:
        """The first thing a subscription says, or that it says nothing."""
        state = self.api.state
        identity = await state.authenticator.identify(token)
        assert identity is not None
        ask = GraphQLRequest(document, variables)
        try:
            operation = await state.gate.look(ask)
            stream = state.engine.stream(
                operation, ask, state.context(traced(identity.actor, "0" * 32)), "0" * 32
            )
            with anyio.move_on_after(wait_s):
                async with aclosing(stream) as answers:
                    async for done in answers:
                        return json.dumps(done.answer, sort_keys=True, default=str)
        except Invalid as invalid:
            return str(invalid)
        return SILENCE

    def _look_for_leaks(self, label: str, answer: str) -> None:
        shown = [word for word in self.victim.words - self.attacker.words if word in answer]
        if shown:
            self.findings.leaks.append(f"{label}: {shown[0]}")

    async def _rows(self, tenant_id: UUID) -> dict[str, str]:
        """A digest of all rows of the victim's company, by table."""
        found: dict[str, str] = {}
        async with self.api.make() as session:
            for table in metadata.tables.values():
                if "tenant_id" in table.columns:
                    digest = text(
                        f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table.name} t"
                        " WHERE tenant_id = :tenant"
                    )
                    found[table.name] = str(await session.scalar(digest, {"tenant": tenant_id}))
        return found

    def _walks(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything the attacker may see, two levels down."""
        roots = self.schema.query_type
        assert roots is not None
        return [
            self._document("query", name, each, "", depth=2) for name, each in roots.fields.items()
        ]

    async def _shots(self) -> AsyncIterator[Shot]:
        """A shot for each argument that takes an id, and for each that takes a cursor."""
        self.cursors: dict[str, str] = {}
        roots = (
            ("query", self.schema.query_type),
            ("mutation", self.schema.mutation_type),
            ("subscription", self.schema.subscription_type),
        )
        for operation, root in roots:
            assert root is not None
            for name, each in root.fields.items():
                for argument in documents.ids_in(each.args):
                    hole = "<<hole>>"
                    depth = 0 if name == "node" else 1  # every type at once is long enough
                    document, variables = self._document(
                        operation, name, each, argument, depth=depth
                    )
                    if hole not in json.dumps(variables):
                        continue
                    aims = self._aims(name, argument)
                    live = operation == "subscription"
                    label = _label(operation, name, argument)
                    yield Shot(label, document, variables, hole, aims, live)
                for argument in sorted(each.args.keys() & set(CURSORS)):
                    kind = get_named_type(each.args[argument].type).name
                    if kind != "String" or not self.with_cursors:
                        continue
                    async for shot in self._cursor_shot(operation, name, each, argument):
                        yield shot
        for shot in self._inner_shots():
            yield shot

    async def _cursor_shot(
        self, operation: str, name: str, each: GraphQLField, argument: str
    ) -> AsyncIterator[Shot]:
        label = _label(operation, name, argument)
        document, variables = self._document(operation, name, each, argument)
        variables[argument] = "<<hole>>"
        source = "ledger" if operation == "subscription" else name
        page = await self.api.ask(
            self.owner, f"{{ {source}(first: 1) {{ pageInfo {{ endCursor }} }} }}"
        )
        cursor = (page.get("data") or {}).get(source, {}).get("pageInfo", {}).get("endCursor")
        if cursor is not None:
            self.cursors[label] = cursor
        yield Shot(label, document, variables, "<<hole>>", (), operation == "subscription")

    def _inner_shots(self) -> list[Shot]:
        """Arguments that take ids on fields of rows: asked of a row of the attacker's own."""
        shots = []
        for model in nodes():
            kind: Any = self.schema.type_map[model.__name__]
            for name, each in kind.fields.items():
                for argument in documents.ids_in(each.args):
                    told, variables = self._document("query", name, each, argument)
                    head, _, body = told.partition("{")
                    declared = head.replace("query(", "query($node: ID!, ").replace(
                        "query ", "query($node: ID!) "
                    )
                    document = f"{declared}{{ node(id: $node) {{ ... on {kind.name} {{ {body.rstrip()[:-1]} }} }} }}"
                    variables |= {"node": self.attacker.id_of(kind.name)}
                    shots.append(
                        Shot(
                            f"{kind.name}.{name}({argument})",
                            document,
                            variables,
                            "<<hole>>",
                            self._aims(name, argument),
                        )
                    )
        return shots

    def _aims(self, name: str, argument: str) -> tuple[str, ...]:
        """The types an id may be of, by the names around it; every type when they do not tell."""
        told = documents.AIMS.get(f"{name}.{argument}", documents.AIMS.get(argument))
        if told is not None:
            return (told,)
        types = sorted((model.__name__ for model in nodes()), key=len, reverse=True)
        stem = re.sub(r"Ids?$", "", argument).lower()
        named = [
            t for t in types if stem and (stem.endswith(t.lower()) or t.lower().startswith(stem))
        ]
        if stem in {"", "id"}:
            named = [t for t in types if t.lower() in name.lower()][:1]
        named.sort(key=lambda t: t.lower() != stem)
        return tuple(named) or tuple(types)

    def _document(
        self, operation: str, name: str, each: GraphQLField, hole: str, *, depth: int = 1
    ) -> tuple[str, dict[str, Any]]:
        """A document that asks one root field, with a hole where the argument (or input field) `hole` goes."""

        def given(argument: str, kind: GraphQLNamedType) -> Any:
            if kind.name == "ID":
                return (
                    "<<hole>>"
                    if argument == hole
                    else self.attacker.id_of(self._aims(name, argument)[0])
                )
            if "key" in argument.lower():
                return None
            return {"email": "probe@example.org", "timeZone": "Europe/Amsterdam"}.get(
                argument, "nl" if argument == "language" else f"probe {argument}"
            )

        variables = {}
        for argument_name, argument in each.args.items():
            if argument_name in CURSORS or argument_name in {"first", "last"}:
                continue
            made = documents.value(argument_name, argument.type, given)
            optional = str(argument.type)[-1] != "!" or argument.default_value is not Undefined
            if optional and "first" in each.args and argument_name in PERIOD:
                continue
            if made is not None and not (optional and argument_name not in {hole, *HINTED}):
                variables[argument_name] = made
        names = [*variables, *([hole] if hole in CURSORS else [])]
        declared = ", ".join(f"${n}: {each.args[n].type}" for n in names)
        used = ", ".join(
            [
                *(f"{n}: ${n}" for n in names),
                *(["first: 3"] if "first" in each.args and hole != "before" else []),
            ]
        )
        selected = documents.selection(get_named_type(each.type), depth)
        head = f"{operation}({declared})" if declared else f"{operation} "
        return f"{head} {{ {name}{f'({used})' if used else ''} {selected} }}", variables


def _label(operation: str, name: str, argument: str) -> str:
    """What a shot is called; a query and a subscription may be of one name."""
    return f"{'live ' if operation == 'subscription' else ''}{name}({argument})"


async def number(api: Api) -> None:
    """Do the relay's work once: facts get their numbers, so that there are cursors."""
    async with transaction(api.make) as session:
        while (
            await sequencing.assign_sequence(session, routes={}, due_at=datetime.now(UTC))
        ).facts:
            pass
