"""Senders: the interface of a message channel, its errors, and the channels of an installation."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Protocol

from domain.accounts.model import Channel
from domain.core.settings import Settings
from domain.messages import Address, Enclosure, Message

STEP_S = 10.0  # for each command of an SMTP dialogue; the job's limit bounds the whole


class Undeliverable(Exception):
    """Raised when this channel will never accept this message to this recipient."""


class Gone(Undeliverable):
    """Raised when the address no longer exists."""


class Unconfirmed(Exception):
    """Raised when a message was handed over and the answer is unknown."""


class TryLater(Exception):
    """Raised when a message was not accepted and may be retried after `wait_s`, as the other side requested."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What a sender receives: a message, the company it is from, its files, and the keys of a push subscription."""

    message: Message
    company: str
    enclosures: Sequence[Enclosure] = ()
    address: Address | None = None


HandingOver = Callable[[], Awaitable[None]]
"""Awaited before the last byte is sent; from then on the message may be accepted without an answer reaching us."""


class Sender(Protocol):
    """A message channel."""

    settles_in: timedelta
    """Time after handing over from which the channel's "not accepted" can be trusted."""

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Send the message; return when the next server has accepted it.

        Raises `Undeliverable` when retrying is useless, `Unconfirmed` when it was handed over without an
        answer, `TryLater` when it was not accepted and a time to wait is known, any other error when it was
        certainly not accepted.
        """
        ...

    async def accepted(self, outgoing: OutboundMessage) -> bool | None:
        """Return whether a message that was handed over was accepted; None when the channel cannot know.

        Raises when the source of that answer cannot be reached now.
        """
        ...


class TakesLetters(Protocol):
    """A mail server, or a substitute for one."""

    async def send(self, letter: EmailMessage, handing_over: HandingOver) -> None:
        """Send a mail, as `Sender.send` does."""
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """What mails outside the message log need: those about a sign-in, with secrets that are not stored."""

    post: TakesLetters
    sent_from: str
    base_url: str
    """URL at which readers reach the API, without a trailing slash."""


class Senders:
    """All channels of an installation."""

    def __init__(
        self, by_channel: Mapping[Channel, Sender], office: "Office | None" = None
    ) -> None:
        self._by_channel = by_channel
        self.office = office

    def of(self, message: Message) -> Sender:
        """Return the sender of the message's channel; raises `Undeliverable` when none is configured."""
        sender = self._by_channel.get(message.channel)
        if sender is None:
            raise Undeliverable(f"{message.channel} is not set up here")
        return sender


def domain_of(address: str) -> str:
    """Return the part of an address after the @."""
    return address.rpartition("@")[2].strip("> ")


def base_url(settings: Settings) -> str:
    """Return the URL at which readers reach the API: the public one, else the listening address."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
