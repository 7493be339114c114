"""Facts about crises of clients. Internal to the company; the reason stays in the row."""

from typing import ClassVar

from domain.core.ledger import Fact


class CrisisBegan(Fact):
    """A client gets no surveys and no marketing from now on."""

    kind: ClassVar[str] = "crisis.began"
    subject_type: ClassVar[str | None] = "Crisis"
    internal: bool = True


class CrisisEnded(Fact):
    """The crisis of a client is over; what waited goes out."""

    kind: ClassVar[str] = "crisis.ended"
    subject_type: ClassVar[str | None] = "Crisis"
    internal: bool = True
