"""Mutations about the company's own settings and its sites."""

from typing import Annotated

from strawberry.types.unset import UNSET

from domain import accounts
from schema.accounts import Site, Tenant
from schema.core.mutations import ExpectedVersion, MutationContext, SiteId, mutation
from schema.core.roots import mutation_fields


@mutation_fields
class SettingsMutation:
    """Mutations of the company and of sites."""

    @mutation(Tenant)
    @staticmethod
    async def change_company(
        ask: MutationContext,
        name: Annotated[
            str | None, "New name of the company; unique in this installation."
        ] = UNSET,
        kvk_number: Annotated[
            str | None, "Number in the Dutch trade register (KvK), or null."
        ] = UNSET,
        permit_number: Annotated[
            str | None, "Permit number of the company (ND-nummer), or null."
        ] = UNSET,
        time_zone: Annotated[
            str | None, "IANA time zone for everything planned from now on."
        ] = UNSET,
    ) -> accounts.Tenant:
        """Change the settings of your company. Arguments that are omitted stay as they are."""
        given = {
            "name": name,
            "kvk_number": kvk_number,
            "permit_number": permit_number,
            "time_zone": time_zone,
        }
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await accounts.change_company(ask.session, ask.actor, at=ask.at, **changes)

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
        return await accounts.change_site(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version, **changes
        )
