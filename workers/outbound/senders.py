"""Senders: how a message leaves the house, by each of the channels."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Protocol

from domain.accounts.model import Channel
from domain.messages import Address, Enclosure, Message

STEP_S = 10.0  # for each command of a dialogue; the job's own limit bounds the whole of it


class Undeliverable(Exception):
    """This channel will never take this message to this person."""


class Gone(Undeliverable):
    """There is nobody at this address any more."""


class Unconfirmed(Exception):
    """The message was handed over, and what became of it was not heard."""


class TryLater(Exception):
    """It was not accepted, and may be tried again in so many seconds, not earlier: the other side said so."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What a sender is given: a message, from whom it is, its files, and the keys of a push subscription."""

    message: Message
    company: str
    enclosures: Sequence[Enclosure] = ()
    address: Address | None = None


HandingOver = Callable[[], Awaitable[None]]
"""Awaited before the last byte leaves; from then on the message may be accepted without our hearing of it."""


class Sender(Protocol):
    """One channel."""

    settles_in: timedelta
    """How long after the handing over a "no, I do not have it" is to be believed."""

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Return when the next server took responsibility.

        Raises `Undeliverable` when trying again is of no use, `Unheard` when it was handed over without an answer,
        `Busy` when it was not accepted and there is a time to wait for, anything else when it was certainly not
        accepted.
        """
        ...

    async def accepted(self, outgoing: OutboundMessage) -> bool | None:
        """Whether a message that was handed over was accepted; None when there is nobody to ask.

        Raises when whoever knows cannot be asked now.
        """
        ...


class TakesLetters(Protocol):
    """A mail server, or what stands in for one."""

    async def send(self, letter: EmailMessage, handing_over: HandingOver) -> None:
        """As `Sender.send`."""
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """What letters that are no messages are sent with: about somebody's own sign-in, with secrets that are not kept."""

    post: TakesLetters
    sent_from: str
    base_url: str
    """Where readers reach the API, without a slash at the end."""


class Senders:
    """All channels of an installation."""

    def __init__(
        self, by_channel: Mapping[Channel, Sender], office: "Office | None" = None
    ) -> None:
        self._by_channel = by_channel
        self.office = office

    def of(self, message: Message) -> Sender:
        """The sender of the message's channel; raises `Undeliverable` when the installation has none."""
        sender = self._by_channel.get(message.channel)
        if sender is None:
            raise Undeliverable(f"{message.channel} is not set up here")
        return sender


def domain_of(address: str) -> str:
    """The part after the @."""
    return address.rpartition("@")[2].strip("> ")
