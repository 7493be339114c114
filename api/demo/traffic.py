"""The simulator behind `up`: a control room, guards and clients at work, through the public API like anybody else.

Something happens every few seconds; about one alarm in six is taken up too late, so that a watcher sees a breach
and its credit. It never touches the database except to find out which token to use.
"""

import asyncio
import random
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx2
import structlog
from sqlalchemy import select

from api.demo.attendance import attend
from api.demo.data import COMPANY
from api.demo.gps import walk
from api.demo.incident_texts import HAPPENINGS
from api.identity import tokens
from api.process.serve import reachable
from domain.access import Role
from domain.accounts import Tenant, User
from domain.agreements import Priority, TicketKind
from domain.core.db import connect, sessions
from domain.core.settings import Settings

AT_ONCE = 12
PAUSE_S = (4.0, 14.0)  # between two things that happen
LATE_SHARE = 1 / 6
TOKEN_LIFE = timedelta(hours=1)
RETRY_S = 2.0
FORESTALLED = {"INCIDENT_NOT_NEW", "ALREADY_DONE"}  # a guard inside the fence was first

log = structlog.get_logger()


@dataclass(frozen=True)
class Scene:
    """One thing that happens: what, how long each step takes in seconds."""

    kind: TicketKind
    priority: Priority
    source: str
    summary: str
    answer_s: float
    work_s: float


