"""Rules: templates with typed variables, rendered per language and time zone.

A template is a file `templates/<name>.<version>.<language>.txt`: subject, a line `---`, body. Its variables are a
struct; one that is missing, of the wrong type or not asked for is a refusal. Sent words are kept as they were
rendered, so a new version of a template changes nothing that was said.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.errors import Code, Refused

LANGUAGES = ("nl", "en")
_TEMPLATES = Path(__file__).parent / "templates"


class Variables(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a template is told; a subclass is one template."""

    template: ClassVar[str]
    version: ClassVar[int]

    company: str


class AboutTicket(Variables, frozen=True, kw_only=True):
    """What every notice about a ticket is told."""

    site: str
    summary: str
    reference: str
    opened_at: datetime


class IncidentOpened(AboutTicket, frozen=True, kw_only=True):
    """A ticket was opened at a site; `respond_by` when a first response is promised."""

    template: ClassVar[str] = "incident_opened"
    version: ClassVar[int] = 1

    ticket_kind: str
    priority: str
    respond_by: datetime | None


class IncidentResolved(AboutTicket, frozen=True, kw_only=True):
    """A ticket was resolved."""

    template: ClassVar[str] = "incident_resolved"
    version: ClassVar[int] = 1

    ticket_kind: str
    resolved_at: datetime


class CreditNotice(AboutTicket, frozen=True, kw_only=True):
    """A promise was broken and this is what the client gets back; instants None: not yet."""

    template: ClassVar[str] = "credit_notice"
    version: ClassVar[int] = 1

    promise_kind: str
    due_at: datetime
    acknowledged_at: datetime | None
    arrived_at: datetime | None
    resolved_at: datetime | None
    amount_cents: int
    currency: str


class CheckpointNotice(Variables, frozen=True, kw_only=True):
    """A signed checkpoint of the audit trail; `facts` is how many of its facts are the client's to see."""

    template: ClassVar[str] = "checkpoint"
    version: ClassVar[int] = 1

    account: str
    facts: int
    size: int
    note: str
    verifier_key: str
    signed_at: datetime


TEMPLATES: dict[str, type[Variables]] = {
    variables.template: variables
    for variables in (IncidentOpened, IncidentResolved, CreditNotice, CheckpointNotice)
}


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered message."""

    subject: str
    body: str

    @property
    def sha256(self) -> str:
        """What was said, as a fingerprint."""
        return hashlib.sha256(f"{self.subject}\n\n{self.body}".encode()).hexdigest()


def checked(template: str, variables: Mapping[str, Any]) -> Variables:
    """The variables of a known template, complete and of the right types; anything else is refused."""
    kind = TEMPLATES.get(template)
    if kind is None:
        raise Refused(Code.INVALID, f"There is no template {template!r}.", argument="template")
    try:
        return msgspec.convert(dict(variables), kind)
    except msgspec.ValidationError as error:
        raise Refused(Code.INVALID, f"{template}: {error}", argument="variables") from error


def render(variables: Variables, *, language: str, time_zone: str, name: str) -> Words:
    """Subject and body for one reader: `name` is how the message greets, instants are in `time_zone`."""
    known = language if language in LANGUAGES else "en"
    source = (_TEMPLATES / f"{variables.template}.{variables.version}.{known}.txt").read_text(
        "utf-8"
    )
    subject, body = source.split("\n---\n", 1)
    told = msgspec.structs.asdict(variables) | {"name": name, "zone": ZoneInfo(time_zone)}
    return Words(
        " ".join(_plain.from_string(subject).render(told).split()),  # a header has no second line
        _plain.from_string(body).render(told).strip() + "\n",
    )


def as_html(words: Words, *, language: str) -> str:
    """The same words as a simple HTML page: paragraphs, nothing loaded, everything escaped."""
    paragraphs = [part.splitlines() for part in words.body.strip().split("\n\n")]
    return _marked_up.get_template("page.html").render(
        subject=words.subject, language=language, paragraphs=paragraphs
    )


def grouped(cents: int, thousands: str, decimal: str) -> str:
    """123456 cents as 1.234,56 or 1,234.56."""
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{whole:,}".replace(",", thousands) + f"{decimal}{rest:02d}"


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=autoescape,  # noqa: S701 - off only for plain text, where &amp; would be a mistake
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["grouped"] = grouped
    return environment


_plain = _environment(autoescape=False)
_marked_up = _environment(autoescape=True)
