"""A mail server with a mailbox over IMAP (pymap, in memory) in a process of its own."""

import imaplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.servers import Mortal, free_cluster_ports, wait_until

RUN = "import sys; from pymap.main import main; sys.exit(main())"
USER, PASSWORD = "desk", "a password of these tests"


class ImapServer(Mortal):
    """A server that a test may kill, and the mailbox as a person sees it."""

    def __init__(self) -> None:
        [self.port] = free_cluster_ports(1)

    def start(self) -> None:
        """Start it with an empty mailbox."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", RUN, "--host", "127.0.0.1", "--port", str(self.port)),
                *("dict", "--demo-user", USER, "--demo-password", PASSWORD),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "the mail server answers")

    def deliver(self, *mails: bytes) -> None:
        """Lay mails into the mailbox, unseen."""
        with self._person() as mailbox:
            for each in mails:
                mail = each.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                state, answer = mailbox.append("INBOX", None, None, mail)
                assert state == "OK", answer

    def flags(self) -> list[set[str]]:
        r"""Return the flags of each mail that the mailbox holds, without `\Recent`."""
        with self._person() as mailbox:
            _, found = mailbox.uid("FETCH", "1:*", "(FLAGS)")
        lines = [each for each in found if isinstance(each, bytes)]
        return [
            {flag.decode() for flag in imaplib.ParseFlags(line)} - {"\\Recent"} for line in lines
        ]

    @contextmanager
    def _person(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=60) as mailbox:
            mailbox.login(USER, PASSWORD)
            mailbox.select("INBOX", readonly=True)
            yield mailbox

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A running server."""
    server = ImapServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()
