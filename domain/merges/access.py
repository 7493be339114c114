"""Access rules of merges: for those who look after accounts."""

from domain.access import Right
from domain.access.declarations import AccessRules

ACCESS = AccessRules(
    facts={Right.READ_RELATIONSHIP: "site.merged contact.merged"},
    mutations={Right.MANAGE_ACCOUNTS: "mergeSites mergeContacts"},
)
