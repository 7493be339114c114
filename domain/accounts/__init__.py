"""Security companies, their client accounts, sites, contacts, users and keys."""

from domain.accounts.actions import (
    add_contact,
    add_site,
    add_user,
    change_account,
    change_contact,
    create_account,
    create_tenant,
    disable_user,
    issue_api_key,
    note_contacts_read,
    revoke_api_key,
)
from domain.accounts.company import change_company
from domain.accounts.managing import (
    managed_user,
)
from domain.accounts.model import (
    Account,
    ApiKey,
    CadenceTier,
    Channel,
    Complexity,
    Contact,
    ContractType,
    Reach,
    Segment,
    ServiceTier,
    Site,
    Stage,
    Tenant,
    User,
)
from domain.accounts.reads import (
    actor_of_row,
    actor_of_user,
    actors_of_keys,
    actors_of_users,
    note_key_use,
)
from domain.accounts.sites import change_site

__all__ = [
    "Account",
    "ApiKey",
    "CadenceTier",
    "Channel",
    "Complexity",
    "Contact",
    "ContractType",
    "Reach",
    "Segment",
    "ServiceTier",
    "Site",
    "Stage",
    "Tenant",
    "User",
    "actor_of_row",
    "actor_of_user",
    "actors_of_keys",
    "actors_of_users",
    "add_contact",
    "add_site",
    "add_user",
    "change_account",
    "change_company",
    "change_contact",
    "change_site",
    "create_account",
    "create_tenant",
    "disable_user",
    "issue_api_key",
    "managed_user",
    "note_contacts_read",
    "note_key_use",
    "revoke_api_key",
]
