"""Enums that the types of several nouns show; registered before the first type that uses one is made."""

from domain.agreements import Priority, PromiseKind, TicketKind
from schema.core.types import enum

__all__ = ["Priority", "PromiseKind", "TicketKind"]

enum(
    Priority, "Priority",
    critical="Drop everything.", high="Now.", medium="Today.", low="When it suits.",
)  # fmt: skip
enum(
    PromiseKind, "PromiseKind",
    first_response="From opened to acknowledged.",
    next_update="From one update for the client to the next.",
    arrival="From opened to somebody on site.",
    resolution="From opened to resolved.",
    closure="From opened to closed.",
    agreed_date="Closed by the date promised for this very ticket.",
)  # fmt: skip
enum(
    TicketKind, "TicketKind",
    incident="Something went wrong.", complaint="Somebody is not satisfied.",
    inquiry="Somebody asks.", service_request="Something is to be done.",
    alarm="An alarm went off.", maintenance="Something needs upkeep.",
    enhancement="Something could be better.",
)  # fmt: skip
