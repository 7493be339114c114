"""A mail relay that misbehaves in every way it can, and workers that die in a moment and start in another."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.core.settings import Settings

HOME = Path(__file__).parents[2]
STALL_S = 3.0
STEP_S = 1.5


class Storm:
    """What the relay does to each letter, by chance of a seed, and what it took: each acceptance is one entry."""

    def __init__(self, log: Path, seed: int) -> None:
        self.accepted: list[str] = []
        self.counts: Counter[str] = Counter()
        self.calm = False
        self.at_the_door: Callable[[], bool] = lambda: False
        """Kills the worker; whether there was one to kill."""
        self.kills_before = self.kills_after = 0  # still to come, around the answer to a letter
        self.kill_every = 1  # letters
        self._next_kill = 5
        self.port = 0
        self._log = log.open("a")
        self._chance = random.Random(seed)
        self._troubled: Counter[str] = Counter()

    def fate(self, message_id: str) -> str:
        """What happens to a letter whose text has come; nothing bad a third time."""
        if len(self.accepted) >= self._next_kill and (self.kills_before or self.kills_after):
            self._next_kill += self.kill_every
            if self.kills_before >= self.kills_after:
                self.kills_before -= 1
                return "kill before 250"
            self.kills_after -= 1
            return "kill after 250"
        if self.calm or self._troubled[message_id] >= 2 or self._chance.random() < 0.9:
            return "take"
        self._troubled[message_id] += 1
        return self._chance.choice(
            ["refuse 451", "stall and take", "stall and forget", "take and drop", "drop"]
        )

    def refuses(self) -> str | None:
        """An answer to a command that is no."""
        if self.calm or self._chance.random() > 0.03:
            return None
        self.counts["refused"] += 1
        return self._chance.choice(
            ["451 4.7.1 greylisted", "421 4.3.2 going down", "452 4.3.1 full"]
        )

    def drops_mid_data(self) -> bool:
        """Whether the connection ends in the middle of a letter."""
        dropped = not self.calm and self._chance.random() < 0.03
        self.counts["dropped mid-DATA"] += dropped
        return dropped

    def begin(self, message_id: str) -> str:
        """Log the headers, as Postfix does when it has read them; the queue's id."""
        queue_id = f"{self._chance.getrandbits(40):X}"
        self._write(f"postfix/cleanup[7]: {queue_id}: message-id={message_id}")
        return queue_id

    def take(self, message_id: str, queue_id: str) -> None:
        """The letter is on the relay's disk: it is responsible now, whoever hears of it."""
        self.accepted.append(message_id)
        self._write(f"postfix/qmgr[8]: {queue_id}: from=<desk@x>, size=9, nrcpt=1 (queue active)")

    def close(self) -> None:
        """Nothing more is taken."""
        self._log.close()

    def _write(self, line: str) -> None:
        self._log.write(f"Nov 22 04:06:22 relay {line}\n")
        self._log.flush()
        os.fsync(self._log.fileno())

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Somebody writes."""
        if refusal := self.refuses():
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the server library calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """To somebody."""
        if refusal := self.refuses():
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the server library calls it so
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """The text has come."""
        assert isinstance(envelope.content, bytes)
        message_id = str(message_from_bytes(envelope.content)["Message-ID"])
        queue_id = self.begin(message_id)
        fate = self.fate(message_id)
        if fate == "refuse 451":
            self.counts["refused"] += 1
            return "451 4.3.0 try later"
        if fate.startswith("stall"):
            self.counts["stalled"] += 1
            await asyncio.sleep(STALL_S)
        if fate in {"drop", "stall and forget"}:
            self.counts["dropped before 250"] += fate == "drop"
            _hang_up(server)
            return "451 4.3.0 nobody hears this"
        self.take(message_id, queue_id)
        if fate == "take and drop":
            self.counts["taken and dropped"] += 1
            _hang_up(server)
        elif fate == "kill before 250":
            self.counts["killed before 250"] += self.at_the_door()
        elif fate == "kill after 250":
            asyncio.get_running_loop().call_later(self._chance.random() * 0.004, self._kill_after)
        return "250 2.0.0 Ok: queued"

    def _kill_after(self) -> None:
        self.counts["killed after 250"] += self.at_the_door()


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


class _Server(SMTP):
    """An SMTP dialogue that may end in the middle of a letter."""

    event_handler: Storm

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the server library calls it so
        if (
            self.envelope is not None
            and self.envelope.rcpt_tos
            and self.event_handler.drops_mid_data()
        ):
            await self.push("354 go on")
            await self._reader.readline()
            _hang_up(self)
            return
        await super().smtp_DATA(arg)


class _Relay(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


@contextmanager
def relay(storm: Storm) -> Iterator[Callable[[], None]]:
    """A mail server on a free port of this machine; calling what is given shuts its door and opens it again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        storm.port = probe.getsockname()[1]

    def opened() -> _Relay:
        found = _Relay(storm, hostname="127.0.0.1", port=storm.port)
        found.start()
        return found

    running = [opened()]

    def shut_and_open(for_s: float = 0.7) -> None:
        running.pop().stop(no_assert=True)
        storm.counts["door shut"] += 1
        time.sleep(for_s)
        running.append(opened())

    try:
        yield shut_and_open
    finally:
        for each in running:
            each.stop()
        storm.close()


