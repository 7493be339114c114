"""How a place stands this moment: who is on duty there, who is inside, who is missed, whose device is silent."""

from typing import Annotated

from domain.positions import SiteState
from schema.accounts import Site
from schema.core.types import RESTRICTED, enum, from_row
from schema.duties import Duty
from schema.presences import Presence
from schema.site_status_loader import RovingShift, SitePresence

enum(
    SiteState, "SiteState",
    unproven="Somebody is on duty, and there is no fence by which to tell whether that guard is there.",
    absent="Somebody on duty is not there by any device, for longer than the duty's grace (`absent`), whoever else is.",
    expected="Somebody on duty is not there by any device, and the grace is not over yet.",
    covered="Everybody on duty there is inside the fence by some device; or nobody is on duty and somebody is inside.",
    unwatched="Nobody is on duty there, and nobody is inside.",
)  # fmt: skip


@from_row(SitePresence)
class SiteStatus:
    """How a place stands this moment."""

    site: Annotated[Site, "The place."]
    state: Annotated[
        SiteState,
        "All of it in a word. What a device proved last holds until a hole in its record is too long to prove it.",
    ]
    on_duty: Annotated[list[Duty], "Who is on duty there now, by the beginning of the duty."]
    inside: Annotated[
        list[Presence],
        "Who is inside its fence and since when; also guards who are on duty elsewhere.",
    ]
    absent: Annotated[
        list[Presence], "Who is on duty there and is not there, and since when that is an absence."
    ]
    silent: Annotated[
        list[Presence],
        "Whose device, of those on duty there, is not heard of, and since when.",
        RESTRICTED,
    ]


@from_row(RovingShift)
class RoamingStatus:
    """A guard on duty who goes round all of the client's places."""

    duty: Annotated[Duty, "The duty."]
    inside: Annotated[list[Presence], "In whose fence the guard is, and since when."]
    silent: Annotated[list[Presence], "Since when the device is not heard of.", RESTRICTED]
