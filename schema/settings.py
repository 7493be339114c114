"""Mutations about the company's own settings and its sites."""

from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts
from schema.accounts import Site, Tenant
from schema.core.mutations import ExpectedVersion, MutationContext, SiteId, mutation


@strawberry.type
class SettingsMutation:
    """Changing what is known of the company and of sites."""

    @mutation(Tenant)
    @staticmethod
    async def change_company(
        ask: MutationContext,
        name: Annotated[str | None, "Another name; no other company has it."] = UNSET,
        kvk_number: Annotated[str | None, "Number in the Dutch trade register, or null."] = UNSET,
        permit_number: Annotated[str | None, "Number of the permit (ND-nummer), or null."] = UNSET,
        time_zone: Annotated[
            str | None, "IANA time zone, for what is planned from now on."
        ] = UNSET,
    ) -> accounts.Tenant:
        """Change the settings of your company; what is left out stays as it is."""
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
        id: Annotated[SiteId, "The site."],
        name: Annotated[str | None, "Another name; unique for the client."] = UNSET,
        street: Annotated[str | None, "Street and number, or null."] = UNSET,
        postcode: Annotated[str | None, "Postal code, or null."] = UNSET,
        city: Annotated[str | None, "Town, or null."] = UNSET,
        country: Annotated[str | None, "ISO 3166 code."] = UNSET,
        lat: Annotated[
            float | None, "Latitude in degrees; not while the site has a fence."
        ] = UNSET,
        lon: Annotated[
            float | None, "Longitude in degrees; not while the site has a fence."
        ] = UNSET,
        services: Annotated[list[str] | None, "What is done there."] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Site:
        """Change what is known of a site; what is left out stays as it is."""
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
