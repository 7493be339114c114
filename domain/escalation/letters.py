"""What people are told when a ticket escalates."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

from domain.messages.model import Urgency
from domain.messages.variables import AboutTicket


class Escalated(AboutTicket, frozen=True, kw_only=True):
    """A ticket needs somebody: because nobody took it up, nobody spoke about it, or it has been open for so long."""

    template: ClassVar[str] = "ticket_escalated"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    urgency: ClassVar[Urgency] = Urgency.HIGH

    account: str
    priority: str
    cycle: str
    since: datetime
    number: int


class EscalatedUrgently(Escalated, frozen=True, kw_only=True):
    """The same words, past quiet hours."""

    urgency: ClassVar[Urgency] = Urgency.CRITICAL
