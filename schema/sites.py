"""Sites that the company guards for its clients."""

from typing import Annotated, Any

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, incidents
from domain.parameters import ParameterScope
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AccountId, ExpectedVersion, MutationContext, SiteId, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import from_row, relations
from schema.parameter_loader import ParameterNames, ParametersAt, effective_of

SiteRow = strawberry.Parent[accounts.Site]
Few = Annotated[int, "Maximum number of rows to return, at most 100."]


@from_row(accounts.Site)
class Site(Node):
    """Site that the company guards for a client."""

    name: Annotated[str, "Name of the site, as shown to people."]
    street: Annotated[str | None, "Street and house number of the site."]
    postcode: Annotated[str | None, "Postal code of the site."]
    city: Annotated[str | None, "City or town of the site."]
    country: Annotated[str, "Country of the site, as an ISO 3166 code."]
    lat: Annotated[float | None, "Latitude of the site in degrees, WGS 84."]
    lon: Annotated[float | None, "Longitude of the site in degrees, WGS 84."]
    services: Annotated[list[str], "Services performed at the site, such as patrols."]
    fence_radius_m: Annotated[
        float | None, "Radius of the circular geofence in metres; null without a circle."
    ]
    fence_outline: Annotated[
        list[float] | None,
        "Corners of the geofence polygon: latitude, longitude, latitude, longitude …; null without a polygon.",
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @relations("EffectiveParameter")
    @staticmethod
    async def parameters(
        row: SiteRow,
        info: Info,
        names: ParameterNames = None,
        at: ParametersAt = None,
    ) -> Any:
        """Parameters that apply to the site, with where each value comes from; those that your role may read."""
        return await effective_of(
            info, ParameterScope(row.tenant_id, row.account_id, row.id), names, at
        )

    account = to_one(
        "Account", accounts.Account, "account_id", "Account of the client that owns the site."
    )

    @relations("Incident")
    @staticmethod
    async def incidents(row: SiteRow, info: Info, first: Few = 10) -> list[Any]:
        """Newest incidents at this site; use the root field `incidents` for pages and filters."""
        return await info.context.children(
            incidents.Incident.site_id,
            row.id,
            order=(incidents.Incident.opened_at, incidents.Incident.id),
            descending=True,
            first=first,
        )


@mutation_fields
class SiteMutation:
    """Mutations of sites."""

    @mutation(Site)
    @staticmethod
    async def add_site(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client that owns the site."],
        name: Annotated[str, "Name of the site; unique within the account."],
        street: Annotated[str | None, "Street and house number of the site."] = None,
        postcode: Annotated[str | None, "Postal code of the site."] = None,
        city: Annotated[str | None, "City or town of the site."] = None,
        country: Annotated[str, "Country of the site, as an ISO 3166 code."] = "NL",
        lat: Annotated[float | None, "Latitude of the site in degrees, WGS 84."] = None,
        lon: Annotated[float | None, "Longitude of the site in degrees, WGS 84."] = None,
        services: Annotated[
            list[str] | None, "Services performed at the site, such as patrols."
        ] = None,
    ) -> accounts.Site:
        """Add a site of a client to be guarded."""
        return await accounts.add_site(
            ask.tx,
            account_id,
            name=name,
            street=street,
            postcode=postcode,
            city=city,
            country=country,
            lat=lat,
            lon=lon,
            services=services or [],
        )

    @mutation(Site)
    @staticmethod
    async def change_site(
        ask: MutationContext,
        id: Annotated[SiteId, "Site to be changed."],
        name: Annotated[str | None, "New name of the site; unique within the account."] = UNSET,
        street: Annotated[str | None, "Street and house number of the site, or null."] = UNSET,
        postcode: Annotated[str | None, "Postal code of the site, or null."] = UNSET,
        city: Annotated[str | None, "City or town of the site, or null."] = UNSET,
        country: Annotated[str | None, "Country of the site, as an ISO 3166 code."] = UNSET,
        lat: Annotated[
            float | None, "Latitude in degrees, WGS 84; fixed while the site has a geofence."
        ] = UNSET,
        lon: Annotated[
            float | None, "Longitude in degrees, WGS 84; fixed while the site has a geofence."
        ] = UNSET,
        services: Annotated[
            list[str] | None, "Services performed at the site, such as patrols."
        ] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Site:
        """Change the details of a site. Arguments that are omitted stay as they are."""
        given = {
            "name": name,
            "street": street,
            "postcode": postcode,
            "city": city,
            "country": country,
            "lat": lat,
            "lon": lon,
            "services": services,
        }
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await accounts.change_site(ask.tx, id, expected_version=expected_version, **changes)
