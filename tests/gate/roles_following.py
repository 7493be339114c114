"""The prober of roles, where something is delivered: every subscription, followed while facts and positions come.

Every asker and the management subscribe first, as clients do. Then one fact of every kind happens at the client, some
kinds also at another client, by a guard, hidden from clients and so on, and guards move. What the management receives
is cut down to what the page promises an asker, and compared with what the asker receives, event by event. The last
facts are of the kinds that each subscription delivers, so whoever received the last one that the page promises has
received all that comes before it.
"""

import asyncio
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from graphql import get_named_type, is_required_argument
from sqlalchemy import select

from api.execution.document_cache import Invalid
from api.execution.executor import GraphQLRequest
from api.identity.authenticator import traced
from api.live.subscribers import Subscriber
from domain import positions
from domain.catalogue import subject_type
from domain.compensation import Credit
from domain.core.db import transaction
from domain.core.ledger import LedgerRow, Origin, shard_of
from domain.promises import Promise
from schema.core import ids
from tests import guards
from tests.gate import of_nouns
from tests.gate.expected import Asker
from tests.gate.findings import Findings
from tests.gate.prober import number
from tests.gate.received import FACTS, FLEET, MAP, PATIENT_S, RECORD, STATUS, Received, spot
from tests.gate.roles import Roles

VARIED = (
    *("promise.kept", "promise.breached", "incident.updated", "incident.opened", "credit.granted"),
    *("credit.proposed", "duty.began", "message.sent", "account.changed", "contact.added"),
)
"""Kinds of facts that also happen elsewhere, by others and hidden from clients."""
OF_LAST: dict[str, str] = {
    "breaches": "promise.breached",
    "credits": "credit.granted",
    **of_nouns.collected("LAST_FACTS"),
}
"""Subscription to facts of some kinds → a kind that it delivers."""
LAST = (*OF_LAST.values(), "incident.opened")
"""Kinds of which each subscription to facts delivers one."""
NO_LONGER_WRITTEN = "probe.kind_of_long_ago"
MEASURED: dict[str, Any] = {
    "accuracy_m": 4.0,
    "speed_mps": 1.0,
    "heading_deg": 90.0,
    "battery_pct": 80.0,
}


@dataclass(frozen=True)
class Cast:
    """Whom and what the facts and positions are about."""

    tenant_id: UUID
    here: UUID
    other: UUID
    site: UUID
    guard: UUID
    """The user of the guard who asks."""
    other_guard: UUID
    moving: Mapping[UUID, float]
    """Device → metres from the square; the last ones are inside a geofence."""


@dataclass(frozen=True)
class Line:
    """One subscription with its arguments."""

    label: str
    name: str
    kind: str
    variables: Mapping[str, Any]
    named: tuple[tuple[str, UUID], ...]
    """The rows that the arguments name."""
    across: bool
    """Whether it follows all accounts, or several."""