class Company:
    """The demo company's people, as the API sees them: one token each, renewed before it ends."""

    def __init__(self, settings: Settings, http: httpx2.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._users: dict[Role, User] = {}
        self._tokens: dict[UUID, tuple[str, datetime]] = {}
        self.guards: list[UUID] = []
        self._asked = count()

    async def find(self) -> bool:
        """Learn who works there; False when the database holds another company than ours."""
        engine = connect(self._settings.system_database_url, pool_size=1)
        try:
            async with sessions(engine)() as session:
                found = await session.scalars(
                    select(User)
                    .join(Tenant, Tenant.id == User.tenant_id)
                    .where(
                        Tenant.name == COMPANY,
                        User.role.in_((Role.DISPATCHER, Role.GUARD)),
                        User.disabled_at.is_(None),
                    )
                    .order_by(User.id)
                )
                people = list(found)
                self._users = {user.role: user for user in reversed(people)}
                self.guards = [user.id for user in people if user.role is Role.GUARD]
        finally:
            await engine.dispose()
        return len(self._users) == 2

    async def ask(self, asker: Role | UUID, query: str, **variables: Any) -> dict[str, Any]:
        """One GraphQL request as a user or somebody of a role; waits for an API that is away."""
        while True:
            try:
                answer = await self._http.post(
                    "/graphql",
                    json={"query": query, "variables": variables},
                    headers={"Authorization": f"Bearer {self.token_of(self.user_of(asker))}"},
                )
                body: dict[str, Any] = answer.json()
                if body.get("data"):
                    return dict(body["data"])
                log.warning("simulator refused", errors=body.get("errors"))
            except (httpx2.HTTPError, ValueError) as error:
                log.info("simulator waits for the API", error=repr(error))
            await asyncio.sleep(RETRY_S)

    async def tell(self, asker: Role | UUID, verb: str, **fields: Any) -> dict[str, Any]:
        """One mutation with an idempotency key: asked again after a broken connection, it happens once."""
        title = verb[0].upper() + verb[1:]
        fields["idempotencyKey"] = (
            f"live-{self.user_of(asker)}-{datetime.now(UTC):%s%f}-{next(self._asked)}"
        )
        query = (
            f"mutation Live($i: {title}Input!) {{ done: {verb}(input: $i) {{ __typename "
            "... on Node { id } ... on Refusal { code message } } }"
        )
        done = (await self.ask(asker, query, i=fields))["done"]
        if done["__typename"] == "Refusal" and done["code"] not in FORESTALLED:
            log.info("simulator was refused", verb=verb, code=done["code"], why=done["message"])
        return dict(done)

    def user_of(self, asker: Role | UUID) -> UUID:
        """Return the user who asks: a given one, or somebody of a role."""
        return asker if isinstance(asker, UUID) else self._users[asker].id

    def token_of(self, user_id: UUID) -> str:
        """A token of a user, good for a while."""
        now = datetime.now(UTC)
        token, until = self._tokens.get(user_id, ("", now))
        if until - now < TOKEN_LIFE / 2:
            token = tokens.load(self._settings).issue(user_id, at=now, lifetime=TOKEN_LIFE)
            self._tokens[user_id] = (token, now + TOKEN_LIFE)
        return token


def imagine(chance: random.Random) -> Scene:
    """Make a random scene. Its steps take seconds instead of minutes, except for alarms: their promises are real."""
    kind, priority, source, summaries = chance.choice(HAPPENINGS)
    answer_s = chance.uniform(3, 20)
    if kind is TicketKind.ALARM:
        allowed = 60 if priority is Priority.CRITICAL else 180
        late = chance.random() < LATE_SHARE
        answer_s = allowed * (chance.uniform(1.1, 1.5) if late else chance.uniform(0.1, 0.7))
    return Scene(
        kind, priority, source.name, chance.choice(summaries), answer_s, chance.uniform(20, 90)
    )


async def play(company: Company, site_id: str, scene: Scene) -> None:
    """One ticket from opening to closing."""
    desk = Role.DISPATCHER  # the control room enters what guards, clients and alarm centres report
    opened = await company.tell(
        desk,
        "openIncident",
        siteId=site_id,
        kind=scene.kind.name,
        priority=scene.priority.name,
        source=scene.source,
        reporter="Yara El Amrani",
        summary=scene.summary,
    )
    if "id" not in opened:
        return
    ticket = opened["id"]
    await asyncio.sleep(scene.answer_s)
    await company.tell(desk, "acknowledgeIncident", id=ticket)
    await asyncio.sleep(scene.work_s / 3)
    if scene.kind is TicketKind.ALARM:
        await company.tell(desk, "arriveAtIncident", id=ticket)
    await company.tell(desk, "updateIncident", id=ticket, body="Collega is ter plaatse.")
    await asyncio.sleep(scene.work_s)
    await company.tell(
        desk, "resolveIncident", id=ticket, resolution="Gecontroleerd, situatie veilig."
    )
    await asyncio.sleep(scene.work_s / 3)
    await company.tell(desk, "closeIncident", id=ticket)


async def simulate(settings: Settings, chance: random.Random) -> None:
    """Go on until cancelled."""
    host = reachable(settings.host)
    name = f"[{host}]" if ":" in host else host
    async with httpx2.AsyncClient(base_url=f"http://{name}:{settings.port}", timeout=30) as http:
        company = Company(settings, http)
        if not await company.find():
            log.info("nothing to simulate: the database is not the demo company's")
            return
        places = await company.ask(
            Role.DISPATCHER, "{ sites(first: 50) { edges { node { id } } } }"
        )
        sites = [edge["node"]["id"] for edge in places["sites"]["edges"]]
        room = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            try:
                await play(company, chance.choice(sites), imagine(chance))
            finally:
                room.release()

        async with asyncio.TaskGroup() as scenes:
            scenes.create_task(walk(company, http, chance))
            scenes.create_task(attend(company))
            while True:
                await room.acquire()
                scenes.create_task(one())
                await asyncio.sleep(chance.uniform(*PAUSE_S))


def run(settings: Settings) -> None:
    """Play until SIGTERM or SIGINT."""

    async def until_told() -> None:
        playing = asyncio.ensure_future(simulate(settings, random.Random()))  # noqa: S311 - a play
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, playing.cancel)
        with suppress(asyncio.CancelledError):
            await playing

    asyncio.run(until_told())