BUSY = ("promises", "backlog")
"""Periodic parts of a worker that the storm is about: of the others each would look at ten months of history first."""
WOMB = """
import asyncio, os, signal, sys
from domain import promises
from domain.core.settings import Settings
from workers import main
from workers.outbound import senders
from workers.routes import ROUTES, name_of
from workers.schedule import schedule
promises.warm()
senders.STEP_S = {step_s}
routes = {{kind: [job for job in ROUTES[kind] if name_of(job) in {jobs!r}] for kind in ROUTES}}
async def rest(*_): await asyncio.Event().wait()
main.keep_webhooks = rest
main.schedule = lambda: [part for part in schedule() if part.name in {busy!r}]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for _ in sys.stdin:
    worker = os.fork()
    if not worker:
        os.dup2(2, 1)  # logs, which nobody here reads
        asyncio.run(main.serve(Settings(), routes=routes))
    print(worker, flush=True)
"""


class Worker:
    """One worker process at a time. Each is forked from one that has imported everything: it starts in a moment."""

    def __init__(self, settings: Settings, jobs: list[str], log: Path) -> None:
        names = (
            "database_url",
            "system_database_url",
            "redis_url",
            "data",
            "smtp_host",
            "smtp_port",
        )
        more = ("smtp_log", "smtp_settle_s", "smtp_from", "job_attempts")
        told = {f"WAARBORG_{name.upper()}": str(getattr(settings, name)) for name in names + more}
        program = WOMB.format(step_s=STEP_S, jobs=jobs, busy=BUSY)
        with log.open("w") as said:
            self._womb = subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=HOME,
                env=os.environ | told,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self._read()
        self._turn = threading.Lock()
        self._pid: int | None = None
        self.kills = 0

    def start(self) -> None:
        """One more, unless there is one."""
        with self._turn:
            if self._pid is None and self._womb.stdin is not None:
                self._womb.stdin.write("one more\n")
                self._womb.stdin.flush()
                self._pid = int(self._read())

    def kill(self) -> bool:
        """End it without a word; whether there was one."""
        with self._turn:
            if self._pid is None:
                return False
            os.kill(self._pid, signal.SIGKILL)
            self._pid = None
            self.kills += 1
            return True

    def end(self) -> None:
        """No more."""
        with self._turn:
            if self._pid is not None:
                os.kill(self._pid, signal.SIGKILL)
                self._pid = None
        self._womb.kill()
        self._womb.communicate()

    def _read(self) -> str:
        assert self._womb.stdout is not None
        return self._womb.stdout.readline()


async def now_and_then(seconds: float, times: int, what: Callable[[], Any]) -> None:
    """Do something again and again, in a thread of its own."""
    with suppress(asyncio.CancelledError):
        for _ in range(times):
            await asyncio.sleep(seconds)
            await asyncio.to_thread(what)