@dataclass
class Following:
    """Follows every subscription as every asker."""

    roles: Roles
    cast: Cast
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self.management = Asker(
            "MANAGEMENT", self.roles.manager, self.roles.page.rights["MANAGEMENT"]
        )
        self.numbered = self.rounds = 0
        self.last: dict[tuple[str, bool], int] = {}
        """Kind, and whether at another client → the number of the last fact."""
        self.places: dict[UUID, tuple[int, int]] = {}

    async def run(self, askers: Iterable[Asker], *, only: frozenset[str] | None = None) -> Findings:
        """Follow as all of them; `only` names subscriptions, as `live credits`."""
        askers = list(askers)
        lines = [line for line in self.lines() if self.roles.is_asked(f"live {line.name}", only)]
        everybody = [self.management, *askers]
        received: dict[tuple[str, str], Received | None] = {}
        members: list[Subscriber] = []
        for line in lines:
            for asker in everybody:
                received[line.label, asker.name] = await self._begin(asker, line, members)
        await self._cause(lines)
        for line in lines:
            whole = received[line.label, self.management.name]
            assert whole is not None, line
            await self._wait_for_all(line, whole)
            for asker in askers:
                if self._is_open(asker, line, received[line.label, asker.name]):
                    mine = received[line.label, asker.name]
                    assert mine is not None
                    await self._compare(asker, line, whole, mine, received)
            if line.kind == FACTS and line.name != "incidentTimeline":
                await self._replay(askers, line, whole, members)
        for member in members:
            member.leave()
        return self.findings

    def lines(self) -> list[Line]:
        """Every subscription: about the client, about another one, about a site, about both and about all."""
        subscription = self.roles.schema.subscription_type
        assert subscription is not None
        cast, found = self.cast, []
        incident = self.roles.company.owned["Incident"]
        rows = {
            "id": [("Incident", incident)],
            "accountId": [("Account", cast.here), ("Account", cast.other)],
            "siteId": [("Site", cast.site)],
        }
        for name, each in subscription.fields.items():
            kind = get_named_type(each.type).name
            given = {"atRisk": True} if "atRisk" in each.args else {}
            for argument in rows.keys() & each.args.keys():
                for n, row in enumerate(rows[argument]):
                    variables = {argument: ids.write(*row), **given}
                    across = argument == "siteId"
                    found.append(
                        Line(f"{name}({argument} {n})", name, kind, variables, (row,), across)
                    )
            if "accountIds" in each.args:
                both = [ids.write("Account", one) for one in (cast.here, cast.other)]
                variables = {"accountIds": both, **given}
                found.append(Line(f"{name}(accountIds)", name, kind, variables, (), across=True))
            if not any(map(is_required_argument, each.args.values())):
                found.append(Line(f"{name}()", name, kind, given, (), across=True))
        return found

    def is_allowed(self, asker: Asker, line: Line) -> bool:
        """Whether the page promises that a subscription begins."""
        if not self.roles.page.operations["Subscriptions"][line.name] <= asker.rights:
            return False
        if not all(self.roles.expectation.reaches(asker, *row) for row in line.named):
            return False
        if "accountIds" in line.variables and asker.reach is not None:
            reached = asker.reach & {self.cast.here, self.cast.other}
            return len(reached) == 1 or "WATCH_ALL" in asker.rights
        return not line.across or "WATCH_ALL" in asker.rights

    async def _replay(
        self, askers: list[Asker], line: Line, whole: Received, members: list[Subscriber]
    ) -> None:
        """Subscribe again from the first event on: what was missed is read from the ledger, not heard."""
        first, *_ = whole.events
        again = replace(
            line,
            label=f"{line.label} replayed",
            variables={**line.variables, "after": first["cursor"]},
        )
        rest = Received()
        rest.events = whole.events[1:]
        for asker in askers:
            mine = await self._begin(asker, again, members)
            if self._is_open(asker, again, mine) and mine is not None:
                await self._compare(asker, again, rest, mine, {})

    async def _begin(self, asker: Asker, line: Line, members: list[Subscriber]) -> Received | None:
        """Subscribe as one of them; None when that is refused."""
        each = self.roles.schema.subscription_type.fields[line.name]  # type: ignore[union-attr]
        state = self.roles.api.state
        declared = ", ".join(f"${name}: {each.args[name].type}" for name in line.variables)
        used = ", ".join(f"{name}: ${name}" for name in line.variables)
        inside = selection(self.roles, asker, line.kind)
        head = f"subscription ({declared})" if declared else "subscription"
        document = f"{head} {{ {line.name}{f'({used})' if used else ''} {inside} }}"
        identity = await state.authenticator.identify(asker.token)
        assert identity is not None
        ask, outlet = GraphQLRequest(document, dict(line.variables)), Received()
        actor = traced(identity.actor, "0" * 32)
        member = Subscriber(
            outlet, actor, head=b"", tail=b"\n", frame=bytes, on_finish=lambda _member, _last: None
        )
        try:
            operation = await state.gate.look(ask)
        except Invalid as invalid:
            raise AssertionError(f"{document}: {invalid}") from invalid
        if await state.groups.serve(member, operation, ask, "0" * 32) is not None:
            return None
        members.append(member)
        return outlet

    def _is_open(self, asker: Asker, line: Line, mine: Received | None) -> bool:
        """Note whether a subscription began as the page promises; whether there is something to compare."""
        allowed, label = self.is_allowed(asker, line), f"{asker.name}|live {line.label}"
        self.findings.note(label, armed=True)
        if allowed != (mine is not None):
            self.findings.found.append(f"{'loss' if allowed else 'leak'}: {label}")
        return allowed and mine is not None

    async def _cause(self, lines: list[Line]) -> None:
        """Let facts happen, and guards move, as far as somebody follows it."""
        if any(line.kind == FACTS for line in lines):
            async with transaction(self.roles.api.make) as session:
                rows = await self._rows(session)
                session.add_all(rows)
            await number(self.roles.api)
        if any(line.kind in {MAP, FLEET} for line in lines):
            self.rounds += 1
            for device_id, metres in self.cast.moving.items():
                place: Any = guards.near(metres, self.rounds / 5)
                self.places[device_id] = spot(**place)
                fix = positions.ReceivedFix(at=self.roles.api.state.now(), **place, **MEASURED)
                await self.roles.api.state.intake.take(device_id, [fix], positions.FixSource.BATCH)

    async def _rows(self, session: Any) -> list[LedgerRow]:
        """One fact of every kind; some in other circumstances; and those that come last."""
        cast, owned = self.cast, self.roles.company.owned
        tenant = cast.tenant_id
        shown: list[UUID] = []
        for internal in (True, False):
            chosen = select(Promise.id).where(
                Promise.tenant_id == tenant, Promise.internal.is_(internal)
            )
            shown.append(await session.scalar(chosen.limit(1)))
        of_tenant = select(Credit.id).where(Credit.tenant_id == tenant)
        decided = list(await session.scalars(of_tenant))
        system, guard = "system:probe", f"user:{cast.guard}"
        asked: list[tuple[str, UUID | None, str, dict[str, Any]]] = [
            (kind, cast.here, system, {}) for kind in (*self.roles.page.kinds, NO_LONGER_WRITTEN)
        ]
        for kind in VARIED:
            asked += [
                (kind, cast.here, system, {"internal": True}),
                (kind, cast.here, system, {"client_visible": False}),
                (kind, cast.here, guard, {}),
                (kind, cast.here, f"user:{cast.other_guard}", {}),
                (kind, cast.other, system, {}),
                (kind, None, system, {}),
            ]
        asked += [(kind, at, guard, {}) for at in (cast.other, cast.here) for kind in LAST]
        found = []
        for kind, account_id, actor, more in asked:
            self.numbered += 1
            n = self.numbered
            if kind in LAST:
                self.last[kind, account_id == cast.other] = n
            about = subject_type(kind)
            subject_id = owned.get(about, uuid4()) if about is not None else uuid4()
            if about == "Promise":
                subject_id = shown[n % 2]
            if about == "Credit":
                subject_id = decided[n % len(decided)]
            body: dict[str, Any] = {"n": n, **more}
            if about in {"Incident", "Promise", "Credit"}:
                body["incident_id"] = str(owned["Incident"])
            found.append(
                LedgerRow(
                    tenant_id=tenant, account_id=account_id, shard=shard_of(tenant, account_id),
                    kind=kind, subject_id=subject_id, at=self.roles.api.state.now(), origin=Origin.LIVE,
                    actor=actor, body=body,
                )
            )  # fmt: skip
        return found

    async def _wait_for_all(self, line: Line, whole: Received) -> None:
        """Wait until the management has received the last event of a subscription."""
        if line.kind == FACTS:
            elsewhere = ("Account", self.cast.other) in line.named
            last = self.last[OF_LAST.get(line.name, LAST[-1]), elsewhere]
            assert await whole.has(last, FACTS), line
        elif line.kind == STATUS:
            assert await whole.has(STATUS, STATUS), line
        elif line.kind == MAP:
            for device_id in self._in_line(line):
                assert await whole.has(self.places[device_id], MAP), line

    def _in_line(self, line: Line) -> list[UUID]:
        """The devices whose guards a subscription to positions is about."""
        outside, *inside, there = self.cast.moving
        if ("Account", self.cast.other) in line.named:
            return [there]
        if ("Account", self.cast.here) in line.named:
            return [outside, *inside]
        return inside if line.named else [outside, *inside, there]

    async def _compare(
        self,
        asker: Asker,
        line: Line,
        whole: Received,
        mine: Received,
        received: Mapping[tuple[str, str], Received | None],
    ) -> None:
        """Compare what one asker received with the part of the management's that the page promises."""
        label = f"{asker.name}|live {line.label}"
        self.findings.found += [f"error: {label}: {each}" for each in mine.errors[:3]]
        if line.kind == FLEET:
            table = received.get((line.label.replace("fleet", "positions"), self.management.name))
            if table is not None:
                await self._compare_fleet(asker, label, table, mine)
            return
        everything = whole.by_key(line.kind)
        expected = {key: cut for key, each in everything.items() if (cut := self.cut(asker, each))}
        keys = [key for key in expected if key is not None]
        if keys and not await mine.has(keys[-1], line.kind):
            self.findings.found.append(f"loss: {label}: the last of {len(keys)} never came")
        told = mine.by_key(line.kind)
        for key, each in everything.items():
            about = f"{label} {each.get('kind', '')}"
            self.findings.note(about, armed=True)
            if (key in told) != (key in expected):
                found = "loss" if key in expected else "leak"
                self.findings.found.append(f"{found}: {about}: {str(each)[:120]}")
            elif key in told:
                self._compare_event(asker, line, each, expected[key], told[key])
        for key in told.keys() - everything.keys() - {None}:
            self.findings.found.append(f"leak: {label}: the management did not receive {told[key]}")

    def cut(self, asker: Asker, event: dict[str, Any]) -> Any:
        """The part of an event that the page promises; None for an event that is not to come."""
        cut = self.roles.expectation.cut(asker, event)
        if event["__typename"] == MAP and (cut is None or cut["position"] is None):
            return None
        return cut

    def _compare_event(
        self, asker: Asker, line: Line, whole: dict[str, Any], expected: Any, told: Any
    ) -> None:
        self.roles.findings, kept = self.findings, self.roles.findings
        self.roles._compare(asker, f"live {line.name}", whole, expected, told)
        self.roles.findings = kept
        for name in ("kind", "body", "subjectId", "ids", "number"):
            if name in whole and whole[name] != told[name]:
                self.findings.found.append(
                    f"other: {asker.name}|live {line.label}.{name}: {told[name]}"
                )
        about = str(whole.get("actor"))
        known = "READ_ACTORS" in asker.rights or about == f"user:{asker.user_id}"
        if about.startswith("user:") and (told["actor"] == about) != known:
            self.findings.found.append(f"leak or loss: {asker.name}|live {line.label}.actor")

    async def _compare_fleet(
        self, asker: Asker, label: str, table: Received, mine: Received
    ) -> None:
        """Compare the guards of a fleet with those whose positions the page promises."""
        everything = table.by_key(MAP)
        seen = {key for key, each in everything.items() if self.cut(asker, each) is not None}
        now = frozenset(seen & {*self.places.values()})
        self.findings.note(label, armed=bool(everything))
        if now and not await self._has_moved(mine, now):
            self.findings.found.append(f"loss: {label}: {mine.events[-1:]}")
        told = frozenset().union(*mine.by_key(FLEET).keys()) if mine.events else frozenset()
        leaked = told - seen
        if leaked & everything.keys():
            self.findings.found.append(f"leak: {label}: {leaked}")
        sizes = {(each["count"], len(b64decode(each["data"]))) for each in mine.events}
        if any(count * RECORD.size != size for count, size in sizes):
            self.findings.found.append(f"other: {label}.count")

    async def _has_moved(self, mine: Received, now: frozenset[Any]) -> bool:
        try:
            async with asyncio.timeout(PATIENT_S):
                while not any(now <= key for key in mine.by_key(FLEET)):
                    mine.came.clear()
                    await mine.came.wait()
        except TimeoutError:
            return False
        return True


def selection(roles: Roles, asker: Asker, kind: str) -> str:
    """What is selected of each event."""
    if kind == FLEET:
        return "{ count data }"
    if kind == MAP:
        place = (
            roles._selection(asker, roles.schema.type_map["GuardPosition"], 0)[:-1]
            + "site { __typename id } }"
        )
        return f"{{ __typename number position {place} }}"
    inside = roles._selection(asker, roles.schema.type_map[kind], 1)
    return inside[:-1] + "cursor }" if kind == FACTS else inside
