"""Notices as mail servers send them, each with what it deserves: written for these tests, in the shapes servers use.

A case is a shape (which server wrote it, in which language, with which parts) and what the receiving side said.
"""

from base64 import encodebytes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from domain.core.db import Sessions
from domain.core.settings import Settings
from domain.messages import BounceVerdict, MessageSigner
from workers.inbound_mail import MailIntake

SIGNER = MessageSigner(b"a key of these tests")
OURS = "desk@guards.example"
THERE = "an@client.example"


@dataclass(frozen=True)
class Trace:
    """How a notice names the letter that it is about."""

    message_id: UUID

    @property
    def header(self) -> str:
        return f"<{SIGNER.signed(self.message_id)}@guards.example>"

    @property
    def verp(self) -> str:
        return SIGNER.return_path(OURS, self.message_id, delimiter="+")

    @property
    def letter(self) -> str:
        """The headers of the letter, as servers return them."""
        return (
            f"From: Veilig BV <{OURS}>\nTo: {THERE}\nSubject: Uw melding\nMessage-ID: {self.header}\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        )


def intake_of(make: Sessions, data: Path) -> MailIntake:
    """An intake that reads mails about letters of these tests, with a store of files of its own."""
    return MailIntake.of(make, SIGNER, Settings(data=data))


Shape = Callable[[Trace, str, str], str]
Case = tuple[Shape, str, str, BounceVerdict]


def report(
    trace: Trace, words: str, fields: str, returned: str, *, head: str = "", to: str = ""
) -> str:
    """A multipart/report of three parts."""
    return f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.client.example>
To: {to or OURS}
{head}Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=utf-8

{words}

--=_b
Content-Type: message/delivery-status

{fields}
--=_b
{returned}
--=_b--
"""


def postfix(trace: Trace, status: str, said: str) -> str:
    return report(
        trace,
        f"This is the mail system at host relay.guards.example.\n\n<{THERE}>: host mx.client.example said: {said}",
        f"Reporting-MTA: dns; relay.guards.example\nX-Postfix-Queue-ID: 4Qx1\n\n"
        f"Final-Recipient: rfc822; {THERE}\nOriginal-Recipient: rfc822;{THERE}\nAction: failed\nStatus: {status}\n"
        f"Remote-MTA: dns; mx.client.example\nDiagnostic-Code: smtp; {said}\n",
        f"Content-Type: text/rfc822-headers\n\n{trace.letter}",
        head="Subject: Undelivered Mail Returned to Sender\n",
    )


def postfix_verp(trace: Trace, status: str, said: str) -> str:
    """Nothing is returned: only the address it came to names the letter."""
    return report(
        trace,
        f"<{THERE}>: {said}",
        f"Reporting-MTA: dns; relay\n\nFinal-Recipient: rfc822; {THERE}\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {said}\n",
        "Content-Type: text/plain\n\n(the letter was too big to return)",
        to=trace.verp.upper(),
    )


def exim(trace: Trace, _status: str, said: str) -> str:
    """Text alone, with a copy of the letter below it."""
    return f"""\
Return-path: <>
From: Mail Delivery System <Mailer-Daemon@mx.client.example>
To: {OURS}
X-Failed-Recipients: {THERE}
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {THERE}
    {said}

------ This is a copy of the message, including all the headers. ------

{trace.letter}
Beste An, er is spam en de mailbox is vol: 552 5.2.2 staat in deze brief.
"""


def qmail(trace: Trace, _status: str, said: str) -> str:
    """QSBMF: paragraphs of text."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.client.example
To: {OURS}
Subject: failure notice

Hi. This is the qmail-send program at mx.client.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{THERE}>:
{said}

--- Below this line is a copy of the message.

Return-Path: <{trace.verp}>
{trace.letter}
550 5.7.1 is what this letter is about.
"""


def exchange(trace: Trace, status: str, said: str) -> str:
    """Fields and In-Reply-To; nothing is returned but a line of it."""
    return report(
        trace,
        f"Delivery has failed to these recipients or groups:\n\n{THERE}\nDiagnostic information for administrators:\n\n"
        f"Generating server: AM0.eurprd.prod.outlook.example\n\n{THERE}\nRemote Server returned '{said}'",
        f"Reporting-MTA: dns;AM0.eurprd.prod.outlook.example\n\nFinal-recipient: RFC822; {THERE}\nAction: failed\n"
        f"Status: {status}\nDiagnostic-Code: smtp;{said}\nX-Display-Name: An\n",
        "Content-Type: text/plain\n\n(no original)",
        head=f"Subject: Undeliverable: Uw melding\nIn-Reply-To: {trace.header}\nReferences: {trace.header}\n",
    )


def exchange_in(words: str) -> Shape:
    """The same with a text in another language and without a diagnosis in the fields."""

    def shape(trace: Trace, status: str, said: str) -> str:
        return report(
            trace,
            f"{words}\n\n{THERE}\n{said}\n",
            f"Reporting-MTA: dns;mail.client.example\n\nFinal-recipient: RFC822; {THERE}\nAction: failed\n"
            f"Status: {status}\n",
            f"Content-Type: message/rfc822\n\n{trace.letter}\nBeste An,",
        )

    return shape


dutch = exchange_in("Uw bericht is niet bezorgd bij de volgende geadresseerden:")
german = exchange_in("Ihre Nachricht konnte nicht zugestellt werden an:")
french = exchange_in("Votre message n'a pas pu être remis aux destinataires suivants :")


def gmail(trace: Trace, status: str, said: str) -> str:
    return report(
        trace,
        "** Address not found **\n\nYour message wasn't delivered. Learn more here:",
        f"Reporting-MTA: dns; googlemail.com\nArrival-Date: Sun, 22 Nov 2026 04:06:22 -0800 (PST)\n"
        f"X-Original-Message-ID: {trace.header}\n\nFinal-Recipient: rfc822; {THERE}\nAction: failed\nStatus: {status}\n"
        f"Remote-MTA: dns; gmail-smtp-in.l.google.com. (142.250.102.26, the server for the domain client.example.)\n"
        f"Diagnostic-Code: smtp; {said}\nLast-Attempt-Date: Sun, 22 Nov 2026 04:06:23 -0800 (PST)\n",
        "Content-Type: text/plain\n\n-",
        head="Subject: Delivery Status Notification (Failure)\n",
    )


def ses(trace: Trace, status: str, said: str) -> str:
    """The Message-ID is the provider's; our own header came through."""
    letter = trace.letter.replace(trace.header, "<0102018a-000000@eu-west-1.amazonses.com>")
    return report(
        trace,
        "An error occurred while trying to deliver the mail to the following recipients:\n" + THERE,
        f"Reporting-MTA: dns; a4-5.smtp-out.eu-west-1.amazonses.com\n\nAction: failed\n"
        f"Final-Recipient: rfc822; {THERE}\n"
        f"Diagnostic-Code: smtp; {said}\nStatus: {status}\n",
        f"Content-Type: message/rfc822\n\n{letter}X-Waarborg-Message: {SIGNER.signed(trace.message_id)}\n\nBeste An,",
    )


def international(trace: Trace, status: str, said: str) -> str:
    """RFC 6533: fields and headers in UTF-8, the fields in base64."""
    fields = (
        f"Reporting-MTA: dns; müller.example\n\nFinal-Recipient: utf-8; jörg@müller.example\nAction: failed\n"
        f"Status: {status}\nDiagnostic-Code: smtp; {said}\n"
    )
    whole = report(
        trace,
        "Zustellung fehlgeschlagen",
        "FIELDS",
        f"Content-Type: message/global-headers\n\n{trace.letter}",
    )
    return whole.replace(
        "Content-Type: message/delivery-status\n\nFIELDS",
        "Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"
        + encodebytes(fields.encode()).decode(),
    )


def sendmail(trace: Trace, status: str, said: str) -> str:
    return report(
        trace,
        f"   ----- The following addresses had permanent fatal errors -----\n<{THERE}>\n    (reason: {said})\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.client.example.:\n>>> DATA\n"
        f"<<< {said}",
        f"Reporting-MTA: dns; mail.guards.example\nReceived-From-MTA: DNS; app\n\nFinal-Recipient: RFC822; {THERE}\n"
        f"Action: failed\nStatus: {status}\nRemote-MTA: DNS; mx.client.example\nDiagnostic-Code: SMTP; {said}\n",
        f"Content-Type: message/rfc822\n\n{trace.letter}\nBeste An,",
        head="Subject: Returned mail: see transcript for details\n",
    )


SHAPES: dict[str, Shape] = {
    "postfix": postfix,
    "postfix_verp": postfix_verp,
    "exim": exim,
    "qmail": qmail,
    "exchange": exchange,
    "gmail": gmail,
    "ses": ses,
    "international": international,
    "sendmail": sendmail,
    "dutch": dutch,
    "german": german,
    "french": french,
}


def _cases() -> list[Case]:
    lines = (Path(__file__).parent / "returned.txt").read_text("utf-8").splitlines()
    found = []
    for line in lines:
        if line and not line.startswith("#"):
            shape, status, verdict, said = (each.strip() for each in line.split(" | ", 3))
            said = said.replace("\\n", "\n").replace("{there}", THERE)
            found.append((SHAPES[shape], status, said, BounceVerdict(verdict)))
    return found


CASES = _cases()
