"""Status of a site: guards on duty, inside the geofence, absent or silent."""

from typing import Annotated

from domain.positions import SiteState
from schema.core.types import RESTRICTED, enum, from_row
from schema.duties import Duty
from schema.presences import Presence
from schema.site_status_loader import RovingShift, SitePresence
from schema.sites import Site

enum(
    SiteState,
    "SiteState",
    unproven="A guard is on duty, and without a geofence the presence cannot be proven.",
    absent=(
        "No device proves the presence of a guard on duty, for longer than the grace "
        "period (`absent`), whoever else is there."
    ),
    expected="No device proves the presence of a guard on duty yet, within the grace period.",
    covered="Every guard on duty is inside the geofence by some device; or nobody is on duty and a guard is inside.",
    unwatched="Nobody is on duty, and nobody is inside the geofence.",
)


@from_row(SitePresence)
class SiteStatus:
    """Status of a site at this instant."""

    site: Annotated[Site, "Site that the status describes."]
    state: Annotated[
        SiteState,
        "State of the site. The last conclusion from a device holds until a gap in its record is too long.",
    ]
    on_duty: Annotated[list[Duty], "Duties at the site now, by their start."]
    inside: Annotated[
        list[Presence],
        "Guards inside the geofence, with the time since when; also guards on duty elsewhere.",
    ]
    absent: Annotated[list[Presence], "Guards on duty who are absent, with the time since when."]
    silent: Annotated[
        list[Presence],
        "Guards on duty with a silent device, with the time since when.",
        RESTRICTED,
    ]


@from_row(RovingShift)
class RoamingStatus:
    """Status of a guard on duty who patrols all sites of an account."""

    duty: Annotated[Duty, "Duty on which the guard is."]
    inside: Annotated[
        list[Presence], "Geofences that the guard is inside, with the time since when."
    ]
    silent: Annotated[
        list[Presence], "Silence of the guard's device, with the time since when.", RESTRICTED
    ]
